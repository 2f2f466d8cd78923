import type { OracleContext } from '../oracle/define.ts';
import type { FaultId, SpanFaultId } from './faults/faults.ts';
import { slowestWayMs } from './faults/span.ts';
import type { RunPlan } from './run-plan.ts';

/** Faults that keep an operator's view old, or itself from acting, for as long as they last. */
export const blinding: ReadonlySet<string> = new Set<SpanFaultId>([
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
/** A call on a Lease that takes longer has failed: below that the API server is not too slow to hold one by. */
const leaseCallMs = 5_000;
/** From one `Date` to the next, which may be all that an operator knows: it has whole seconds. */
const dateMs = 1_000;

/** What oracles must grant in a run of this plan, and no more: the older a view its faults can cause, the more. Pure but for `calmSinceMs`. */
export function grantsOf(plan: RunPlan, calmSinceMs: () => number): OracleContext {
  const longest = (ids: ReadonlySet<string>): number =>
    Math.max(
      0,
      ...plan.faults.map((step) =>
        'forMs' in step && ids.has(step.id) ? step.forMs + noticedMs : step.id === 'event-blocked' ? 60_000 : 0,
      ),
    );
  const slowMs = plan.faults.some(({ id }) => slowing.has(id)) ? callsMs : 0;
  const frozenMs = longest(new Set(['operator-frozen']));
  const jobs = plan.mode === 'watch' ? 0 : 3 * plan.onceEveryMs;
  return {
    viewLagMs: 10_000 + longest(blinding) + slowMs + jobs,
    proofLagMs: 5_000 + frozenMs + slowMs,
    // The design trusts the monotonic clock between two answers, and a proof is an answer: what it gains in that second is granted, no more.
    clockAheadMs: Math.max(0, plan.clockRate - 1) * dateMs,
    endpointLagMs: 5_000 + longest(new Set<SpanFaultId>(['node-cut', 'all-nodes-cut'])),
    settleMs: 60_000 + jobs,
    leaderlessMs: Math.max(
      0,
      ...plan.faults.map((step) => (step.id === 'api-slow' && 2 * slowestWayMs(step.draw) > leaseCallMs ? step.forMs : 0)),
    ),
    waitFactor: 1 / Math.min(1, plan.clockRate),
    knowsWrites: true,
    calmSinceMs,
  };
}
