import { describe, expect, it } from 'vitest';
import type { ReflectorState } from '../../../src/kube/reflector-health.ts';
import { checkCaches, createReach } from '../../../src/telemetry/health.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const well: ReflectorState = {
  synced: true,
  stale: false,
  ageMs: 0,
  lists: 1,
  relists: 0,
  restarts: 0,
  faults: 0,
  blindMs: 0,
  handlerErrors: 0,
};

describe('a cache', () => {
  it.each<{ name: string; state: Partial<ReflectorState>; trouble: string | undefined }>([
    { name: 'that follows the cluster is well', state: {}, trouble: undefined },
    { name: 'without its first list is not', state: { synced: false, stale: true }, trouble: 'no list yet' },
    { name: 'says why it has none', state: { synced: false, lastFault: 'forbidden' }, trouble: 'no list yet: forbidden' },
    { name: 'may be behind for a moment', state: { stale: true, ageMs: 10_000 }, trouble: undefined },
    { name: 'may be silent while its watch is proven', state: { ageMs: 60_000 }, trouble: undefined },
    {
      name: 'that is behind for longer is not well',
      state: { stale: true, ageMs: 12_400, lastFault: 'no connection' },
      trouble: 'nothing heard for 12 s: no connection',
    },
  ])('$name', ({ state, trouble }) => {
    expect(checkCaches([{ plural: 'pods', state: () => ({ ...well, ...state }) }])['cache-pods']?.()).toBe(trouble);
  });
});

describe('the API server', () => {
  it.each([
    { code: '<error>', trouble: 'no answer for 11 s' },
    { code: '401', trouble: 'it has not accepted our credentials for 11 s' },
    { code: '503', trouble: 'it has answered 503 for 11 s' },
  ])('counts as lost after ten seconds of nothing but $code, until it answers', async ({ code, trouble }) => {
    const clock = new FakeClock();
    const reach = createReach(() => clock.monotonicMs());
    expect(reach.check()).toBeUndefined();
    reach.onAnswer(code);
    await clock.advance(10_000);
    expect(reach.check()).toBeUndefined();
    await clock.advance(1_000);
    reach.onAnswer(code);
    expect(reach.check()).toBe(trouble);
    reach.onAnswer('404');
    expect(reach.check()).toBeUndefined();
  });
});
