import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/bench/bench-report.ts';
import { type CompareRow, caveats, compareSides, remarksOn, type Side } from '../../../src/bench/compare.ts';
import { type MadeRun, makeBenchReport } from '../../support/bench-reports.ts';

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const side = (report: BenchReport, subject = 'ours'): Side => ({ report, subject });
const create = ['create-2-per-second'];
const find = (rows: readonly CompareRow[], measure: CompareRow['measure']): CompareRow | undefined =>
  rows.find((row) => row.measure === measure);
const isWorse = (rows: readonly CompareRow[]): boolean => rows.some(({ verdict }) => verdict === 'worse');
const run = (change: Partial<MadeRun> = {}): BenchReport => makeBenchReport({ seed: 1, scenarios: create, ...change });

describe('two operators of one run', () => {
  const slow = [{ name: 'ours' }, { name: 'planted', msPerWrite: 10 }];

  it.each([5, 10])('are told apart 20 times of 20 in %i rounds when one is 10 ms slower per write', (rounds) => {
    const found = seeds(20).filter((seed) => {
      const report = run({ seed, rounds, subjects: slow });
      return find(compareSides(side(report), side(report, 'planted')), 'p50')?.verdict === 'worse';
    });
    expect(found).toHaveLength(20);
  });

  it.each([
    { rounds: 3, runs: 300 },
    { rounds: 5, runs: 300 },
    { rounds: 10, runs: 20 },
  ])('that are the same are flagged at most once in 20 comparisons of all loads, in $rounds rounds', ({ rounds, runs }) => {
    const flagged = seeds(runs).filter((seed) => {
      const report = makeBenchReport({ seed, rounds, subjects: [{ name: 'ours' }, { name: 'again' }] });
      return isWorse(compareSides(side(report), side(report, 'again')));
    });
    expect(flagged.length).toBeLessThanOrEqual(runs / 20);
  });

  it('are better one way and worse the other', () => {
    const report = run({ subjects: slow });
    expect(find(compareSides(side(report, 'planted'), side(report)), 'p50')?.verdict).toBe('better');
  });

  it('differ in what they write, which one counted round shows', () => {
    const report = run({ subjects: [{ name: 'ours' }, { name: 'chatty', writes: 4 }] });
    const row = find(compareSides(side(report), side(report, 'chatty')), 'operatorWrites');
    expect(row).toMatchObject({ before: 3, after: 4, n: 1, verdict: 'worse' });
  });

  it('are the same where a count differs by what comes and goes beside them', () => {
    const few = ['delete-serial'];
    const report = run({ scenarios: few });
    const more = (block: BenchReport['blocks'][number]) => ({ ...block, etcdWrites: (block.etcdWrites ?? 0) + 9 });
    const row = find(compareSides(side(report), side({ ...report, blocks: report.blocks.map(more) })), 'etcdWrites');
    expect(row?.ratio).toBeGreaterThan(1.03);
    expect(row?.verdict).toBe('same');
  });

  it('are told of where one did not carry out all that was asked for', () => {
    const report = run();
    const blocks = report.blocks.map((block) =>
      block.kind === 'timed' && block.round === 1 ? { ...block, doneAtMs: block.doneAtMs.slice(1) } : block,
    );
    expect(caveats({ ...report, blocks })).toContain('unfinished: create-2-per-second, ours, round 2: 1 of 80');
    const rows = compareSides(side(report), side({ ...report, blocks }));
    expect(find(rows, 'unfinished')?.verdict).not.toBe('same');
    // Those that were carried out say nothing of all.
    expect(find(rows, 'p99')?.n).toBe(4);
  });
});

