import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/bench/bench-report.ts';
import { controlPlaneGoals, goalFigures } from '../../../src/bench/goals.ts';
import { goalCases } from '../../../src/bench/report/tables.ts';
import { type Goal, goalVerdict, isWithinNoise } from '../../../src/bench/report.ts';
import { type MadeSubject, makeBenchReport } from '../../support/bench-reports.ts';

const others: readonly MadeSubject[] = [{ name: 'floor' }, { name: 'controller-runtime-tuned', slowness: 1.8, writes: 6 }];
const made = (ours: Omit<MadeSubject, 'name'>): BenchReport =>
  makeBenchReport({
    seed: 5,
    subjects: [{ name: 'ours', ...ours }, ...others],
    scenarios: ['create-2-per-second', 'burst-200', 'burst-1000', 'update-serial'],
  });
const goal = (report: BenchReport, what: string): Goal | undefined => controlPlaneGoals(report).find((one) => one.what === what);

describe('the goals of the control plane', () => {
  const near = made({ slowness: 1.02 });
  const far = made({ slowness: 1.5, writes: 5 });

  it.each([
    'create at 2/s, p50 : floor',
    'create at 2/s, p50 : controller-runtime-tuned',
    'burst of 200, all ready : floor',
    'burst of 200, all ready : controller-runtime-tuned',
    'writes per create, burst of 200',
    'etcd writes per create beyond floor, burst of 200',
    'operator CPU per create, burst of 200',
    'operator peak RSS at 200',
  ])('%s: met by an operator near the bare loop', (what) => {
    expect(goalVerdict(goal(near, what) as Goal)).toBe('met');
  });

  it.each([
    'create at 2/s, p50 : floor',
    'burst of 200, all ready : floor',
    'burst of 200, all ready : controller-runtime-tuned',
    'writes per create, burst of 200',
    'etcd writes per create beyond floor, burst of 200',
    'control-plane CPU per create, burst of 200 : floor',
  ])('%s: missed by one half slower that writes five times', (what) => {
    expect(goalVerdict(goal(far, what) as Goal)).toBe('MISSED');
  });

  it('are figures with the pairs and the interval they come from', () => {
    expect(goal(near, 'create at 2/s, p50 : floor')?.note).toMatch(/^n 5, 99 %: [\d.]+…[\d.]+$/);
    expect(goal(far, 'writes per create, burst of 200')?.measured).toBe(5);
    expect(goal(near, 'image change, without a ready pod, p50')).toMatchObject({ measured: 0, target: 0 });
  });

  it('are read from single figures of a block by the name they have there', () => {
    const [block] = near.blocks;
    const figures = { 'kill -9 to pod of a new Performer ms': 420 };
    const restarted = { ...near, blocks: block === undefined ? [] : [{ ...block, scenario: 'burst-200', figures }] };
    expect(goal(restarted, 'kill -9 to pod of a new Performer, 200 present')?.measured).toBe(420);
  });

  it('that nothing was measured for are neither met nor missed', () => {
    const alone = makeBenchReport({ seed: 1, rounds: 1, scenarios: ['update-serial'] });
    const verdicts = new Map(controlPlaneGoals(alone).map((one) => [one.what, goalVerdict(one)]));
    expect([...verdicts].filter(([, verdict]) => verdict !== 'not measured')).toEqual([['image change, without a ready pod, p50', 'met']]);
    expect(goalCases(alone).filter(({ skipped }) => skipped === 'not measured')).toHaveLength(verdicts.size - 1);
  });

  it('count for nothing in blocks that are void', () => {
    const blocks = near.blocks.map((block) => ({ ...block, voidBecause: 'the generator was the limit' }));
    expect(new Set(controlPlaneGoals({ ...near, blocks }).map(goalVerdict))).toEqual(new Set(['not measured']));
  });

  it('are told from the other side of noise', () => {
    expect(isWithinNoise(goal(far, 'burst of 200, all ready : floor') as Goal)).toBe(false);
    const [low = 0, high = 0] = goal(near, 'create at 2/s, p50 : floor')?.interval ?? [];
    expect(isWithinNoise({ ...(goal(near, 'create at 2/s, p50 : floor') as Goal), target: (low + high) / 2 })).toBe(true);
  });

  it('ask for the p99 of all requests together, not for the worst of each round', () => {
    const what = 'create at 2/s, p99 : floor';
    const oneSlow = near.blocks.map((block) => {
      const { 'status ready': ready = [], ...phases } = block.phases;
      const isIt = block.subject === 'ours' && block.scenario === 'create-2-per-second' && block.round === 2;
      return isIt ? { ...block, phases: { ...phases, 'status ready': ready.map((ms, at) => (at === 0 ? ms + 60_000 : ms)) } } : block;
    });
    const slowed = goal({ ...near, blocks: oneSlow }, what)?.measured ?? Number.NaN;
    expect(slowed).toBeLessThan(1.5 * (goal(near, what)?.measured ?? Number.NaN));
  });

  it('are as sure of a p99 as the rounds allow, and no surer', () => {
    const rounds = near.blocks.filter(({ round }) => round < 2);
    const [low = 0, high = 0] = goal({ ...near, blocks: rounds }, 'create at 2/s, p99 : floor')?.interval ?? [];
    expect(high / low).toBeGreaterThan(4);
  });

  it('come with the same figures of every operator', () => {
    const figures = new Map(goalFigures(near).map((row) => [row.what, row.figures]));
    expect(figures.get('writes per create, burst of 200')?.map(({ value }) => value)).toEqual([3, 3, 6]);
    const all = figures.get('create at 2/s, p99');
    expect(all?.map(({ n }) => n)).toEqual([400, 400, 400]);
    expect(
      figures.get('burst of 200, all ready')?.every(({ interval = [1, 0], value }) => interval[0] < value && value < interval[1]),
    ).toBe(true);
    expect(figures.has('delete one by one, p50')).toBe(false);
  });
});
