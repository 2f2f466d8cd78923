import { describe, expect, it } from 'vitest';
import { chaosReport } from '../../../chaos/report.ts';
import { formatChaos, overallVerdict, toJUnitCases } from '../../../chaos/table.ts';
import { tallyChaos } from '../../../scripts/suites/chaos.ts';
import { makeChaosReport as report, makeChaosRun as run } from '../../support/chaos-reports.ts';

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

  it('names what was left out, and fails nothing by it', () => {
    const of = report([run('passed')], { leftOut: [{ id: 'C12', title: 'etcd hangs', why: 'it needs a cluster of the testbed' }] });
    expect(formatChaos(of)).toMatch(/C12 +etcd hangs +left out +it needs a cluster of the testbed/);
    expect(toJUnitCases(of).at(-1)).toEqual({
      suite: 'chaos',
      name: 'C12 etcd hangs',
      skipped: 'left out: it needs a cluster of the testbed',
    });
    expect([overallVerdict(of), tallyChaos(JSON.stringify(of), 0).failed]).toEqual(['passed', []]);
  });

  it('can be read back', () => {
    expect(chaosReport.parse(JSON.parse(JSON.stringify(report([run('passed')])))).runs).toHaveLength(1);
  });
});