describe('two runs', () => {
  const subjects = [{ name: 'ours' }, { name: 'floor' }];
  const later = (seed: number, msPerWrite: number, machineSlowness: number): BenchReport =>
    run({ seed: seed + 1_000, machineSlowness, subjects: [{ name: 'ours', msPerWrite }, { name: 'floor' }] });

  it('on a machine that got half as fast are the same once corrected by what did not change', () => {
    const flagged = seeds(20).filter((seed) =>
      isWorse(compareSides(side(run({ seed, subjects })), side(later(seed, 0, 2)), { control: 'floor' })),
    );
    expect(flagged.length).toBeLessThanOrEqual(1);
    expect(isWorse(compareSides(side(run({ subjects })), side(later(1, 0, 2))))).toBe(true);
  });

  it('show a planted slow-down 20 times of 20 though the machine got faster', () => {
    const found = seeds(20).filter((seed) =>
      isWorse(compareSides(side(run({ seed, subjects })), side(later(seed, 10, 0.9)), { control: 'floor' })),
    );
    expect(found).toHaveLength(20);
  });

  it('with loads of different size are not judged', () => {
    const smaller = run();
    const rows = compareSides(side(run()), side({ ...smaller, blocks: smaller.blocks.map((block) => ({ ...block, performers: 20 })) }));
    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['not judged']));
    expect(rows[0]?.because).toBe('loads of 80 and 20 Performers');
  });

  it('of one round are not judged in what is timed', () => {
    const rows = compareSides(side(run({ rounds: 1 })), side(run({ rounds: 1, seed: 2, subjects: [{ name: 'ours', msPerWrite: 50 }] })));
    expect(find(rows, 'p50')).toMatchObject({ verdict: 'not judged', because: 'one round' });
  });

  it('of which one does not finish are not the same, however fast it is', () => {
    const report = run({ seed: 2 });
    const blocks = report.blocks.map((block) => ({ ...block, doneAtMs: block.doneAtMs.slice(1) }));
    expect(find(compareSides(side(run()), side({ ...report, blocks })), 'unfinished')?.verdict).toBe('worse');
  });

  it('are paired without the blocks that are void', () => {
    const report = run({ seed: 2 });
    const blocks = report.blocks.map((block) => (block.round === 0 ? { ...block, voidBecause: 'the generator was the limit' } : block));
    expect(find(compareSides(side(run()), side({ ...report, blocks })), 'p50')?.n).toBe(4);
  });

  it('are told apart by machine, cluster and versions before anything is said of them', () => {
    const other = run();
    const changed = { ...other, machine: { ...other.machine, cores: 8 }, cluster: { profile: 'node-like', etcdFsync: true } };
    expect(remarksOn(side(run()), side(changed))).toEqual([
      'machine differs: 2 × Example CPU, then 8 × Example CPU',
      'cluster differs: instant, then node-like',
    ]);
  });
});

it('nothing is claimed below what an operator differs by from itself', () => {
  const twins = run({
    seed: 3,
    subjects: [
      { name: 'ours', command: 'run' },
      { name: 'again', command: 'run' },
    ],
  });
  const slower = {
    ...twins,
    blocks: twins.blocks.map((block) => (block.subject === 'again' && block.round === 0 ? stretch(block, 3) : block)),
  };
  const planted = run({ subjects: [{ name: 'ours' }, { name: 'planted', msPerWrite: 10 }] });
  const row = find(compareSides(side(planted), side(planted, 'planted'), { noise: [slower] }), 'p50');
  expect(row?.claimFrom).toBeGreaterThan(2.5);
  expect(row?.verdict).toBe('same');
});

describe('what a report says of itself', () => {
  it('names why it is partial, what is void and what could not be measured', () => {
    const report = run();
    const blocks = report.blocks.map((block, index) => (index === 0 ? { ...block, voidBecause: 'k6 was killed' } : block));
    expect(caveats({ ...report, blocks, partialBecause: 'interrupted', notMeasurable: ['calls'] })).toEqual([
      'partial: interrupted',
      'void: create-2-per-second, ours, round 1: k6 was killed',
      'not measurable here: calls',
    ]);
  });

  it('names a load that got slower from round to round', () => {
    const report = run();
    const blocks = report.blocks.map((block) => stretch(block, 4 ** block.round));
    expect(caveats({ ...report, blocks })[0]).toMatch(/^drift: create-2-per-second, p50 \+/);
  });
});

function stretch(block: BenchReport['blocks'][number], factor: number): BenchReport['blocks'][number] {
  const phases = Object.fromEntries(Object.entries(block.phases).map(([name, values]) => [name, values.map((value) => value * factor)]));
  return { ...block, phases };
}

describe('what one run measured and the other did not', () => {
  const whole = makeBenchReport({ seed: 1, scenarios: ['create-2-per-second', 'burst-200'] });
  const lost = (blocks: (block: BenchReport['blocks'][number]) => readonly BenchReport['blocks'][number][]): readonly CompareRow[] =>
    compareSides(side(whole), side({ ...whole, blocks: whole.blocks.flatMap(blocks) })).filter(({ isLost }) => isLost === true);

  it.each([
    { name: 'a scenario that did not run', blocks: (block) => (block.scenario === 'burst-200' ? [] : [block]), scenarios: ['burst-200'] },
    {
      name: 'a scenario whose blocks are void',
      blocks: (block) => [block.scenario === 'burst-200' ? { ...block, voidBecause: 'the generator was the limit' } : block],
      scenarios: ['burst-200'],
    },
    {
      name: 'writes that were not counted',
      blocks: (block) => (block.kind === 'counted' ? [] : [block]),
      scenarios: ['create-2-per-second', 'burst-200'],
    },
  ] satisfies readonly {
    readonly name: string;
    readonly blocks: Parameters<typeof lost>[0];
    readonly scenarios: readonly string[];
  }[])('is lost: $name', ({ blocks, scenarios }) => {
    const rows = lost(blocks);
    expect([...new Set(rows.map(({ scenario }) => scenario))].toSorted()).toEqual(scenarios.toSorted());
    for (const row of rows) expect(row).toMatchObject({ verdict: 'not judged', because: 'measured before, and in no round after' });
  });

  it('is not what neither measured', () => {
    expect(lost((block) => [block])).toEqual([]);
  });
});
