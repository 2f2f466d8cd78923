import type { Reason } from '../../api/v1alpha1/conditions.ts';
import type { PodTrouble } from './pod-trouble.ts';
import type { PodView } from './pod-view.ts';
import type { Rules } from './rules.ts';

export type RemovalReason = 'Superseded' | 'Surplus' | 'NeverReady' | 'Drained' | 'Ended' | 'NodeLost' | 'Unlabelled';

export type RolloutStep =
  | { readonly kind: 'create'; readonly index: number; readonly failures: number }
  | { readonly kind: 'withdraw' | 'delete'; readonly pod: PodView; readonly why: RemovalReason };

export interface RolloutState {
  readonly steps: readonly RolloutStep[];
  /** What stands between the Performer and its newest spec being served. */
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
  /** When to look again though nothing happens; undefined when only an event matters. */
  readonly requeueAfterMs: number | undefined;
}

export interface RolloutFacts {
  readonly revision: string;
  /** The Performer's own, any order. */
  readonly pods: readonly PodView[];
  readonly rules: Rules;
  /** The revision that serves by the stored status. */
  readonly servingRevision: string | undefined;
  /** Index of `status.podName`, which outlives its pod, so that no name is used twice. */
  readonly lastIndex: number | undefined;
  readonly nowMs: number;
}

/** Server times have whole seconds, so a wait that decides is this much longer. */
export const secondMs = 1_000;
/** A pod that ended sooner than this after it was made is replaced only then, each further one after twice as long: what rejected it would reject the next one as well. */
const replaceFailedMs = 30_000;
const replaceFailedCapMs = 600_000;
/** Where EndpointSlices may not be read: kube-proxies know a ready pod by then. */
const routedAfterMs = 2_000;
/** EndpointSlices are not watched; a ready pod is in them within a fraction of a second. */
const routedRecheckMs = 500;

/**
 * Which pods come and go, counted from their words: rollout, scaling, lost nodes, Recreate and surplus are one calculation.
 *
 * Flow: way out of what is out, ended or lost → surplus and superseded pods → new pods into the room that is left.
 * Guarantees: during a rolling update never fewer than `replicas - maxUnavailable` available pods by our doing, never more than
 * `replicas + maxSurge` in service; one way out for a pod that may serve: withdraw, drain, delete. Pure; the order of `pods` is irrelevant.
 */
export function planRollout(facts: RolloutFacts): RolloutState {
  const { revision, rules, nowMs } = facts;
  const inService = facts.pods.filter(isInService);
  const current = inService.filter((pod) => pod.revision === revision).toSorted(byKeeping);
  const old = inService.filter((pod) => pod.revision !== revision).toSorted(byKeeping);
  const failed = findYoungFailures(facts);
  const mayStart = !rules.paused || current.length > 0 || facts.servingRevision === revision;
  const waits: number[] = [];
  const steps = new Map<PodView, RolloutStep>();
  const goes = (pod: PodView, why: RemovalReason): void => {
    if (!steps.has(pod))
      steps.set(
        pod,
        pod.mayServe ? { kind: 'withdraw', pod, why } : { kind: 'delete', pod, why: pod.word === 'out' ? why : neverReady(why) },
      );
  };

  for (const pod of facts.pods) {
    if (pod.ended && !failed.includes(pod)) steps.set(pod, { kind: 'delete', pod, why: 'Ended' });
    if (pod.word === 'lost' && !isHeldByStrictness(pod, rules)) goes(pod, 'NodeLost');
    if (pod.word === 'out') planWayOut(pod, rules, nowMs, steps, waits);
    if (pod.node.lostAtMs !== undefined) waits.push(pod.node.lostAtMs - nowMs);
  }
  planSurplus(current, old, rules, goes);
  if (!rules.paused && mayStart) planSuperseding(current, old, rules, nowMs, goes);

  const creates = mayStart ? countCreates(facts, current, old, failed) : 0;
  for (const pod of failed) waits.push(replaceAtMs(pod) - nowMs);
  const left = old.filter((pod) => !steps.has(pod));
  const kept = current.filter((pod) => !steps.has(pod));
  const told = describe(facts, kept, left, failed, mayStart, waits);
  const made = Array.from(
    { length: creates },
    (_, place): RolloutStep => ({ kind: 'create', index: nextIndex(facts) + place, failures: failuresOf(facts.pods, revision) }),
  );
  return { ...told, steps: [...made, ...[...steps.values()].toSorted(byStep)], requeueAfterMs: soonest(waits) };
}

/** A withdrawn pod drains, then goes. One that lost its label by another hand gets the time of its withdrawal first. */
function planWayOut(pod: PodView, rules: Rules, nowMs: number, steps: Map<PodView, RolloutStep>, waits: number[]): void {
  if (!pod.mayServe) {
    steps.set(pod, { kind: 'delete', pod, why: 'NeverReady' });
  } else if (pod.withdrawnAtMs === undefined) {
    steps.set(pod, { kind: 'withdraw', pod, why: 'Unlabelled' });
  } else {
    const leftMs = pod.withdrawnAtMs + rules.drainMs + secondMs - nowMs;
    if (leftMs <= 0) steps.set(pod, { kind: 'delete', pod, why: 'Drained' });
    else waits.push(leftMs);
  }
}

