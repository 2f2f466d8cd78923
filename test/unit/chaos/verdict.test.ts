import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../chaos/experiment.ts';
import { decide, type Grounds, type Verdict } from '../../../chaos/verdict.ts';

const experiment: Experiment = {
  id: 'C1',
  title: 'a pod is killed',
  fault: { kind: 'pod-kill', graceSeconds: 0 },
  lastsMs: { smoke: 0, full: 0 },
  injector: 'chaos-mesh',
  steady: ['S1'],
  bounds: [
    { goal: '-', figure: 'failed in baseline', atMost: 0, timed: false },
    { goal: 'G1', figure: 'pods created', atMost: 1, timed: false },
    { goal: 'G1', figure: 'fault to replacement ready ms', atMost: 8_000, timed: true },
  ],
  convergesMs: 30_000,
};
const good: Grounds = {
  experiment,
  isJudged: true,
  judgesTimes: true,
  injected: { holds: true, detail: '1 of 1' },
  felt: { atMs: 5, detail: 'it answers no more' },
  recovered: { holds: true, detail: 'all of it' },
  convergedAfterMs: 1_000,
  judgement: { violations: [], evaluated: { S1: 3 }, blind: [] },
  figures: { 'failed in baseline': 0, 'pods created': 1, 'fault to replacement ready ms': 900 },
};
const violation = { oracle: 'S1', atMs: 1, key: 'ns/alpha', message: 'two pods serve' };

