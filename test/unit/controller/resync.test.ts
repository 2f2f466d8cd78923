import { describe, expect, it } from 'vitest';
import { runResync } from '../../../src/controller/resync.ts';
import type { WorkClass } from '../../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('runResync', () => {
  const keys = Array.from({ length: 1_000 }, (_, index): ObjectKey => ({ namespace: 'ns', name: `p${index}` }));

  const start = (everyMs: number) => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const seen: { name: string; atMs: number; as: WorkClass | undefined }[] = [];
    const queue = { add: (key: ObjectKey, as?: WorkClass) => void seen.push({ name: key.name, atMs: clock.monotonicMs(), as }) };
    const running = runResync({ queue, clock, keys: () => keys, everyMs, signal: stop.signal });
    return { clock, stop, seen, running };
  };

  it('looks at every key once a round, in the background, spread evenly', async () => {
    const { clock, stop, seen, running } = start(3_600_000);
    await clock.advance(3_600_000);
    expect(new Set(seen.map(({ name }) => name)).size).toBe(1_000);
    expect(seen).toHaveLength(1_000);
    expect(new Set(seen.map(({ as }) => as))).toEqual(new Set(['background']));
    const perMinute = Map.groupBy(seen, ({ atMs }) => Math.floor(atMs / 60_000));
    expect(perMinute.size).toBeGreaterThanOrEqual(60);
    expect(Math.max(...[...perMinute.values()].map((group) => group.length))).toBeLessThan(40);
    stop.abort();
    await running;
    expect(clock.pending).toBe(0);
  });

  it('keeps the moment of each key from round to round', async () => {
    const { clock, stop, seen, running } = start(60_000);
    await clock.advance(120_000);
    const times = seen.filter(({ name }) => name === 'p7').map(({ atMs }) => atMs);
    expect(times).toHaveLength(2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeCloseTo(60_000);
    stop.abort();
    await running;
  });

  it('does nothing when it is off', async () => {
    const { clock, seen, running } = start(0);
    await running;
    expect([clock.pending, seen.length]).toEqual([0, 0]);
  });
});
