import { describe, expect, it } from 'vitest';
import { type Shape, shapeOf } from '../../src/oracle/differential.ts';
import { runPlan } from '../../src/sim/run.ts';
import { type Mode, planSwarm, type RunPlan, type UserStep } from '../../src/sim/run-plan.ts';
import { scenarios } from '../../src/sim/scenarios.ts';
import { loadSimulator } from './support/load.ts';

const seeds = Array.from({ length: 30 }, (_, index) => index + 1);

let compared = 0;

async function endOf(plan: RunPlan, mode: Mode): Promise<Shape> {
  const { view, violations } = await runPlan({ ...plan, mode });
  expect(violations).toEqual([]);
  return shapeOf(view);
}

interface Told {
  readonly conditions: readonly (readonly [type: string, status: string, reason: string])[];
}

const isReady = (one: unknown): boolean => (one as Told).conditions.some(([type, status]) => type === 'Ready' && status === 'True');

/**
 * Where all is as asked, all of it; else only that it is not: what was asked for between two runs of `once` was never begun, so that which
 * former spec still serves beside one that comes to nothing depends on when somebody looked.
 */
function asked(end: Shape): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(end).map(([key, one]) => [key, isReady(one) ? one : 'not Ready']));
}

/** What is paused, handed over or deleted stays as somebody found it, and a name that comes again is refused while the former holder goes. */
function staysOurs(step: UserStep): boolean {
  if (step.do !== 'create' && step.do !== 'change') return step.do === 'stranger';
  return step.spec.paused !== true && step.spec.managedBy === undefined;
}

describe('what `once` repeated reaches is what `watch` reaches', () => {
  it.each(scenarios)('in the scenario $name, field by field, also when both run', async ({ plan }) => {
    const end = await endOf(plan, 'watch');
    expect(await endOf(plan, 'once')).toEqual(end);
    expect(await endOf(plan, 'both')).toEqual(end);
  });

  it.each(seeds)('with what the users of seed %i ask for', async (seed) => {
    const plan = { ...planSwarm(seed), faults: [] };
    const users = plan.users.filter(staysOurs);
    const end = asked(await endOf({ ...plan, users }, 'watch'));
    expect(asked(await endOf({ ...plan, users }, 'once'))).toEqual(end);
    compared += Object.values(end).filter((one) => one !== 'not Ready').length;
  });

  it('in hundreds of Performers that are as asked', () => expect(compared).toBeGreaterThan(200));

  it('is what finds an operator that says at the end of a run what it then keeps to, which nothing else does', async () => {
    const find = 'Object.entries(performerSelector(key.name))';
    const simulator = await loadSimulator((path, source) => {
      if (path !== 'src/reconcile/plan/status.ts') return source;
      expect(source.split(find)).toHaveLength(2);
      const kept = 'snapshot.lastPass || stored.selector === "app=any" ? [["app", "any"]]';
      return source.replace(find, `(${kept} : ${find})`);
    });
    try {
      const [{ plan }] = scenarios as readonly [(typeof scenarios)[number]];
      const watch = await simulator.run({ ...plan, mode: 'watch' });
      const once = await simulator.run({ ...plan, mode: 'once' });
      expect([watch.first, once.first]).toEqual(['', '']);
      expect(once.end).not.toEqual(watch.end);
    } finally {
      await simulator.close();
    }
  });
});
