import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../chaos/experiment.ts';
import { chooseExperiments } from '../../../chaos/experiments/catalogue.ts';
import type { ChaosRun } from '../../../chaos/report.ts';
import { checkSamePlan, describePlan, isWhole, missingRuns, type PlanFacts } from '../../../chaos/resume.ts';
import { plainDeployment } from '../../../chaos/subject.ts';
import { makeChaosReport, makeChaosRun } from '../../support/chaos-reports.ts';

const experiments = chooseExperiments('full', ['C1', 'C5', 'C7']);
const run = (id: string, verdict: ChaosRun['verdict'], change: Partial<ChaosRun> = {}): ChaosRun =>
  makeChaosRun(verdict, { id, ...change });
const left = (runs: readonly ChaosRun[], repeat = 1): readonly string[] =>
  missingRuns(experiments, 7, repeat, runs).map(({ experiment, round, attempts }) => `${experiment.id}.${round} ${attempts.join()}`);

describe('missingRuns', () => {
  it('keeps what has a verdict, and leaves the order as it was', () => {
    const all = left([]);
    expect(all.toSorted()).toEqual(['C1.0 1,2', 'C5.0 1,2', 'C7.0 1,2']);
    expect(left([run('C5', 'failed')])).toEqual(all.filter((one) => !one.startsWith('C5')));
    expect(left([run('C1', 'passed'), run('C5', 'failed'), run('C7', 'passed')])).toEqual([]);
  });

  it('has the second attempt left where the first was inconclusive, and none after two', () => {
    const once = [run('C1', 'passed'), run('C5', 'inconclusive'), run('C7', 'passed')];
    expect(left(once)).toEqual(['C5.0 2']);
    expect(left([...once, run('C5', 'inconclusive', { attempt: 2 })])).toEqual([]);
  });

  it('takes each round for itself', () => {
    expect(left([run('C1', 'passed', { round: 1 })], 2)).not.toContain('C1.1 1,2');
    expect(left([run('C1', 'passed', { round: 1 })], 2)).toHaveLength(5);
  });
});

describe('isWhole', () => {
  const leftOut = [{ id: 'C7', title: '', why: 'it has no node' }];
  it.each([
    { name: 'nothing is left', runs: ['C1', 'C5', 'C7'], whole: true },
    { name: 'what is left cannot be done', runs: ['C1', 'C5'], leftOut, whole: true },
    { name: 'one is left', runs: ['C1', 'C5'], whole: false },
    { name: 'nothing was run', runs: [], leftOut: experiments.map(({ id }) => ({ id, title: '', why: '' })), whole: false },
  ])('$name: $whole', ({ runs, leftOut: out, whole }) => {
    const report = makeChaosReport(
      runs.map((id) => run(id, 'passed')),
      out === undefined ? {} : { leftOut: out },
    );
    expect(isWhole(report, experiments)).toBe(whole);
  });
});

describe('a run goes on', () => {
  const facts = (change: Partial<PlanFacts> = {}): PlanFacts => ({
    ...makeChaosReport([], { plan: describePlan(experiments, plainDeployment), versions: { node: '24.0.0' } }),
    cluster: { server: 'https://10.0.0.1', timers: 'fast', isOwn: true },
    ...change,
  });
  const lengthened = experiments.map((one): Experiment => ({ ...one, lastsMs: { full: one.lastsMs.full + 1 } }));

  it.each([
    { name: 'other experiments', now: facts({ plan: describePlan(experiments.slice(1), plainDeployment) }), says: 'C1,C5,C7 and is C5,C7' },
    { name: 'an experiment that became another', now: facts({ plan: describePlan(lengthened, plainDeployment) }), says: 'the catalogue' },
    { name: 'another suite', now: facts({ suite: 'full' }), says: 'the suite was smoke and is full' },
    { name: 'another seed', now: facts({ seed: 2 }), says: 'the seed was 1 and is 2' },
    { name: 'another subject', now: facts({ subject: 'deployment' }), says: 'the subject was ours and is deployment' },
    {
      name: 'what installs it changed',
      now: facts({ plan: describePlan(experiments, { ...plainDeployment, manifests: ['a'] }) }),
      says: 'what installs the subject',
    },
    { name: 'other versions', now: facts({ versions: { node: '25.0.0' } }), says: 'node was 24.0.0 and is 25.0.0' },
    {
      name: 'other timers',
      now: facts({ cluster: { server: '', timers: 'stock', isOwn: true } }),
      says: 'its timers was fast and is stock',
    },
    { name: "a user's cluster", now: facts({ cluster: { server: 'https://a' } }), says: 'and is https://a' },
    { name: 'a report from before plans were kept', was: facts({ plan: undefined }), says: 'the list of experiments was absent' },
  ])('not with $name', ({ was = facts(), now = facts(), says }) => {
    expect(() => checkSamePlan(was, now)).toThrow(says);
    expect(() => checkSamePlan(was, now)).toThrow(/in another folder \(--out\)$/);
  });

  it('on a cluster of its own, whatever its address', () => {
    expect(() => checkSamePlan(facts(), facts({ cluster: { server: 'https://10.0.0.2', timers: 'fast', isOwn: true } }))).not.toThrow();
  });
});
