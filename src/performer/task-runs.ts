import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { type AnswerLimits, Answers } from './answers.ts';
import { TaskError } from './task-error.ts';

export interface Task {
  /** As executors write it: 0x and 64 hexadecimal digits. */
  readonly id: string;
  readonly payload: Uint8Array;
  /** Aborts once nobody waits for the result any more (cancelled, deadline passed, client gone), or the performer must end. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch until which somebody waits; Infinity without a deadline. A caller that joins may move it. */
  readonly deadlineMs: number;
}

export interface TaskHandlers {
  /** The result. A thrown `TaskError` travels to the caller; any other error is INTERNAL without a word. */
  executeTask(task: Task): Uint8Array | Promise<Uint8Array>;
  /** What is wrong with the task, for the caller to read (INVALID_ARGUMENT); undefined when it is sound. */
  validateTask?(task: Task): string | undefined | Promise<string | undefined>;
}

export interface Caller {
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
}

export interface RunLimits {
  readonly maxInFlight: number;
  /** How long a task that everybody has left goes on, for a retry to join it. */
  readonly abandonedMs: number;
  readonly remember: AnswerLimits;
}

/** How a result came about: by work of its own, by joining the work of an earlier call, or out of memory. */
export type Origin = 'ran' | 'joined' | 'remembered';

interface Run {
  readonly payloadDigest: string;
  readonly controller: AbortController;
  readonly result: Promise<Uint8Array>;
  readonly callers: Set<Caller>;
  cancelEnd: () => void;
}

const longestIdBytes = 256;

/** Carries out each task once: equal ids join while it runs and get the remembered answer afterwards. */
export class TaskRuns {
  readonly #handlers: TaskHandlers;
  readonly #limits: RunLimits;
  readonly #clock: Clock;
  readonly #answers: Answers;
  readonly #runs = new Map<string, Run>();
  #stopped: TaskError | undefined;

  constructor(handlers: TaskHandlers, limits: RunLimits, clock: Clock) {
    this.#handlers = handlers;
    this.#limits = limits;
    this.#clock = clock;
    this.#answers = new Answers(limits.remember);
  }

  /** Tasks at work; also one that was given up and has not noticed yet. */
  get inFlight(): number {
    return this.#runs.size;
  }

  /** @throws TaskError, what the handlers throw, or the reason of the caller's signal */
  async execute(id: Uint8Array, payload: Uint8Array, caller: Caller): Promise<{ readonly result: Uint8Array; readonly origin: Origin }> {
    if (id.length === 0) throw new TaskError('INVALID_ARGUMENT', 'task_id is empty');
    if (id.length > longestIdBytes) throw new TaskError('INVALID_ARGUMENT', `task_id is longer than ${longestIdBytes} bytes`);
    const key = Buffer.from(id).toString('latin1');
    const payloadDigest = createHash('sha256').update(payload).digest('base64');
    for (;;) {
      caller.signal.throwIfAborted();
      if (this.#stopped !== undefined) throw this.#stopped;
      const answer = this.#answers.find(key, this.#clock.monotonicMs());
      const running = this.#runs.get(key);
      const known = answer ?? running;
      if (known !== undefined && known.payloadDigest !== payloadDigest) {
        throw new TaskError('ALREADY_EXISTS', 'a task with this task_id and another payload is known');
      }
      if (answer !== undefined) return { result: answer.result, origin: 'remembered' };
      if (running === undefined)
        return { result: await this.#join(this.#start(key, id, payload, payloadDigest, caller), caller), origin: 'ran' };
      if (!running.controller.signal.aborted) return { result: await this.#join(running, caller), origin: 'joined' };
      // Given up but still at work: never a second time beside it. It may yet succeed.
      const left = new Promise((resolve) => caller.signal.addEventListener('abort', resolve, { once: true }));
      await Promise.race([left, running.result.catch(() => {})]);
    }
  }

  /** Gives up all work and refuses more: every caller gets `reason`. @returns how many calls were left without an answer */
  stop(reason: TaskError): number {
    this.#stopped = reason;
    const runs = [...this.#runs.values()];
    const unanswered = runs.reduce((sum, run) => sum + run.callers.size, 0);
    for (const run of runs) this.#end(run, reason);
    return unanswered;
  }

  #start(key: string, id: Uint8Array, payload: Uint8Array, payloadDigest: string, first: Caller): Run {
    if (this.#runs.size >= this.#limits.maxInFlight) {
      throw new TaskError('RESOURCE_EXHAUSTED', `${this.#runs.size} tasks are in flight, as many as this performer takes`);
    }
    const controller = new AbortController();
    const callers = new Set([first]);
    const task: Task = {
      id: Buffer.from(id).toString('utf8'),
      payload,
      signal: controller.signal,
      get deadlineMs() {
        return Math.max(...[...callers].map((caller) => caller.deadlineMs));
      },
    };
    const run: Run = { payloadDigest, controller, callers, result: this.#work(task), cancelEnd: () => {} };
    this.#runs.set(key, run);
    const settled = (): void => {
      run.cancelEnd();
      this.#runs.delete(key);
    };
    run.result.then((result) => {
      settled();
      // A copy: the handler may use its buffer again, and a slice of a pool would hold the whole pool.
      this.#answers.remember(key, { payloadDigest, result: new Uint8Array(result) }, this.#clock.monotonicMs());
    }, settled);
    return run;
  }

  async #work(task: Task): Promise<Uint8Array> {
    const wrong = await this.#handlers.validateTask?.(task);
    if (wrong !== undefined) throw new TaskError('INVALID_ARGUMENT', wrong);
    const result: unknown = await this.#handlers.executeTask(task);
    if (!(result instanceof Uint8Array)) throw new TypeError(`executeTask must give a Uint8Array, gave ${typeof result}`);
    return result;
  }

  #join(run: Run, caller: Caller): Promise<Uint8Array> {
    run.cancelEnd();
    run.callers.add(caller);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    // grpc-js says "cancelled" of an answered call too: by then the caller is no longer in the set.
    const onLeave = (): void => {
      if (!run.callers.delete(caller)) return;
      if (run.callers.size === 0) this.#abandon(run, caller.signal.reason);
      reject(caller.signal.reason);
    };
    caller.signal.addEventListener('abort', onLeave, { once: true });
    run.controller.signal.addEventListener('abort', () => reject(run.controller.signal.reason), { once: true });
    run.result.then(resolve, reject);
    return promise.finally(() => run.callers.delete(caller));
  }

  #abandon(run: Run, reason: unknown): void {
    if (this.#limits.abandonedMs === 0) this.#end(run, reason);
    else run.cancelEnd = this.#clock.timer(this.#limits.abandonedMs, () => this.#end(run, reason));
  }

  #end(run: Run, reason: unknown): void {
    run.cancelEnd();
    run.controller.abort(reason);
  }
}
