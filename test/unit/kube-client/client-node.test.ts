import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { pods } from '../../../src/kube/objects.ts';
import { createKubeApi } from '../../../src/kube-client/client.ts';
import { configOfKubeConfig, createAuthProvider } from '../../../src/kube-client/client-node.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';

/** A KubeConfig that has selected this cluster, as `u` with a token. */
function kubeConfigOf(cluster: { readonly server: string; readonly [field: string]: unknown }): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: 'c', skipTLSVerify: false, ...cluster }],
    users: [{ name: 'u', token: 't' }],
    contexts: [{ name: 'd', cluster: 'c', user: 'u', namespace: 'n' }],
    currentContext: 'd',
  });
  return kubeConfig;
}

describe('a KubeConfig of client-node', () => {
  it('becomes a KubeApi that speaks to its cluster as its user', { timeout: 20_000 }, async () => {
    const server = await startScriptedServer((_, reply) => reply.json(200, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }));
    const kubeConfig = kubeConfigOf({ server: server.config().server, caData: Buffer.from(server.identity.ca).toString('base64') });
    const kube = createKubeApi(configOfKubeConfig(kubeConfig), { clock: systemClock, userAgent: 'u' });
    expect(await kube.get(pods, { namespace: 'n', name: 'x' })).toMatchObject({ metadata: { name: 'x' } });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer t');
    kube.close();
    await server.close();
  });

  it('names cluster, namespace, credentials and proxy', async () => {
    const config = configOfKubeConfig(
      kubeConfigOf({
        server: 'https://x.test:6443/',
        caData: Buffer.from('CA').toString('base64'),
        tlsServerName: 'k',
        proxyUrl: 'http://p:3128',
      }),
    );
    expect(config).toMatchObject({
      server: 'https://x.test:6443',
      namespace: 'n',
      source: 'context d of a KubeConfig',
      proxy: { url: 'http://p:3128/', source: "the proxy-url of cluster 'c'" },
    });
    expect(await config.headers(false)).toEqual({ authorization: 'Bearer t' });
    expect(await config.tls()).toEqual({ ca: 'CA', servername: 'k' });
  });

  it('that has selected nothing is refused', () => {
    expect(() => configOfKubeConfig(new KubeConfig())).toThrow('has selected no cluster');
  });
});

describe('an auth-provider', () => {
  it('gives a token', { timeout: 20_000 }, async () => {
    const config = { 'access-token': 'gcp-token', expiry: '2999-01-01T00:00:00Z' };
    const ask = createAuthProvider({ name: 'u', path: '/k', what: "user 'u'", value: { 'auth-provider': { name: 'gcp', config } } });
    expect(await ask(false)).toEqual({ headers: { authorization: 'Bearer gcp-token' } });
  });

  it('that cannot be asked is told without what it holds', { timeout: 20_000 }, async () => {
    const config = { 'id-token': 'hunter2', 'client-id': 'c' };
    const ask = createAuthProvider({ name: 'u', path: '/k', what: "user 'u'", value: { 'auth-provider': { name: 'oidc', config } } });
    const outcome = await ask(false).then(JSON.stringify, (error: unknown) => String(error));
    expect(outcome).toMatch(/^ConfigError: asking client-node for the credentials of user 'u': |^\{"headers":/);
  });
});
