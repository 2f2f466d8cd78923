import { describe, expect, it } from 'vitest';
import { withoutNullMembers } from '../../../src/api/without-null-members.ts';

describe('withoutNullMembers', () => {
  it.each<{ name: string; value: unknown; kept: unknown }>([
    { name: 'takes nulls out of objects at any depth', value: { a: null, b: { c: null, d: 0 } }, kept: { b: { d: 0 } } },
    { name: 'looks into lists, and leaves their items', value: { a: [null, { b: null }] }, kept: { a: [null, {}] } },
    { name: 'leaves anything else as it is', value: 'x', kept: 'x' },
    { name: 'leaves a bare null as it is', value: null, kept: null },
  ])('$name', ({ value, kept }) => {
    expect(withoutNullMembers(value)).toEqual(kept);
  });

  it('comes back from a value nested beyond all bounds', () => {
    let value: unknown = null;
    for (let depth = 0; depth < 100_000; depth += 1) value = { a: value };
    expect(withoutNullMembers(value)).toHaveProperty('a');
  });
});
