import { type Reason, reasons } from '../../api/v1alpha1/conditions.ts';
import * as defaults from '../../api/v1alpha1/defaults.ts';
import { labels, serviceName } from '../../api/v1alpha1/naming.ts';
import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';
import { nameFits } from '../../api/v1alpha1/rules.ts';
import { controllerOf, type Pod, type Service } from '../../kube/objects.ts';
import { type Action, needsProof, type Plan, takesAway, targetOf, type Verdict } from './actions.ts';
import { planDeletion, planGone, planLeftovers } from './deletion.ts';
import { classifyDenial } from './denial.ts';
import { findHardwareProblem } from './hardware.ts';
import { isChildOf } from './owner.ts';
import { isAdoptable, type PodsByOwner, sortPods } from './ownership.ts';
import { buildPod, buildWithdrawal, podName } from './pod.ts';
import { contextOf, indexOfName, type PodView } from './pod-view.ts';
import { surgeReason } from './progress.ts';
import { planRollout, type RolloutState, type RolloutStep } from './rollout.ts';
import { type Rules, rulesOf } from './rules.ts';
import { buildService, planServicePatch } from './service.ts';
import type { PerformerView, Settings, Snapshot } from './snapshot.ts';
import { isHeld } from './standing.ts';
import { planStatus, type SideFact, type StatusFacts } from './status.ts';

const recheckMs = 30_000;

/**
 * What to do about one Performer, decided from one snapshot.
 *
 * Flow: gone → its children go · managed elsewhere → nothing · deleting → children go, the old finalizer is taken off ·
 * a spec that cannot be carried out → status only · else Service and pods against the spec, then the status that describes what was seen.
 * Guarantees: pure; the same snapshot gives the same bytes; the order of lists is irrelevant; what is not ours is never touched;
 * a settled world gives no action. Actions stand in the order they must run: the status goes before anything is taken away.
 * Assumptions: `snapshot.nowMs` is the API server's time.
 */
export function planPerformer(snapshot: Snapshot, settings: Settings): Plan {
  const { performer, key } = snapshot;
  if (performer === undefined) return planGone(snapshot);
  if (isManagedElsewhere(performer)) {
    const verdict: Verdict = { kind: 'settled', reason: 'ManagedElsewhere', message: 'spec.managedBy names another controller' };
    return { verdict, actions: [], events: [], proof: 'none', unsaid: false };
  }
  if (performer.deleting) return planDeletion(snapshot, performer, settings);
  if (!performer.parsed.valid) {
    const issues = performer.parsed.issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ');
    return planTold(snapshot, performer, issues, settings);
  }
  const { spec } = performer.parsed;
  // Where a CRD without these rules let it through.
  const problem = nameFits.holds({ metadata: key }) ? findHardwareProblem(spec) : nameFits.message;
  if (problem !== undefined) return planTold(snapshot, performer, problem, settings);
  return planLiving(snapshot, performer, spec, settings);
}

