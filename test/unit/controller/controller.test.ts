import { describe, expect, it } from 'vitest';
import { type ControllerOptions, runController } from '../../../src/controller/controller.ts';
import { FlightLimit } from '../../../src/controller/flight-limit.ts';
import type { Outcome, Reconcile } from '../../../src/controller/outcome.ts';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { sleep } from '../../../src/lib/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const key = (name: string): ObjectKey => ({ namespace: 'ns', name });
const settled: Outcome = { kind: 'settled', reason: 'Serving', message: '', again: false, unsaid: false };
const waiting: Outcome = { ...settled, kind: 'waiting', reason: 'Starting' };
const failed = (reason: string, retryAfterMs?: number): Outcome => ({
  kind: 'failed',
  reason,
  message: '',
  retry: 'backoff',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

function start(reconcile: Reconcile, workers: number, onOutcome?: ControllerOptions['onOutcome']) {
  const clock = new FakeClock();
  return startOn(clock, reconcile, workers, onOutcome);
}

function startOn(clock: FakeClock, reconcile: Reconcile, workers: number, onOutcome?: ControllerOptions['onOutcome']) {
  const queue = new WorkQueue(clock);
  const limit = new FlightLimit(workers);
  const stop = new AbortController();
  const running = runController({
    queue,
    limit,
    clock,
    reconcile,
    random: () => 0.5,
    until: stop.signal,
    ...(onOutcome === undefined ? {} : { onOutcome }),
  });
  return { queue, limit, stop, running, clock };
}

describe('runController', () => {
  it('takes no key after it was stopped, lets the passes under way end, and leaves no timer', async () => {
    const clock = new FakeClock();
    const ended: string[] = [];
    const { queue, stop, running } = startOn(
      clock,
      async ({ name }) => {
        await sleep(clock, 1_000);
        ended.push(name);
        return { ...waiting, requeueAfterMs: 60_000 };
      },
      2,
    );
    for (const name of ['a', 'b', 'c']) queue.add(key(name));
    await clock.advance(500);
    stop.abort();
    await clock.advance(500);
    await running;
    expect(ended).toEqual(['a', 'b']);
    expect(clock.pending).toBe(0);
  });

  it('tells each outcome', async () => {
    const clock = new FakeClock();
    const told: unknown[] = [];
    const pass: Reconcile = () => sleep(clock, 70).then(() => settled);
    const { queue, stop, running } = startOn(clock, pass, 2, ({ name }, { kind }) => told.push([name, kind]) > 0);
    queue.add(key('a'));
    await clock.advance(100);
    expect(told).toEqual([['a', 'settled']]);
    stop.abort();
    await running;
  });

  it('keeps a pass that throws to its own key', async () => {
    const ended: string[] = [];
    const { queue, stop, running, clock } = start(({ name }) => {
      if (name === 'bad') throw new Error('boom');
      ended.push(name);
      return Promise.resolve(settled);
    }, 2);
    for (const name of ['bad', 'a', 'b']) queue.add(key(name));
    await clock.advance(0);
    expect(ended).toEqual(['a', 'b']);
    stop.abort();
    await running;
  });

  it('pauses the key that was throttled for as long as the server asks, whatever news of it comes, and no other', async () => {
    const clock = new FakeClock();
    const passes: string[] = [];
    const { queue, limit, stop, running } = startOn(
      clock,
      ({ name }) => {
        passes.push(`${name}@${clock.monotonicMs() - 1_000}`);
        return Promise.resolve(name === 'slow' && passes.length === 1 ? failed('throttled', 3_000) : settled);
      },
      8,
    );
    queue.add(key('slow'));
    await clock.advance(100);
    expect(limit.value).toBe(2);
    queue.add(key('slow'));
    queue.add(key('other'));
    await clock.advance(5_000);
    expect(passes).toEqual(['slow@0', 'other@100', 'slow@3000']);
    stop.abort();
    await running;
  });

  it('has no more passes under way than the limit allows, also while that moves', async () => {
    const clock = new FakeClock();
    let inFlight = 0;
    const seen: { inFlight: number; limit: number }[] = [];
    const { queue, limit, stop, running } = startOn(
      clock,
      async ({ name }) => {
        inFlight += 1;
        seen.push({ inFlight, limit: limit.value });
        await sleep(clock, 20 * inFlight);
        inFlight -= 1;
        return name.endsWith('7') ? failed('throttled') : { ...waiting, again: Math.random() < 0.5 };
      },
      16,
    );
    for (let index = 0; index < 100; index += 1) queue.add(key(`p${index}`));
    await clock.advance(10_000);
    expect(seen.length).toBeGreaterThan(100);
    expect(seen.filter((pass) => pass.inFlight > pass.limit)).toEqual([]);
    stop.abort();
    await clock.advance(5_000);
    await running;
  });

  it('leaves other keys their room while the calls of one keep failing', async () => {
    const { queue, limit, stop, running, clock } = start(
      ({ name }) => Promise.resolve(name === 'bad' ? failed('unavailable') : settled),
      16,
    );
    for (let pass = 0; pass < 20; pass += 1) limit.learn({ ...waiting, again: true }, 0, 10, limit.value);
    expect(limit.value).toBe(16);
    queue.add(key('bad'));
    await clock.advance(60_000);
    expect(limit.value).toBeGreaterThanOrEqual(8);
    stop.abort();
    await running;
  });

  it('lets timers in between passes that need none', async () => {
    const clock = new FakeClock();
    let cpuMs = 0;
    // Each pass costs 2 ms of a processor that does nothing else meanwhile.
    const busy = new Proxy(clock, {
      get: (target, name) => {
        if (name === 'monotonicMs') return () => target.monotonicMs() + cpuMs;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const done: string[] = [];
    const { queue, stop, running } = startOn(
      busy,
      ({ name }) => {
        cpuMs += 2;
        done.push(name);
        return Promise.resolve(settled);
      },
      4,
    );
    for (let index = 0; index < 100; index += 1) queue.add(key(`p${index}`));
    let doneAtTimer = 0;
    clock.timer(0, () => {
      doneAtTimer = done.length;
    });
    await clock.advance(0);
    expect(doneAtTimer).toBeLessThan(12);
    expect(done).toHaveLength(100);
    stop.abort();
    await running;
  });

  /** A burst of keys that take a pass to begin, a while until they can be finished, and a pass to finish. */
  const burst = async (preferBegun: boolean) => {
    const clock = new FakeClock();
    const begun = new Set<string>();
    const finishedAtMs: number[] = [];
    const { queue, stop, running } = startOn(
      clock,
      async ({ name }) => {
        if (finishedAtMs.length === 200 || (begun.has(name) && !ready.has(name))) return waiting;
        await sleep(clock, 10);
        if (begun.has(name)) {
          finishedAtMs.push(clock.monotonicMs());
          return { ...settled, again: false };
        }
        begun.add(name);
        clock.timer(80, () => {
          ready.add(name);
          queue.add(key(name));
        });
        return { ...waiting, kind: preferBegun ? 'waiting' : 'stalled', again: true };
      },
      4,
    );
    const ready = new Set<string>();
    const startMs = clock.monotonicMs();
    for (let index = 0; index < 200; index += 1) queue.add(key(`p${index}`));
    await clock.advance(5_000);
    stop.abort();
    await running;
    const times = finishedAtMs.map((ms) => ms - startMs);
    return { count: times.length, ratio: (times[100] ?? 0) / (times[199] ?? 1) };
  };

  it('finishes first what is begun: half of a burst is ready in little more than half of its time', async () => {
    const withPreference = await burst(true);
    expect(withPreference.count).toBe(200);
    expect(withPreference.ratio).toBeLessThanOrEqual(0.55);
    expect((await burst(false)).ratio).toBeGreaterThan(0.65);
  });
});
