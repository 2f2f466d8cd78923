import { expect, it } from 'vitest';
import type { Json } from '../../../src/lib/canonical-json.ts';
import { mergePatch } from '../../../src/sim/stored-object.ts';

it.each<{ name: string; target: Json; patch: Json; merged: Json }>([
  { name: 'replaces a member', target: { a: 'b' }, patch: { a: 'c' }, merged: { a: 'c' } },
  { name: 'adds a member', target: { a: 'b' }, patch: { b: 'c' }, merged: { a: 'b', b: 'c' } },
  { name: 'removes a member with null', target: { a: 'b', b: 'c' }, patch: { a: null }, merged: { b: 'c' } },
  {
    name: 'merges objects to any depth',
    target: { a: { b: 'c', d: 'e' } },
    patch: { a: { d: null, f: 1 } },
    merged: { a: { b: 'c', f: 1 } },
  },
  { name: 'replaces a list as a whole', target: { a: [1, 2] }, patch: { a: [3] }, merged: { a: [3] } },
  { name: 'keeps null inside a list', target: { a: 'b' }, patch: { a: [null] }, merged: { a: [null] } },
  { name: 'makes an object of a scalar', target: { a: 'b' }, patch: { a: { b: null, c: 1 } }, merged: { a: { c: 1 } } },
  { name: 'is the patch itself when that is no object', target: { a: 'b' }, patch: ['c'], merged: ['c'] },
])('$name', ({ target, patch, merged }) => {
  expect(mergePatch(target, patch)).toEqual(merged);
});
