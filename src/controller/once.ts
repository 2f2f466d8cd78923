import { keyText, type ObjectKey } from '../kube/objects.ts';
import { type RunParts, runController, runPass } from './controller.ts';
import type { Outcome } from './outcome.ts';

export interface OnceOptions extends RunParts {
  readonly keys: readonly ObjectKey[];
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
const maxTries = { observe: 10, backoff: 3 } as const;

const notReached = {
  kind: 'waiting',
  reason: 'NotReached',
  message: 'the run ended before it was looked at',
  again: false,
  unsaid: false,
} as const satisfies Outcome;

/** What is known of a key. */
interface Progress {
  readonly key: ObjectKey;
  outcome: Outcome;
  passes: number;
  /** Passes in a row that changed something, and that failed. */
  changes: number;
  failures: number;
  /** Nothing more to come: it is finished, or the run does not wait. */
  finished: boolean;
}

/** Runs every key until nothing can be done any more, and tells what each came to. Settled keys are looked at once. */
export async function runOnce(options: OnceOptions): Promise<OnceResult> {
  const { queue, clock, waitMs } = options;
  const all = new Map<string, Progress>();
  let unfinished = 0;
  const progressOf = (key: ObjectKey): Progress => {
    const text = keyText(key);
    const known = all.get(text);
    if (known !== undefined) return known;
    const progress: Progress = { key, outcome: notReached, passes: 0, changes: 0, failures: 0, finished: false };
    all.set(text, progress);
    unfinished += 1;
    return progress;
  };
  const end = new AbortController();
  const finish = (): void => end.abort();
  const cancelDeadline = waitMs > 0 ? clock.timer(waitMs, finish) : (): void => undefined;
  options.signal.addEventListener('abort', finish, { once: true });

  const onOutcome = (key: ObjectKey, outcome: Outcome): boolean => {
    const progress = progressOf(key);
    progress.passes += 1;
    progress.changes = outcome.kind !== 'failed' && outcome.again ? progress.changes + 1 : 0;
    progress.failures = outcome.kind === 'failed' ? progress.failures + 1 : 0;
    progress.outcome =
      progress.changes < maxChanges
        ? outcome
        : { kind: 'failed', reason: 'NotConverging', message: `still changing after ${progress.changes} passes`, retry: 'never' };
    const goesOn = wantsMore(progress, waitMs > 0);
    if (goesOn === progress.finished) unfinished += goesOn ? 1 : -1;
    progress.finished = !goesOn;
    // Another key may still wake this one; the run is over when none has anything to come.
    if (unfinished === 0 && queue.empty) queueMicrotask(endWhenIdle);
    return goesOn;
  };
  const endWhenIdle = (): void => {
    if (queue.idle && unfinished === 0) finish();
  };

  for (const key of options.keys) {
    progressOf(key);
    queue.add(key, 'background');
  }
  if (options.keys.length === 0 || options.signal.aborted) finish();
  await runController({ ...options, until: end.signal, onOutcome });
  cancelDeadline();
  options.signal.removeEventListener('abort', finish);

  await sayTheUnsaid(options, [...all.values()]);
  const ordered = [...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, progress]) => progress);
  return {
    outcomes: ordered.map(({ key, outcome }) => {
      // Overtaken by another writer when the run ended: nothing is broken, only not finished.
      const overtaken = outcome.kind === 'failed' && outcome.retry === 'observe';
      return { key, outcome: overtaken ? { ...notReached, ...outcome, kind: 'waiting' } : outcome };
    }),
    passes: ordered.reduce((sum, { passes }) => sum + passes, 0),
  };
}

function wantsMore({ outcome, failures }: Progress, waits: boolean): boolean {
  if (outcome.kind === 'failed') return outcome.retry !== 'never' && (waits || failures < maxTries[outcome.retry]);
  return outcome.again || (outcome.kind === 'waiting' && waits);
}

/** What was left out of status because it might have been over in a moment is written now: nobody looks after this run. */
async function sayTheUnsaid({ reconcile, limit }: OnceOptions, all: readonly Progress[]): Promise<void> {
  const never = new AbortController();
  const unsaid = all.filter(({ outcome }) => outcome.kind !== 'failed' && outcome.unsaid);
  const work = async (): Promise<void> => {
    for (let next = unsaid.shift(); next !== undefined; next = unsaid.shift()) {
      next.passes += 1;
      for (let tries = 0; tries < maxLastPasses; tries += 1) {
        next.outcome = await runPass(reconcile, next.key, { signal: never.signal, lastPass: true });
        if (next.outcome.kind !== 'failed' || next.outcome.retry !== 'observe') break;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit.most, unsaid.length) }, work));
}
