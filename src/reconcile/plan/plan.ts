import { type Reason, reasons } from '../../api/v1alpha1/conditions.ts';
import { annotations, labels } from '../../api/v1alpha1/naming.ts';
import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';
import { controllerOf, type Pod, type Service } from '../../kube/objects.ts';
import { formatTime } from '../../lib/time.ts';
import { type Action, type Plan, targetOf, type Verdict } from './actions.ts';
import { planDeletion, planGone } from './deletion.ts';
import { isChildOf } from './owner.ts';
import { buildPod, podName } from './pod.ts';
import { indexOfName, type PodView, sortPods } from './pod-view.ts';
import { planRollout, type RolloutState, type RolloutStep } from './rollout.ts';
import { buildService, planServicePatch } from './service.ts';
import type { PerformerView, Settings, Snapshot } from './snapshot.ts';
import { planStatus, type StatusFacts } from './status.ts';

const recheckMs = 30_000;

/**
 * What to do about one Performer, decided from one snapshot.
 *
 * Flow: gone → its children go · deleting → they go, the old finalizer is taken off · unreadable spec → status only ·
 * else Service and pods against the spec, then the status that describes what was seen.
 * Guarantees: pure; the same snapshot gives the same bytes; the order of lists is irrelevant; what is not ours is never touched;
 * a settled world gives no action. Actions stand in the order they must run: the status goes before anything is taken away.
 * Assumptions: `snapshot.nowMs` is the API server's time.
 */
export function planPerformer(snapshot: Snapshot, settings: Settings): Plan {
  const { performer } = snapshot;
  if (performer === undefined) return planGone(snapshot);
  if (performer.deleting) return planDeletion(snapshot, performer);
  if (!performer.parsed.valid) {
    const issues = performer.parsed.issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ');
    return planTold(snapshot, performer, 'InvalidSpec', issues);
  }
  return planLiving(snapshot, performer, performer.parsed.spec, settings);
}

function planLiving(snapshot: Snapshot, performer: PerformerView, spec: PerformerSpec, settings: Settings): Plan {
  const { key, nowMs } = snapshot;
  const { revision } = performer;
  const { ours, leftovers, foreign } = sortPods(snapshot.pods, {
    name: key.name,
    uid: performer.uid,
    image: spec.image,
    currentRevision: revision,
  });
  const lastPodName = performer.status?.podName;
  const lastIndex = lastPodName === undefined || lastPodName === '' ? undefined : indexOfName(lastPodName);
  const rollout = planRollout(revision, ours, lastIndex, settings, nowMs);

  const actions: Action[] = [];
  const blocked = findBlock(snapshot, performer, rollout, foreign, leftovers);
  if (blocked === undefined && snapshot.denied === undefined) {
    for (const step of rollout.steps) {
      if (step.kind === 'create') {
        actions.push({ kind: 'create', resource: 'Pod', object: buildPod(key, performer.uid, spec, revision, step.index) });
      }
    }
    actions.push(...planService(snapshot, performer, spec, ours));
  }
  if (blocked === undefined) {
    // Also where a create is denied: what goes may be what fills the quota.
    actions.push(...rollout.steps.flatMap((step) => toRemoval(step, nowMs)));
  }
  const told = tellWhy(snapshot, rollout, blocked);
  const facts: StatusFacts = { ...told, revision, ours, quiet: startedAt(performer, ours, rollout, nowMs) + settings.quietMs };
  return finish(snapshot, performer, facts, actions, rollout.requeueAfterMs);
}

interface Told {
  readonly reason: Reason;
  readonly message: string;
}

/** What keeps us from acting at all: somebody else's object under one of our names. */
function findBlock(
  snapshot: Snapshot,
  performer: PerformerView,
  rollout: RolloutState,
  foreign: readonly Pod[],
  leftovers: readonly Pod[],
): Told | undefined {
  const wanted = rollout.steps.flatMap((step) => (step.kind === 'create' ? [podName(snapshot.key.name, performer.uid, step.index)] : []));
  const { namespace } = snapshot.key;
  const pod = foreign.find((candidate) => wanted.includes(candidate.metadata?.name ?? ''));
  if (pod !== undefined) return { reason: 'NameConflict', message: `Pod ${namespace}/${pod.metadata?.name} ${describeOwner(pod)}` };
  const { service } = snapshot;
  if (service !== undefined && !isChildOf(service, snapshot.key.name, performer.uid)) {
    if (isChildOf(service, snapshot.key.name, undefined)) return waitForLeftover(`Service ${namespace}/${service.metadata?.name}`);
    return { reason: 'NameConflict', message: `Service ${namespace}/${service.metadata?.name} ${describeOwner(service)}` };
  }
  // A former pod still carries the label: the Service would send calls to it.
  const leftover = leftovers.map((candidate) => candidate.metadata?.name ?? '').toSorted()[0];
  return leftover === undefined ? undefined : waitForLeftover(`Pod ${namespace}/${leftover}`);
}

