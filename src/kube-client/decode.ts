import { apiVersionOf, type KubeObject, type Resource } from '../kube/objects.ts';
import { BodyError } from './body.ts';

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
export function decodeList<T extends KubeObject>(resource: Resource<T>, value: unknown): ListPage<T> {
  const metadata = isRecord(value) && isRecord(value.metadata) ? value.metadata : {};
  if (!isRecord(value) || typeof metadata.resourceVersion !== 'string') {
    throw new BodyError(`the answer is no list of ${resource.plural}`, { cut: false });
  }
  const items: unknown[] = Array.isArray(value.items) ? value.items : [];
  const next = typeof metadata.continue === 'string' && metadata.continue !== '' ? metadata.continue : undefined;
  return { items: items.map((item) => decodeObject(resource, item)), resourceVersion: metadata.resourceVersion, next };
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
