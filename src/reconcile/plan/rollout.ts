import type { PodView } from './pod-view.ts';
import { findWaits, type Progress, tellProgress } from './progress.ts';
import { type Rules, secondMs } from './rules.ts';
import { isAvailable, isGone, isHeld, isInService, isRouted } from './standing.ts';

export type RemovalReason = 'Superseded' | 'Surplus' | 'NeverReady' | 'Drained' | 'Ended' | 'NodeLost' | 'Unlabelled';

export type RolloutStep =
  | { readonly kind: 'create'; readonly index: number; readonly failures: number }
  | { readonly kind: 'withdraw' | 'delete'; readonly pod: PodView; readonly why: RemovalReason };

export interface RolloutState extends Progress {
  readonly steps: readonly RolloutStep[];
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
  const steps = new Map<PodView, RolloutStep>();
  const goes: Go = (pod, why) => {
    if (!steps.has(pod))
      steps.set(pod, { kind: pod.mayServe ? 'withdraw' : 'delete', pod, why: pod.mayServe || why !== 'Superseded' ? why : 'NeverReady' });
  };

  for (const pod of facts.pods) {
    if (pod.ended && !failed.includes(pod)) steps.set(pod, { kind: 'delete', pod, why: 'Ended' });
    if (pod.word === 'lost' && !isHeld(pod, rules)) goes(pod, 'NodeLost');
    if (pod.word === 'out') planWayOut(pod, rules, nowMs, steps);
  }
  planSurplus(current, old, rules, goes);
  if (!rules.paused && mayStart) planSuperseding(current, old, rules, nowMs, goes);

  const stays = (pod: PodView): boolean => !steps.has(pod);
  const seen = { facts, current: current.filter(stays), old: old.filter(stays), failed, mayStart };
  const failures = nextFailures(facts);
  const made = Array.from(
    { length: mayStart ? countCreates(facts, current, old, failed) : 0 },
    (_, place): RolloutStep => ({ kind: 'create', index: nextIndex(facts) + place, failures }),
  );
  const waits = findWaits(seen);
  return {
    ...tellProgress(seen),
    steps: [...made, ...[...steps.values()].toSorted(byStep)],
    requeueAfterMs: waits.length === 0 ? undefined : Math.max(0, Math.min(...waits)),
  };
}

/** A withdrawn pod drains, then goes. One that lost its label by another hand gets the time first; one that got it back loses it again. */
function planWayOut(pod: PodView, rules: Rules, nowMs: number, steps: Map<PodView, RolloutStep>): void {
  if (!pod.mayServe) steps.set(pod, { kind: 'delete', pod, why: 'NeverReady' });
  else if (pod.withdrawnAtMs === undefined || pod.selected) steps.set(pod, { kind: 'withdraw', pod, why: 'Unlabelled' });
  else if (nowMs >= pod.withdrawnAtMs + rules.drainMs + secondMs) steps.set(pod, { kind: 'delete', pod, why: 'Drained' });
}

/** Pods beyond what is wanted: not ready first, then old revisions, then the highest index. */
function planSurplus(current: readonly PodView[], old: readonly PodView[], rules: Rules, goes: Go): void {
  for (const pod of current.slice(rules.replicas)) goes(pod, 'Surplus');
  // While a rollout runs, old pods are its affair; one that is paused keeps the room it had.
  if (!rules.paused) return;
  const room = rules.replicas + (current.length > 0 && old.length > 0 ? rules.maxSurge : 0);
  const others = [...current.slice(0, rules.replicas), ...old];
  const inOrder = others.toSorted((a, b) => rank(a) - rank(b) || Number(old.includes(a)) - Number(old.includes(b)) || byKeeping(a, b));
  for (const pod of inOrder.slice(room)) goes(pod, 'Surplus');
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
  const leavingHeld = pods.filter((pod) => pod.word === 'leaving' && !pod.ended && isHeld(pod, rules)).length;
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

type Go = (pod: PodView, why: RemovalReason) => void;

/** Pods of the revision that ended right after their creation, and are not due for replacement. */
function findYoungFailures(facts: RolloutFacts): readonly PodView[] {
  return facts.pods
    .filter((pod) => pod.ended && pod.revision === facts.revision && facts.nowMs < pod.replaceAtMs)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.index - a.index)
    .slice(0, facts.rules.replicas);
}

/** What the next pod remembers: one more than those it follows, unless they had outlived their own wait by far. */
function nextFailures({ pods, revision, nowMs }: RolloutFacts): number {
  const cameToNothing = pods.filter((pod) => (pod.ended && pod.revision === revision && !pod.mayServe) || pod.edited);
  const young = cameToNothing.filter((pod) => nowMs < pod.replaceAtMs + (pod.replaceAtMs - pod.createdAtMs));
  return young.length === 0 ? 0 : Math.max(...young.map((pod) => pod.failures)) + 1;
}

function rank(pod: PodView): number {
  return pod.word === 'serving' ? 0 : pod.word === 'starting' ? 1 : 2;
}

/** Best to keep first: ready, then the lowest index, then the name. */
function byKeeping(a: PodView, b: PodView): number {
  return rank(a) - rank(b) || a.index - b.index || (a.name < b.name ? -1 : 1);
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
