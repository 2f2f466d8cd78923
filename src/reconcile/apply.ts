import { group, version } from '../api/v1alpha1/naming.ts';
import { performers } from '../api/v1alpha1/performer.ts';
import { isKubeFault, type KubeFault } from '../kube/faults.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey, pods, type Resource, services } from '../kube/objects.ts';
import type { ObjectStore } from '../kube/store.ts';
import { sameJson } from '../lib/canonical-json.ts';
import { hashHex } from '../lib/hash.ts';
import type { ReconcileDeps } from './deps.ts';
import { type Action, type ActionTarget, describeAction, type Plan } from './plan/actions.ts';
import { buildWithdrawal } from './plan/pod.ts';
import type { Snapshot } from './plan/snapshot.ts';
import { holdName } from './world.ts';

/**
 * How carrying out a plan ended.
 * `done` all of it · `stale` somebody wrote first, see the world again · `stopped` we may not write any more · `denied` the API server refuses one write for good · `failed` a call went wrong.
 */
export type Applied =
  | { readonly kind: 'done' | 'stale' | 'stopped' }
  | { readonly kind: 'denied' | 'failed'; readonly action: Action; readonly fault: KubeFault };

/**
 * Carries out a plan, in its order.
 *
 * Flow: each action with its preconditions; the answer goes into the world, so the next pass sees what this one did.
 * Guarantees: stops at the first action that does not succeed, so nothing that depends on it runs; what is already gone counts as deleted.
 * Errors: none thrown but bugs and aborts; failed calls are its result.
 */
export async function apply(plan: Plan, snapshot: Snapshot, deps: ReconcileDeps, signal: AbortSignal): Promise<Applied> {
  const told: Promise<void>[] = [];
  try {
    return await applyActions(plan, snapshot, deps, signal, () => {
      // Beside what follows: an Event that gets no answer for half a minute must not make the proof of a removal that old.
      const telling = tell(plan, snapshot, deps, signal);
      telling.catch(() => undefined);
      told.push(telling);
    });
  } finally {
    await Promise.all(told);
  }
}

async function applyActions(
  plan: Plan,
  snapshot: Snapshot,
  deps: ReconcileDeps,
  signal: AbortSignal,
  onStatus: () => void,
): Promise<Applied> {
  for (const planned of plan.actions) {
    const action = beginNow(planned, snapshot, deps.kube.serverNowMs());
    if (!deps.mayWrite() || signal.aborted) return { kind: 'stopped' };
    deps.log('writing', { key: keyText(snapshot.key), action: describeAction(action) });
    try {
      await carryOut(action, snapshot.key, deps, signal);
      if (action.kind === 'patch' && (action.resource === 'Service' || action.resource === 'PerformerStatus'))
        deps.writers.wrote(action.resource, snapshot.key, action.patch, snapshot.nowMs);
      // At once: what follows may fail, and no later pass comes to this trouble again.
      if (action.resource === 'PerformerStatus') onStatus();
    } catch (error) {
      if (!isKubeFault(error)) throw error;
      const applied = judgeFault(action, error, snapshot.key, deps);
      if (applied !== undefined) return applied;
    }
  }
  return { kind: 'done' };
}

/**
 * A withdrawal says when it begins as it is written, not as it was decided: proofs and slow calls lie between, and the drain is there
 * for callers alone. Pure.
 */
function beginNow(action: Action, snapshot: Snapshot, nowMs: number): Action {
  if (action.kind !== 'patch' || action.why !== 'Withdraw' || !sameJson(action.patch, buildWithdrawal(snapshot.nowMs))) return action;
  return { ...action, patch: buildWithdrawal(Math.max(nowMs, snapshot.nowMs)) };
}

function carryOut(action: Action, key: ObjectKey, deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const { world } = deps;
  switch (action.resource) {
    case 'Pod':
      return write(action, action.kind === 'create' ? action.object : undefined, pods, world.pods, key, deps, signal);
    case 'Service':
      return write(action, action.kind === 'create' ? action.object : undefined, services, world.services, key, deps, signal);
    case 'Performer':
    case 'PerformerStatus':
      return write(action, undefined, performers, world.performers, key, deps, signal);
  }
}

async function write<T extends KubeObject>(
  action: Action,
  object: T | undefined,
  resource: Resource<T>,
  store: ObjectStore<T>,
  key: ObjectKey,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  if (action.kind === 'create') {
    if (object !== undefined) store.wrote(await deps.kube.create(resource, object, { signal }));
    return;
  }
  const target = { namespace: key.namespace, name: action.target.name };
  if (action.kind === 'delete') {
    await remove(resource, store, target, action.target, deps, signal);
    return;
  }
  const subresource = action.resource === 'PerformerStatus' ? { subresource: 'status' as const } : {};
  const { resourceVersion } = action.target;
  const answer = await deps.kube.patch(resource, target, action.patch, { ...subresource, resourceVersion, signal });
  store.wrote(answer);
  if (action.resource === 'PerformerStatus') deps.writers.answered(action.patch, answer, deps.kube.serverNowMs());
}

async function remove<T extends KubeObject>(
  resource: Resource<T>,
  store: ObjectStore<T>,
  key: ObjectKey,
  target: ActionTarget,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<void> {
  try {
    const left = await deps.kube.delete(resource, key, { uid: target.uid, resourceVersion: target.resourceVersion, signal });
    if (left === undefined) store.deleted(key, target.uid);
    else store.wrote(left);
  } catch (error) {
    if (!isKubeFault(error, 'notFound')) throw error;
    store.deleted(key, target.uid);
  }
}

/** Undefined: the action is as good as done. */
function judgeFault(action: Action, fault: KubeFault, key: ObjectKey, deps: ReconcileDeps): Applied | undefined {
  switch (fault.code) {
    case 'alreadyExists':
      if (action.kind === 'create' && action.resource === 'Pod') holdName(deps.world, key, keyOf(action.object).name);
      return { kind: 'stale' };
    case 'conflict':
    case 'notFound':
    case 'unknownOutcome':
      // A create that finds its namespace gone is no stale view: nothing we read will change it.
      return action.kind === 'create' && fault.code === 'notFound' ? { kind: 'denied', action, fault } : { kind: 'stale' };
    case 'forbidden':
    case 'invalid':
      // What may not be said cannot be said in status; all else can.
      return { kind: action.resource === 'Pod' || action.resource === 'Service' ? 'denied' : 'failed', action, fault };
    case 'unavailable':
      // A webhook that does not answer refuses as long as it is down, whatever the status code.
      return { kind: action.kind === 'create' && /webhook/i.test(fault.message) ? 'denied' : 'failed', action, fault };
    default:
      return { kind: 'failed', action, fault };
  }
}

/** Events follow the status that says the same; one that cannot be stored is only logged. */
async function tell(plan: Plan, snapshot: Snapshot, deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  for (const event of plan.events) {
    const { key, performer } = snapshot;
    const { type, reason, message, since } = event;
    const name = `${key.name}.${hashHex(`${since} ${reason} ${message}`)}`;
    const regarding = { apiVersion: `${group}/${version}`, kind: 'Performer', ...key, uid: performer?.uid ?? '' };
    try {
      await deps.kube.event({ regarding, name, type, reason, message, action: 'Reconcile' }, { signal });
    } catch (error) {
      if (!isKubeFault(error)) throw error;
      deps.log('event not stored', { key: keyText(key), reason, error: error.message });
    }
  }
}
