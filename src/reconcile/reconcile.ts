import { replicas } from '../api/v1alpha1/defaults.ts';
import { labels } from '../api/v1alpha1/naming.ts';
import { performers } from '../api/v1alpha1/performer.ts';
import type { Outcome, PassContext } from '../controller/outcome.ts';
import { isKubeFault, type KubeFault, kubeFaults } from '../kube/faults.ts';
import { findObject } from '../kube/find.ts';
import type { ObjectKey, Pod } from '../kube/objects.ts';
import { type Json, sameJson } from '../lib/canonical-json.ts';
import { type Applied, apply } from './apply.ts';
import type { ReconcileDeps } from './deps.ts';
import { countsOut, listPods, observe, refresh } from './observe.ts';
import { type Action, nameOf, needsProof, type Plan } from './plan/actions.ts';
import { checkPlan } from './plan/check-plan.ts';
import { classifyDenial } from './plan/denial.ts';
import { planPerformer } from './plan/plan.ts';
import type { Settings, Snapshot } from './plan/snapshot.ts';

/**
 * One pass over one key: the only place where the three verbs meet.
 *
 * Flow: observe → plan → (prove) → apply → outcome.
 * Guarantees: a failed call is an outcome, not an exception; before something is taken away the Performer, and where pods go because
 * others serve also those, are shown to be current; a settled key makes no call that writes.
 * Errors: throws only for bugs (`checkPlan`), before any write.
 */
export async function reconcile(key: ObjectKey, deps: ReconcileDeps, context: PassContext): Promise<Outcome> {
  try {
    const snapshot = await observe(key, deps, context.lastPass, context.signal);
    const plan = checkPlan(planPerformer(snapshot, deps.settings), snapshot);
    deps.onPlan?.(key, plan);
    if (plan.actions.length === 0 || !deps.mayWrite()) return toOutcome(plan, false);
    if (!(await isProven(plan, snapshot, deps, context.signal))) return await lookAgain(key, deps, context.signal);
    const applied = await apply(plan, snapshot, deps, context.signal);
    return await conclude(applied, plan, snapshot, deps, context.signal);
  } catch (error) {
    if (isKubeFault(error)) return failed(error);
    throw error;
  }
}

async function conclude(applied: Applied, plan: Plan, snapshot: Snapshot, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  switch (applied.kind) {
    case 'done':
      return toOutcome(plan, true);
    case 'stopped':
      return toOutcome(plan, false);
    case 'stale':
      return await lookAgain(snapshot.key, deps, signal);
    case 'denied': {
      // The refusal becomes part of what was seen, so that status can say it and the rest goes on.
      const { kind, resource } = applied.action;
      const nowMs = deps.kube.serverNowMs();
      const denied = { kind, resource: resource === 'Service' ? 'Service' : 'Pod', message: applied.fault.message } as const;
      deps.writers.denied(snapshot.key, denied, nowMs);
      const seen = { ...(await observe(snapshot.key, deps, snapshot.lastPass, signal)), denied };
      const told = checkPlan(planPerformer(seen, deps.settings), seen);
      let second = (await isProven(told, seen, deps, signal)) ? await apply(told, seen, deps, signal) : undefined;
      if (second?.kind === 'denied') {
        // The rest is refused as well: the status at least says so.
        const status = told.actions.filter((action) => action.resource === 'PerformerStatus');
        second = await apply({ ...told, actions: status }, seen, deps, signal);
      }
      if (second?.kind === 'failed') return failed(second.fault);
      // What is refused may be refused because the Performer itself is gone.
      if (second?.kind === 'stale') return await lookAgain(snapshot.key, deps, signal);
      return { ...failed(applied.fault), reason: classifyDenial(applied.fault.message) };
    }
    case 'failed':
      return failed(applied.fault);
  }
}

/** A view that turned out old: what the next pass reads comes from the API server. Backed off, since two writers could otherwise chase each other. */
async function lookAgain(key: ObjectKey, deps: ReconcileDeps, signal: AbortSignal): Promise<Outcome> {
  await refresh(key, deps, signal);
  return { kind: 'failed', reason: 'StaleView', message: 'somebody else wrote first; looking again', retry: 'observe' };
}

