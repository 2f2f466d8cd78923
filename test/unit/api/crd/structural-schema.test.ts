import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { structuralSchema } from '../../../../src/api/crd/structural-schema.ts';
import { countOrShare, int32, int64, list, mapList, quantityMap, textMap } from '../../../../src/api/fields.ts';

describe('structuralSchema of', () => {
  it.each<{ name: string; type: z.ZodMiniType; schema: object }>([
    {
      name: 'an int32 has the format and no bounds of its own',
      type: int32('D'),
      schema: { description: 'D', format: 'int32', type: 'integer' },
    },
    {
      name: 'an int32 with bounds has them',
      type: int32('D', 1, 65_535),
      schema: { description: 'D', format: 'int32', maximum: 65_535, minimum: 1, type: 'integer' },
    },
    {
      name: 'an int64 has no bounds of JavaScript numbers',
      type: int64('D'),
      schema: { description: 'D', format: 'int64', type: 'integer' },
    },
    {
      name: 'a map of texts is bounded',
      type: textMap('D', 9),
      schema: { additionalProperties: { maxLength: 9, type: 'string' }, description: 'D', maxProperties: 1024, type: 'object' },
    },
    {
      name: 'a list is atomic',
      type: list(z.string(), 'D', 3),
      schema: { description: 'D', items: { type: 'string' }, maxItems: 3, type: 'array', 'x-kubernetes-list-type': 'atomic' },
    },
    {
      name: 'a list-map names its key',
      type: mapList(z.object({ type: z.string() }), 'type', 'D', 3),
      schema: {
        description: 'D',
        items: { properties: { type: { type: 'string' } }, required: ['type'], type: 'object' },
        maxItems: 3,
        type: 'array',
        'x-kubernetes-list-map-keys': ['type'],
        'x-kubernetes-list-type': 'map',
      },
    },
    {
      name: 'a default makes a field optional and is kept',
      type: z.object({ a: z._default(int32('D'), 9) }),
      schema: { properties: { a: { default: 9, description: 'D', format: 'int32', type: 'integer' } }, type: 'object' },
    },
  ])('$name', ({ type, schema }) => {
    expect(structuralSchema(type)).toEqual(schema);
  });

  it('quantities are int-or-string, with the pattern beside the two types', () => {
    const quantity = structuralSchema(quantityMap('D')).additionalProperties;
    expect(quantity).toMatchObject({ anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true });
    expect(quantity?.pattern).toBeDefined();
    expect(quantity?.type).toBeUndefined();
  });

  it('a number or a share of them has the bounds of the number and the pattern of the text', () => {
    expect(structuralSchema(countOrShare('D'))).toEqual({
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      description: 'D',
      maxLength: 64,
      maximum: 100,
      minimum: 0,
      pattern: '^(100|[1-9]?[0-9])%$',
      'x-kubernetes-int-or-string': true,
    });
  });

  it('a type JSON cannot hold is an error', () => {
    expect(() => structuralSchema(z.date())).toThrow();
  });
});
