import { describe, expect, it } from 'vitest';
import { labels } from '../../src/api/v1alpha1/naming.ts';
import { type Shape, shapeOf } from '../../src/oracle/differential.ts';
import { viewPerformer } from '../../src/reconcile/observe.ts';
import { runPlan } from '../../src/sim/run.ts';
import { type Mode, planSwarm, type RunPlan, type UserStep } from '../../src/sim/run-plan.ts';
import { scenarios } from '../../src/sim/scenarios.ts';
import { loadSimulator } from './support/load.ts';

const seeds = Array.from({ length: 30 }, (_, index) => index + 1);

const compared = { ready: 0, others: 0, whole: 0 };

interface Told {
  readonly pods: readonly { readonly marks: Readonly<Record<string, string>> }[];
  readonly status: object;
  readonly conditions: readonly (readonly [type: string, status: string, reason: string])[];
}

interface End {
  readonly shape: Shape;
  /** By Performer: the revision of what is asked for. */
  readonly newest: ReadonlyMap<string, string>;
}

async function endOf(plan: RunPlan, mode: Mode): Promise<End> {
  const { view, violations } = await runPlan({ ...plan, mode });
  expect(violations).toEqual([]);
  return { shape: shapeOf(view), newest: new Map([...view.performers].map(([key, one]) => [key, viewPerformer(one).revision])) };
}

const holds = (one: Told, type: string): boolean => one.conditions.some(([is, status]) => is === type && status === 'True');

/**
 * What two ends must have in common. What was asked for between two runs of `once` was never begun, so which former spec served, or serves
 * still beside a newest one that comes to nothing, depends on when somebody looked. Hence two masks for what is not Ready: the revision that
 * served last is no matter; and where a former spec serves at either end, its pods are none, nor what tells of them (the status, Available), nor
 * how many of the newest found room beside them, nor whether what they wait for is called a surge.
 */
function common({ shape, newest }: End, other: End): Readonly<Record<string, unknown>> {
  const of = (end: Shape, key: string): Told | undefined => end[key] as unknown as Told | undefined;
  const tell = (key: string): unknown => {
    const [one, another] = [of(shape, key), of(other.shape, key)];
    if (one === undefined || holds(one, 'Ready')) return one;
    const { revision: _servedLast, ...status } = one.status as { readonly revision?: string };
    if (!holds(one, 'Available') && (another === undefined || !holds(another, 'Available'))) return { ...one, status };
    const { pods, status: _ofFormer, conditions, ...rest } = one;
    const ofNewest = pods.filter(({ marks }) => marks[labels.revision] === newest.get(key)).map((pod) => JSON.stringify(pod));
    const said = conditions.filter(([type]) => type !== 'Available').map(([type, is, why]) => [type, is, why.replace(/^Surge/, '')]);
    return { ...rest, pods: [...new Set(ofNewest)], conditions: said };
  };
  return Object.fromEntries(Object.keys(shape).map((key) => [key, tell(key)]));
}

/** What is paused, handed over or deleted stays as somebody found it, and a name that comes again is refused while the former holder goes. */
function staysOurs(step: UserStep): boolean {
  if (step.do !== 'create' && step.do !== 'change') return step.do === 'stranger';
  return step.spec.paused !== true && step.spec.managedBy === undefined;
}

describe('what `once` repeated reaches is what `watch` reaches', () => {
  it.each(scenarios)('in the scenario $name, field by field, also when both run', async ({ plan }) => {
    const { shape } = await endOf(plan, 'watch');
    expect((await endOf(plan, 'once')).shape).toEqual(shape);
    expect((await endOf(plan, 'both')).shape).toEqual(shape);
  });

  it.each(seeds)('with what the users of seed %i ask for', async (seed) => {
    const plan = { ...planSwarm(seed), faults: [] };
    const users = plan.users.filter(staysOurs);
    const [watch, once] = [await endOf({ ...plan, users }, 'watch'), await endOf({ ...plan, users }, 'once')];
    expect(common(once, watch)).toEqual(common(watch, once));
    for (const one of Object.values(watch.shape) as unknown as Told[]) {
      compared[holds(one, 'Ready') ? 'ready' : 'others'] += 1;
      if (!holds(one, 'Available')) compared.whole += 1;
    }
  });

  it('in hundreds of Performers that are as asked, and in many that are not', () => {
    expect(compared.ready).toBeGreaterThan(200);
    expect(compared.others).toBeGreaterThan(100);
    expect(compared.whole).toBeGreaterThan(80);
  });

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