function planLiving(snapshot: Snapshot, performer: PerformerView, spec: PerformerSpec, settings: Settings): Plan {
  const { key, nowMs } = snapshot;
  const { revision, uid } = performer;
  const rules = rulesOf(spec);
  const context = contextOf(snapshot, { image: spec.image, revision, rules });
  const owned = sortPods(snapshot.pods, key, uid, context);
  const { ours, claims } = owned;
  const lastPodName = performer.status?.podName;
  const lastIndex = lastPodName === undefined || lastPodName === '' ? undefined : indexOfName(lastPodName);
  const rollout = planRollout({ revision, pods: ours, rules, servingRevision: performer.status?.revision, lastIndex, nowMs });
  const blocked = findBlock(snapshot, performer, rollout, owned);

  const actions: Action[] = [];
  let taken: readonly RolloutStep[] = [];
  if (blocked === undefined) {
    const claimed = new Set(claims.map((claim) => (claim.kind === 'patch' ? claim.target.uid : '')));
    // What is ours only from this pass on is not taken away in it. Where a create is denied the rest goes on: what goes may be what fills the quota.
    taken = rollout.steps.filter(
      (step) => step.kind !== 'create' && !claimed.has(step.pod.uid) && !isDenied(snapshot, toRemoval(step, nowMs)),
    );
    const creates = rollout.steps.flatMap((step): Action[] => {
      if (step.kind !== 'create') return [];
      const place = { revision, index: step.index, failures: step.failures };
      return [{ kind: 'create', resource: 'Pod', object: buildPod(key, uid, spec, place, settings) }];
    });
    const added = [...claims, ...creates, ...planService(snapshot, performer, spec, ours)];
    actions.push(...added.filter((action) => !isDenied(snapshot, [action])), ...taken.flatMap((step) => toRemoval(step, nowMs)));
  } else {
    actions.push(...planLeftovers(snapshot, uid));
  }
  const going = new Set(taken.flatMap((step) => (step.kind === 'create' ? [] : [step.pod])));
  const facts: StatusFacts = {
    ...tellWhy(snapshot, rollout, blocked),
    sides: findSides(snapshot, owned, rules),
    revision,
    pods: ours.filter((pod) => !going.has(pod)),
    completesRollout: [...going].some((pod) => pod.revision !== revision && pod.word === 'serving'),
    quietUntilMs: startedAt(snapshot, performer, ours, rollout) + settings.quietMs,
  };
  const ends = [snapshot.serviceWriter?.untilMs, snapshot.statusDisputed?.untilMs, snapshot.statusUnkept?.untilMs, snapshot.denied?.untilMs]
    .filter((ms) => ms !== undefined)
    .map((ms) => Math.max(0, ms - nowMs));
  const soonest = Math.min(...ends, rollout.requeueAfterMs ?? Number.POSITIVE_INFINITY);
  return finish(snapshot, performer, facts, actions, Number.isFinite(soonest) ? soonest : undefined, settings);
}

function isDenied({ denied }: Snapshot, actions: readonly Action[]): boolean {
  if (denied === undefined) return false;
  // A namespace that goes takes nothing new of any kind.
  const isAny = classifyDenial(denied.message) === 'NamespaceTerminating';
  return actions.some((action) => action.kind === denied.kind && (isAny || action.resource === denied.resource));
}

function isManagedElsewhere({ managedBy }: PerformerView): boolean {
  return managedBy !== undefined && managedBy !== '' && managedBy !== defaults.managedBy;
}

interface Told {
  readonly reason: Reason;
  readonly message: string;
}

/** What keeps us from acting at all: somebody else's object under one of our names. */
function findBlock(snapshot: Snapshot, performer: PerformerView, rollout: RolloutState, owned: PodsByOwner): Told | undefined {
  const wanted = rollout.steps.flatMap((step) => (step.kind === 'create' ? [podName(snapshot.key.name, performer.uid, step.index)] : []));
  const { namespace, name } = snapshot.key;
  const pod = owned.foreign.find((candidate) => wanted.includes(candidate.metadata?.name ?? ''));
  if (pod !== undefined) return { reason: 'NameConflict', message: `Pod ${namespace}/${pod.metadata?.name} ${describeOwner(pod)}` };
  const { service } = snapshot;
  if (service !== undefined && !isChildOf(service, name, performer.uid) && !isAdoptable(service, name)) {
    if (isChildOf(service, name, undefined)) return waitForLeftover(`Service ${namespace}/${service.metadata?.name}`);
    return { reason: 'NameConflict', message: `Service ${namespace}/${service.metadata?.name} ${describeOwner(service)}` };
  }
  // A former pod still carries the label: the Service would send calls to it.
  const leftover = owned.leftovers.map((candidate) => candidate.metadata?.name ?? '').toSorted()[0];
  return leftover === undefined ? undefined : waitForLeftover(`Pod ${namespace}/${leftover}`);
}

function waitForLeftover(what: string): Told {
  return { reason: 'WaitingForLeftover', message: `${what} belongs to a former Performer of this name and is going` };
}

