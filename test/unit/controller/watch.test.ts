import { describe, expect, it } from 'vitest';
import { FlightLimit } from '../../../src/controller/flight-limit.ts';
import type { Outcome, Reconcile } from '../../../src/controller/outcome.ts';
import { Pace } from '../../../src/controller/pace.ts';
import { runWatch, type WatchRunOptions } from '../../../src/controller/watch.ts';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { sleep } from '../../../src/lib/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const key = (name: string): ObjectKey => ({ namespace: 'ns', name });
const failed: Outcome = { kind: 'failed', reason: 'forbidden', message: '', retry: 'backoff' };
const settled: Outcome = { kind: 'settled', reason: 'Serving', message: '', again: false, unsaid: false };

function start(reconcile: (clock: FakeClock) => Reconcile, names: readonly string[], more: Partial<WatchRunOptions> = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const lost = new AbortController();
  let isOver = false;
  const running = runWatch({
    queue: new WorkQueue(clock),
    reconcile: reconcile(clock),
    limit: new FlightLimit(2),
    clock,
    random: () => 0.5,
    keys: () => names.map(key),
    signal: stop.signal,
    lost: lost.signal,
    drainMs: 20_000,
    ...more,
  }).then(() => {
    isOver = true;
  });
  return { clock, stop, lost, running, isOver: () => isOver };
}

/** A pass of three writes, a second each, that asks the signal before each. */
const threeWrites =
  (writes: string[]) =>
  (clock: FakeClock): Reconcile =>
  async ({ name }, { signal }) => {
    for (let write = 1; write <= 3; write += 1) {
      if (signal.aborted) return { kind: 'failed', reason: 'aborted', message: '', retry: 'never' };
      writes.push(`${name}${write}`);
      await sleep(clock, 1_000);
    }
    return settled;
  };

describe('runWatch', () => {
  it('looks at every key when it starts, and at all of them again once in each resync', async () => {
    const seen: string[] = [];
    const pass = (): Reconcile => async (seenKey) => {
      seen.push(seenKey.name);
      return settled;
    };
    const { clock, stop, running } = start(pass, ['a', 'b', 'c'], { resyncMs: 60_000 });
    await clock.advance(0);
    expect(seen).toEqual(['a', 'b', 'c']);
    await clock.advance(60_000);
    expect(seen.toSorted()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    stop.abort();
    await clock.advance(0);
    await running;
    expect(clock.pending).toBe(0);
  });

  it('lets the passes under way end when it is asked to stop, and starts no other', async () => {
    const writes: string[] = [];
    const { clock, stop, running } = start(threeWrites(writes), ['a', 'b', 'c', 'd']);
    await clock.advance(500);
    stop.abort();
    await clock.advance(2_500);
    await running;
    expect(writes).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
    expect(clock.pending).toBe(0);
  });

  it('aborts passes that take longer than the drain may', async () => {
    const writes: string[] = [];
    const { clock, stop, running } = start(threeWrites(writes), ['a'], { drainMs: 1_200 });
    await clock.advance(500);
    stop.abort();
    await clock.advance(2_000);
    await running;
    expect(writes).toEqual(['a1', 'a2']);
  });

  it.each([
    { name: 'at once', stopFirst: false },
    { name: 'during the drain', stopFirst: true },
  ])('aborts every pass between two writes when the right to write is lost $name', async ({ stopFirst }) => {
    const writes: string[] = [];
    const { clock, stop, lost, running } = start(threeWrites(writes), ['a', 'b', 'c']);
    await clock.advance(500);
    if (stopFirst) stop.abort();
    lost.abort();
    await clock.advance(5_000);
    await running;
    expect(writes).toEqual(['a1', 'b1']);
    expect(clock.pending).toBe(0);
  });

  it('goes on with the back-off of the run before, but for one look at each key', async () => {
    const pace = new Pace(() => 1);
    const tries = async (): Promise<number> => {
      let count = 0;
      const refuse = (): Reconcile => async () => {
        count += 1;
        return failed;
      };
      const { clock, lost, running } = start(refuse, ['a'], { pace });
      await clock.advance(10_000);
      lost.abort();
      await running;
      return count;
    };
    expect([await tries(), await tries()]).toEqual([8, 1]);
  });

  it('takes a pass that a lost Lease cut off for no failure of its key', async () => {
    const pace = new Pace(() => 1);
    const { clock, lost, running } = start(threeWrites([]), ['a'], { pace });
    await clock.advance(500);
    lost.abort();
    await clock.advance(2_000);
    await running;
    expect(pace.size).toBe(0);
  });

  it('does nothing when it was stopped before it began', async () => {
    const writes: string[] = [];
    const { clock, running, isOver } = start(threeWrites(writes), ['a'], { signal: AbortSignal.abort() });
    await clock.advance(0);
    await running;
    expect([isOver(), writes, clock.pending]).toEqual([true, [], 0]);
  });
});
