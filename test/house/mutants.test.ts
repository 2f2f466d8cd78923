import { describe, expect, it } from 'vitest';
import { applyMutant, findMutants } from '../../scripts/mutation/mutants.ts';

const mutate = (source: string): string[] => findMutants('a.ts', source).mutants.map((mutant) => applyMutant(source, mutant));

describe('findMutants', () => {
  it.each<{ name: string; source: string; includes: string }>([
    { name: 'moves the boundary of a comparison', source: 'const a = b < c;', includes: 'const a = ((b) <= (c));' },
    { name: 'turns an equality round', source: 'const a = b === c;', includes: 'const a = ((b) !== (c));' },
    { name: 'decides a condition beforehand', source: 'const a = b ? 1 : 2;', includes: 'const a = true ? 1 : 2;' },
    { name: 'swaps and with or', source: 'const a = b && c;', includes: 'const a = ((b) || (c));' },
    { name: 'takes a default though there is a value', source: 'const a = b ?? c;', includes: 'const a = ((b) && (c));' },
    { name: 'calculates the other way', source: 'const a = b - c;', includes: 'const a = ((b) + (c));' },
    { name: 'takes a negation off', source: 'const a = !b;', includes: 'const a = (b);' },
    { name: 'empties a string', source: "const a = 'Serving';", includes: "const a = '';" },
    { name: 'empties a list', source: 'const a = [1];', includes: 'const a = [];' },
    { name: 'empties an object', source: 'const a = { b: 1 };', includes: 'const a = ({});' },
    { name: 'trusts that something is there', source: 'const a = b?.c;', includes: 'const a = b.c;' },
    { name: 'leaves a call out', source: 'b();', includes: ';' },
    { name: 'leaves a body out', source: 'function f() { return 1; }', includes: 'function f() {}' },
    { name: 'returns nothing', source: 'const f = () => 1;', includes: 'const f = () => undefined;' },
    { name: 'takes a filter off', source: 'const a = b.filter(c);', includes: 'const a = b;' },
    { name: 'asks all where one is enough', source: 'const a = b.some(c);', includes: 'const a = b.every(c);' },
    { name: 'lets a pattern begin anywhere', source: 'const a = /^b/;', includes: 'const a = /b/;' },
  ])('$name', ({ source, includes }) => {
    expect(mutate(source)).toContain(includes);
  });

  it.each([
    { name: 'types', source: "type A = 'b' | 'c'; const a = b as A;" },
    { name: 'names of modules', source: "import { a } from './a.ts';" },
    { name: 'names of properties', source: 'const a = b.c;' },
  ])('leaves $name as they are', ({ source }) => {
    expect(mutate(source)).toEqual([]);
  });

  it('leaves words for people out, and says how many', () => {
    expect(findMutants('a.ts', 'const a = `it is not ready`;')).toEqual({ mutants: [], prose: 1 });
  });
});
