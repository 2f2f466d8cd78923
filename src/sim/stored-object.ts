import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import type { JsonObject } from './merge-patch.ts';

/** An object of any kind as the memory cluster keeps it: frozen to its leaves, so that it may be handed out as it is. */
export interface AnyObject extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

/** A copy as it would arrive over the wire: `undefined` members are gone. */
export function wireCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
