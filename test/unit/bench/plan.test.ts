import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/bench/bench-report.ts';
import type { BlockPlan } from '../../../src/bench/block.ts';
import { controlPlaneGoals } from '../../../src/bench/goals.ts';
import { describeLeftOut, formatPlan, planBlocks, planRun } from '../../../src/bench/plan.ts';
import { goalVerdict } from '../../../src/bench/report.ts';
import { afterwardsOf, chooseScenarios, scenarios } from '../../../src/bench/scenarios.ts';
import { createRandom } from '../../../src/lib/seeded-random.ts';
import { makeBenchReport } from '../../support/bench-reports.ts';

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

describe('a full run', () => {
  const peers = ['ours', 'controller-runtime', 'controller-runtime-tuned', 'floor'].map((name) => ({ name, command: name }));
  const { timed, counted } = planRun({ scenarios: chooseScenarios([], 'full'), subjects: peers, rounds: 5, seed: 1, isOurs: true });

  it('measures every goal but the one of 10,000, for which a run of its own is made', () => {
    const goals = controlPlaneGoals(fullReport([...timed, ...counted]));
    expect(goals.filter((goal) => goalVerdict(goal) === 'not measured').map(({ what }) => what)).toEqual(['operator peak RSS at 10,000']);
  });

  it('has five rounds where a verdict needs them, and takes about an hour with four operators', () => {
    const rounds = (name: string): number => new Set(timed.filter(({ scenario }) => scenario.name === name).map(({ round }) => round)).size;
    expect(['create-2-per-second', 'burst-200', 'delete-serial', 'delete-at-once'].map(rounds)).toEqual([5, 5, 5, 5]);
    const minutes = Number(/about (\d+) min/.exec(formatPlan({ timed, counted }))?.[1]);
    expect(minutes).toBeLessThanOrEqual(60);
  });

  it('spares the bare loop what it cannot do, and says so', () => {
    const updates = timed.filter(({ scenario }) => scenario.script === 'update').map(({ subject }) => subject.name);
    expect(new Set(updates)).toEqual(new Set(['ours', 'controller-runtime', 'controller-runtime-tuned']));
    const left = describeLeftOut({ scenarios: chooseScenarios([], 'full'), subjects: peers });
    expect(left).toEqual(['update-serial of floor: it takes no notice of a changed spec']);
  });

  it('spares the bare loop without Services the deletions, too', () => {
    const subjects = ['floor-headless', 'floor-without-service'].map((name) => ({ name, command: name }));
    expect(
      describeLeftOut({ scenarios: chooseScenarios(['burst-200', 'delete-serial', 'update-serial', 'churn'], 'usual'), subjects }),
    ).toEqual([
      'delete-serial of floor-without-service: no Service of it ever goes',
      'update-serial of floor-headless: it takes no notice of a changed spec',
      'update-serial of floor-without-service: it takes no notice of a changed spec',
      'churn of floor-without-service: no Service of it ever goes',
    ]);
  });

  it('counts nothing on a cluster of somebody else', () => {
    expect(planRun({ scenarios, subjects: peers, rounds: 1, seed: 1, isOurs: false }).counted).toEqual([]);
  });
});

/** As those blocks would tell it. */
function fullReport(plans: readonly BlockPlan[]): BenchReport {
  const kinds = new Map(plans.map(({ scenario, kind }) => [`${scenario.name} ${kind}`, scenario]));
  const subjects = ['ours', 'controller-runtime', 'controller-runtime-tuned', 'floor'].map((name) => ({ name }));
  const made = makeBenchReport({ seed: 3, subjects, scenarios: [...new Set(plans.map(({ scenario }) => scenario.name))] });
  const told: Readonly<Record<string, string>> = {
    rest: 'rest: operator writes per Performer and minute',
    restart: 'kill -9 to pod of a new Performer ms',
    delete: 'all deleted ms',
  };
  const blocks = made.blocks.flatMap((block) => {
    const scenario = kinds.get(`${block.scenario} ${block.kind}`);
    if (scenario === undefined) return [];
    const name = told[afterwardsOf(scenario, block.kind) ?? ''];
    return [{ ...block, figures: name === undefined ? {} : { [name]: 1 } }];
  });
  return { ...made, blocks };
}

describe('the choice of scenarios', () => {
  it('makes the quick ones small, and leaves the full ones alone', () => {
    const quick = chooseScenarios([], 'quick');
    expect(quick.length).toBeGreaterThan(0);
    expect(quick.every(({ count }) => count <= 50)).toBe(true);
    expect(chooseScenarios(['all', 'scale'], 'full')).toEqual(scenarios.filter(({ onNodes, alone }) => onNodes !== true && alone !== true));
    expect(chooseScenarios(['once-10000'], 'full').map(({ present }) => present)).toEqual([9_960]);
    expect(chooseScenarios(['scale'], 'quick').map(({ present }) => present)).toEqual([100, 300, 1_000, 3_000, 10_000]);
  });

  it.each([
    { name: 'once-100', named: 'once-20', count: 20 },
    { name: 'create-2-per-second', named: 'create-2-per-second-20', count: 20 },
    { name: 'delete-serial', named: 'delete-serial', count: 20 },
    { name: 'burst-50', named: 'burst-50', count: 50 },
  ])('names a quick $name after what runs: $named', ({ name, named, count }) => {
    expect(chooseScenarios([name], 'quick')).toMatchObject([{ name: named, count }]);
  });

  it('takes on real nodes those that are meant for them, and refuses them elsewhere', () => {
    expect(chooseScenarios([], 'usual', true)).toEqual(scenarios.filter(({ onNodes }) => onNodes === true));
    expect(chooseScenarios(['burst-50'], 'usual', true).map(({ name }) => name)).toEqual(['burst-50']);
    const stranded = (): unknown => chooseScenarios(['nodes-create-serial'], 'usual');
    expect(stranded).toThrow('scenario nodes-create-serial: it needs pods that really run; give --profile nodes');
  });

  it('takes those that are named, and refuses a name that is none', () => {
    expect(chooseScenarios(['burst-200'], 'usual').map(({ name }) => name)).toEqual(['burst-200']);
    expect(() => chooseScenarios(['burst-7'], 'usual')).toThrow(/scenario burst-7: there are all, scale, create-serial, /);
  });

  it('has no two of one name', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});
