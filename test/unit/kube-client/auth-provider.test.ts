import { describe, expect, it } from 'vitest';
import { createAuthProvider } from '../../../src/kube-client/auth-provider.ts';

describe('an auth-provider', () => {
  it('gives a token', { timeout: 20_000 }, async () => {
    const config = { 'access-token': 'gcp-token', expiry: '2999-01-01T00:00:00Z' };
    const ask = createAuthProvider({ name: 'u', path: '/k', value: { 'auth-provider': { name: 'gcp', config } } });
    expect(await ask(false)).toEqual({ headers: { authorization: 'Bearer gcp-token' } });
  });

  it('that cannot be asked is told without what it holds', { timeout: 20_000 }, async () => {
    const config = { 'id-token': 'hunter2', 'client-id': 'c' };
    const ask = createAuthProvider({ name: 'u', path: '/k', value: { 'auth-provider': { name: 'oidc', config } } });
    const outcome = await ask(false).then(JSON.stringify, (error: unknown) => String(error));
    expect(outcome).toMatch(/^ConfigError: asking client-node for the credentials of user 'u': |^\{"headers":/);
  });
});
