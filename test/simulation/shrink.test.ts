import { afterAll, describe, expect, it } from 'vitest';
import { runPlan } from '../../src/sim/run.ts';
import { planSwarm, type RunPlan } from '../../src/sim/run-plan.ts';
import { shrinkPlan } from '../../src/sim/shrink.ts';
import { tellStory } from '../../src/sim/story.ts';
import { loadWith } from './known-bad/load.ts';
import { type KnownBad, mutants } from './known-bad/mutants.ts';
import { planOf } from './known-bad/search.ts';

function mutantOf(called: string): KnownBad {
  const found = mutants.find(({ name }) => name === called);
  if (found === undefined) throw new Error(`no known-bad operator is called ${called}`);
  return found;
}
const simulator = await loadWith(mutantOf('legacy-finalizer-stays'));
const oracle = 'L3';
/** The first seed in which it is found. */
async function planThatFails(): Promise<RunPlan> {
  for (let seed = 1; seed < 100; seed += 1) {
    const plan = planSwarm(seed);
    const hasFinalizer = plan.users.some((step) => step.do === 'create' && step.finalizers !== undefined);
    if (hasFinalizer && (await simulator.run(plan)).oracles.includes(oracle)) return plan;
  }
  throw new Error('no seed finds it');
}
const plan = await planThatFails();
afterAll(() => simulator.close());

describe('a run that is shrunk', () => {
  it('is smaller in every way, violates the same statement, and holds with the real operator', async () => {
    const small = await simulator.shrink(plan, oracle, 80);
    expect((await simulator.run(small)).oracles).toContain(oracle);
    expect(small.faults).toEqual([]);
    expect(small.users.length).toBeLessThan(plan.users.length / 4);
    expect([small.operators, small.fronts, small.nodes]).toEqual([1, 1, 3]);
    expect([small.mode, small.timings, small.clockRate]).toEqual(['watch', 'fast', 1]);
    expect(small.activeMs).toBe(Math.max(...small.users.map(({ atMs }) => atMs)) + 15_000);
    expect((await runPlan(small)).violations).toEqual([]);
  });

  it('has faults that last hardly longer than it takes', async () => {
    const other = await loadWith(mutantOf('recreate-beside-one-that-goes'));
    try {
      const fault = { id: 'pod-unready', atMs: 18_000, forMs: 120_000, draw: 0 } as const;
      const long = planOf({ scenario: 'recreate', fault });
      const [worst = ''] = (await other.run(long)).oracles;
      const small = await other.shrink(long, worst, 60);
      expect((await other.run(small)).oracles).toContain(worst);
      expect(small.faults).toEqual([{ ...fault, forMs: expect.any(Number) }]);
      const [{ forMs }] = small.faults as readonly [typeof fault];
      expect([forMs < 120_000, small.activeMs < long.activeMs]).toEqual([true, true]);
    } finally {
      await other.close();
    }
  });

  it('stays as it is where nothing is violated, and where there is no budget', async () => {
    const shrunk = await shrinkPlan({ ...plan, users: plan.users.slice(0, 2), faults: [] }, oracle, 4);
    expect(shrunk.plan.users).toEqual(plan.users.slice(0, 2));
    expect(shrunk.runs).toBe(4);
    expect(await simulator.shrink(plan, oracle, 1)).toEqual(plan);
  });
});

describe('a run that goes past its limit of events', () => {
  it('is a failure that tells the last of them, and no hang', async () => {
    const { violations, events, lines } = await runPlan(plan, { maxEvents: 2_000, keeps: 1_000 });
    expect(violations.map(({ oracle }) => oracle)).toEqual(['B3']);
    expect(events).toBe(2_001);
    const story = violations.flatMap((violation) => tellStory(violation, lines, ''));
    expect(story.length).toBeGreaterThan(60);
    expect(story.at(-2)).toContain('VIOLATION 2000 events and no end');
  });
});

describe('the clock of an operator', () => {
  it.each([0.5, 1, 2])('that runs at rate %d is a fault by id unless it is right', async (clockRate) => {
    const { faults, lines, violations } = await runPlan(
      { ...planSwarm(1), clockRate, users: [], faults: [], activeMs: 1_000 },
      { keeps: 100 },
    );
    expect(violations).toEqual([]);
    expect(faults.has('clock-rate')).toBe(clockRate !== 1);
    expect(lines.some(({ lane, who }) => lane === 'fault' && who === 'clock-rate')).toBe(clockRate !== 1);
  });

  it('may be another than that of the next, and is told of each that is not right', async () => {
    const quiet = { ...planSwarm(1), users: [], faults: [], activeMs: 1_000 };
    const { lines, violations } = await runPlan({ ...quiet, mode: 'both', operators: 2, clockRates: [1, 2, 0.5] }, { keeps: 100 });
    expect(violations).toEqual([]);
    expect(lines.filter(({ who }) => who === 'clock-rate').map(({ what }) => what)).toEqual(['operator-1: 2', 'operator-once: 0.5']);
  });
});