describe('decide', () => {
  it.each<{ name: string; change: Partial<Grounds>; verdict: Verdict; why?: string }>([
    { name: 'all holds', change: {}, verdict: 'passed' },
    {
      name: 'its records say that it was not injected',
      change: { injected: { holds: false, detail: 'refused' } },
      verdict: 'inconclusive',
      why: 'refused',
    },
    {
      name: 'nothing was felt of it, whatever its records say',
      change: { felt: { atMs: undefined, detail: 'every task is answered' } },
      verdict: 'inconclusive',
      why: 'every task is answered',
    },
    {
      name: 'it was not taken back',
      change: { recovered: { holds: false, detail: 'by force' } },
      verdict: 'inconclusive',
      why: 'by force',
    },
    {
      name: 'the load failed before there was a fault',
      change: { figures: { ...good.figures, 'failed in baseline': 2 } },
      verdict: 'inconclusive',
      why: '2, at most 0',
    },
    {
      name: 'bystanders lost tasks, and nothing of them had changed',
      change: {
        experiment: { ...experiment, bounds: [{ goal: '-', figure: 'failed of bystander', atMost: 0, timed: false }] },
        figures: { 'failed of bystander': 1, 'failed of bystander, unaccountably': 1 },
      },
      verdict: 'inconclusive',
      why: '1, at most 0, with no change of pods, Service or endpoints before it: the network or the machine lost it',
    },
    {
      name: 'bystanders lost tasks, one of them after something of them had changed',
      change: {
        experiment: { ...experiment, bounds: [{ goal: '-', figure: 'failed of bystander', atMost: 0, timed: false }] },
        figures: { 'failed of bystander': 2, 'failed of bystander, unaccountably': 1 },
      },
      verdict: 'failed',
      why: '2, at most 0',
    },
    {
      name: 'its steady state is told by writes alone, and nobody could see them',
      change: { judgement: { violations: [], evaluated: {}, blind: ['S1'] } },
      verdict: 'passed',
    },
    {
      name: 'its steady state was never put to the test',
      change: { judgement: { violations: [], evaluated: {}, blind: [] } },
      verdict: 'inconclusive',
      why: 'never put to the test: S1',
    },
    {
      name: 'an oracle found something wrong',
      change: { judgement: { ...good.judgement, violations: [violation] } },
      verdict: 'failed',
      why: 'two pods serve',
    },
    {
      name: 'an oracle found something wrong with a fault that was not felt',
      change: { felt: { atMs: undefined, detail: '' }, judgement: { ...good.judgement, violations: [violation] } },
      verdict: 'failed',
    },
    { name: 'it did not become as asked again', change: { convergedAfterMs: undefined }, verdict: 'failed', why: 'not within 30 s' },
    {
      name: 'it did not become as asked again, and nobody took the fault back',
      change: { convergedAfterMs: undefined, recovered: { holds: false, detail: '' } },
      verdict: 'inconclusive',
    },
    { name: 'a count is too high', change: { figures: { ...good.figures, 'pods created': 2 } }, verdict: 'failed', why: '2, at most 1' },
    {
      name: 'nobody was heard who began a task',
      change: { experiment: { ...experiment, bounds: [{ goal: '-', figure: 'tasks begun twice', atMost: 0, timed: false }] } },
      verdict: 'inconclusive',
      why: 'no pod was heard that began a task',
    },
    {
      name: 'a count that bounds it could not be taken, though writes were seen',
      change: { figures: { 'failed in baseline': 0, 'fault to replacement ready ms': 900 } },
      verdict: 'inconclusive',
      why: 'not measured',
    },
    {
      name: 'a count is told by writes alone, and nobody could see them',
      change: {
        experiment: { ...experiment, bounds: [{ goal: 'G2', figure: 'operator writes to pods', atMost: 0, timed: false }] },
        judgement: { ...good.judgement, blind: ['S7'] },
      },
      verdict: 'passed',
    },
    {
      name: 'a count that no write tells of could not be taken, and nobody could see writes',
      change: {
        experiment: { ...experiment, bounds: [{ goal: 'G7', figure: 'answers of a replaced pod', atMost: 0, timed: false }] },
        judgement: { ...good.judgement, blind: ['S7'] },
      },
      verdict: 'inconclusive',
      why: 'not measured',
    },
    {
      name: 'a subject which promises nothing gives nothing to count',
      change: { isJudged: false, figures: { 'failed in baseline': 0, 'fault to replacement ready ms': 900 } },
      verdict: 'passed',
    },
    { name: 'it was too slow', change: { figures: { ...good.figures, 'fault to replacement ready ms': 9_000 } }, verdict: 'failed' },
    {
      name: 'it was too slow where times only stand beside',
      change: { judgesTimes: false, figures: { ...good.figures, 'fault to replacement ready ms': 9_000 } },
      verdict: 'passed',
    },
    {
      name: 'a time that counts could not be taken',
      change: { figures: { 'failed in baseline': 0, 'pods created': 1 } },
      verdict: 'failed',
      why: 'not measured',
    },
    {
      name: 'a time that counts could not be taken on a machine that had nothing left for the load',
      change: { figures: { 'failed in baseline': 0, 'pods created': 1, 'load pause ms': 2_000 } },
      verdict: 'inconclusive',
      why: 'not measured',
    },
    {
      name: 'it was too slow on such a machine, where times only stand beside',
      change: { judgesTimes: false, figures: { ...good.figures, 'fault to replacement ready ms': 9_000, 'load pause ms': 2_000 } },
      verdict: 'passed',
    },
    {
      name: 'a count is too high on a machine that had nothing left for the load',
      change: { figures: { ...good.figures, 'pods created': 2, 'load pause ms': 2_000 } },
      verdict: 'inconclusive',
      why: '2, at most 1',
    },
    {
      name: 'all that speaks against a subject which promises nothing',
      change: {
        isJudged: false,
        convergedAfterMs: undefined,
        figures: { ...good.figures, 'pods created': 2 },
        judgement: { violations: [violation], evaluated: {}, blind: [] },
      },
      verdict: 'passed',
    },
    {
      name: 'a fault that such a subject did not feel',
      change: { isJudged: false, felt: { atMs: undefined, detail: 'not felt' } },
      verdict: 'inconclusive',
      why: 'not felt',
    },
    { name: 'all holds on such a machine', change: { figures: { ...good.figures, 'load pause ms': 2_000 } }, verdict: 'passed' },
  ])('is $verdict when $name', ({ change, verdict, why = '' }) => {
    const decided = decide({ ...good, ...change });
    expect(decided.verdict).toBe(verdict);
    const told = decided.findings.filter(({ says }) => says === (verdict === 'failed' ? 'fails' : 'unsure')).map(({ detail }) => detail);
    if (why !== '') expect(told).toEqual([why]);
  });
});
