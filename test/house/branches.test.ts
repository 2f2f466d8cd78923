import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { countBranches } from '../../scripts/simulation/branches.ts';

/** The branches of some statements that are taken with that `a`, each as its last words. */
function takenIn(source: string, a: unknown): readonly string[] {
  const { branches, code, next } = countBranches('a.ts', source, 0);
  const context: { told: number[]; a: unknown } = { told: Array.from({ length: next }, () => 0), a };
  runInNewContext(`globalThis.told = told; ${code}`, context);
  return branches.filter(({ taken }) => taken(context.told) > 0).map(({ what }) => what);
}

describe('countBranches', () => {
  it.each<{ name: string; source: string; a: unknown; taken: readonly string[] }>([
    { name: 'an if that holds', source: 'if (a) a = 1;', a: true, taken: ['a → true'] },
    { name: 'one that does not', source: 'if (a) a = 1;', a: false, taken: ['a → false'] },
    { name: 'one after another', source: 'if (a === 1) {} else if (a === 2) {}', a: 3, taken: ['a === 1 → false', 'a === 2 → false'] },
    { name: 'one of two values', source: 'const b = a ? 1 : 2;', a: 0, taken: ['a ? → second'] },
    { name: 'what a left side ends', source: 'const b = a && 1;', a: 0, taken: ['a && 1 — ended before &&'] },
    { name: 'what it does not', source: 'const b = a ?? 1;', a: null, taken: ['a ?? 1 — past ??'] },
    { name: 'a default', source: 'const { b = 1 } = a;', a: {}, taken: ['b = 1 — default taken'] },
    { name: 'a default that is not taken', source: 'const { b = 1 } = a;', a: { b: 2 }, taken: [] },
    {
      name: 'a case',
      source: 'switch (a) { case 1: case 2: a = 0; break; default: a = 9; }',
      a: 2,
      taken: ['case 2: a = 0; break; — chosen'],
    },
    { name: 'a case that falls through', source: 'switch (a) { case 1: case 2: a = 0; }', a: 1, taken: ['case 1: — chosen'] },
  ])('tells $name', ({ source, a, taken }) => {
    expect(takenIn(source, a)).toEqual(taken);
  });
});
