import { findCondition, mergeConditions, type Reason, reasons, type WantedCondition, withNextStep } from '../../api/v1alpha1/conditions.ts';
import { grpcEndpoint, performerSelector, serviceName } from '../../api/v1alpha1/naming.ts';
import type { PerformerPhase, PerformerStatus } from '../../api/v1alpha1/performer.ts';
import { type Json, sameJson } from '../../lib/canonical-json.ts';
import { formatTime } from '../../lib/time.ts';
import { type Action, type PlannedEvent, performerTarget } from './actions.ts';
import type { PodView } from './pod-view.ts';
import { secondMs } from './rules.ts';
import type { PerformerView, Settings, Snapshot } from './snapshot.ts';

/** One more thing that holds, beside the reason: a condition of its own while it does. */
export interface SideFact {
  readonly type: 'NodeLost' | 'Paused' | 'ForeignPod' | 'ForeignWriter' | 'Scheduled';
  readonly reason: Reason;
  readonly message: string;
}

export interface StatusFacts {
  readonly reason: Reason;
  readonly message: string;
  readonly sides: readonly SideFact[];
  /** Revision of the spec; undefined when the spec cannot be read. */
  readonly revision: string | undefined;
  /** Pods of ours as they stand once this pass has taken away what it takes away. */
  readonly pods: readonly PodView[];
  /** The last pods of a former revision go in this pass. */
  readonly completesRollout: boolean;
  /** Server time in ms until which a healthy start may stay unsaid. */
  readonly quietUntilMs: number;
}

export interface StatusPlan {
  /** Undefined when the status is right, or when it may wait. */
  readonly action: Action | undefined;
  readonly events: readonly PlannedEvent[];
  /** When a status that waits is due. */
  readonly dueAfterMs: number | undefined;
}

/** Status fields the Go original's CRD knows; it prunes all others. */
const originalFields = new Set(['phase', 'ready', 'podName', 'serviceName', 'grpcEndpoint', 'conditions', 'lastUpgrade', 'readyTime']);

/** The status that tells what was seen, as the difference to the stored one. Pure. */
export function planStatus(
  snapshot: Snapshot,
  performer: PerformerView,
  facts: StatusFacts,
  settings: Pick<Settings, 'clusterDomain'>,
): StatusPlan {
  const stored = performer.status ?? {};
  const wanted = computeStatus(snapshot, performer, facts, stored, settings.clusterDomain);
  const patch = diffStatus(stored, wanted, writableOf(snapshot), snapshot.statusUnkept?.fields);
  if (patch === undefined) return { action: undefined, events: [], dueAfterMs: undefined };
  const mayWait = reasons[facts.reason].quiet && facts.sides.length === 0 && !snapshot.lastPass && (stored.ready ?? false) === wanted.ready;
  const dueAfterMs = facts.quietUntilMs + secondMs - snapshot.nowMs;
  if (mayWait && dueAfterMs > 0) return { action: undefined, events: [], dueAfterMs };
  const target = performerTarget(snapshot.key, performer);
  const action: Action = { kind: 'patch', resource: 'PerformerStatus', target, patch: { status: patch }, why: facts.reason };
  return { action, events: planEvents(performer, facts, wanted), dueAfterMs: undefined };
}

/** The members of a status that are ours to write at the moment; undefined: all. */
function writableOf({ statusDisputed }: Snapshot): ReadonlySet<string> | undefined {
  return statusDisputed === undefined ? undefined : new Set(statusDisputed.whole ? [] : ['conditions']);
}

function computeStatus(
  snapshot: Snapshot,
  performer: PerformerView,
  facts: StatusFacts,
  stored: PerformerStatus,
  clusterDomain: string,
): PerformerStatus & { ready: boolean } {
  const { key, nowMs } = snapshot;
  const inService = facts.pods.filter((pod) => pod.word === 'serving' || pod.word === 'starting' || pod.word === 'lost');
  const serving = inService
    .filter((pod) => pod.word === 'serving')
    .toSorted((a, b) => isOld(a, facts) - isOld(b, facts) || a.index - b.index);
  const named = serving[0];
  const ready = named !== undefined;
  const now = formatTime(nowMs);
  // Of the present readiness: kept while it lasts, whichever pods come and go meanwhile.
  const readyTime = ready ? ((stored.ready === true ? stored.readyTime : undefined) ?? formatTime(named.readySinceMs ?? nowMs)) : undefined;
  const servesNewest = facts.reason === 'Serving';
  // The revision that was stored says it where it is stored; a CRD of the original keeps none.
  const upgraded = servesNewest && (stored.revision === undefined ? facts.completesRollout : stored.revision !== facts.revision);
  const lastUpgrade = upgraded ? now : stored.lastUpgrade;
  const revision = servesNewest ? facts.revision : stored.revision;
  const podName = named?.name ?? stored.podName;
  return {
    observedGeneration: performer.generation,
    phase: computePhase(facts.reason, ready),
    ready,
    serviceName: serviceName(key.name),
    grpcEndpoint: grpcEndpoint(key.name, key.namespace, clusterDomain),
    selector: Object.entries(performerSelector(key.name))
      .map(([label, value]) => `${label}=${value}`)
      .join(','),
    replicas: inService.length,
    readyReplicas: serving.length,
    updatedReplicas: inService.filter((pod) => pod.revision === facts.revision).length,
    ...(podName === undefined ? {} : { podName }),
    ...(named?.ip === undefined ? {} : { podIP: named.ip }),
    ...(readyTime === undefined ? {} : { readyTime }),
    ...(lastUpgrade === undefined ? {} : { lastUpgrade }),
    ...(revision === undefined ? {} : { revision }),
    conditions: mergeConditions(stored.conditions ?? [], wantConditions(facts, ready), performer.generation, now),
  };
}

