import * as z from 'zod/mini';
import type { ChangeRule, Rule } from './v1alpha1/rules.ts';

/**
 * Building blocks of API schemas. Each one says the same to zod (which parses) and to the CRD generator (which reads `meta`).
 * Objects are open on read: a field this version does not know is left out, never refused, since a newer CRD may have it.
 */

// By name: taking them out of the namespace at run time would bring all of the library along.
export const object = z.object;
export const optional = z.optional;

/** An object whose fields may all be left out. */
export function options<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.partial(z.object(shape));
}

/** Upper bounds that no honest object meets; they keep the cost of server-side rules finite. */
const limits = { textLength: 4096, items: 256, mapEntries: 1024 } as const;

export function text(description: string, maxLength: number = limits.textLength) {
  return bounded(maxLength).check(z.describe(description));
}

/** An item of a list of texts, which needs no description of its own. */
export function bounded(maxLength: number = limits.textLength) {
  return z.string().check(z.maxLength(maxLength));
}

/** A text that must not be empty. */
export function name(description: string, maxLength = 253) {
  return text(description, maxLength).check(z.minLength(1));
}

export function bool(description: string) {
  return z.boolean().check(z.describe(description));
}

export function int32(description: string, min = -2_147_483_648, max = 2_147_483_647) {
  return z.int().check(z.gte(min), z.lte(max), z.meta({ format: 'int32', description }));
}

export function int64(description: string, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  return z.int().check(z.gte(min), z.lte(max), z.meta({ format: 'int64', description }));
}

/** An RFC 3339 time, kept as the text it is. */
export function time(description: string) {
  return bounded(64).check(z.meta({ format: 'date-time', description }));
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values, description: string) {
  return z.enum(values).check(z.describe(description));
}

/** Text by text. */
export function textMap(description: string, maxValueLength?: number) {
  return mapOf(bounded(maxValueLength), description);
}

/** A list that is replaced as a whole. */
export function list<Item extends z.ZodMiniType>(item: Item, description: string, maxItems: number = limits.items) {
  return z.array(item).check(z.maxLength(maxItems), z.meta({ 'x-kubernetes-list-type': 'atomic', description }));
}

/** A list whose items are told apart by `key`; a key that appears twice is refused. */
export function mapList<Item extends z.ZodMiniObject>(item: Item, key: keyof Item['shape'] & string, description: string, maxItems = 64) {
  return z.array(item).check(
    z.maxLength(maxItems),
    z.superRefine((items, context) => {
      const seen = new Set<unknown>();
      for (const [index, entry] of items.entries()) {
        const value = (entry as Readonly<Record<string, unknown>>)[key];
        if (seen.has(value)) context.addIssue({ code: 'custom', path: [index], message: `repeats the ${key} of an earlier item` });
        seen.add(value);
      }
    }),
    z.meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key], description }),
  );
}

const quantityPattern = /^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?(\d+(\.\d*)?|\.\d+))?$/;

/** An amount: a whole number or a text such as `500m` and `1Gi`. */
export function quantity(description?: string) {
  return intOrString(z.int(), quantityPattern, 'must be a quantity such as 2, 500m or 1Gi', description);
}

/** Amounts of resources by name. */
export function quantityMap(description: string) {
  return mapOf(quantity(), description);
}

/** A number of pods, or their share of all as a percentage. */
export function countOrShare(description: string) {
  const count = z.int().check(z.gte(0), z.lte(100));
  return intOrString(count, /^(100|[1-9]?[0-9])%$/, 'must be a number from 0 to 100 or a percentage such as 25%', description);
}

function intOrString(number: z.ZodMiniType<number>, pattern: RegExp, error: string, description?: string) {
  const keywords = { 'x-kubernetes-int-or-string': true, ...(description === undefined ? {} : { description }) };
  return z.union([number, bounded(64).check(z.regex(pattern, { error }))], { error }).check(z.meta(keywords));
}

function mapOf<Value extends z.ZodMiniType>(value: Value, description: string) {
  return z.record(z.string(), value).check(
    z.refine((entries) => Object.keys(entries).length <= limits.mapEntries, { error: `must have at most ${limits.mapEntries} entries` }),
    z.meta({ maxProperties: limits.mapEntries, description }),
  );
}

/** Says rules to zod, which checks those about a value, and to the CRD generator. Spread them into one `check` of the type they are about. */
export function rules<Value>(...all: readonly (Rule<Value> | ChangeRule<Value>)[]): [z.core.$ZodCheck<Value>, z.core.$ZodCheck<Value>] {
  const texts = all.map(({ cel, message, field }) => ({ rule: cel, message, ...(field === undefined ? {} : { fieldPath: `.${field}` }) }));
  const check = z.superRefine<Value>((value, context) => {
    for (const rule of all) {
      if ('allows' in rule || rule.holds(value)) continue;
      const path = rule.field === undefined ? [] : [rule.field];
      // How deep below the value the breach is shown tells which value must have changed for it to count.
      context.addIssue({ code: 'custom', message: rule.message, path, params: { below: path.length } });
    }
  });
  return [check, z.meta({ 'x-kubernetes-validations': texts })];
}

const nouns: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
};

/** What is wrong with a field, in words that hold no value of it. Pure. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  const unit = issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' items' : '';
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${nouns[issue.expected] ?? 'an object'}`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'too_big':
      return `must ${unit === '' ? 'be' : 'have'} at most ${issue.maximum}${unit}`;
    case 'too_small':
      return `must ${unit === '' ? 'be' : 'have'} at least ${issue.minimum}${unit}`;
    case 'invalid_format':
      return `must match ${issue.pattern}`;
    default:
      return undefined;
  }
}
