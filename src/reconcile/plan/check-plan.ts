import { controllerOf, type KubeObject } from '../../kube/objects.ts';
import { type Action, describeAction, nameOf, type Plan } from './actions.ts';
import { isChildOf } from './owner.ts';
import type { Snapshot } from './snapshot.ts';

/** More writes than any sane plan has beside one for each pod seen: a hundred new pods, the Service, the status, the finalizer. */
const maxOthers = 103;

/**
 * Passes a plan through, or throws on one that no state of the world can justify: a bug, found before any write.
 *
 * @throws Error naming the action and the rule it breaks
 */
export function checkPlan(plan: Plan, snapshot: Snapshot): Plan {
  const broken = (action: Action, rule: string): never => {
    throw new Error(`bug: plan for ${snapshot.key.namespace}/${snapshot.key.name}: ${describeAction(action)}: ${rule}`);
  };
  if (plan.actions.length > snapshot.pods.length + maxOthers)
    throw new Error(`bug: plan for ${snapshot.key.name} has ${plan.actions.length} actions`);
  const touched = new Set<string>();
  for (const action of plan.actions) {
    const id = `${action.resource} ${nameOf(action)}`;
    if (touched.has(id)) broken(action, 'a second action on one object');
    touched.add(id);
    if (action.kind === 'create') {
      if (action.object.metadata?.namespace !== snapshot.key.namespace) broken(action, 'another namespace');
      continue;
    }
    if (action.target.uid === '' || action.target.resourceVersion === '') broken(action, 'no precondition');
    if (action.resource === 'Pod' || action.resource === 'Service') {
      const object = findObject(snapshot, action.resource, action.target.uid);
      if (object === undefined) broken(action, 'an object that was not seen');
      else if (!isMeant(action, object, snapshot)) broken(action, 'an object that is not ours');
    } else if (action.target.uid !== snapshot.performer?.uid) {
      broken(action, 'another Performer');
    }
  }
  return plan;
}

/** Ours; an orphan that becomes ours; or what a former Performer of this name left. */
function isMeant(action: Action, object: KubeObject, snapshot: Snapshot): boolean {
  if (action.kind === 'patch' && action.why === 'Adopt') return controllerOf(object) === undefined;
  const uid = action.kind === 'delete' && action.why === 'FormerPerformer' ? undefined : snapshot.performer?.uid;
  return isChildOf(object, snapshot.key.name, uid);
}

function findObject(snapshot: Snapshot, resource: 'Pod' | 'Service', uid: string): KubeObject | undefined {
  if (resource === 'Service') return snapshot.service?.metadata?.uid === uid ? snapshot.service : undefined;
  return snapshot.pods.find((pod) => pod.metadata?.uid === uid);
}
