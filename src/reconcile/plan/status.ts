import { findCondition, mergeConditions, type Reason, reasons, type WantedCondition } from '../../api/v1alpha1/conditions.ts';
import { grpcEndpoint, serviceName } from '../../api/v1alpha1/naming.ts';
import type { PerformerPhase, PerformerStatus } from '../../api/v1alpha1/performer.ts';
import { type Json, sameJson } from '../../lib/canonical-json.ts';
import { formatTime } from '../../lib/time.ts';
import { type Action, type PlannedEvent, performerTarget } from './actions.ts';
import type { PodView } from './pod-view.ts';
import { secondMs } from './rollout.ts';
import type { PerformerView, Snapshot } from './snapshot.ts';

export interface StatusFacts {
  readonly reason: Reason;
  readonly message: string;
  /** Revision of the spec; undefined when the spec cannot be read. */
  readonly revision: string | undefined;
  readonly ours: readonly PodView[];
  /** Server time in ms until which a healthy start may stay unsaid. */
  readonly quiet: number;
}

export interface StatusPlan {
  /** Undefined when the status is right, or when it may wait. */
  readonly action: Action | undefined;
  readonly events: readonly PlannedEvent[];
  /** When a status that waits is due. */
  readonly dueAfterMs: number | undefined;
}

/** The status that tells what was seen, as the difference to the stored one. Pure. */
export function planStatus(snapshot: Snapshot, performer: PerformerView, facts: StatusFacts): StatusPlan {
  const stored = performer.status ?? {};
  const wanted = computeStatus(snapshot, performer, facts, stored);
  const patch = diffStatus(stored, wanted);
  if (patch === undefined) return { action: undefined, events: [], dueAfterMs: undefined };
  const mayWait = reasons[facts.reason].quiet && !snapshot.lastPass && (stored.ready ?? false) === wanted.ready;
  const dueAfterMs = facts.quiet + secondMs - snapshot.nowMs;
  if (mayWait && dueAfterMs > 0) return { action: undefined, events: [], dueAfterMs };
  const target = performerTarget(snapshot.key, performer);
  const action: Action = { kind: 'patch', resource: 'PerformerStatus', target, patch: { status: patch }, why: facts.reason };
  return { action, events: planEvents(performer, facts, wanted), dueAfterMs: undefined };
}

function computeStatus(
  snapshot: Snapshot,
  performer: PerformerView,
  facts: StatusFacts,
  stored: PerformerStatus,
): PerformerStatus & { ready: boolean } {
  const { key, nowMs } = snapshot;
  const serving = findServing(facts);
  const ready = serving !== undefined;
  const now = formatTime(nowMs);
  const readyTime = stored.readyTime ?? (ready ? formatTime(serving.readySinceMs ?? nowMs) : undefined);
  const servesNewest = facts.reason === 'Serving';
  const upgraded = servesNewest && stored.revision !== undefined && stored.revision !== facts.revision;
  const lastUpgrade = upgraded ? now : stored.lastUpgrade;
  const revision = servesNewest ? facts.revision : stored.revision;
  const podName = serving?.name ?? stored.podName;
  return {
    observedGeneration: performer.generation,
    phase: computePhase(facts.reason, ready),
    ready,
    serviceName: serviceName(key.name),
    grpcEndpoint: grpcEndpoint(key.name, key.namespace),
    ...(podName === undefined ? {} : { podName }),
    ...(serving?.ip === undefined ? {} : { podIP: serving.ip }),
    ...(readyTime === undefined ? {} : { readyTime }),
    ...(lastUpgrade === undefined ? {} : { lastUpgrade }),
    ...(revision === undefined ? {} : { revision }),
    conditions: mergeConditions(stored.conditions ?? [], wantConditions(facts, ready), performer.generation, now),
  };
}

/** The pod that status names: of the newest spec where one serves, since the others are about to go; else the lowest index. */
function findServing(facts: StatusFacts): PodView | undefined {
  const isOld = (pod: PodView): number => (pod.revision === facts.revision ? 0 : 1);
  return facts.ours.filter((pod) => pod.word === 'serving').toSorted((a, b) => isOld(a) - isOld(b) || a.index - b.index)[0];
}

function computePhase(reason: Reason, ready: boolean): PerformerPhase {
  if (reason === 'Serving') return 'Running';
  if (reason === 'Terminating') return 'Terminating';
  if (ready) return reasons[reason].stalls ? 'Running' : 'Upgrading';
  return reasons[reason].stalls || reason === 'CrashLooping' ? 'Failed' : 'Pending';
}

function wantConditions(facts: StatusFacts, ready: boolean): readonly WantedCondition[] {
  const row = reasons[facts.reason];
  const message = row.nextStep === '' ? facts.message : `${facts.message}. ${row.nextStep}`;
  const condition = (type: WantedCondition['type'], holds: boolean): WantedCondition => ({
    type,
    status: holds ? 'True' : 'False',
    reason: facts.reason,
    message,
  });
  return [
    condition('Available', ready),
    condition('Progressing', row.progressing),
    condition('Degraded', row.warns),
    // These two exist only while true: tools that judge any object read their presence.
    ...(row.ready || row.stalls ? [] : [condition('Reconciling', true)]),
    ...(row.stalls ? [condition('Stalled', true)] : []),
    condition('Ready', row.ready),
  ];
}

function diffStatus(stored: PerformerStatus, wanted: PerformerStatus): Json | undefined {
  const patch: Record<string, Json> = {};
  const before = stored as Readonly<Record<string, Json | undefined>>;
  const after = wanted as Readonly<Record<string, Json | undefined>>;
  for (const field of Object.keys({ ...before, ...after }).toSorted()) {
    if (field === 'podIP' || field in after) {
      const value = after[field] ?? null;
      if (!sameJson(before[field] ?? null, value)) patch[field] = value;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function planEvents(performer: PerformerView, facts: StatusFacts, wanted: PerformerStatus): readonly PlannedEvent[] {
  const before = findCondition(performer.status?.conditions, 'Ready')?.reason;
  const ready = findCondition(wanted.conditions, 'Ready');
  if (!reasons[facts.reason].warns || before === facts.reason || ready === undefined) return [];
  return [{ type: 'Warning', reason: facts.reason, message: ready.message, since: `${performer.uid} ${performer.resourceVersion}` }];
}
