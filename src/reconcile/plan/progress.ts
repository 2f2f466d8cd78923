import type { Reason } from '../../api/v1alpha1/conditions.ts';
import type { PodTrouble } from './pod-trouble.ts';
import type { PodView } from './pod-view.ts';
import type { RolloutFacts } from './rollout.ts';
import { secondMs } from './rules.ts';
import { isAvailable, isGone, isHeld, isRouted, routedAtMs } from './standing.ts';

/** What stands between the Performer and its newest spec being served. */
export interface Progress {
  readonly reason: Extract<
    Reason,
    | 'Serving'
    | 'Starting'
    | 'RolloutInProgress'
    | 'Paused'
    | 'NodeLost'
    | 'SurgeUnschedulable'
    | 'ProgressDeadlineExceeded'
    | PodTrouble['reason']
  >;
  readonly message: string;
}

/** The pods as they stand once the pass has taken away what it takes away. */
export interface ProgressFacts {
  readonly facts: RolloutFacts;
  /** Of the newest revision, in service. */
  readonly current: readonly PodView[];
  /** Of other revisions, in service. */
  readonly old: readonly PodView[];
  /** Of the newest revision, ended right after their creation and not due for replacement. */
  readonly failed: readonly PodView[];
  /** Whether pods of the newest revision may be made. */
  readonly mayStart: boolean;
}

/** EndpointSlices are not watched: a ready pod is in them within a fraction of a second, else something is wrong. */
const routedRecheckMs = 500;
const routedPatienceMs = 10_000;
const unroutedRecheckMs = 10_000;
/** While most nodes look gone no event tells of a pod that its node counts again. */
const doubtRecheckMs = 30_000;

/** The first thing that is in the way, in the order in which users should hear of it. Pure. */
export function tellProgress(seen: ProgressFacts): Progress {
  const { facts, current, old, mayStart } = seen;
  const { rules, nowMs } = facts;
  const available = current.filter((pod) => isAvailable(pod, nowMs));
  if (available.length >= rules.replicas && old.length === 0) {
    return {
      reason: 'Serving',
      message: rules.replicas === 1 ? `pod ${available[0]?.name} serves` : `${available.length} of ${rules.replicas} pods serve`,
    };
  }
  const meanwhile = tellMeanwhile(old);
  if (rules.paused && (!mayStart || old.length > 0))
    return { reason: 'Paused', message: `the newest spec waits while spec.paused is set${meanwhile}` };
  const off = [...current, ...facts.pods.filter((pod) => pod.word === 'leaving' && isHeld(pod, rules))].find(
    (pod) => pod.word === 'lost' || pod.node.word === 'lost' || isHeld(pod, rules),
  );
  if (off !== undefined) {
    const until = rules.strictNodeLoss ? '; it is replaced once it is proven that it does not run' : '';
    return { reason: 'NodeLost', message: `pod ${off.name} is on node ${off.node.name}, which is unreachable${until}${meanwhile}` };
  }
  const pending = current.filter((pod) => !isAvailable(pod, nowMs));
  const unrouted = old.length === 0 || pending.length > 0 ? [] : available.filter((pod) => !isRouted(pod, nowMs));
  const troubled = findTroubled(seen, pending);
  const deadlineMs = findDeadline(seen, [...pending, ...unrouted]);
  if (deadlineMs !== undefined && nowMs >= deadlineMs) {
    const cause = troubled?.trouble === undefined ? '' : `: ${troubled.trouble.reason}: ${troubled.trouble.message}`;
    const what =
      pending.length > 0
        ? `pod ${names(pending)} is not ready${cause}`
        : `pod ${names(unrouted)} is ready, but no EndpointSlice of the Service says so`;
    return { reason: 'ProgressDeadlineExceeded', message: `after ${rules.progressDeadlineMs / 1_000} s ${what}${meanwhile}` };
  }
  if (troubled?.trouble !== undefined) {
    return { reason: surgeReason(troubled.trouble.reason, old), message: `pod ${troubled.name}: ${troubled.trouble.message}${meanwhile}` };
  }
  const reason = old.length === 0 ? 'Starting' : 'RolloutInProgress';
  if (pending.length > 0) return { reason, message: `pod ${names(pending)} is not ready yet${meanwhile}` };
  if (available.length > 0)
    return { reason, message: `${available.length} of ${rules.replicas} pods of the newest spec ready${meanwhile}` };
  const before = rules.recreate ? facts.pods.filter((pod) => !pod.ended && !isGone(pod, rules)) : [];
  return { reason, message: before.length > 0 ? `pod ${names(before)} must be gone first` : `a pod is being created${meanwhile}` };
}

