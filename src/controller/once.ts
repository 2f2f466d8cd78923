import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { runController, runPass } from './controller.ts';
import type { FlightLimit } from './flight-limit.ts';
import type { Outcome, Reconcile } from './outcome.ts';
import type { WorkQueue } from './work-queue.ts';

export interface OnceOptions {
  readonly queue: WorkQueue;
  readonly keys: readonly ObjectKey[];
  readonly reconcile: Reconcile;
  readonly limit: FlightLimit;
  readonly clock: Clock;
  readonly random: () => number;
  /** How long to wait for the cluster; 0: report what waits, wait for nothing. */
  readonly waitMs: number;
  /** Ends the run early; what is known by then is the result. */
  readonly signal: AbortSignal;
}

export interface OnceResult {
  /** The last outcome of each key, in key order. */
  readonly outcomes: readonly { readonly key: ObjectKey; readonly outcome: Outcome }[];
  readonly passes: number;
}

/** A key that changes something in so many passes in a row does not converge. */
const maxChanges = 10;
const maxLastPasses = 5;
/** Tries of a key whose calls fail, when the run does not wait; more where somebody else only was faster. */
const maxTries = { observe: 10, backoff: 3, never: 1 } as const;

const notReached = {
  kind: 'waiting',
  reason: 'NotReached',
  message: 'the run ended before it was looked at',
  again: false,
  unsaid: false,
} as const satisfies Outcome;

/** Runs every key until nothing can be done any more, and tells what each came to. Settled keys are looked at once. */
export async function runOnce(options: OnceOptions): Promise<OnceResult> {
  const { queue, clock, waitMs } = options;
  const outcomes = new Map<string, { readonly key: ObjectKey; readonly outcome: Outcome }>();
  const passes = new Map<string, number>();
  const changes = new Map<string, number>();
  const retries = new Map<string, number>();
  /** Keys that have nothing more to come: they are finished, or the run does not wait. */
  const finished = new Set<string>();
  const end = new AbortController();
  const finish = (): void => end.abort();
  const cancelDeadline = waitMs > 0 ? clock.timer(waitMs, finish) : (): void => undefined;
  options.signal.addEventListener('abort', finish, { once: true });

  const onOutcome = (key: ObjectKey, outcome: Outcome): boolean => {
    const text = keyText(key);
    passes.set(text, (passes.get(text) ?? 0) + 1);
    const changesInRow = outcome.kind !== 'failed' && outcome.again ? (changes.get(text) ?? 0) + 1 : 0;
    changes.set(text, changesInRow);
    const bounded: Outcome =
      changesInRow < maxChanges
        ? outcome
        : { kind: 'failed', reason: 'NotConverging', message: `still changing after ${changesInRow} passes`, retry: 'never' };
    outcomes.set(text, { key, outcome: bounded });
    const goesOn = wantsMore(text, bounded);
    if (goesOn) finished.delete(text);
    else finished.add(text);
    // Another key may still wake this one; the run is over when none has anything to come.
    if (finished.size === outcomes.size && outcomes.size >= known.size && queue.empty) queueMicrotask(endWhenIdle);
    return goesOn;
  };
  const endWhenIdle = (): void => {
    if (queue.idle && finished.size >= known.size) finish();
  };
  const wantsMore = (text: string, outcome: Outcome): boolean => {
    if (outcome.kind === 'failed') {
      if (outcome.retry === 'never') return false;
      const tries = (retries.get(text) ?? 0) + 1;
      retries.set(text, tries);
      return waitMs > 0 || tries < maxTries[outcome.retry];
    }
    retries.delete(text);
    return outcome.again || (outcome.kind === 'waiting' && waitMs > 0);
  };

  const known = new Set(options.keys.map(keyText));
  for (const key of options.keys) queue.add(key, 'background');
  if (options.keys.length === 0 || options.signal.aborted) finish();
  await runController({ ...options, until: end.signal, onOutcome });
  cancelDeadline();
  options.signal.removeEventListener('abort', finish);

  for (const key of options.keys) if (!outcomes.has(keyText(key))) outcomes.set(keyText(key), { key, outcome: notReached });
  await sayTheUnsaid(options, outcomes, passes);
  for (const [text, { key, outcome }] of outcomes) {
    // Overtaken by another writer when the run ended: nothing is broken, only not finished.
    if (outcome.kind === 'failed' && outcome.retry === 'observe')
      outcomes.set(text, { key, outcome: { ...notReached, ...outcome, kind: 'waiting' } });
  }
  const ordered = [...outcomes.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  return { outcomes: ordered, passes: [...passes.values()].reduce((sum, count) => sum + count, 0) };
}

/** What was left out of status because it might have been over in a moment is written now: nobody looks after this run. */
async function sayTheUnsaid(
  options: OnceOptions,
  outcomes: Map<string, { readonly key: ObjectKey; readonly outcome: Outcome }>,
  passes: Map<string, number>,
): Promise<void> {
  const never = new AbortController();
  const unsaid = [...outcomes.entries()].filter(([, { outcome }]) => outcome.kind !== 'failed' && outcome.unsaid);
  const work = async (): Promise<void> => {
    for (let next = unsaid.shift(); next !== undefined; next = unsaid.shift()) {
      const [text, { key }] = next;
      passes.set(text, (passes.get(text) ?? 0) + 1);
      for (let tries = 0; tries < maxLastPasses; tries += 1) {
        const outcome = await runPass(options.reconcile, key, { signal: never.signal, lastPass: true });
        outcomes.set(text, { key, outcome });
        if (outcome.kind !== 'failed' || outcome.retry !== 'observe') break;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.limit.most, unsaid.length) }, work));
}
