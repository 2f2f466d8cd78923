import type { OracleContext } from '../oracle/define.ts';
import { clockRatesOf } from './clock-rates.ts';
import type { FaultId } from './faults/faults.ts';
import type { RunPlan } from './run-plan.ts';

/** Faults that keep an operator's view old, or itself from acting, for as long as they last. */
export const blinding: ReadonlySet<string> = new Set<FaultId>([
  'watch-lag',
  'watch-stalled',
  'watch-held',
  'watch-reordered',
  'cache-stale',
  'api-down',
  'operator-cut',
  'operator-frozen',
  'rights-revoked',
]);
/** No API server that somebody is made to read stands still for longer. */
export const oldViewMs = 30_000;
/** What comes in an instant and leaves a view that is old for so long. */
const leavesOld: ReadonlySet<string> = new Set<FaultId>(['front-switch', 'operator-time-travel']);
/** A stream that is silent is given up after 75 s; a list in trouble is tried again within 10 s. */
const noticedMs = 90_000;
/** Faults under which a call may run into its deadline. */
export const slowing: ReadonlySet<string> = new Set<FaultId>([
  'timeout-applied',
  'timeout-lost',
  'api-slow',
  'api-down',
  'api-throttles',
  'operator-cut',
]);
/** Two calls that run into their deadlines. */
const callsMs = 65_000;
/** No event is held back for longer; what waited behind it comes one by one, with a decision on each. */
export const blockedMs = 60_000;
const releasedMs = 5_000;
/** What an operator may not read and can do without it asks for again after so long. */
const forgoneMs = 600_000;
/** Both ways of a call, and those of one while the API server is slow. */
const [usualWayMs, slowWayMs] = [1_000, 10_000];
/** From one `Date` to the next, which may be all that an operator knows: it has whole seconds. */
const dateMs = 1_000;

/** The last time in which faults kept something from its newest state, those that met each other taken as one; server time. */
class Spell {
  #fromMs = Number.NEGATIVE_INFINITY;
  #toMs = Number.NEGATIVE_INFINITY;
  #mostMs = 0;

  /** Until when what follows from it lasts; -Infinity when there was none. */
  get toMs(): number {
    return this.#toMs;
  }

  add(fromMs: number, toMs: number, mostMs: number): void {
    if (fromMs > this.#toMs) [this.#fromMs, this.#mostMs] = [fromMs, 0];
    this.#toMs = Math.max(this.#toMs, toMs);
    this.#mostMs = Math.max(this.#mostMs, mostMs);
  }

  /** How old something may be by it: as old as the fault, and no older than one fault makes it. */
  ageMs(nowMs: number): number {
    return nowMs > this.#toMs ? 0 : Math.min(nowMs - this.#fromMs, this.#mostMs);
  }
}

/**
 * What oracles must grant in a run of a plan, and no more: the older a view its faults have caused by then, the more. A fault is granted
 * for from when it comes to its end, and for as long after as it takes to be noticed.
 */
export class Grants implements OracleContext {
  readonly clockAheadMs: number;
  readonly settleMs: number;
  readonly waitFactor: number;
  readonly knowsWrites = true;
  readonly calmSinceMs: () => number;
  readonly #nowMs: () => number;
  readonly #jobsMs: number;
  readonly #blind = new Spell();
  readonly #slow = new Spell();
  readonly #frozen = new Spell();
  readonly #cut = new Spell();
  #slicesOffUntilMs = Number.NEGATIVE_INFINITY;

  /** @param time server time, asked for once something has come */
  constructor(plan: RunPlan, time: { readonly nowMs: () => number; readonly calmSinceMs: () => number }) {
    this.#nowMs = time.nowMs;
    this.calmSinceMs = time.calmSinceMs;
    this.#jobsMs = plan.mode === 'watch' ? 0 : 3 * plan.onceEveryMs;
    this.settleMs = 60_000 + this.#jobsMs;
    const rates = clockRatesOf(plan);
    this.waitFactor = 1 / Math.min(1, ...rates);
    // The design trusts the monotonic clock between two answers, and a proof is an answer: what it gains in that second is granted, no more.
    this.clockAheadMs = Math.max(0, Math.max(...rates) - 1) * dateMs;
  }

  /** Told of each fault as it comes, with the time for which it lasts, and whom it met. */
  came(id: FaultId, forMs = 0, of = ''): void {
    const nowMs = this.#nowMs();
    const noticedAfterMs = noticedMs * this.waitFactor;
    const toMs = nowMs + forMs;
    if (leavesOld.has(id)) this.#blind.add(nowMs, nowMs + oldViewMs + noticedAfterMs, oldViewMs + noticedAfterMs);
    if (id === 'event-blocked') this.#blind.add(nowMs, nowMs + blockedMs + releasedMs, blockedMs + releasedMs);
    if (blinding.has(id)) this.#blind.add(nowMs, toMs + noticedAfterMs, forMs + noticedAfterMs);
    if (slowing.has(id)) this.#slow.add(nowMs, toMs + callsMs, callsMs);
    if (id === 'operator-frozen') this.#frozen.add(nowMs, toMs + noticedAfterMs, forMs + noticedAfterMs);
    if (id === 'rights-revoked' && of === 'list endpointslices')
      this.#slicesOffUntilMs = Math.max(this.#slicesOffUntilMs, toMs + forgoneMs * this.waitFactor);
    if (id === 'node-cut' || id === 'all-nodes-cut') this.#cut.add(nowMs, toMs + noticedMs, forMs + noticedMs);
  }

  get viewLagMs(): number {
    return 10_000 + this.#jobsMs + this.#ageMs(this.#blind) + this.#ageMs(this.#slow);
  }

  get proofLagMs(): number {
    return 5_000 + this.#ageMs(this.#frozen) + this.#ageMs(this.#slow);
  }

  /** A frozen operator sends nothing; what is slow is the way. */
  get onTheWayMs(): number {
    return this.#nowMs() > this.#slow.toMs ? usualWayMs : slowWayMs;
  }

  get endpointLagMs(): number {
    return 5_000 + this.#ageMs(this.#cut);
  }

  get slicesOffUntilMs(): number {
    return this.#slicesOffUntilMs;
  }

  /** An API server that is slow may be too slow to hold a Lease by, for as long as it is. */
  lateUntilMs(): number {
    return Math.max(this.#blind.toMs, this.#slow.toMs);
  }

  #ageMs(spell: Spell): number {
    return spell.toMs === Number.NEGATIVE_INFINITY ? 0 : spell.ageMs(this.#nowMs());
  }
}
