import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import type { FlightLimit } from './flight-limit.ts';
import type { Outcome, PassContext, Reconcile } from './outcome.ts';
import { Pace } from './pace.ts';
import type { WorkQueue } from './work-queue.ts';

/** What every run is made of. */
export interface RunParts {
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  /** How many passes may be under way at once. */
  readonly limit: FlightLimit;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
  /** What is known of how keys fared; default: nothing yet. */
  readonly pace?: Pace;
}

export interface ControllerOptions extends RunParts {
  /** No key is taken after it aborts. */
  readonly until: AbortSignal;
  /** Aborts passes that are under way; by default they are left to finish. */
  readonly abort?: AbortSignal;
  /** Told after each pass. A false answer ends the key's turn: it is not queued again by the controller. */
  readonly onOutcome?: (key: ObjectKey, outcome: Outcome) => boolean;
}

/** Passes that need no answer from outside would keep timers and sockets waiting: after so long they are let in between. */
const sliceMs = 10;

/**
 * The one loop, of `once` and of `watch`: takes keys, runs passes, and queues again what wants another look.
 *
 * Flow: take → reconcile → `again`: at once · `requeueAfterMs`: later · failed: after a back-off that doubles per key.
 * Guarantees: one pass per key at a time; a pass that throws is that key's failure alone.
 * Ends when `until` has aborted and the passes under way are over.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { queue, limit, clock, until } = options;
  const { pace = new Pace(options.random) } = options;
  const signal = options.abort ?? new AbortController().signal;
  let inFlight = 0;
  let sliceEndMs: number | undefined;
  let cancelSlice: () => void = () => undefined;

  const work = async (key: ObjectKey): Promise<void> => {
    const text = keyText(key);
    const startedMs = clock.monotonicMs();
    const outcome = await runPass(options.reconcile, key, { signal, lastPass: false });
    const endedMs = clock.monotonicMs();
    limit.learn(outcome, startedMs, endedMs, inFlight, pace.isFailing(text));
    // What was cut off says nothing of the key.
    const goesOn = (options.onOutcome?.(key, outcome) ?? true) && !signal.aborted;
    if (goesOn) {
      const { afterMs, as, holdMs } = pace.after(text, outcome, endedMs);
      if (holdMs > 0) queue.hold(key, holdMs);
      if (afterMs === 0) queue.add(key, as);
      else if (afterMs !== undefined) queue.addAfter(key, afterMs, as);
    }
    // One that others overtook is as unfinished as one that waits for what it began.
    queue.done(key, goesOn && (outcome.kind === 'waiting' || (outcome.kind === 'failed' && outcome.retry === 'observe')));
  };

  const mayGoOn = (): boolean => {
    const nowMs = clock.monotonicMs();
    if (sliceEndMs === undefined) {
      sliceEndMs = nowMs + sliceMs;
      cancelSlice = clock.timer(0, () => {
        sliceEndMs = undefined;
        queue.onReady();
      });
    }
    return nowMs <= sliceEndMs;
  };

  try {
    await new Promise<void>((resolve, reject) => {
      let isPumpDue = false;
      const pump = (): void => {
        isPumpDue = false;
        while (!until.aborted && inFlight < limit.value && !queue.empty && mayGoOn()) {
          const key = queue.take();
          if (key === undefined) break;
          inFlight += 1;
          work(key)
            .finally(() => {
              inFlight -= 1;
              schedule();
            })
            .catch(reject);
        }
        if (until.aborted && inFlight === 0) resolve();
      };
      // Not at once: a key may be added in the midst of a change.
      const schedule = (): void => {
        if (!isPumpDue) queueMicrotask(pump);
        isPumpDue = true;
      };
      queue.onReady = schedule;
      until.addEventListener('abort', schedule, { once: true });
      schedule();
    });
  } finally {
    queue.onReady = () => undefined;
    cancelSlice();
    queue.close();
  }
}

/** One pass; what it throws becomes the key's failure. */
export async function runPass(reconcile: Reconcile, key: ObjectKey, context: PassContext): Promise<Outcome> {
  try {
    return await reconcile(key, context);
  } catch (error) {
    // reconcile turns failed calls into outcomes; what arrives here is a bug, and it must not take the other keys with it.
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: 'Bug', message, retry: 'never' };
  }
}
