import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod/mini';
import { specShape } from '../../../src/api/gen/spec-shape.ts';
import { type Breach, readShape } from '../../../src/api/read-shape.ts';
import { fieldPath } from '../../../src/api/v1alpha1/performer.ts';
import { performerSpecSchema, readWith } from '../../../src/api/v1alpha1/performer-schema.ts';
import { acceptedSpecs, everyFieldSpec, refusedSpecs } from '../../support/spec-table.ts';

/** Texts, lists and maps had no bounds and no rules in earlier CRDs. */
const isForNewValues = (issue: z.core.$ZodIssue): boolean =>
  issue.code === 'custom' || (issue.code === 'too_big' && (issue.origin === 'string' || issue.origin === 'array'));

/** One line per breach. */
const wordsOf = (breaches: readonly Breach[]): readonly string[] => breaches.map(({ path, message }) => `${fieldPath(path)} ${message}`);

/** On some places zod has more than one word, of which one fits: those that it has, and we too. */
function expectSameAsZod(spec: unknown): void {
  const ours = readShape(specShape, spec);
  const { value, issues } = readWith(performerSpecSchema, spec);
  const blocking = issues.filter((issue) => !isForNewValues(issue));
  const placesOf = (breaches: readonly Breach[]): ReadonlySet<string> => new Set(breaches.map(({ path }) => fieldPath(path)));
  expect(placesOf(ours.breaches)).toEqual(placesOf(blocking));
  expect(wordsOf(blocking)).toEqual(expect.arrayContaining([...wordsOf(ours.breaches)]));
  if (blocking.length === 0) expect(ours.value).toEqual(value);
}

type Path = readonly (string | number)[];

/** Every place in a value, itself included. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const steps: Path = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [path, ...steps.flatMap((step) => placesIn((value as Record<string | number, unknown>)[step], [...path, step]))];
}

function put(value: unknown, [step, ...rest]: Path, part: unknown): unknown {
  if (step === undefined) return part;
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === step ? put(item, rest, part) : item));
  const object = value as Record<string, unknown>;
  return { ...object, [step]: put(object[step], rest, part) };
}

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, undefined, '', 'x'.repeat(300), 1.5, -1, 101, 1e20, '25%', '101%', '1Gi', '1e', [], [null], {}),
  fc.constantFrom<unknown>(JSON.parse('{"__proto__": "x"}'), { constructor: 'x', toString: 1 }, { a: null }, { later: 1 }),
);

describe('the shape of a stored spec', () => {
  const places = placesIn(everyFieldSpec);

  it.each([...acceptedSpecs, ...refusedSpecs])('reads as zod does: $name', ({ spec }) => {
    expectSameAsZod(spec);
  });

  it('reads as zod does, in the same words, whatever stands in any two places', () => {
    expect(places.length).toBeGreaterThan(100);
    const change = fc.tuple(fc.constantFrom(...places), odd);
    fc.assert(
      fc.property(change, change, ([place, value], [otherPlace, otherValue]) => {
        const once = put(everyFieldSpec, place, value);
        const isBelow = place.every((step, index) => otherPlace[index] === step);
        const spec = isBelow ? once : put(once, otherPlace, otherValue);
        expectSameAsZod(spec);
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads as zod does where any one field is left out', () => {
    for (const place of places.slice(1)) {
      expectSameAsZod(put(everyFieldSpec, place, undefined));
    }
  });

  it('shares nothing with what it reads', () => {
    const spec = { ...everyFieldSpec, config: { environment: { A: '1' }, args: ['a'] } };
    const { config } = readShape(specShape, spec).value as typeof spec;
    expect([config.environment === spec.config.environment, config.args === spec.config.args]).toEqual([false, false]);
  });
});