/** Times after which something may be different though nothing happens, in ms from now. Pure. */
export function findWaits(seen: ProgressFacts): readonly number[] {
  const { facts, current, old, failed } = seen;
  const { nowMs, rules } = facts;
  const at: number[] = failed.map((pod) => pod.replaceAtMs);
  for (const pod of facts.pods) {
    if (pod.word === 'out' && pod.mayServe && pod.withdrawnAtMs !== undefined) at.push(pod.withdrawnAtMs + rules.drainMs + secondMs);
    if (pod.edited) at.push(pod.replaceAtMs);
    if (pod.word === 'starting' && pod.node.word === 'lost') at.push(pod.sureAtMs);
    // Under Recreate one on its way out holds its successor back until its node is lost, and no event tells of that.
    const holdsBack = rules.recreate && !rules.strictNodeLoss && (pod.word === 'leaving' || pod.word === 'out');
    if (pod.node.word === 'doubtful' && (pod.word === 'starting' || holdsBack)) at.push(pod.node.lostAtMs ?? nowMs + doubtRecheckMs);
  }
  const pending = current.filter((pod) => !isAvailable(pod, nowMs));
  for (const pod of pending) at.push(...[pod.availableAtMs, pod.trouble?.fromMs].filter((ms) => ms !== undefined));
  const unrouted = old.length === 0 ? [] : current.filter((pod) => isAvailable(pod, nowMs) && !isRouted(pod, nowMs));
  for (const pod of unrouted) {
    const patient = nowMs < (pod.readySinceMs ?? nowMs) + routedPatienceMs;
    at.push(pod.routed === undefined ? routedAtMs(pod) : nowMs + (patient ? routedRecheckMs : unroutedRecheckMs));
  }
  const deadlineMs = findDeadline(seen, [...pending, ...unrouted]);
  if (deadlineMs !== undefined) at.push(deadlineMs);
  return at.filter((ms) => ms > nowMs).map((ms) => ms - nowMs);
}

/** When a revision that has not served yet has been without progress for too long; one that has served is in trouble, not late. */
function findDeadline({ facts }: ProgressFacts, waiting: readonly PodView[]): number | undefined {
  if (waiting.length === 0 || facts.servingRevision === facts.revision) return undefined;
  const sinceMs = Math.max(...waiting.map((pod) => pod.readySinceMs ?? pod.notReadySinceMs));
  return sinceMs + facts.rules.progressDeadlineMs + facts.rules.minReadyMs + secondMs;
}

function findTroubled({ facts, failed }: ProgressFacts, pending: readonly PodView[]): PodView | undefined {
  return pending.find((pod) => pod.trouble !== undefined && (pod.trouble.fromMs ?? 0) <= facts.nowMs) ?? failed[0];
}

/** A new pod that finds no place while an old one holds one. Pure. */
export function surgeReason<R extends string>(reason: R, old: readonly PodView[]): R | 'SurgeUnschedulable' {
  return reason === 'Unschedulable' && old.length > 0 ? 'SurgeUnschedulable' : reason;
}

function tellMeanwhile(old: readonly PodView[]): string {
  const serving = old.filter((pod) => pod.word === 'serving');
  if (serving.length === 0) return '';
  return `; ${names(serving)} of the former spec ${serving.length === 1 ? 'serves' : 'serve'} meanwhile`;
}

function names(pods: readonly PodView[]): string {
  return pods.map((pod) => pod.name).join(', ');
}
