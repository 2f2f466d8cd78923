import { group } from '../../api/v1alpha1/naming.ts';
import { controllerOf, type KubeObject, type OwnerReference } from '../../kube/objects.ts';

/** The Performer that controls an object, if one does; other API groups have kinds of that name too. Pure. */
export function performerOwnerOf(object: KubeObject): OwnerReference | undefined {
  const owner = controllerOf(object);
  return owner?.kind === 'Performer' && owner.apiVersion.startsWith(`${group}/`) ? owner : undefined;
}

/** Whether the object is a child of the Performer of that name; of that uid, where one is given. Pure. */
export function isChildOf(object: KubeObject, name: string, uid: string | undefined): boolean {
  const owner = performerOwnerOf(object);
  return owner?.name === name && (uid === undefined || owner.uid === uid);
}
