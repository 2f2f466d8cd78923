import type { Json } from '../../src/lib/canonical-json.ts';
import type { KindRules } from '../../src/sim/kind-rules.ts';
import { type AnyObject, isJsonObject } from '../../src/sim/stored-object.ts';

/** The schema of a CRD, as far as the server acts on it here. Left out: CEL rules, formats, branches. */
export interface CrdSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, CrdSchema>>;
  readonly additionalProperties?: CrdSchema | boolean;
  readonly items?: CrdSchema;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

/** What an API server does with objects of a kind by the schema of its CRD: unknown fields go, defaults come, what does not fit is refused. */
export function structuralRules({
  properties = {},
  required = [],
}: CrdSchema): KindRules & Required<Pick<KindRules, 'withDefaults' | 'refusal'>> {
  const { metadata: _metadata, apiVersion: _apiVersion, kind: _kind, ...parts } = properties;
  return {
    statusSubresource: true,
    countsGeneration: true,
    defaultsStatus: properties.status?.default !== undefined,
    withDefaults: ({ apiVersion, kind, metadata, ...rest }) => ({ apiVersion, kind, metadata, ...members(rest, parts) }) as AnyObject,
    refusal: ({ apiVersion: _a, kind: _k, metadata: _m, ...rest }) => findMisfit('', rest, { type: 'object', properties: parts, required }),
  };
}

function shape(value: Json, schema: CrdSchema): Json {
  const { properties, additionalProperties, items } = schema;
  if (Array.isArray(value)) return items === undefined ? value : value.map((item: Json) => shape(item, items));
  if (!isJsonObject(value) || schema['x-kubernetes-preserve-unknown-fields'] === true) return value;
  if (typeof additionalProperties === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one ?? null, additionalProperties)]));
  }
  return members(value, properties ?? {});
}

function members(value: Readonly<Record<string, unknown>>, properties: Readonly<Record<string, CrdSchema>>): Record<string, Json> {
  const known = Object.entries(properties).flatMap(([key, schema]) => {
    const given = (value[key] as Json | undefined) ?? schema.default;
    return given === undefined ? [] : [[key, shape(given, schema)] as const];
  });
  return Object.fromEntries(known);
}

function typeOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return value === null ? 'null' : typeof value;
}

function findMisfit(path: string, value: Json, schema: CrdSchema): string | undefined {
  const is = typeOf(value);
  if (schema.type !== undefined && schema.type !== is && !(schema.type === 'number' && is === 'integer'))
    return `${path}: Invalid value: "${is}": must be of type ${schema.type}`;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${path}: Unsupported value`;
  if (typeof value === 'number' && (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)))
    return `${path}: Invalid value: should be from ${schema.minimum} to ${schema.maximum}`;
  if (typeof value === 'string') {
    const { length } = Array.from(value);
    if (length < (schema.minLength ?? 0) || length > (schema.maxLength ?? Infinity)) return `${path}: Invalid value: too short or too long`;
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
      return `${path}: Invalid value: should match the pattern`;
  }
  if (Array.isArray(value)) {
    if (value.length > (schema.maxItems ?? Infinity)) return `${path}: Too many: must have at most ${schema.maxItems} items`;
    return firstOf(value, (item: Json, index) => findMisfit(`${path}[${index}]`, item, schema.items ?? {}));
  }
  if (!isJsonObject(value)) return undefined;
  const missing = (schema.required ?? []).find((key) => value[key] === undefined);
  if (missing !== undefined) return `${path}.${missing}: Required value`;
  const others = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
  return firstOf(Object.entries(value), ([key, one]) => findMisfit(`${path}.${key}`, one ?? null, schema.properties?.[key] ?? others));
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