/** Pods beyond what is wanted: not ready first, then old revisions, then the highest index. */
function planSurplus(current: readonly PodView[], old: readonly PodView[], rules: Rules, goes: Go): void {
  // While a rollout runs, old pods are its affair; one that is paused keeps the room it had.
  const room = rules.replicas + (rules.paused && current.length > 0 && old.length > 0 ? rules.maxSurge : 0);
  const candidates = rules.paused
    ? [...current, ...old].toSorted((a, b) => rank(a) - rank(b) || Number(old.includes(a)) - Number(old.includes(b)) || byKeeping(a, b))
    : current;
  for (const pod of candidates.slice(room)) goes(pod, 'Surplus');
}

/** Old pods that may go because newer ones stand in for them, or because they serve nobody. */
function planSuperseding(current: readonly PodView[], old: readonly PodView[], rules: Rules, nowMs: number, goes: Go): void {
  if (rules.recreate) {
    for (const pod of old) goes(pod, 'Superseded');
    return;
  }
  // Never ready: nobody misses it, and its room is wanted.
  for (const pod of old) if (!pod.mayServe) goes(pod, 'Superseded');
  const served = old.filter((pod) => pod.mayServe);
  const standingIn = current.slice(0, rules.replicas).filter((pod) => isAvailable(pod, nowMs) && isRouted(pod, nowMs)).length;
  const minAvailable = rules.replicas - rules.maxUnavailable;
  const unhealthy = served.filter((pod) => pod.word !== 'serving').toReversed();
  for (const pod of unhealthy.slice(0, Math.max(0, standingIn + served.length - minAvailable))) goes(pod, 'Superseded');
  const healthy = served.filter((pod) => pod.word === 'serving').toReversed();
  for (const pod of healthy.slice(0, Math.max(0, standingIn + healthy.length - minAvailable))) goes(pod, 'Superseded');
}

function countCreates(facts: RolloutFacts, current: readonly PodView[], old: readonly PodView[], failed: readonly PodView[]): number {
  const { rules, pods } = facts;
  const leavingHeld = pods.filter((pod) => pod.word === 'leaving' && !pod.ended && isHeldByStrictness(pod, rules)).length;
  const missing = rules.replicas - current.length - failed.length - leavingHeld;
  if (rules.recreate) {
    // Nothing of any revision may still run but what is wanted: draining and terminating pods are waited for.
    const running = pods.filter((pod) => !pod.ended && !isGone(pod, rules)).length;
    return old.length > 0 ? 0 : Math.max(0, Math.min(missing, rules.replicas - running - failed.length));
  }
  const surge = rules.paused ? 0 : rules.maxSurge;
  const room = rules.replicas + surge - current.length - old.length - failed.length - leavingHeld;
  return Math.max(0, Math.min(missing, room));
}

function describe(
  facts: RolloutFacts,
  current: readonly PodView[],
  old: readonly PodView[],
  failed: readonly PodView[],
  mayStart: boolean,
  waits: number[],
): Pick<RolloutState, 'reason' | 'message'> {
  const { rules, nowMs } = facts;
  const available = current.filter((pod) => isAvailable(pod, nowMs));
  const serving = old.filter((pod) => pod.word === 'serving');
  const meanwhile =
    serving.length === 0
      ? ''
      : `; ${serving.map((pod) => pod.name).join(', ')} of the former spec ${serving.length === 1 ? 'serves' : 'serve'} meanwhile`;
  if (available.length >= rules.replicas && old.length === 0) {
    return {
      reason: 'Serving',
      message: rules.replicas === 1 ? `pod ${available[0]?.name} serves` : `${available.length} of ${rules.replicas} pods serve`,
    };
  }
  if (rules.paused && (!mayStart || old.length > 0))
    return { reason: 'Paused', message: `the newest spec waits while spec.paused is set${meanwhile}` };
  const lost = current.find((pod) => pod.word === 'lost');
  if (lost !== undefined) {
    return {
      reason: 'NodeLost',
      message: `pod ${lost.name} is on node ${lost.node.name}, which is unreachable; it is replaced once it is proven that it does not run`,
    };
  }
  const underWay = old.length === 0 ? 'Starting' : 'RolloutInProgress';
  const pending = current.filter((pod) => !isAvailable(pod, nowMs));
  for (const pod of pending) if (pod.availableAtMs !== undefined) waits.push(pod.availableAtMs - nowMs);
  if (pending.length === 0 && old.length > 0) {
    for (const pod of available)
      if (!isRouted(pod, nowMs))
        waits.push(pod.routed === undefined ? (pod.readySinceMs ?? nowMs) + routedAfterMs + secondMs - nowMs : routedRecheckMs);
    return { reason: underWay, message: `${count(available.length, rules)} of the newest spec ready${meanwhile}` };
  }
  for (const pod of pending) if (pod.trouble?.fromMs !== undefined && pod.trouble.fromMs > nowMs) waits.push(pod.trouble.fromMs - nowMs);
  const troubled = pending.find((pod) => pod.trouble !== undefined && (pod.trouble.fromMs ?? 0) <= nowMs) ?? failed[0];
  const cause = troubled?.trouble;
  const youngest = Math.max(...pending.map((pod) => pod.createdAtMs));
  const deadlineMs = youngest + rules.progressDeadlineMs + Math.max(0, rules.minReadyMs) + secondMs;
  const waiting = pending.map((pod) => pod.name).join(', ');
  if (pending.length > 0) {
    if (nowMs >= deadlineMs) {
      const because = cause === undefined ? '' : `: ${cause.reason}: ${cause.message}`;
      return {
        reason: 'ProgressDeadlineExceeded',
        message: `pod ${waiting} is not ready after ${rules.progressDeadlineMs / 1_000} s${because}${meanwhile}`,
      };
    }
    waits.push(deadlineMs - nowMs);
  }
  if (cause !== undefined) {
    const reason = cause.reason === 'Unschedulable' && old.length > 0 ? 'SurgeUnschedulable' : cause.reason;
    return { reason, message: `pod ${troubled?.name}: ${cause.message}${meanwhile}` };
  }
  if (pending.length === 0) {
    const waits = rules.recreate && facts.pods.some((pod) => !pod.ended && !isGone(pod, rules));
    return { reason: underWay, message: `${waits ? 'former pods must be gone first' : 'a pod is being created'}${meanwhile}` };
  }
  return { reason: underWay, message: `pod ${waiting} is not ready yet${meanwhile}` };
}

