import { describe, expect, it } from 'vitest';
import { planBlocks } from '../../../src/bench/run.ts';
import { chooseScenarios, scenarios } from '../../../src/bench/scenarios.ts';
import { createRandom } from '../../../src/lib/seeded-random.ts';

const subjects = ['a', 'b', 'c'].map((name) => ({ name, command: name }));

describe('the plan of a bench', () => {
  const plan = (seed: number) => planBlocks(scenarios.slice(0, 2), subjects, 6, 'timed', createRandom(seed));

  it('runs every subject once in each scenario of each round', () => {
    const seen = plan(1).map(({ round, scenario, subject }) => `${round} ${scenario.name} ${subject.name}`);
    expect(seen).toHaveLength(6 * 2 * 3);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('lets no subject always come first, and is the same for the same seed', () => {
    const firsts = plan(1).filter((_, index) => index % 3 === 0);
    expect(new Set(firsts.map(({ subject }) => subject.name)).size).toBe(3);
    expect(plan(1)).toEqual(plan(1));
    expect(plan(2)).not.toEqual(plan(1));
  });
});

describe('the choice of scenarios', () => {
  it('makes the quick ones small, and leaves the full ones alone', () => {
    const quick = chooseScenarios([], 'quick');
    expect(quick.length).toBeGreaterThan(0);
    expect(quick.every(({ count }) => count <= 50)).toBe(true);
    expect(chooseScenarios([], 'full')).toEqual(scenarios.filter(({ onNodes }) => onNodes !== true));
  });

  it('takes on real nodes those that are meant for them, and refuses them elsewhere', () => {
    expect(chooseScenarios([], 'usual', true)).toEqual(scenarios.filter(({ onNodes }) => onNodes === true));
    expect(chooseScenarios(['burst-50'], 'usual', true).map(({ name }) => name)).toEqual(['burst-50']);
    const stranded = (): unknown => chooseScenarios(['nodes-create-serial'], 'usual');
    expect(stranded).toThrow('scenario nodes-create-serial: it needs pods that really run; give --profile nodes');
  });

  it('takes those that are named, and refuses a name that is none', () => {
    expect(chooseScenarios(['burst-200'], 'usual').map(({ name }) => name)).toEqual(['burst-200']);
    expect(() => chooseScenarios(['burst-7'], 'usual')).toThrow(/scenario burst-7: there are create-serial, /);
  });

  it('has no two of one name', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});
