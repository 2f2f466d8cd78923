import { describe, expect, it } from 'vitest';
import { FlightLimit } from '../../../src/controller/flight-limit.ts';
import { runOnce } from '../../../src/controller/once.ts';
import type { Outcome, Reconcile } from '../../../src/controller/outcome.ts';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { ObjectKey } from '../../../src/kube/objects.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const key = (name: string): ObjectKey => ({ namespace: 'ns', name });
const found = (kind: 'settled' | 'waiting' | 'stalled', change: Partial<Extract<Outcome, { again: boolean }>> = {}): Outcome => ({
  kind,
  reason: kind,
  message: '',
  again: false,
  unsaid: false,
  ...change,
});
const broken = (retry: 'observe' | 'backoff' | 'never'): Outcome => ({ kind: 'failed', reason: 'unavailable', message: '', retry });

/** Runs `once` over keys whose passes come to the given outcomes, the last one repeated; time passes as it is waited for. */
async function run(script: Record<string, Outcome[]>, waitMs = 0, setUp?: (queue: WorkQueue, clock: FakeClock) => void) {
  const clock = new FakeClock();
  const queue = new WorkQueue(clock);
  setUp?.(queue, clock);
  const seen: string[] = [];
  const reconcile: Reconcile = ({ name }, { lastPass }) => {
    seen.push(lastPass ? `${name}!` : name);
    const outcomes = script[name] ?? [];
    const next = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
    if (next === undefined) throw new Error('boom');
    return Promise.resolve(next);
  };
  const keys = Object.keys(script).map(key);
  let ended = false;
  const running = runOnce({
    queue,
    keys,
    reconcile,
    limit: new FlightLimit(2),
    clock,
    random: () => 0.5,
    waitMs,
    signal: new AbortController().signal,
  });
  void running.then(() => {
    ended = true;
  });
  let passedMs = 0;
  for (; !ended && passedMs < 100_000; passedMs += 10) await clock.advance(10);
  const result = await running;
  return {
    seen,
    passedMs,
    kinds: Object.fromEntries(result.outcomes.map(({ key: { name }, outcome }) => [name, outcome.kind])),
    passes: result.passes,
  };
}

describe('runOnce', () => {
  it('looks once at what is settled', async () => {
    const { seen, kinds } = await run({ a: [found('settled')], b: [found('settled')] });
    expect(seen.toSorted()).toEqual(['a', 'b']);
    expect(kinds).toEqual({ a: 'settled', b: 'settled' });
  });

  it('ends at once when there is nothing to look at', async () => {
    expect((await run({})).kinds).toEqual({});
  });

  it('looks again at what it changed until that settles', async () => {
    const { seen, passes } = await run({ a: [found('waiting', { again: true }), found('waiting', { again: true }), found('settled')] });
    expect(seen).toEqual(['a', 'a', 'a']);
    expect(passes).toBe(3);
  });

  it('reports what waits without waiting for it, and writes down what is unsaid', async () => {
    const { seen, kinds, passedMs } = await run({ a: [found('waiting', { requeueAfterMs: 5_000, unsaid: true }), found('waiting')] });
    expect(seen).toEqual(['a', 'a!']);
    expect(kinds).toEqual({ a: 'waiting' });
    expect(passedMs).toBeLessThan(100);
  });

  it('waits for the cluster when asked to', async () => {
    const { seen, kinds, passedMs } = await run({ a: [found('waiting', { requeueAfterMs: 5_000 }), found('settled')] }, 30_000);
    expect(seen).toEqual(['a', 'a']);
    expect(kinds).toEqual({ a: 'settled' });
    expect(passedMs).toBeGreaterThanOrEqual(5_000);
    expect(passedMs).toBeLessThan(6_000);
  });

  it('waits for events too, not only for its own timers', async () => {
    const { kinds, passedMs } = await run({ a: [found('waiting'), found('settled')] }, 30_000, (queue, clock) => {
      clock.timer(2_000, () => queue.add(key('a')));
    });
    expect(kinds).toEqual({ a: 'settled' });
    expect(passedMs).toBeLessThan(3_000);
  });

  it('stops waiting when the time is over', async () => {
    const { kinds, passedMs } = await run({ a: [found('waiting', { requeueAfterMs: 1_000 })] }, 10_000);
    expect(kinds).toEqual({ a: 'waiting' });
    expect(passedMs).toBeGreaterThanOrEqual(10_000);
    expect(passedMs).toBeLessThan(10_500);
  });

  it('does not wait when only a user can go on', async () => {
    const { kinds, passedMs } = await run({ a: [found('stalled', { requeueAfterMs: 30_000 })], b: [found('settled')] }, 60_000);
    expect(kinds).toEqual({ a: 'stalled', b: 'settled' });
    expect(passedMs).toBeLessThan(100);
  });

  it('tries a failed call again, and gives up after three tries when it does not wait', async () => {
    const { seen, kinds } = await run({ a: [broken('backoff')], b: [broken('backoff'), found('settled')] });
    expect(seen.filter((name) => name === 'a')).toHaveLength(3);
    expect(kinds).toEqual({ a: 'failed', b: 'settled' });
  });

  it('reports what it never reached when the time is over, and does not call it converged', async () => {
    const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
    const clock = new FakeClock();
    const slow: Reconcile = () => new Promise((resolve) => void clock.timer(600, () => resolve(found('settled'))));
    const queue = new WorkQueue(clock);
    const signal = new AbortController().signal;
    const running = runOnce({
      queue,
      keys: keys.map(key),
      reconcile: slow,
      limit: new FlightLimit(2),
      clock,
      random: () => 0,
      waitMs: 1_000,
      signal,
    });
    await clock.advance(5_000);
    const kinds = (await running).outcomes.map(({ outcome }) => outcome.kind);
    expect(kinds).toHaveLength(10);
    expect(kinds.filter((kind) => kind === 'waiting')).toHaveLength(6);
  });

  it('reports everything as waiting when it is stopped before it began', async () => {
    const stopped = AbortSignal.abort();
    const clock = new FakeClock();
    const { outcomes } = await runOnce({
      queue: new WorkQueue(clock),
      keys: [key('a')],
      reconcile: () => Promise.resolve(found('settled')),
      limit: new FlightLimit(1),
      clock,
      random: () => 0,
      waitMs: 0,
      signal: stopped,
    });
    expect(outcomes.map(({ outcome }) => outcome.kind)).toEqual(['waiting']);
  });

  it('tries the last pass again when somebody else wrote first, and keeps a bug in it to its own key', async () => {
    const unsaid = found('waiting', { unsaid: true });
    const overtaken = await run({ a: [unsaid, broken('observe'), found('waiting')] });
    expect(overtaken.seen).toEqual(['a', 'a!', 'a!']);
    expect(overtaken.kinds).toEqual({ a: 'waiting' });
    const buggy = await run({ a: [unsaid, undefined as unknown as Outcome], b: [found('settled')] });
    expect(buggy.kinds).toEqual({ a: 'failed', b: 'settled' });
  });

  it('keeps a pass that throws to its own key', async () => {
    expect((await run({ a: [], b: [found('settled')] })).kinds).toEqual({ a: 'failed', b: 'settled' });
  });

  it('gives up on a key that changes something for ever', async () => {
    const { kinds, seen } = await run({ a: [found('waiting', { again: true })] });
    expect(kinds).toEqual({ a: 'failed' });
    expect(seen.length).toBeLessThanOrEqual(11);
  });
});