/** The pod that status names is of the newest spec where one serves, since the others are about to go. */
function isOld(pod: PodView, facts: StatusFacts): number {
  return pod.revision === facts.revision ? 0 : 1;
}

function computePhase(reason: Reason, ready: boolean): PerformerPhase {
  if (reason === 'Serving') return 'Running';
  if (reason === 'Terminating') return 'Terminating';
  if (ready) return reasons[reason].stalls ? 'Running' : 'Upgrading';
  return reasons[reason].stalls || reason === 'CrashLooping' || reason === 'OOMKilled' ? 'Failed' : 'Pending';
}

function wantConditions(facts: StatusFacts, ready: boolean): readonly WantedCondition[] {
  const { reason } = facts;
  const row = reasons[reason];
  const message = withNextStep(reason, facts.message);
  const condition = (type: WantedCondition['type'], holds: boolean): WantedCondition => ({
    type,
    status: holds ? 'True' : 'False',
    reason,
    message,
  });
  return [
    ...facts.sides.map(
      (side): WantedCondition => ({
        type: side.type,
        status: side.type === 'Scheduled' ? 'False' : 'True',
        reason: side.reason,
        message: withNextStep(side.reason, side.message),
      }),
    ),
    condition('Available', ready),
    condition('Progressing', row.progressing),
    condition('Degraded', row.warns),
    // These two exist only while true: tools that judge any object read their presence.
    ...(row.ready || row.stalls ? [] : [condition('Reconciling', true)]),
    ...(row.stalls ? [condition('Stalled', true)] : []),
    condition('Ready', row.ready),
  ];
}

/** Field by field, so that what others keep in status stays. */
function diffStatus(
  stored: PerformerStatus,
  wanted: PerformerStatus,
  ours: ReadonlySet<string> | undefined,
  unkept: readonly string[] = [],
): Json | undefined {
  // Our condition without the generation that was stored with it: this cluster's CRD prunes what it does not know, and would each time.
  const prunes = findCondition(stored.conditions, 'Ready') !== undefined && stored.observedGeneration === undefined;
  const compared = ours ?? (prunes ? originalFields : undefined);
  const patch: Record<string, Json> = {};
  const before = stored as Readonly<Record<string, Json | undefined>>;
  const after = wanted as Readonly<Record<string, Json | undefined>>;
  for (const field of Object.keys({ ...before, ...after }).toSorted()) {
    if (compared?.has(field) === false || (unkept.includes(field) && !(field in before))) continue;
    if (field !== 'podIP' && field !== 'readyTime' && !(field in after)) continue;
    const value = after[field] ?? null;
    if (!sameJson(before[field] ?? null, value)) patch[field] = value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** One Warning for each trouble the Performer comes to; none on the healthy path. */
function planEvents(performer: PerformerView, facts: StatusFacts, wanted: PerformerStatus): readonly PlannedEvent[] {
  const since = `${performer.uid} ${performer.resourceVersion}`;
  const said = (type: string): string | undefined => findCondition(performer.status?.conditions, type)?.reason;
  const events: PlannedEvent[] = [];
  for (const side of facts.sides) {
    if (side.type === 'Paused' || side.type === 'Scheduled' || said(side.type) === side.reason || side.reason === facts.reason) continue;
    events.push({ type: 'Warning', reason: side.reason, message: withNextStep(side.reason, side.message), since });
  }
  const ready = findCondition(wanted.conditions, 'Ready');
  if (reasons[facts.reason].warns && said('Ready') !== facts.reason && ready !== undefined) {
    events.push({ type: 'Warning', reason: facts.reason, message: ready.message, since });
  }
  return events;
}
