import { appLabelValue, labels, serviceName } from '../api/v1alpha1/naming.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey } from '../kube/objects.ts';
import { performerOwnerOf } from './plan/owner.ts';

/** The Performers a child concerns: its controller's name, and the one whose label it carries. Pure. */
export function performersOf(child: KubeObject): readonly ObjectKey[] {
  const namespace = child.metadata?.namespace ?? '';
  const owner = performerOwnerOf(child);
  const names = new Set<string>();
  if (owner !== undefined) names.add(owner.name);
  const labelled = child.metadata?.labels?.[labels.performer];
  if (labelled !== undefined && labelled !== '') names.add(labelled);
  // Orphaned while it drained: the label by which the Service knew it is off.
  const instance = child.metadata?.labels?.[labels.app] === appLabelValue ? child.metadata.labels[labels.instance] : undefined;
  if (owner === undefined && instance !== undefined && instance !== '') names.add(instance);
  const own = nameFromChild(keyOf(child).name);
  // A foreign object under a first name or a Service name wakes the Performer it stands in the way of.
  if (names.size === 0 && own !== undefined) names.add(own);
  return [...names].map((name) => ({ namespace, name }));
}

/** The same, as index values. Pure. */
export function performerIndex(child: KubeObject): readonly string[] {
  return performersOf(child).map(keyText);
}

/** Whether it can matter to a Performer that `owns` holds of: to one it concerns, or to one whose name for a child it has. Pure. */
export function isChildOf(owns: (key: ObjectKey) => boolean, child: KubeObject): boolean {
  const { namespace, name } = keyOf(child);
  const own = nameFromChild(name);
  return performersOf(child).some(owns) || (own !== undefined && owns({ namespace, name: own }));
}

const prefix = serviceName('');

function nameFromChild(childName: string): string | undefined {
  return childName.startsWith(prefix) && childName.length > prefix.length ? childName.slice(prefix.length) : undefined;
}
