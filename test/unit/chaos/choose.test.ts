import { describe, expect, it } from 'vitest';
import { chooseTarget, planOrder } from '../../../chaos/choose.ts';
import { chooseExperiments } from '../../../chaos/experiments/catalogue.ts';

const smoke = chooseExperiments('smoke');
const idsOf = (seed: number, repeat = 1): readonly string[] =>
  planOrder(smoke, seed, repeat).map(({ experiment, round }) => `${experiment.id}.${round}`);
const seeds = Array.from({ length: 20 }, (_, seed) => seed + 1);

describe('the order of a run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(idsOf(7)).toEqual(idsOf(7));
    expect(new Set(seeds.map((seed) => idsOf(seed).join())).size).toBeGreaterThan(15);
  });

  it('has each experiment once in each round', () => {
    const all = idsOf(3, 2);
    expect(new Set(all).size).toBe(smoke.length * 2);
    expect(all.slice(0, smoke.length).every((id) => id.endsWith('.0'))).toBe(true);
  });
});

describe('the target of an experiment', () => {
  it('is the same for the same seed, whatever order the candidates come in', () => {
    for (const seed of seeds) expect(chooseTarget(['beta', 'alpha'], seed, 'C1', 0)).toBe(chooseTarget(['alpha', 'beta'], seed, 'C1', 0));
  });

  it('is now this one and now that', () => {
    expect(new Set(seeds.map((seed) => chooseTarget(['alpha', 'beta'], seed, 'C1', 0))).size).toBe(2);
  });

  it('is missed where there is none', () => {
    expect(() => chooseTarget([], 1, 'C1', 0)).toThrow('experiment C1: there is nothing to choose from');
  });
});

describe('chooseExperiments', () => {
  it.each([
    { suite: 'smoke' as const, ids: [], chosen: ['C1', 'C2a', 'C2b', 'C4b', 'C5', 'C6', 'C7'] },
    { suite: 'smoke' as const, ids: ['c2', 'C4b'], chosen: ['C2a', 'C2b', 'C4b'] },
    { suite: 'smoke' as const, ids: ['C3'], chosen: ['C3'] },
    { suite: 'full' as const, ids: ['C1'], chosen: ['C1'] },
  ])('takes $chosen for $suite $ids', ({ suite, ids, chosen }) => {
    expect(chooseExperiments(suite, ids).map(({ id }) => id)).toEqual(chosen);
  });

  it('names those there are', () => {
    expect(() => chooseExperiments('full', ['C99'])).toThrow(/^experiment C99: there are C1, C1b, C2a/);
  });
});
