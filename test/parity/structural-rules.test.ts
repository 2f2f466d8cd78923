import { describe, expect, it } from 'vitest';
import type { AnyObject } from '../../src/sim/stored-object.ts';
import { type CrdSchema, structuralRules } from '../support/structural-rules.ts';

const schema: CrdSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['image'],
      properties: {
        image: { type: 'string', minLength: 1, maxLength: 9, pattern: '^[a-z:0-9]+$' },
        size: { type: 'integer', minimum: 0, maximum: 9, default: 1 },
        mode: { type: 'string', enum: ['a', 'b'] },
        list: { type: 'array', maxItems: 2, items: { type: 'object', properties: { name: { type: 'string' } } } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', default: {}, properties: { seen: { type: 'integer', default: -1 } } },
  },
};
const rules = structuralRules(schema);
const object = (rest: object): AnyObject => ({ apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x' }, ...rest }) as AnyObject;

describe('the schema of a CRD', () => {
  it.each<{ name: string; sent: object; stored: object }>([
    { name: 'prunes what it does not know', sent: { spec: { image: 'a', odd: 1 }, more: 2 }, stored: { spec: { image: 'a', size: 1 } } },
    {
      name: 'prunes inside lists',
      sent: { spec: { list: [{ name: 'n', odd: 1 }] } },
      stored: { spec: { size: 1, list: [{ name: 'n' }] } },
    },
    { name: 'keeps what a map may hold', sent: { spec: { labels: { any: 'x' } } }, stored: { spec: { size: 1, labels: { any: 'x' } } } },
    {
      name: 'keeps what is to be preserved',
      sent: { spec: { free: { a: { b: 1 } } } },
      stored: { spec: { size: 1, free: { a: { b: 1 } } } },
    },
    { name: 'fills a default in where null stands', sent: { spec: { size: null } }, stored: { spec: { size: 1 } } },
  ])('$name', ({ sent, stored }) => {
    expect(rules.withDefaults(object(sent), undefined)).toEqual(object({ ...stored, status: { seen: -1 } }));
  });

  it.each<{ name: string; rest: object; says: string | undefined }>([
    { name: 'takes what fits', rest: { spec: { image: 'a:1', size: 9, mode: 'b', labels: { a: 'b' } } }, says: undefined },
    { name: 'misses a part', rest: {}, says: '.spec: Required value' },
    { name: 'misses a field', rest: { spec: {} }, says: '.spec.image: Required value' },
    { name: 'refuses another type', rest: { spec: { image: 1 } }, says: '.spec.image: Invalid value' },
    { name: 'refuses a fraction', rest: { spec: { image: 'a', size: 1.5 } }, says: '.spec.size: Invalid value' },
    { name: 'refuses a number that is too large', rest: { spec: { image: 'a', size: 10 } }, says: '.spec.size: Invalid value' },
    { name: 'refuses an unknown word', rest: { spec: { image: 'a', mode: 'c' } }, says: '.spec.mode: Unsupported value' },
    { name: 'refuses an empty text', rest: { spec: { image: '' } }, says: '.spec.image: Invalid value' },
    { name: 'refuses what does not match', rest: { spec: { image: 'A' } }, says: '.spec.image: Invalid value' },
    { name: 'refuses a long list', rest: { spec: { image: 'a', list: [{}, {}, {}] } }, says: '.spec.list: Too many' },
    { name: 'looks into lists', rest: { spec: { image: 'a', list: [{ name: 1 }] } }, says: '.spec.list[0].name: Invalid value' },
    { name: 'looks into maps', rest: { spec: { image: 'a', labels: { a: 1 } } }, says: '.spec.labels.a: Invalid value' },
  ])('$name', ({ rest, says }) => {
    const refusal = rules.refusal(object(rest), undefined);
    expect(says === undefined ? refusal : refusal?.slice(0, says.length)).toBe(says);
  });
});