/** Whether what the plan takes away may go: its grounds still hold on the API server itself, by its time of now. */
async function isProven(plan: Plan, snapshot: Snapshot, deps: ReconcileDeps, signal: AbortSignal): Promise<boolean> {
  const { kube } = deps;
  const follows = plan.actions.some((action) => isFollower(action, snapshot));
  const remakes = plan.actions.some((action) => isRemade(action, snapshot, deps.settings));
  if (plan.proof === 'none' && !follows && !remakes) return true;
  if (plan.proof === 'performer-and-pods' || follows) {
    const isOut = (pod: Pod): boolean => pod.metadata?.labels?.[labels.performer] !== snapshot.key.name;
    const out = snapshot.pods.filter(isOut);
    const known = new Set(out.map((pod) => pod.metadata?.uid));
    const live = await listPods(snapshot.key, countsOut(snapshot.performer?.parsed), kube, signal);
    // What is out is taken as it was seen; beside it counts what an old view did not show yet.
    const pods = [...out, ...live.filter((pod) => !isOut(pod) || !known.has(pod.metadata?.uid))];
    // A list of nodes may be old: what a pod is taken out for is read anew.
    const nodes = snapshot.nodes === undefined ? undefined : await deps.optional.readNodes(pods, deps.world, kube, signal, 'live');
    const { nodes: _, ...rest } = snapshot;
    const now = { ...rest, pods, nowMs: kube.serverNowMs(), ...(nodes === undefined ? {} : { nodes }) };
    if (!sameJson(stepsOf(planPerformer(now, deps.settings), snapshot), stepsOf(plan, snapshot))) return false;
  }
  // A status patch goes before what is taken away and carries the resourceVersion: it is the proof. Without one it takes a look.
  if (!follows && !remakes && plan.actions.some((action) => action.resource === 'PerformerStatus')) return true;
  const live = await findObject(kube, performers, snapshot.key, { signal });
  if (live?.metadata?.uid !== snapshot.performer?.uid) return false;
  return live === undefined || live.metadata?.resourceVersion === snapshot.performer?.resourceVersion;
}

/**
 * Whether it makes a pod in the place of another. A view that is behind would make one for each that the newest API server takes back, or
 * beside one that it does not show yet; the first pods of a Performer are made without a look.
 */
function isFollower(action: Action, { performer }: Snapshot): boolean {
  if (action.kind !== 'create' || action.resource !== 'Pod' || performer?.parsed.valid !== true) return false;
  return Number(action.object.metadata?.labels?.[labels.index] ?? 0) >= (performer.parsed.spec.replicas ?? replicas);
}

/**
 * Whether it makes a Service for a Performer that may have had one: the garbage collector may have taken it with a Performer that is gone. One
 * that is neither told of, nor has a pod, nor is older than a quiet start has none yet.
 */
function isRemade(action: Action, { performer, pods, nowMs }: Snapshot, { quietMs }: Settings): boolean {
  if (action.kind !== 'create' || action.resource !== 'Service' || performer === undefined) return false;
  return performer.status?.phase !== undefined || pods.length > 0 || nowMs >= performer.createdAtMs + quietMs;
}

/** What needs proof, without what moves with time. */
function stepsOf(plan: Plan, snapshot: Snapshot): Json {
  return plan.actions
    .filter((action) => needsProof(action) || isFollower(action, snapshot))
    .map((action) => [action.kind, action.resource, action.kind === 'create' ? nameOf(action) : { ...action.target, why: action.why }]);
}

function toOutcome(plan: Plan, again: boolean): Outcome {
  const { verdict, unsaid, requeueAfterMs } = plan;
  return { ...verdict, again, unsaid, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}

function failed(fault: KubeFault): Outcome {
  return {
    kind: 'failed',
    reason: fault.code,
    message: fault.message,
    retry: kubeFaults[fault.code].retry,
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
  };
}