function waitForLeftover(what: string): Told {
  return { reason: 'WaitingForLeftover', message: `${what} belongs to a former Performer of this name and is being collected` };
}

function describeOwner(object: Pod | Service): string {
  const owner = controllerOf(object);
  return owner === undefined ? 'exists and belongs to nobody' : `exists and belongs to ${owner.kind} ${owner.name}`;
}

function tellWhy(snapshot: Snapshot, rollout: RolloutState, blocked: Told | undefined): Told {
  if (blocked !== undefined) return blocked;
  if (snapshot.denied !== undefined) return { reason: 'WriteDenied', message: snapshot.denied };
  return { reason: rollout.reason, message: rollout.message };
}

function planService(snapshot: Snapshot, performer: PerformerView, spec: PerformerSpec, ours: readonly PodView[]): readonly Action[] {
  const { key, service } = snapshot;
  if (service === undefined) return [{ kind: 'create', resource: 'Service', object: buildService(key, performer.uid, spec, ours) }];
  if (service.metadata?.deletionTimestamp !== undefined) return [];
  const patch = planServicePatch(key, spec, ours, service);
  return patch === undefined ? [] : [{ kind: 'patch', resource: 'Service', target: targetOf(service), patch, why: 'Drift' }];
}

function toRemoval(step: RolloutStep, nowMs: number): readonly Action[] {
  if (step.kind === 'create') return [];
  const target = { name: step.pod.name, uid: step.pod.uid, resourceVersion: step.pod.resourceVersion };
  if (step.kind === 'delete') return [{ kind: 'delete', resource: 'Pod', target, why: step.why }];
  const metadata = { labels: { [labels.performer]: null }, annotations: { [annotations.withdrawnAt]: formatTime(nowMs) } };
  return [{ kind: 'patch', resource: 'Pod', target, patch: { metadata }, why: 'Withdraw' }];
}

/** When the start under way began: now where a pod is to be made, else with the youngest pod there is. */
function startedAt(performer: PerformerView, ours: readonly PodView[], rollout: RolloutState, nowMs: number): number {
  if (ours.length === 0) return performer.createdAtMs;
  if (rollout.steps.some((step) => step.kind === 'create')) return nowMs;
  return Math.max(...ours.map((pod) => pod.createdAtMs));
}

/** Status only: nothing is done, something is said. */
function planTold(snapshot: Snapshot, performer: PerformerView, reason: Reason, message: string): Plan {
  const { ours } = sortPods(snapshot.pods, { name: snapshot.key.name, uid: performer.uid, image: undefined, currentRevision: '' });
  const facts: StatusFacts = { reason, message, revision: performer.status?.revision, ours, quiet: 0 };
  return finish(snapshot, performer, facts, [], undefined);
}

/** Puts the status where it belongs: behind what is created, before what is taken away. */
function finish(
  snapshot: Snapshot,
  performer: PerformerView,
  facts: StatusFacts,
  actions: readonly Action[],
  requeueAfterMs: number | undefined,
): Plan {
  const status = planStatus(snapshot, performer, facts);
  const removals = actions.filter(takesAway);
  const ordered: Action[] = actions.filter((action) => !takesAway(action));
  if (status.action !== undefined) ordered.push(status.action);
  ordered.push(...removals);
  const waits = [requeueAfterMs, status.dueAfterMs, reasons[facts.reason].rechecks ? recheckMs : undefined].filter(
    (ms) => ms !== undefined,
  );
  return {
    verdict: judge(facts, ordered),
    actions: ordered,
    events: status.events,
    proof: removals.length === 0 ? 'none' : 'performer-and-pods',
    unsaid: status.dueAfterMs !== undefined,
    ...(waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) }),
  };
}

function judge(facts: StatusFacts, actions: readonly Action[]): Verdict {
  const { reason, message, ours } = facts;
  if (reasons[reason].stalls) return { kind: 'stalled', reason, message };
  if (!reasons[reason].ready) return { kind: 'waiting', reason, message };
  const leaving = ours.filter((pod) => pod.word !== 'serving').length;
  if (leaving > 0 || actions.some(takesAway)) return { kind: 'waiting', reason: 'Draining', message: 'former pods are on their way out' };
  if (actions.length > 0) return { kind: 'waiting', reason: 'Repairing', message: 'differences are being put right' };
  return { kind: 'settled', reason, message };
}

/** A deletion, or a pod's withdrawal from the Service. */
function takesAway(action: Action): boolean {
  return action.kind === 'delete' || (action.kind === 'patch' && action.resource === 'Pod');
}
