import { keyText, type ObjectKey } from '../kube/objects.ts';
import { backoffMs } from './backoff.ts';
import type { Outcome, PassContext, Reconcile } from './outcome.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ControllerOptions {
  readonly queue: WorkQueue;
  readonly reconcile: Reconcile;
  readonly workers: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
  /** No key is taken after it aborts. */
  readonly until: AbortSignal;
  /** Aborts passes that are under way; by default they are left to finish. */
  readonly abort?: AbortSignal;
  /** Told after each pass. A false answer ends the key's turn: it is not queued again by the controller. */
  readonly onOutcome?: (key: ObjectKey, outcome: Outcome) => boolean;
}

/** So many passes in a row may change something before the key is slowed down; a rollout takes three. */
const freeChanges = 6;

/**
 * The one loop, of `once` and of `watch`: takes keys, runs passes, and queues again what wants another look.
 *
 * Flow: take → reconcile → `again`: at once · `requeueAfterMs`: later · failed: after a back-off that doubles per key.
 * Guarantees: one pass per key at a time; a pass that throws is that key's failure alone.
 * Ends when `until` has aborted and the passes under way are over.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { queue, random, until } = options;
  const failures = new Map<string, number>();
  const changes = new Map<string, number>();
  const never = new AbortController();

  const work = async (): Promise<void> => {
    for (;;) {
      const key = await queue.take(until);
      if (key === undefined) return;
      const outcome = await runPass(options.reconcile, key, { signal: options.abort ?? never.signal, lastPass: false });
      const goesOn = options.onOutcome?.(key, outcome) ?? true;
      if (goesOn) queueAgain(key, outcome);
      queue.done(key);
    }
  };

  const queueAgain = (key: ObjectKey, outcome: Outcome): void => {
    const text = keyText(key);
    if (outcome.kind === 'failed') {
      const count = (failures.get(text) ?? 0) + 1;
      failures.set(text, count);
      // Never blindly at once: a conflict with a writer that never tires must not become a busy loop.
      queue.addAfter(key, Math.max(outcome.retryAfterMs ?? 0, backoffMs(count, random(), outcome.retry === 'never' ? 5_000 : 50)));
      return;
    }
    failures.delete(text);
    if (outcome.again) {
      const count = (changes.get(text) ?? 0) + 1;
      changes.set(text, count);
      // What is written again and again (a CRD that prunes it, an admission that puts it back) must not become a storm of writes.
      if (count > freeChanges) queue.hold(key, backoffMs(count - freeChanges, random(), 1_000));
      queue.add(key);
      return;
    }
    changes.delete(text);
    if (outcome.requeueAfterMs !== undefined) queue.addAfter(key, outcome.requeueAfterMs);
  };

  await Promise.all(Array.from({ length: options.workers }, work));
  queue.close();
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
