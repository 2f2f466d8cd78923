import type { Reason } from '../../api/v1alpha1/conditions.ts';
import type { PodView } from './pod-view.ts';

export interface RolloutTimes {
  readonly drainMs: number;
  readonly progressDeadlineMs: number;
}

export type RolloutStep =
  | { readonly kind: 'create'; readonly index: number }
  | { readonly kind: 'withdraw'; readonly pod: PodView }
  | { readonly kind: 'delete'; readonly pod: PodView; readonly why: 'Superseded' | 'Surplus' | 'NeverReady' | 'Drained' | 'Ended' };

export interface RolloutState {
  readonly steps: readonly RolloutStep[];
  /** What stands between the Performer and its newest spec being served. */
  readonly reason:
    | Extract<Reason, 'Serving' | 'Starting' | 'RolloutInProgress' | 'ProgressDeadlineExceeded'>
    | NonNullable<PodView['trouble']>['reason'];
  readonly message: string;
  /** When to look again though nothing happens; undefined when only an event matters. */
  readonly requeueAfterMs: number | undefined;
}

/** Server times have whole seconds, so a wait that decides is this much longer. */
export const secondMs = 1_000;
const overdueRecheckMs = 30_000;
/** A pod that ended sooner than this after it was made is replaced only then: what rejected it would reject the next one as well. */
const replaceFailedMs = 30_000;

/**
 * Which pods come and go: one pod of the wanted revision, ready before any other leaves; one way out for a pod that may serve: withdraw, drain, delete.
 * Pure; the order of `pods` is irrelevant.
 *
 * @param pods the Performer's own
 * @param lastIndex index of `status.podName`, which outlives its pod, so that no name is used twice
 */
export function planRollout(
  revision: string,
  pods: readonly PodView[],
  lastIndex: number | undefined,
  times: RolloutTimes,
  nowMs: number,
): RolloutState {
  const current = pods.filter((pod) => pod.revision === revision && isInService(pod)).toSorted(byKeeping);
  const kept = current[0];
  const old = pods.filter((pod) => pod.revision !== revision && isInService(pod));
  const failed = kept === undefined ? findYoungFailure(revision, pods, nowMs) : undefined;
  const steps: RolloutStep[] = [];
  let requeueAfterMs: number | undefined;

  for (const pod of pods) {
    if (pod.ended && pod !== failed) steps.push({ kind: 'delete', pod, why: 'Ended' });
    if (pod.word !== 'out') continue;
    if (!pod.mayServe) {
      steps.push({ kind: 'delete', pod, why: 'NeverReady' });
      continue;
    }
    // One that lost its label by another hand gets the time of its withdrawal first.
    if (pod.withdrawnAtMs === undefined) {
      steps.push({ kind: 'withdraw', pod });
      continue;
    }
    const drainLeftMs = pod.withdrawnAtMs + times.drainMs + secondMs - nowMs;
    if (drainLeftMs <= 0) steps.push({ kind: 'delete', pod, why: 'Drained' });
    else requeueAfterMs = Math.min(requeueAfterMs ?? drainLeftMs, drainLeftMs);
  }
  for (const pod of current.slice(1)) steps.push(wayOut(pod, 'Surplus'));
  for (const pod of old) {
    if (!pod.mayServe) steps.push({ kind: 'delete', pod, why: 'NeverReady' });
    else if (kept?.word === 'serving') steps.push(wayOut(pod, 'Superseded'));
  }
  if (kept === undefined && failed === undefined) steps.push({ kind: 'create', index: nextIndex(pods, lastIndex) });

  const state = describe(kept, failed, old, times, nowMs);
  const soonest = [requeueAfterMs, state.requeueAfterMs].filter((ms) => ms !== undefined);
  return { ...state, steps: steps.toSorted(byStep), requeueAfterMs: soonest.length === 0 ? undefined : Math.min(...soonest) };
}

function describe(
  kept: PodView | undefined,
  failed: PodView | undefined,
  old: readonly PodView[],
  times: RolloutTimes,
  nowMs: number,
): Pick<RolloutState, 'reason' | 'message' | 'requeueAfterMs'> {
  if (kept?.word === 'serving') return { reason: 'Serving', message: `pod ${kept.name} serves`, requeueAfterMs: undefined };
  const serving = old.find((pod) => pod.word === 'serving');
  const meanwhile = serving === undefined ? '' : `; pod ${serving.name} of the former spec serves until then`;
  const underWay = serving === undefined ? 'Starting' : 'RolloutInProgress';
  if (failed !== undefined) {
    const leftMs = failed.createdAtMs + replaceFailedMs + secondMs - nowMs;
    const message = `pod ${failed.name}: ${failed.trouble?.message ?? 'ended'}${meanwhile}`;
    return { reason: failed.trouble?.reason ?? 'PodFailed', message, requeueAfterMs: leftMs };
  }
  if (kept === undefined) return { reason: underWay, message: `a pod is being created${meanwhile}`, requeueAfterMs: undefined };
  if (kept.trouble !== undefined) {
    return { reason: kept.trouble.reason, message: `pod ${kept.name}: ${kept.trouble.message}${meanwhile}`, requeueAfterMs: undefined };
  }
  const leftMs = kept.createdAtMs + times.progressDeadlineMs + secondMs - nowMs;
  if (leftMs > 0) return { reason: underWay, message: `pod ${kept.name} is not ready yet${meanwhile}`, requeueAfterMs: leftMs };
  const deadlineSeconds = times.progressDeadlineMs / 1_000;
  return {
    reason: 'ProgressDeadlineExceeded',
    message: `pod ${kept.name} is not ready after ${deadlineSeconds} s${meanwhile}`,
    requeueAfterMs: overdueRecheckMs,
  };
}

/** The youngest pod of the revision that ended right after its creation. */
function findYoungFailure(revision: string, pods: readonly PodView[], nowMs: number): PodView | undefined {
  return pods
    .filter((pod) => pod.ended && pod.revision === revision && nowMs < pod.createdAtMs + replaceFailedMs + secondMs)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.index - a.index)[0];
}

function isInService(pod: PodView): boolean {
  return pod.word === 'serving' || pod.word === 'starting';
}

/** Best to keep first: ready, then the lowest index, then the name. */
function byKeeping(a: PodView, b: PodView): number {
  if (a.word !== b.word) return a.word === 'serving' ? -1 : 1;
  return a.index - b.index || (a.name < b.name ? -1 : 1);
}

function wayOut(pod: PodView, why: 'Surplus' | 'Superseded'): RolloutStep {
  return pod.mayServe ? { kind: 'withdraw', pod } : { kind: 'delete', pod, why };
}

/** Creates first, then withdrawals, then deletions; by name within. */
function byStep(a: RolloutStep, b: RolloutStep): number {
  const order = { create: 0, withdraw: 1, delete: 2 } as const;
  if (order[a.kind] !== order[b.kind]) return order[a.kind] - order[b.kind];
  return a.kind !== 'create' && b.kind !== 'create' && a.pod.name > b.pod.name ? 1 : -1;
}

/** 0 for a Performer that never had a pod, else one more than any index it had. */
function nextIndex(pods: readonly PodView[], lastIndex: number | undefined): number {
  return Math.max(-1, lastIndex ?? -1, ...pods.map((pod) => pod.index)) + 1;
}