function count(pods: number, rules: Rules): string {
  return `${pods} of ${rules.replicas} pods`;
}

type Go = (pod: PodView, why: RemovalReason) => void;

/** Whether enough time has passed since it became ready. */
function isAvailable(pod: PodView, nowMs: number): boolean {
  return pod.word === 'serving' && pod.availableAtMs !== undefined && nowMs >= pod.availableAtMs;
}

/** Whether calls reach it. */
function isRouted(pod: PodView, nowMs: number): boolean {
  return pod.routed ?? nowMs >= (pod.readySinceMs ?? nowMs) + routedAfterMs + secondMs;
}

/** Under `Strict` a pod on a lost node keeps its place until it is proven that it does not run. */
function isHeldByStrictness(pod: PodView, rules: Rules): boolean {
  return rules.strictNodeLoss && (pod.node.word === 'lost' || (pod.node.word === 'doubtful' && pod.word === 'leaving'));
}

/** Counts as not running any more, though its object is there. */
function isGone(pod: PodView, rules: Rules): boolean {
  return pod.node.word === 'gone' || (pod.node.word === 'lost' && !rules.strictNodeLoss);
}

/** Pods of the revision that ended right after their creation, and are not due for replacement. */
function findYoungFailures(facts: RolloutFacts): readonly PodView[] {
  return facts.pods
    .filter((pod) => pod.ended && pod.revision === facts.revision && facts.nowMs < replaceAtMs(pod))
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.index - a.index)
    .slice(0, facts.rules.replicas);
}

function replaceAtMs(pod: PodView): number {
  return pod.createdAtMs + Math.min(replaceFailedCapMs, replaceFailedMs * 2 ** Math.min(pod.failures, 10)) + secondMs;
}

/** What the next pod remembers: one more than the pods it replaces, unless they had served. */
function failuresOf(pods: readonly PodView[], revision: string): number {
  const ended = pods.filter((pod) => pod.ended && pod.revision === revision && !pod.mayServe);
  return ended.length === 0 ? 0 : Math.max(...ended.map((pod) => pod.failures)) + 1;
}

function isInService(pod: PodView): boolean {
  return pod.word === 'serving' || pod.word === 'starting' || pod.word === 'lost';
}

function rank(pod: PodView): number {
  return pod.word === 'serving' ? 0 : pod.word === 'starting' ? 1 : 2;
}

/** Best to keep first: ready, then the lowest index, then the name. */
function byKeeping(a: PodView, b: PodView): number {
  return rank(a) - rank(b) || a.index - b.index || (a.name < b.name ? -1 : 1);
}

function neverReady(why: RemovalReason): RemovalReason {
  return why === 'Superseded' ? 'NeverReady' : why;
}

/** Withdrawals first, then deletions; by name within. */
function byStep(a: RolloutStep, b: RolloutStep): number {
  if (a.kind === 'create' || b.kind === 'create') return 0;
  if (a.kind !== b.kind) return a.kind === 'withdraw' ? -1 : 1;
  return a.pod.name < b.pod.name ? -1 : 1;
}

/** 0 for a Performer that never had a pod, else one more than any index it had. */
function nextIndex(facts: RolloutFacts): number {
  return Math.max(-1, facts.lastIndex ?? -1, ...facts.pods.map((pod) => pod.index)) + 1;
}

function soonest(waits: readonly number[]): number | undefined {
  return waits.length === 0 ? undefined : Math.max(0, Math.min(...waits));
}
