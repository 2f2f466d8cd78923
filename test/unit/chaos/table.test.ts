import { describe, expect, it } from 'vitest';
import { type ChaosReport, type ChaosRun, chaosReport } from '../../../chaos/report.ts';
import { formatChaos, overallVerdict, toJUnitCases } from '../../../chaos/table.ts';
import { tallyChaos } from '../../../scripts/suites/chaos.ts';

const run = (verdict: ChaosRun['verdict'], change: Partial<ChaosRun> = {}): ChaosRun => ({
  id: 'C1',
  title: 'a pod is killed',
  round: 0,
  attempt: 1,
  injector: 'chaos-mesh',
  target: { performer: 'alpha', pods: ['a-0'], nodes: [] },
  times: { beganMs: 0, askedMs: 4_000, feltMs: 4_100, healedMs: 4_100, endedMs: 20_000 },
  verdict,
  findings: [
    { what: 'felt where it acts', says: verdict === 'inconclusive' ? 'unsure' : 'holds', detail: 'every task is answered' },
    { what: 'S1 ns/alpha', says: verdict === 'failed' ? 'fails' : 'holds', detail: 'two pods serve' },
  ],
  goals: [{ goal: 'G1', figure: 'pods created', atMost: 1, timed: false, measured: 1 }],
  evaluated: { S1: 2 },
  load: [],
  pods: [],
  conditions: [],
  ...change,
});
const report = (runs: readonly ChaosRun[], change: Partial<ChaosReport> = {}): ChaosReport => ({
  version: 1,
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt: '2026-01-01T00:10:00Z',
  suite: 'smoke',
  seed: 1,
  repeat: 1,
  judgesTimes: false,
  machine: { cpu: 'some', cores: 2, memoryBytes: 1, system: 'Linux' },
  versions: {},
  cluster: { server: 'https://127.0.0.1:1', nodes: 3 },
  load: { perSecond: 5, deadlineMs: 3_000 },
  runs: [...runs],
  ...change,
});
const again = [run('inconclusive'), run('passed', { attempt: 2 })];
const twice = [run('inconclusive'), run('inconclusive', { attempt: 2 })];

describe('what a run comes to', () => {
  it.each([
    { name: 'passed when all did', of: report([run('passed')]), verdict: 'passed', exit: 0, passed: 1, failed: 0 },
    {
      name: 'failed when one did',
      of: report([run('passed'), run('failed', { id: 'C2a' })]),
      verdict: 'failed',
      exit: 3,
      passed: 1,
      failed: 1,
    },
    { name: 'by its second attempt', of: report(again), verdict: 'passed', exit: 0, passed: 1, failed: 0 },
    { name: 'inconclusive when both attempts were', of: report(twice), verdict: 'inconclusive', exit: 4, passed: 0, failed: 1 },
    { name: 'inconclusive when nothing was run', of: report([]), verdict: 'inconclusive', exit: 4, passed: 0, failed: 1 },
    {
      name: 'inconclusive when not all was run',
      of: report([run('passed')], { partialBecause: 'it was interrupted' }),
      verdict: 'inconclusive',
      exit: 4,
      passed: 1,
      failed: 1,
    },
  ])('is $name', ({ of, verdict, exit, passed, failed }) => {
    expect(overallVerdict(of)).toBe(verdict);
    const tally = tallyChaos(JSON.stringify(of), exit);
    expect([tally.passed, tally.failed.length]).toEqual([passed, failed]);
  });

  it('is a failure where there is no report', () => {
    expect(tallyChaos(undefined, 1).failed).toEqual(['chaos: it wrote no report (exit code 1)']);
  });
});

describe('what is told of a run', () => {
  it('has its verdicts with their reasons, and its goals', () => {
    const text = formatChaos(report([run('failed')]));
    expect(text).toMatch(/C1 +a pod is killed +failed +20 s +S1 ns\/alpha: two pods serve/);
    expect(text).toMatch(/G1 +C1 +pods created +1 +1 +1 +1 +met/);
  });

  it('names an attempt that was run again as skipped, and says why', () => {
    expect(toJUnitCases(report(again))).toEqual([
      { suite: 'chaos', name: 'C1 a pod is killed', skipped: 'inconclusive: felt where it acts: every task is answered' },
      { suite: 'chaos', name: 'C1 a pod is killed (again)' },
    ]);
  });

  it('can be read back', () => {
    expect(chaosReport.parse(JSON.parse(JSON.stringify(report([run('passed')])))).runs).toHaveLength(1);
  });
});
