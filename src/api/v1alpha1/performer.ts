import type * as z from 'zod/mini';
import type { KubeObject, Resource } from '../../kube/objects.ts';
import { specShape } from '../gen/spec-shape.ts';
import { readShape } from '../read-shape.ts';
import type { condition } from './core.ts';
import { group, version } from './naming.ts';
import type { performerSpecSchema, performerStatusSchema } from './performer-schema.ts';

/** A zod type as the JSON that is read: readonly all the way down, and an optional member is absent, never `undefined`. */
type ReadJson<T> = T extends readonly (infer Item)[]
  ? readonly ReadJson<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: ReadJson<Exclude<T[Key], undefined>> }
    : T;

/** A spec that was parsed: defaults are in, unknown fields are out. */
export type PerformerSpec = ReadJson<z.output<typeof performerSpecSchema>>;
/** A spec as users write it: fields with a default may be left out. */
export type PerformerSpecInput = ReadJson<z.input<typeof performerSpecSchema>>;
export type PerformerStatus = ReadJson<z.input<typeof performerStatusSchema>>;
export type PerformerPhase = NonNullable<PerformerStatus['phase']>;
export type PerformerCondition = ReadJson<z.output<typeof condition>>;

/** A stored Performer. `spec` is `unknown`, since an older CRD may have let anything through: `parsePerformerSpec` reads it. */
export interface Performer extends KubeObject {
  readonly spec?: unknown;
  readonly status?: PerformerStatus;
}

export const performers: Resource<Performer> = { group, version, kind: 'Performer', plural: 'performers', namespaced: true };

export interface SpecIssue {
  /** Where in the object, e.g. `spec.config.grpcPort`. */
  readonly path: string;
  /** What is wrong there. Holds no value of the object. */
  readonly message: string;
}

export type ParsedSpec =
  | { readonly valid: true; readonly spec: PerformerSpec }
  | { readonly valid: false; readonly issues: readonly SpecIssue[] };

/**
 * Reads the spec of a stored Performer: defaults are filled in, unknown fields and nulls left out. Pure; never throws.
 * Rules and bounds that are newer than the object do not count: what an older CRD let in must go on working.
 */
export function parsePerformerSpec(spec: unknown): ParsedSpec {
  const { value, breaches } = readShape(specShape, spec ?? undefined);
  if (breaches.length === 0) return { valid: true, spec: value as PerformerSpec };
  return { valid: false, issues: breaches.map(({ path, message }) => ({ path: fieldPath(['spec', ...path]), message })) };
}

/** A place in an object as the API server names it, e.g. `spec.config.args[0]`. Pure. */
export function fieldPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    const key = String(segment);
    if (path === '') return key;
    return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, '');
}
