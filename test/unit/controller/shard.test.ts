import { describe, expect, it } from 'vitest';
import { runResync } from '../../../src/controller/resync.ts';
import { isInShard } from '../../../src/controller/shard.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const keys = Array.from({ length: 10_000 }, (_, at): ObjectKey => ({ namespace: `avs-${at % 7}`, name: `performer-${at}` }));
const shardsOf = (key: ObjectKey, count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => at + 1).filter((index) => isInShard(key, { index, count }));

describe('shards', () => {
  it.each([1, 2, 3, 4, 7, 16, 99])('of %i: every key falls to one of them, and none gets far more than its part', (count) => {
    const owners = keys.map((key) => shardsOf(key, count));
    expect(owners.every((found) => found.length === 1)).toBe(true);
    const sizes = [...Map.groupBy(owners, ([index]) => index).values()].map((group) => group.length);
    const part = keys.length / count;
    expect(sizes).toHaveLength(count);
    // Five standard deviations of a fair lot.
    for (const size of sizes) expect(Math.abs(size - part)).toBeLessThan(5 * Math.sqrt(part));
  });

  it('stay what they are: processes of two versions must agree whose a key is', () => {
    const at = (namespace: string, name: string): readonly number[] =>
      [2, 3, 4, 16].flatMap((count) => shardsOf({ namespace, name }, count));
    expect(at('default', 'hello')).toEqual([1, 2, 3, 11]);
    expect(at('team-a', 'x')).toEqual([2, 2, 4, 16]);
    expect(at('team-b', 'x')).toEqual([1, 3, 1, 9]);
  });

  it('have their keys looked at all through a resync, as if there were no others', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const own = keys.filter((key) => isInShard(key, { index: 2, count: 4 }));
    const atMs: number[] = [];
    const queue = { add: () => void atMs.push(clock.monotonicMs()) };
    const running = runResync({ queue, clock, keys: () => own, everyMs: 600_000, signal: stop.signal });
    await clock.advance(600_000);
    stop.abort();
    await running;
    expect(atMs).toHaveLength(own.length);
    // By the same part of the hash they would all meet in a quarter of the moments.
    expect(new Set(atMs).size).toBeGreaterThan(500);
  });
});
