import { apiVersionOf, type KubeObject, type Resource } from '../kube/objects.ts';
import { BodyError } from './body.ts';

/**
 * An item of a list or the object of a watch event: without `metadata.managedFields`, a third of its bytes, and cut down by `project`.
 * @throws BodyError when it is of another kind or has no name
 */
export function decodeSelected<T extends KubeObject>(resource: Resource<T>, value: unknown, project?: (object: T) => T): T {
  const object = decodeObject(resource, value);
  const metadata: unknown = object.metadata;
  if (object.kind !== resource.kind || !isRecord(metadata) || typeof metadata.name !== 'string' || metadata.name === '') {
    throw new BodyError(`the answer holds what is no ${resource.kind} with a name`, { cut: false });
  }
  // Set, not deleted: `delete` makes V8 keep the object as a slow dictionary.
  if (metadata.managedFields !== undefined) metadata.managedFields = undefined;
  return project === undefined ? object : project(object);
}

/** Strings seen lately; V8 itself shares those up to 10 characters. */
const shared = new Map<string, string>();
const maxShared = 4_096;

/** Shorter lists hold too little that is equal to be worth the look at it. */
const minSharing = 200;

/** Makes equal strings in a value that was parsed for us one: images, nodes, owners and times repeat from object to object and within one. */
export function shareStrings<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (typeof member === 'string') members[name] = sharedString(member);
    else shareStrings(member);
  }
  return value;
}

function sharedString(text: string): string {
  if (text.length <= 10 || text.length > 128) return text;
  const known = shared.get(text);
  if (known !== undefined) return known;
  if (shared.size >= maxShared) shared.clear();
  shared.set(text, text);
  return text;
}

/**
 * A parsed answer as an object of the kind asked for. The API server vouches for its shape; what is not even an object is refused.
 *
 * Fills in `apiVersion` and `kind`, which items of a list lack, on the value itself: it was parsed for us and nobody else has it.
 */
export function decodeObject<T extends KubeObject>(resource: Resource<T>, value: unknown): T {
  if (!isRecord(value)) throw new BodyError(`the answer is no ${resource.kind}`, { cut: false });
  value.apiVersion ??= apiVersionOf(resource);
  value.kind ??= resource.kind;
  return value as T;
}

export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Where the next page begins; undefined on the last. */
  readonly next: string | undefined;
}

/** One page of a list. @throws BodyError when the answer is no list */
export function decodeList<T extends KubeObject>(resource: Resource<T>, value: unknown, project?: (object: T) => T): ListPage<T> {
  const metadata = isRecord(value) && isRecord(value.metadata) ? value.metadata : {};
  if (!isRecord(value) || typeof metadata.resourceVersion !== 'string') {
    throw new BodyError(`the answer is no list of ${resource.plural}`, { cut: false });
  }
  const items: unknown[] = Array.isArray(value.items) ? value.items : [];
  const next = typeof metadata.continue === 'string' && metadata.continue !== '' ? metadata.continue : undefined;
  const selected = items.map((item) => decodeSelected(resource, item, project));
  if (selected.length >= minSharing) shareStrings(selected);
  return { items: selected, resourceVersion: metadata.resourceVersion, next };
}

/**
 * What a delete leaves behind: the object while something holds it back, or undefined when it is gone.
 *
 * Kinds differ in their answer (seen on 1.35): a `Status` for most, the final object for Pods and Services. A final Pod carries
 * a deletionTimestamp, too, but with a grace period of 0 and no finalizer, and such an object is gone from the store.
 */
export function decodeDeleted<T extends KubeObject>(resource: Resource<T>, value: unknown): T | undefined {
  if (!isRecord(value) || value.kind === 'Status') return undefined;
  const object = decodeObject(resource, value);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata ?? {};
  if (deletionTimestamp === undefined) return undefined;
  return deletionGracePeriodSeconds === 0 && finalizers.length === 0 ? undefined : object;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
