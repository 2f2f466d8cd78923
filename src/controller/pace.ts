import type { Outcome } from './outcome.ts';
import type { WorkClass } from './work-queue.ts';

interface History {
  /** Failures in a row; after a success they count less from minute to minute. */
  readonly failures: number;
  readonly failedAtMs: number;
  readonly failing: boolean;
  /** Changes in a row, and whether the last pass found nothing to do. */
  readonly changes: number;
  readonly settled: boolean;
  /** What changes have cost, less what time has paid back. */
  readonly debt: number;
  readonly debtAtMs: number;
}

/** When a key is looked at again, and how long nobody's wish may bring that forward. */
export interface NextLook {
  readonly afterMs?: number;
  readonly as: WorkClass;
  readonly holdMs: number;
}

const blank: History = { failures: 0, failedAtMs: 0, failing: false, changes: 0, settled: false, debt: 0, debtAtMs: 0 };

/** So many passes in a row may change something before the key is slowed down; a rollout takes three. */
const freeChanges = 6;
/** A change that undoes what somebody did to a settled key costs six seconds, any other one second; a minute's worth is free. */
const costs = { afterSettled: 6, other: 1, free: 60 };
/** A key that fails is looked at early when something changes, but not more often than this. */
const longestHoldMs = 1_000;
/** What stands between us and the API server may ask for hours, long after it is well again. */
const longestWishMs = 60_000;
const failureHalfLifeMs = 60_000;
/** One that keeps failing is tried again sooner than this, unless nobody could work on it: much may have changed then. */
const longestFailingMs = 180_000;

/**
 * Slows each key by its own past, and no other: one that fails, one that is changed again and again, and one that settles
 * between changes because somebody keeps undoing them.
 */
export class Pace {
  readonly #histories = new Map<string, History>();
  readonly #random: () => number;

  /** @param random draws from [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Keys of which something is remembered. */
  get size(): number {
    return this.#histories.size;
  }

  /** Forgets all but these keys: of one that goes while nobody works on it, no pass tells. */
  keepOnly(texts: ReadonlySet<string>): void {
    for (const text of this.#histories.keys()) if (!texts.has(text)) this.#histories.delete(text);
  }

  /** Whether the last pass over the key failed. */
  isFailing(text: string): boolean {
    return this.#histories.get(text)?.failing === true;
  }

  /** @param nowMs monotonic */
  after(text: string, outcome: Outcome, nowMs: number): NextLook {
    const before = this.#histories.get(text) ?? blank;
    if (outcome.kind === 'failed') {
      const agoMs = nowMs - before.failedAtMs;
      const goesOn = before.failing && agoMs < longestFailingMs;
      const old = goesOn ? before.failures : Math.floor(before.failures * 0.5 ** (agoMs / failureHalfLifeMs));
      const failures = old + 1;
      this.#histories.set(text, { ...before, failures, failedAtMs: nowMs, failing: true });
      // Never blindly at once: a conflict with a writer that never tires must not become a busy loop.
      const delayMs = backoffMs(failures, this.#random(), outcome.retry === 'never' ? 5_000 : 50);
      const wishMs = Math.min(outcome.retryAfterMs ?? 0, longestWishMs);
      return {
        afterMs: Math.max(wishMs, delayMs),
        as: outcome.retry === 'observe' ? 'change' : 'background',
        holdMs: Math.max(wishMs, Math.min(delayMs, longestHoldMs)),
      };
    }
    if (outcome.again) {
      const changes = before.changes + 1;
      const owed = Math.max(0, before.debt - (nowMs - before.debtAtMs) / 1_000);
      const debt = owed + (before.settled ? costs.afterSettled : costs.other);
      this.#histories.set(text, { ...before, failing: false, changes, settled: false, debt, debtAtMs: nowMs });
      // What is written again and again (a CRD that prunes it, an admission that puts it back) must not become a storm of writes.
      const stormMs = changes > freeChanges ? backoffMs(changes - freeChanges, this.#random(), 1_000) : 0;
      return { afterMs: 0, as: 'change', holdMs: Math.max(stormMs, (debt - costs.free) * 1_000, 0) };
    }
    if (outcome.kind === 'settled' && outcome.reason === 'Gone') this.#histories.delete(text);
    else if (before !== blank) this.#histories.set(text, { ...before, failing: false, changes: 0, settled: outcome.kind === 'settled' });
    const as = outcome.kind === 'waiting' ? 'change' : 'background';
    return { as, holdMs: 0, ...(outcome.requeueAfterMs === undefined ? {} : { afterMs: outcome.requeueAfterMs }) };
  }
}

/**
 * Delay before the next try of a key that keeps failing: doubles from `baseMs`, levels off at `capMs`. Pure.
 *
 * @param failures failures in a row, 1 or more
 * @param jitter drawn by the caller from [0, 1), so that keys that failed together part ways
 * @returns milliseconds, from half the undamped delay up to just under the whole
 */
export function backoffMs(failures: number, jitter: number, baseMs = 50, capMs = 60_000): number {
  return Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 40)) * (0.5 + jitter / 2);
}
