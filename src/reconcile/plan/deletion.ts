import { legacyFinalizer } from '../../api/v1alpha1/naming.ts';
import type { Pod, Service } from '../../kube/objects.ts';
import { type Action, nameOf, type Plan, performerTarget, targetOf, type Verdict } from './actions.ts';
import { isChildOf } from './owner.ts';
import { sortPods } from './ownership.ts';
import { contextOf } from './pod-view.ts';
import type { PerformerView, Settings, Snapshot } from './snapshot.ts';
import { planStatus } from './status.ts';

/** The Performer does not exist: what it controlled goes. Garbage collection would do the same, later. */
export function planGone(snapshot: Snapshot): Plan {
  const actions = planRemovalOfChildren(snapshot, 'PerformerGone', () => true);
  const services = snapshot.service === undefined ? [] : [snapshot.service];
  const isLeft = [...snapshot.pods, ...services].some((object) => isChildOf(object, snapshot.key.name, undefined));
  const verdict: Verdict = isLeft
    ? { kind: 'waiting', reason: 'Terminating', message: 'its pods and Service are going' }
    : { kind: 'settled', reason: 'Gone', message: 'nothing is left' };
  return { verdict, actions, events: [], proof: actions.length === 0 ? 'none' : 'performer', unsaid: false };
}

/** What a former Performer of this name left behind goes; whoever wanted it kept took the owner off. */
export function planLeftovers(snapshot: Snapshot, uid: string): readonly Action[] {
  return planRemovalOfChildren(snapshot, 'FormerPerformer', (object) => !isChildOf(object, snapshot.key.name, uid));
}

/** The Performer is going: its children go now, whatever garbage collection does later, and the old finalizer comes off. */
export function planDeletion(snapshot: Snapshot, performer: PerformerView, settings: Settings): Plan {
  const { key } = snapshot;
  const { finalizers, uid } = performer;
  const verdict: Verdict = { kind: 'waiting', reason: 'Terminating', message: 'the Performer is being deleted' };
  // Someone asked to keep the children: garbage collection takes the owner off them, they are not ours any more.
  const removals = finalizers.includes('orphan')
    ? []
    : planRemovalOfChildren(snapshot, 'PerformerDeleted', (object) => isChildOf(object, key.name, uid));
  const actions: Action[] = [];
  if (finalizers.includes(legacyFinalizer)) {
    const left = finalizers.filter((name) => name !== legacyFinalizer);
    const patch = { metadata: { finalizers: left } };
    actions.push(...removals, {
      kind: 'patch',
      resource: 'Performer',
      target: performerTarget(key, performer),
      patch,
      why: 'LegacyFinalizer',
    });
  } else {
    // Somebody else's finalizer may keep it for long: it must not go on saying that it is ready.
    const { action } = planStatus(
      snapshot,
      performer,
      {
        reason: verdict.reason,
        message: verdict.message,
        sides: [],
        revision: performer.status?.revision,
        pods: sortPods(snapshot.pods, key, uid, contextOf(snapshot)).ours,
        completesRollout: false,
        quietUntilMs: 0,
      },
      settings,
    );
    if (action !== undefined) actions.push(action);
    actions.push(...removals);
  }
  return { verdict, actions, events: [], proof: actions.length === 0 ? 'none' : 'performer', unsaid: false };
}

function planRemovalOfChildren(
  snapshot: Snapshot,
  why: 'PerformerGone' | 'PerformerDeleted' | 'FormerPerformer',
  isMeant: (object: Pod | Service) => boolean,
): readonly Action[] {
  const goes = (object: Pod | Service): boolean =>
    isChildOf(object, snapshot.key.name, undefined) && isMeant(object) && object.metadata?.deletionTimestamp === undefined;
  const pods = snapshot.pods
    .filter(goes)
    .map((pod): Action => ({ kind: 'delete', resource: 'Pod', target: targetOf(pod), why }))
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const { service } = snapshot;
  if (service === undefined || !goes(service)) return pods;
  return [{ kind: 'delete', resource: 'Service', target: targetOf(service), why }, ...pods];
}
