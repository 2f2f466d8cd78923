import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import type { Json } from '../lib/canonical-json.ts';

export type JsonObject = { readonly [key: string]: Json | undefined };

/** An object of any kind as the memory cluster keeps it: frozen to its leaves, so that it may be handed out as it is. */
export interface AnyObject extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

/** A copy as it would arrive over the wire: `undefined` members are gone. What is frozen came from the store and stays as it is. */
export function wireCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => (item === undefined ? null : wireCopy(item))) as T;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) copy[name] = wireCopy(member);
  return copy as T;
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects in a list; none where the value is no list. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The target after a JSON merge patch (RFC 7396): objects are merged, null removes a member, everything else replaces. Pure. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, Json | undefined> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value !== undefined) merged[key] = value === null ? undefined : mergePatch(merged[key], value);
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}
