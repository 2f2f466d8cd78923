import { describe, expect, it } from 'vitest';
import { crds } from './support/crd.ts';
import { conditionOf, operatorOn, total } from './support/world.ts';

const settled = { create: 0, patch: 0, delete: 0 };

describe.each(crds)('writes with the CRD %s', (crd) => {
  it('are three for a Performer that is ready at once', async () => {
    const operator = operatorOn(crd);
    await operator.ask('x');
    expect((await operator.once(30_000)).writes).toEqual({ create: 2, patch: 1, delete: 0 });
    expect(conditionOf(operator)?.reason).toBe('Serving');
  });

  it('are four at most for one that is slower than 2 s', async () => {
    const operator = operatorOn(crd, 6_000);
    await operator.ask('x');
    expect(total((await operator.once(30_000)).writes)).toBeLessThanOrEqual(4);
    expect(conditionOf(operator)?.reason).toBe('Serving');
  });

  it('are three, and none in the next run, for one that a run without waiting leaves behind', async () => {
    const operator = operatorOn(crd, 600_000);
    await operator.ask('x');
    expect(total((await operator.once()).writes)).toBeLessThanOrEqual(4);
    await operator.clock.advance(10_000);
    expect((await operator.once()).writes).toEqual(settled);
  });

  it('are five at most for the rollout of one replica, and none once it is over', async () => {
    const operator = operatorOn(crd);
    await operator.ask('x');
    await operator.once(30_000);
    operator.change('x', { image: 'avs:2' });
    const { outcomes, writes } = await operator.once(60_000);
    expect(outcomes.map(({ outcome }) => outcome.reason)).toEqual(['Serving']);
    expect(total(writes)).toBeLessThanOrEqual(5);
    expect((await operator.once(10_000)).writes).toEqual(settled);
  });

  it('are none in ten minutes of a watch over a settled cluster', async () => {
    const operator = operatorOn(crd);
    for (const name of ['x', 'y', 'z']) await operator.ask(name, { replicas: 2, config: { environment: { A: '1' } } });
    await operator.once(30_000);
    const { writes, stop } = await operator.watch();
    await operator.clock.advance(600_000);
    await stop();
    expect(writes).toEqual(settled);
  });
});
