import type { ObjectKey } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { startDeadline } from '../lib/clock.ts';
import { runController } from './controller.ts';
import type { Outcome, Reconcile } from './outcome.ts';
import type { WorkQueue } from './work-queue.ts';

export interface WatchRunOptions {
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  readonly workers: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** SIGTERM, or a lost Lease: no new pass starts. */
  readonly signal: AbortSignal;
  /** How long passes under way may take after that, before their calls are aborted. */
  readonly drainMs: number;
  readonly onOutcome?: (key: ObjectKey, outcome: Outcome) => void;
}

/** Runs until `signal` aborts, then lets the passes under way end within `drainMs`. */
export async function runWatch(options: WatchRunOptions): Promise<void> {
  const abort = new AbortController();
  let cancel: () => void = () => undefined;
  const drain = (): void => {
    const deadline = startDeadline(options.clock, options.drainMs);
    cancel = deadline.clear;
    deadline.signal.addEventListener('abort', () => abort.abort(new Error('shutting down')), { once: true });
  };
  options.signal.addEventListener('abort', drain, { once: true });
  await runController({
    ...options,
    until: options.signal,
    abort: abort.signal,
    onOutcome: (key, outcome) => {
      options.onOutcome?.(key, outcome);
      return true;
    },
  });
  options.signal.removeEventListener('abort', drain);
  cancel();
}