function describeOwner(object: Pod | Service): string {
  const owner = controllerOf(object);
  return owner === undefined ? 'exists and belongs to nobody' : `exists and belongs to ${owner.kind} ${owner.name}`;
}

function tellWhy(snapshot: Snapshot, rollout: RolloutState, blocked: Told | undefined): Told {
  if (blocked !== undefined) return blocked;
  if (snapshot.denied !== undefined) return { reason: classifyDenial(snapshot.denied.message), message: snapshot.denied.message };
  return { reason: rollout.reason, message: rollout.message };
}

/** What holds beside the reason, in fixed order. */
function findSides(snapshot: Snapshot, owned: PodsByOwner, rules: Rules): readonly SideFact[] {
  const { key, serviceWriter } = snapshot;
  const sides: SideFact[] = [];
  const names = (pods: readonly Pod[]): string => list(pods.map((pod) => pod.metadata?.name ?? ''));
  const off = owned.ours.filter((pod) => isUnseen(pod, rules));
  if (off.length > 0) {
    const nodes = list([...new Set(off.map((pod) => pod.node.name ?? ''))]);
    sides.push({
      type: 'NodeLost',
      reason: 'NodeLost',
      message: `pod ${list(off.map((pod) => pod.name))} is on node ${nodes}, which is unreachable`,
    });
  }
  if (rules.paused) sides.push({ type: 'Paused', reason: 'Paused', message: 'spec.paused is set' });
  const strangers = owned.foreign.filter(
    (pod) => pod.metadata?.labels?.[labels.performer] === key.name && pod.metadata.deletionTimestamp === undefined,
  );
  if (strangers.length > 0)
    sides.push({ type: 'ForeignPod', reason: 'ForeignPod', message: `the Service selects Pod ${names(strangers)}` });
  if (owned.rivals.length > 0) {
    sides.push({ type: 'ForeignWriter', reason: 'ForeignWriter', message: `Pod ${names(owned.rivals)} was made by another operator` });
  } else if (serviceWriter !== undefined) {
    const who = serviceWriter.manager === '' ? 'somebody' : `field manager ${serviceWriter.manager}`;
    sides.push({ type: 'ForeignWriter', reason: 'ForeignWriter', message: `${who} keeps putting back Service ${serviceName(key.name)}` });
  }
  const homeless = owned.ours.find((pod) => pod.word === 'starting' && pod.trouble?.reason === 'Unschedulable');
  if (homeless?.trouble !== undefined) {
    const serving = owned.ours.filter((pod) => pod.word === 'serving' && pod.revision !== homeless.revision);
    sides.push({
      type: 'Scheduled',
      reason: surgeReason('Unschedulable', serving),
      message: `pod ${homeless.name}: ${homeless.trouble.message}`,
    });
  }
  return sides;
}

/** Whether nobody can tell if the pod runs: its node is out of view. */
function isUnseen(pod: PodView, rules: Rules): boolean {
  const { word } = pod.node;
  if (pod.word === 'leaving') return isHeld(pod, rules) && word !== 'unknown';
  return (pod.word === 'starting' || pod.word === 'lost') && word !== 'well' && word !== 'unknown';
}

function list(names: readonly string[]): string {
  return names.toSorted().join(', ');
}

function planService(snapshot: Snapshot, performer: PerformerView, spec: PerformerSpec, ours: readonly PodView[]): readonly Action[] {
  const { key, service } = snapshot;
  if (service === undefined) return [{ kind: 'create', resource: 'Service', object: buildService(key, performer.uid, spec, ours) }];
  if (service.metadata?.deletionTimestamp !== undefined || isLeftAlone(snapshot)) return [];
  const adopt = !isChildOf(service, key.name, performer.uid);
  const patch = planServicePatch(key, spec, ours, service, adopt ? performer.uid : undefined);
  return patch === undefined
    ? []
    : [{ kind: 'patch', resource: 'Service', target: targetOf(service), patch, why: adopt ? 'Adopt' : 'Drift' }];
}

