import { describe, expect, it } from 'vitest';
import { TaskError } from '../../../src/performer/task-error.ts';
import { type Caller, type RunLimits, type Task, TaskRuns } from '../../../src/performer/task-runs.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const limits: RunLimits = { maxInFlight: 10, abandonedMs: 0, remember: { count: 10, ageMs: 1_000, bytes: 1_000 } };

interface CallerOfTest extends Caller {
  leave(): void;
}

function caller(deadlineMs = Number.POSITIVE_INFINITY): CallerOfTest {
  const controller = new AbortController();
  return { signal: controller.signal, deadlineMs, leave: () => controller.abort(new TaskError('CANCELLED', 'the caller left')) };
}

/** Runs whose tasks end when the test says so. */
function setup(change: Partial<RunLimits> = {}) {
  const clock = new FakeClock();
  const begun: { readonly task: Task; readonly succeed: (result: string) => void; readonly fail: (error: Error) => void }[] = [];
  const executeTask = (task: Task): Promise<Uint8Array> => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    begun.push({ task, succeed: (result) => resolve(bytes(result)), fail: reject });
    return promise;
  };
  const runs = new TaskRuns({ executeTask }, { ...limits, ...change }, clock);
  const execute = (id: string, payload = '', from: Caller = caller()): Promise<string> =>
    runs.execute(bytes(id), bytes(payload), from).then(
      ({ result, origin }) => `${origin}: ${Buffer.from(result).toString()}`,
      (error: unknown) => (error instanceof TaskError ? error.code : String(error)),
    );
  return { clock, begun, runs, execute };
}

describe('the same task id', () => {
  it('joins the work that runs, and is remembered afterwards', async () => {
    const { begun, execute } = setup();
    const calls = [execute('1', 'x'), execute('1', 'x')];
    await settle();
    begun[0]?.succeed('done');
    expect(await Promise.all(calls)).toEqual(['ran: done', 'joined: done']);
    expect(await execute('1', 'x')).toBe('remembered: done');
    expect(begun).toHaveLength(1);
  });

  it('is ALREADY_EXISTS with another payload, while it runs and afterwards', async () => {
    const { begun, execute } = setup();
    const first = execute('1', 'x');
    await settle();
    expect(await execute('1', 'y')).toBe('ALREADY_EXISTS');
    begun[0]?.succeed('done');
    await first;
    expect(await execute('1', 'y')).toBe('ALREADY_EXISTS');
    expect(begun).toHaveLength(1);
  });

  it('is told apart byte by byte, not by the text the bytes make', async () => {
    const { begun, runs } = setup();
    for (const byte of [0xfe, 0xff]) void runs.execute(Buffer.of(byte), bytes(''), caller());
    await settle();
    expect(begun).toHaveLength(2);
    expect(begun[0]?.task.id).toBe(begun[1]?.task.id);
  });

  it('runs again after a failure, which every caller gets and nobody remembers', async () => {
    const { begun, execute } = setup();
    const calls = [execute('1'), execute('1')];
    await settle();
    begun[0]?.fail(new Error('broken'));
    expect(await Promise.all(calls)).toEqual(['Error: broken', 'Error: broken']);
    const retry = execute('1');
    await settle();
    begun[1]?.succeed('done');
    expect(await retry).toBe('ran: done');
  });

  it('runs again when its answer is too old', async () => {
    const { begun, execute, clock } = setup();
    const first = execute('1');
    await settle();
    begun[0]?.succeed('done');
    await first;
    await clock.advance(999);
    expect(await execute('1')).toBe('remembered: done');
    await clock.advance(1);
    void execute('1');
    await settle();
    expect(begun).toHaveLength(2);
  });

  it('keeps its answer although the handler uses its buffer again', async () => {
    const buffer = Buffer.from('done');
    const runs = new TaskRuns({ executeTask: () => buffer }, limits, new FakeClock());
    await runs.execute(bytes('1'), bytes(''), caller());
    buffer.fill('x');
    const { result } = await runs.execute(bytes('1'), bytes(''), caller());
    expect(Buffer.from(result).toString()).toBe('done');
  });
});

