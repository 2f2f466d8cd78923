import type { KubeObject, Resource } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import type { AnyObject, JsonObject } from './stored-object.ts';

/** What the API server does with objects of one kind beyond storing them. All functions are pure. */
export interface KindRules {
  /** Status is written through its subresource alone. */
  readonly statusSubresource: boolean;
  /** Spec changes count in `metadata.generation`. */
  readonly countsGeneration: boolean;
  /** Deletion has a grace period, which the node ends. */
  readonly deletesGracefully?: boolean;
  /** Status of a new object; default: what was sent, or nothing where status is a subresource. */
  readonly initialStatus?: (object: AnyObject) => JsonObject | undefined;
  /** Fills in defaults, at each write. `before` is undefined at creation. */
  readonly withDefaults?: (object: AnyObject, before: AnyObject | undefined) => AnyObject;
  /** Why the object is refused, or undefined. */
  readonly refusal?: (object: AnyObject, before: AnyObject | undefined) => string | undefined;
}

/** A kind that a CRD would define. */
export interface CustomKindOptions extends Pick<KindRules, 'statusSubresource' | 'withDefaults'> {
  /** Status members an object has where it does not say otherwise, from its creation on. */
  readonly defaultStatus?: JsonObject;
  /** The rules of the schema: why the object is refused, or undefined. */
  readonly validate?: KindRules['refusal'];
}

export function customKindRules({ statusSubresource, withDefaults, defaultStatus, validate }: CustomKindOptions): KindRules {
  return {
    statusSubresource,
    countsGeneration: true,
    withDefaults: (object, before) => {
      const filled = withDefaults?.(object, before) ?? object;
      return defaultStatus === undefined ? filled : { ...filled, status: { ...defaultStatus, ...filled.status } };
    },
    ...(validate === undefined ? {} : { refusal: validate }),
  };
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
