import { describe, expect, it } from 'vitest';
import { chooseExperiments, experiments, lastsIn } from '../../../chaos/experiments/catalogue.ts';
import { feelLimitMs, onTimers } from '../../../chaos/experiments/timers.ts';
import { timersOf } from '../../../src/testbed/nodes/node-plan.ts';

/** What waits for a node to be given up. */
const awaited = /^fault to (?:loss said|first answer of another pod) ms$/;
const aboutNodes = experiments.filter(({ bounds }) => bounds.some(({ figure }) => awaited.test(figure)));

describe('an experiment', () => {
  it('is that of the catalogue under fast timers, and everywhere where no node is lost', () => {
    for (const one of experiments) expect(onTimers(one, 'fast')).toBe(one);
    for (const one of experiments.filter(({ id }) => !/^C[678]/.test(id))) expect(onTimers(one, 'stock')).toBe(one);
  });

  it.each(['fast', 'stock'] as const)('outlasts, under %s timers, the time in which a node is given up, and allows for it', (timers) => {
    const lostMs = timersOf[timers].graceS * 1_000;
    expect(aboutNodes.length).toBeGreaterThan(2);
    for (const one of aboutNodes.map((experiment) => onTimers(experiment, timers))) {
      for (const suite of ['smoke', 'full'] as const) expect(lastsIn(one, suite), one.id).toBeGreaterThan(lostMs + 10_000);
      for (const { figure, atMost } of one.bounds.filter((bound) => awaited.test(bound.figure))) {
        expect(atMost, `${one.id} ${figure}`).toBeGreaterThan(lostMs);
        expect(atMost, `${one.id} ${figure}`).toBeLessThan(lastsIn(one, 'smoke'));
      }
    }
  });

  it.each(['fast', 'stock'] as const)('has time, under %s timers, until a kubelet no longer says that its disk is full', (timers) => {
    const [diskFull] = chooseExperiments('full', ['C7g']).map((one) => onTimers(one, timers));
    // Kubelets of Kubernetes 1.35 wait for five minutes unless they are told otherwise.
    expect(diskFull?.convergesMs).toBeGreaterThan((timersOf[timers].pressureS ?? 300) * 1_000 + 60_000);
  });

  it.each(['fast', 'stock'] as const)('may take, under %s timers, as long to be felt as a node takes to be silent', (timers) => {
    // Half of its Lease, after a word that may have come just before.
    expect(feelLimitMs[timers]).toBeGreaterThan(timersOf[timers].leaseS * 500 + timersOf[timers].statusUpdateS * 1_000);
  });
});
