import * as z from 'zod/mini';

/** An OpenAPI v3 schema as a CRD holds it. */
export interface StructuralSchema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly anyOf?: readonly StructuralSchema[];
  readonly oneOf?: readonly StructuralSchema[];
  readonly allOf?: readonly StructuralSchema[];
  readonly not?: StructuralSchema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly [keyword: string]: unknown;
}

const int32Max = 2_147_483_647;

/**
 * The structural schema that accepts what the zod type accepts. Keys are sorted, so that the same type gives the same bytes. Pure.
 *
 * @throws Error for a zod type that has no JSON schema (transforms, dates, cycles)
 */
export function structuralSchema(type: z.ZodMiniType): StructuralSchema {
  const schema = z.toJSONSchema(type, { target: 'openapi-3.0', io: 'input', reused: 'inline', cycles: 'throw', unrepresentable: 'throw' });
  return convert(schema as unknown as StructuralSchema);
}

function convert(schema: StructuralSchema): StructuralSchema {
  const { properties, additionalProperties, items, ...rest } = schema['x-kubernetes-int-or-string'] === true ? intOrString(schema) : schema;
  const bounded = rest.type === 'integer' ? withoutIdleBounds(rest) : rest;
  return sortKeys({
    ...bounded,
    ...(properties === undefined ? {} : { properties: sortKeys(mapValues(properties, convert)) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: convert(additionalProperties) }),
    ...(items === undefined ? {} : { items: convert(items) }),
  });
}

/** zod gives every integer the bounds of a JavaScript number or of its format; a server knows those from the format. */
function withoutIdleBounds(schema: StructuralSchema): StructuralSchema {
  const { minimum, maximum, ...rest } = schema;
  const widest = schema.format === 'int32' ? int32Max : Number.MAX_SAFE_INTEGER;
  return {
    ...rest,
    ...(minimum === undefined || minimum <= -widest ? {} : { minimum }),
    ...(maximum === undefined || maximum >= widest ? {} : { maximum }),
  };
}

/** `anyOf` may carry nothing but the two types here, so what each branch demands moves up: a bound concerns numbers only, a pattern texts only. */
function intOrString(schema: StructuralSchema): StructuralSchema {
  const keywords = (schema.anyOf ?? []).flatMap((branch) =>
    Object.entries(withoutIdleBounds(branch)).filter(([keyword]) => keyword !== 'type'),
  );
  return { ...schema, ...Object.fromEntries(keywords), anyOf: [{ type: 'integer' }, { type: 'string' }] };
}

function sortKeys<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as Value;
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, change: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
