/**
 * Time, timers and deadlines as a port, so that a simulation can own them.
 * `src/kube`, `src/reconcile` and `src/controller` take them from here and from nowhere else.
 */
export interface Clock {
  /** Local wall clock in milliseconds since the epoch: for logs and Lease times only, never for decisions about objects (see `KubeApi.serverNowMs`). */
  nowMs(): number;
  /** Milliseconds that only move forward, from an arbitrary start. */
  monotonicMs(): number;
  /** Calls `run` once, `delayMs` from now; the returned function cancels it. */
  timer(delayMs: number, run: () => void): () => void;
}

/** Resolves after `delayMs`, or at once when `signal` aborts: a caller that must know asks `signal.aborted`. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.timer(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether it was the time that ran out, and not the parent or `abort` that ended it. */
  readonly expired: () => boolean;
  /** Milliseconds until the time runs out. */
  readonly leftMs: () => number;
  /** Lets it run on without end; the parent still ends it. */
  readonly lift: () => void;
  readonly abort: (reason?: unknown) => void;
  /** Must be called when the work is done, or the timer stays. */
  readonly clear: () => void;
}

/** A signal that aborts after `timeoutMs`, or with `parent`. */
export function startDeadline(clock: Clock, timeoutMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const endsAtMs = clock.monotonicMs() + timeoutMs;
  let expired = false;
  const cancel = clock.timer(timeoutMs, () => {
    expired = true;
    controller.abort(new Error(`deadline of ${timeoutMs} ms passed`));
  });
  const onParent = (): void => controller.abort(parent?.reason);
  if (parent?.aborted === true) onParent();
  else parent?.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    leftMs: () => endsAtMs - clock.monotonicMs(),
    lift: cancel,
    abort: (reason) => controller.abort(reason),
    clear: () => {
      cancel();
      parent?.removeEventListener('abort', onParent);
    },
  };
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer: (delayMs, run) => {
    // Node turns a delay past 2^31-1 ms into 1 ms.
    const handle = setTimeout(run, Math.min(delayMs, 2_147_483_647));
    return () => clearTimeout(handle);
  },
};