describe('a caller that leaves', () => {
  it('ends the work only as the last one', async () => {
    const { begun, execute } = setup();
    const [first, second] = [caller(), caller()];
    const calls = [execute('1', '', first), execute('1', '', second)];
    await settle();
    first.leave();
    expect(await calls[0]).toBe('CANCELLED');
    expect(begun[0]?.task.signal.aborted).toBe(false);
    second.leave();
    expect(await calls[1]).toBe('CANCELLED');
    expect(begun[0]?.task.signal.reason).toMatchObject({ code: 'CANCELLED' });
  });

  it('leaves nothing behind that aborts work which is done', async () => {
    const { begun, execute } = setup();
    const from = caller();
    const call = execute('1', '', from);
    await settle();
    begun[0]?.succeed('done');
    await call;
    from.leave();
    expect(begun[0]?.task.signal.aborted).toBe(false);
  });

  it('was the one with the latest deadline: the task sees the latest of those who wait', async () => {
    const { begun, execute } = setup();
    const [first, second] = [caller(1_000), caller(2_000)];
    void execute('1', '', first);
    void execute('1', '', second);
    await settle();
    expect(begun[0]?.task.deadlineMs).toBe(2_000);
    second.leave();
    expect(begun[0]?.task.deadlineMs).toBe(1_000);
  });

  it('is waited for when asked for: a retry joins, and the work is done once', async () => {
    const { begun, execute, clock } = setup({ abandonedMs: 500 });
    const first = caller();
    const call = execute('1', '', first);
    await settle();
    first.leave();
    expect(await call).toBe('CANCELLED');
    await clock.advance(499);
    const retry = execute('1');
    await clock.advance(10_000);
    expect(begun[0]?.task.signal.aborted).toBe(false);
    begun[0]?.succeed('done');
    expect(await retry).toBe('joined: done');
    expect(clock.pending).toBe(0);
  });

  it('is waited for no longer than asked for', async () => {
    const { begun, execute, clock } = setup({ abandonedMs: 500 });
    const first = caller();
    void execute('1', '', first);
    await settle();
    first.leave();
    await clock.advance(500);
    expect(begun[0]?.task.signal.aborted).toBe(true);
  });

  it('keeps its place taken until the handler has noticed, and a retry never runs beside it', async () => {
    const { begun, execute, runs } = setup({ maxInFlight: 1 });
    const first = caller();
    void execute('1', '', first);
    await settle();
    first.leave();
    expect(runs.inFlight).toBe(1);
    expect(await execute('2')).toBe('RESOURCE_EXHAUSTED');
    const retry = execute('1');
    await settle();
    expect(begun).toHaveLength(1);
    begun[0]?.fail(new Error('noticed'));
    await settle();
    begun[1]?.succeed('done');
    expect(await retry).toBe('ran: done');
  });

  it('gets the answer by a retry when the handler did not listen and succeeded', async () => {
    const { begun, execute } = setup();
    const first = caller();
    void execute('1', '', first);
    await settle();
    first.leave();
    const retry = execute('1');
    await settle();
    begun[0]?.succeed('done');
    expect(await retry).toBe('remembered: done');
  });

  it('leaves while it waits for work that was given up', async () => {
    const { execute } = setup();
    const [first, second] = [caller(), caller()];
    void execute('1', '', first);
    await settle();
    first.leave();
    const retry = execute('1', '', second);
    await settle();
    second.leave();
    expect(await retry).toBe('CANCELLED');
  });
});

describe('stop', () => {
  it('gives every caller the reason, aborts the work, refuses more and counts whom it left without an answer', async () => {
    const { begun, execute, runs } = setup();
    const calls = [execute('1'), execute('1'), execute('2')];
    await settle();
    expect(runs.stop(new TaskError('UNAVAILABLE', 'ends'))).toBe(3);
    expect(await Promise.all(calls)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
    expect(begun.map(({ task }) => task.signal.aborted)).toEqual([true, true]);
    expect(await execute('3')).toBe('UNAVAILABLE');
  });
});
