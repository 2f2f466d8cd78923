import * as z from 'zod';

/**
 * Building blocks of API schemas. Each one says the same to zod (which parses) and to the CRD generator (which reads `meta`).
 * Objects are open on read: a field this version does not know is left out, never refused, since a newer CRD may have it.
 */

/** Upper bounds that no honest object meets; they keep the cost of server-side rules finite. */
const limits = { textLength: 4096, items: 256, mapEntries: 1024 } as const;

export function text(description: string, maxLength: number = limits.textLength) {
  return z.string().max(maxLength).describe(description);
}

/** A text that must not be empty. */
export function name(description: string, maxLength = 253) {
  return z.string().min(1).max(maxLength).describe(description);
}

export function bool(description: string) {
  return z.boolean().describe(description);
}

export function int32(description: string, min = -2_147_483_648, max = 2_147_483_647) {
  return z.int().min(min).max(max).meta({ format: 'int32', description });
}

export function int64(description: string) {
  return z.int().meta({ format: 'int64', description });
}

/** An RFC 3339 time, kept as the text it is. */
export function time(description: string) {
  return z.string().meta({ format: 'date-time', description });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z.enum(values).describe(description);
}

/** Text by text. */
export function textMap(description: string, maxValueLength: number = limits.textLength) {
  return z
    .record(z.string(), z.string().max(maxValueLength))
    .refine(hasAtMost(limits.mapEntries), { error: `must have at most ${limits.mapEntries} entries` })
    .meta({ maxProperties: limits.mapEntries, description });
}

/** A list that is replaced as a whole. */
export function list<Item extends z.ZodType>(item: Item, description: string, maxItems: number = limits.items) {
  return z.array(item).max(maxItems).meta({ 'x-kubernetes-list-type': 'atomic', description });
}

/** A list whose items are told apart by `key`; a key that appears twice is refused. */
export function mapList<Item extends z.ZodObject>(item: Item, key: keyof Item['shape'] & string, description: string, maxItems = 64) {
  return z
    .array(item)
    .max(maxItems)
    .superRefine((items, context) => {
      const seen = new Set<unknown>();
      for (const [index, entry] of items.entries()) {
        const value = (entry as Readonly<Record<string, unknown>>)[key];
        if (seen.has(value)) context.addIssue({ code: 'custom', path: [index], message: `repeats the ${key} of an earlier item` });
        seen.add(value);
      }
    })
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key], description });
}

const quantityPattern = /^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?(\d+(\.\d*)?|\.\d+))?$/;

const notAQuantity = 'must be a quantity such as 2, 500m or 1Gi';

/** Amounts of resources by name: whole numbers or texts such as `500m` and `1Gi`. */
export function quantityMap(description: string) {
  const quantity = z
    .union([z.int(), z.string().max(64).regex(quantityPattern, { error: notAQuantity })], { error: notAQuantity })
    .meta({ 'x-kubernetes-int-or-string': true });
  return z
    .record(z.string(), quantity)
    .refine(hasAtMost(limits.mapEntries), { error: `must have at most ${limits.mapEntries} entries` })
    .meta({ maxProperties: limits.mapEntries, description });
}

function hasAtMost(count: number): (value: Readonly<Record<string, unknown>>) => boolean {
  return (value) => Object.keys(value).length <= count;
}