function isLeftAlone({ serviceWriter, nowMs }: Snapshot): boolean {
  return serviceWriter !== undefined && nowMs < serviceWriter.untilMs;
}

function toRemoval(step: RolloutStep, nowMs: number): readonly Action[] {
  if (step.kind === 'create') return [];
  const target = { name: step.pod.name, uid: step.pod.uid, resourceVersion: step.pod.resourceVersion };
  if (step.kind === 'delete') return [{ kind: 'delete', resource: 'Pod', target, why: step.why }];
  return [{ kind: 'patch', resource: 'Pod', target, patch: buildWithdrawal(step.pod.withdrawnAtMs ?? nowMs), why: 'Withdraw' }];
}

/** When the start under way began: now where a pod is to be made, else with the youngest pod. */
function startedAt(snapshot: Snapshot, performer: PerformerView, ours: readonly PodView[], rollout: RolloutState): number {
  const isToCreate = rollout.steps.some((step) => step.kind === 'create');
  // One that lost all its pods is told of at once; one of which there is nothing yet may have waited long for its turn among many.
  const isBegun = performer.status?.phase !== undefined || snapshot.service !== undefined;
  if (ours.length === 0 && (isBegun || !isToCreate)) return performer.createdAtMs;
  return isToCreate ? snapshot.nowMs : Math.max(...ours.map((pod) => pod.createdAtMs));
}

/** Status only: the spec cannot be carried out, what runs goes on. */
function planTold(snapshot: Snapshot, performer: PerformerView, message: string, settings: Settings): Plan {
  const { ours } = sortPods(snapshot.pods, snapshot.key, performer.uid, contextOf(snapshot));
  const facts: StatusFacts = {
    reason: 'InvalidSpec',
    message,
    sides: [],
    revision: performer.status?.revision,
    pods: ours,
    completesRollout: false,
    quietUntilMs: 0,
  };
  return finish(snapshot, performer, facts, [], undefined, settings);
}

/** Puts the status where it belongs: behind what is added, before what needs proof. */
function finish(
  snapshot: Snapshot,
  performer: PerformerView,
  facts: StatusFacts,
  actions: readonly Action[],
  requeueAfterMs: number | undefined,
  settings: Settings,
): Plan {
  const status = planStatus(snapshot, performer, facts, settings);
  const fenced = actions.filter(needsProof);
  const ordered: Action[] = actions.filter((action) => !needsProof(action));
  if (status.action !== undefined) ordered.push(status.action);
  ordered.push(...fenced);
  const waits = [requeueAfterMs, status.dueAfterMs, reasons[facts.reason].rechecks ? recheckMs : undefined].filter(
    (ms) => ms !== undefined,
  );
  return {
    verdict: judge(facts, ordered, snapshot),
    actions: ordered,
    events: status.events,
    proof: fenced.length === 0 ? 'none' : fenced.some(takesAway) ? 'performer-and-pods' : 'performer',
    unsaid: status.dueAfterMs !== undefined,
    ...(waits.length === 0 ? {} : { requeueAfterMs: Math.min(...waits) }),
  };
}

function judge(facts: StatusFacts, actions: readonly Action[], snapshot: Snapshot): Verdict {
  const { reason, message, pods } = facts;
  if (reasons[reason].stalls) return { kind: 'stalled', reason, message };
  if (!reasons[reason].ready) return { kind: 'waiting', reason, message };
  const leaving = pods.filter((pod) => pod.word !== 'serving').length;
  if (leaving > 0 || actions.some(takesAway)) return { kind: 'waiting', reason: 'Draining', message: 'former pods are on their way out' };
  if (actions.length > 0) return { kind: 'waiting', reason: 'Repairing', message: 'differences are being put right' };
  const writer = isLeftAlone(snapshot) ? facts.sides.find((side) => side.type === 'ForeignWriter') : undefined;
  return writer === undefined ? { kind: 'settled', reason, message } : { kind: 'waiting', reason: writer.reason, message: writer.message };
}
