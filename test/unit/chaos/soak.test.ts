import { describe, expect, it } from 'vitest';
import { chooseExperiments, lastsIn } from '../../../chaos/experiments/catalogue.ts';
import { countOutside, describeSoak, planSoakStep } from '../../../chaos/soak.ts';
import { formatChaos, overallVerdict, toJUnitCases } from '../../../chaos/table.ts';
import { makeChaosReport, makeChaosRun as run } from '../../support/chaos-reports.ts';
import { call } from './support.ts';

const experiments = chooseExperiments('soak');
const steps = (seed: number, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => planSoakStep(experiments, seed, from + at));

describe('a random walk', () => {
  it('is the same for the same seed, whichever step it begins with', () => {
    expect(steps(7, 5, 20)).toEqual(steps(7, 1, 20).slice(4));
    expect(planSoakStep(experiments.toReversed(), 7, 5)).toEqual(planSoakStep(experiments, 7, 5));
    expect(steps(8, 1, 20)).not.toEqual(steps(7, 1, 20));
  });

  it('leaves out what takes minutes to set up or to see, unless it is named', () => {
    expect(experiments.filter(({ walks }) => walks === false)).toEqual([]);
    expect(chooseExperiments('soak', ['C16']).map(({ id }) => id)).toEqual(['C16']);
  });

  it('comes to every fault, for no longer than its whole window, and pauses before', () => {
    const walk = steps(1, 1, 200);
    expect(new Set(walk.map(({ experiment }) => experiment.id)).size).toBe(experiments.length);
    for (const { experiment, pauseMs } of walk) {
      const { lastsMs } = experiments.find(({ id }) => id === experiment.id) ?? experiment;
      expect(lastsIn(experiment, 'soak')).toBeGreaterThanOrEqual(lastsMs.smoke ?? 0);
      expect(lastsIn(experiment, 'soak')).toBeLessThanOrEqual(lastsMs.full);
      expect(pauseMs).toBeLessThanOrEqual(10_000);
    }
  });
});

describe('tasks outside of faults', () => {
  const { times } = run('passed');
  const { convergedMs: _, ...unended } = times;

  it.each([
    { name: 'before one', task: call(3_900, 'a-0'), sent: 1 },
    { name: 'not those that it met on their way', task: call(3_998, undefined), sent: 0 },
    { name: 'not those sent before all was as asked', task: call(12_000, 'a-1'), sent: 0 },
    { name: 'those after that', task: call(12_001, 'a-1'), sent: 1 },
  ])('are $name', ({ task, sent }) => {
    expect(countOutside([task], [{ times }]).sent).toBe(sent);
  });

  it('begin with the end of an experiment that never came back', () => {
    expect(countOutside([call(19_000, undefined), call(20_001, undefined)], [{ times: unended }])).toEqual({ sent: 1, failed: 1 });
  });
});

describe('what a soak comes to', () => {
  const report = (verdicts: readonly ('passed' | 'failed' | 'inconclusive')[], failed: number, more = {}) =>
    makeChaosReport(
      verdicts.map((verdict, round) => run(verdict, { round })),
      { suite: 'soak', seed: 7, soak: { minutes: 5, fromStep: 1, outside: { sent: 10_000, failed } }, ...more },
    );

  it.each([
    { name: 'passed', of: report(['passed', 'inconclusive', 'passed'], 10), is: 'passed' },
    { name: 'failed by a step', of: report(['passed', 'failed'], 0), is: 'failed' },
    { name: 'failed by tasks that no fault had met', of: report(['passed'], 11), is: 'failed' },
    { name: 'open when most steps are', of: report(['passed', 'inconclusive'], 0), is: 'inconclusive' },
    { name: 'open when it was interrupted', of: report(['passed'], 0, { partialBecause: 'it was interrupted' }), is: 'inconclusive' },
    { name: 'open when it had no step', of: report([], 0), is: 'inconclusive' },
  ])('is $name', ({ of, is }) => {
    expect(overallVerdict(of)).toBe(is);
    expect(toJUnitCases(of).filter(({ failure }) => failure !== undefined).length > 0).toBe(is !== 'passed');
  });

  it('is told with its violations by step, and with how to do one again', () => {
    const text = formatChaos(report(['passed', 'failed'], 10));
    expect(text).toContain('seed 7, steps 1 to 2: violations 1, 0 of 2 steps inconclusive');
    expect(text).toContain('10000 tasks, 10 failed: 99.900 % answered');
    expect(text).toContain('step 2, C1: S1 ns/alpha: two pods serve');
    expect(text).toContain('--seed 7 --minutes 1 --from-step STEP');
  });

  it('has no share of nothing', () => {
    const empty = { minutes: 5, fromStep: 1, outside: { sent: 0, failed: 0 } };
    expect(describeSoak(makeChaosReport([]), empty)).toContain('0 tasks, 0 failed: 0.000 %');
  });
});
