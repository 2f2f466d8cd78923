import type { KubeObject, Resource } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import type { AnyObject, JsonObject } from './stored-object.ts';

/** What the API server does with objects of one kind beyond storing them. All functions are pure. */
export interface KindRules {
  /** Status is written through its subresource alone. */
  readonly statusSubresource: boolean;
  /** A write of status carries metadata along, as with kinds of the API server's own; `but-owners`: all of it but its owners. */
  readonly metadataWithStatus?: 'all' | 'but-owners';
  /** Its status has defaults that are filled in when it is read: the first write after a creation is one even where it changes nothing. */
  readonly defaultsStatus?: boolean;
  /** Spec changes count in `metadata.generation`. */
  readonly countsGeneration: boolean;
  /** Deletion has a grace period, which the node ends. */
  readonly deletesGracefully?: boolean;
  /** What else a deletion changes of an object that it only marks. */
  readonly onMark?: (object: AnyObject) => AnyObject;
  /** A PUT without a resourceVersion is taken. */
  readonly unconditionalUpdate?: boolean;
  /** A PUT of an object that is missing creates it. */
  readonly createsOnUpdate?: boolean;
  /** Status of a new object; default: what was sent, or nothing where status is a subresource. */
  readonly initialStatus?: (object: AnyObject) => JsonObject | undefined;
  /** Fills in defaults, at each write. `before` is undefined at creation. */
  readonly withDefaults?: (object: AnyObject, before: AnyObject | undefined) => AnyObject;
  /** Why the object is refused, or undefined. */
  readonly refusal?: (object: AnyObject, before: AnyObject | undefined) => string | undefined;
}

/** Identity of a kind, whatever version it is asked in: `plural.group`. */
export function kindIdOf(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** Whether two objects differ in what a generation counts: anything but metadata and status. */
export function sameSpec(a: AnyObject, b: AnyObject): boolean {
  const rest = (object: AnyObject): unknown => ({ ...object, metadata: undefined, status: undefined });
  return sameJson(rest(a), rest(b));
}
