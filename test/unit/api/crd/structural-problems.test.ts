import { describe, expect, it } from 'vitest';
import { assertStructural, structuralProblems } from '../../../../src/api/crd/structural-problems.ts';
import type { StructuralSchema } from '../../../../src/api/crd/structural-schema.ts';

const text = { type: 'string', description: 'D' };
const object = (properties: Record<string, StructuralSchema>): StructuralSchema => ({ type: 'object', properties });

describe('structuralProblems', () => {
  it.each<{ name: string; schema: StructuralSchema; problems: string[] }>([
    { name: 'finds none in a sound schema', schema: object({ a: text, b: { ...object({ c: text }), description: 'D' } }), problems: [] },
    { name: 'finds a missing type', schema: object({ a: { description: 'D' } }), problems: ['.a: has no type'] },
    { name: 'finds a missing description', schema: object({ a: { type: 'string' } }), problems: ['.a: has no description'] },
    { name: 'finds none in a bare metadata', schema: object({ metadata: { type: 'object' } }), problems: [] },
    {
      name: 'finds words about metadata, which the server refuses',
      schema: object({ metadata: { type: 'object', description: 'D' } }),
      problems: ['.metadata: may only have a type, and name'],
    },
    {
      name: 'finds properties beside additionalProperties',
      schema: { ...object({}), additionalProperties: text },
      problems: ['(root): has properties and additionalProperties'],
    },
    { name: 'finds an array without items', schema: { type: 'array' }, problems: ['(root): is an array without items'] },
    { name: 'finds references', schema: { type: 'object', $ref: '#' }, problems: ['(root): has $ref'] },
    {
      name: 'finds a look-ahead',
      schema: object({ a: { ...text, pattern: '^(?!x)' } }),
      problems: ['.a: pattern is not RE2: ^(?!x)'],
    },
    {
      name: 'finds types inside branches, however deep',
      schema: { type: 'object', oneOf: [{ required: ['a'] }, { not: { type: 'string' } }] },
      problems: ['(root): has type inside a branch'],
    },
    {
      name: 'lets int-or-string name its two types in a branch',
      schema: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
      problems: [],
    },
    {
      name: 'finds a type beside int-or-string',
      schema: { type: 'string', 'x-kubernetes-int-or-string': true },
      problems: ['(root): is int-or-string and has a type'],
    },
    {
      name: 'finds a list-map whose key may be absent',
      schema: { type: 'array', items: object({ k: text }), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
      problems: ['(root): list-map key k is neither required nor defaulted'],
    },
    {
      name: 'finds a list-map without keys',
      schema: { type: 'array', items: object({}), 'x-kubernetes-list-type': 'map' },
      problems: ['(root): is a list-map without keys'],
    },
    {
      name: 'looks into items and map values',
      schema: { type: 'array', items: { type: 'object', additionalProperties: {} } },
      problems: ['[].*: has no type'],
    },
  ])('$name', ({ schema, problems }) => {
    expect(structuralProblems(schema)).toEqual(problems);
  });
});

describe('assertStructural', () => {
  it('names every problem', () => {
    expect(() => assertStructural(object({ a: {}, b: text, c: { type: 'array', description: 'D' } }))).toThrow(
      /\.a: has no description\n\.a: has no type\n\.c: is an array without items/,
    );
  });
});
