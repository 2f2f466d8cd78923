import { describe, expect, it } from 'vitest';
import { experiments } from '../../../../chaos/experiments/catalogue.ts';
import { renderForNobody } from '../../../../chaos/runner/listening.ts';

describe('what Chaos Mesh is asked before an experiment', () => {
  const kindsOf = (id: string): readonly string[] =>
    experiments.filter((one) => one.id === id).flatMap((one) => renderForNobody(one).map(({ kind }) => kind));

  it.each([
    { id: 'C1', kinds: ['PodChaos'] },
    { id: 'C5', kinds: ['NetworkChaos'] },
    { id: 'C7', kinds: ['PhysicalMachineChaos'] },
    { id: 'C10a', kinds: ['PodChaos', 'NetworkChaos'] },
    { id: 'C12a', kinds: [] },
  ])('is one resource for each kind that $id needs', ({ id, kinds }) => {
    expect([...kindsOf(id)].toSorted()).toEqual([...kinds].toSorted());
  });

  it('meets nobody', () => {
    const named = experiments.flatMap(renderForNobody).map(({ spec }) => JSON.stringify(spec.selector));
    expect(named.length).toBeGreaterThan(10);
    for (const selector of named) expect(selector).toMatch(/"app":"nobody"\}|\["nobody"\]/);
  });
});
