import { describe, expect, it } from 'vitest';
import { faultIds } from '../../../src/sim/faults/faults.ts';
import type { RunResult } from '../../../src/sim/run.ts';
import { planSwarm } from '../../../src/sim/run-plan.ts';
import { runSeed } from '../../../src/sim/seed-run.ts';
import { lacksOf } from '../../../src/sim/summary.ts';

const plan = planSwarm(3);
const ended = (hash: string): RunResult =>
  ({ hash, violations: [], faults: new Map(), evaluated: {}, states: new Set() }) as unknown as RunResult;
/** Runs that come to these ends, one after the other. */
const runsTo = (...hashes: string[]) => {
  let runs = 0;
  return { run: () => Promise.resolve(ended(hashes[runs++] ?? '')), runs: () => runs };
};

describe('a seed', () => {
  it('that comes to two different ends is B4', async () => {
    const { run } = runsTo('a', 'b');
    const { violations } = await runSeed(plan, { isTwice: true }, run);
    expect(violations).toEqual([{ oracle: 'B4', atMs: 0, key: 'seed 3', message: 'ran twice: trace hash a, then b' }]);
  });

  it.each([true, false])('that comes to one end is none; run twice: %s', async (isTwice) => {
    const { run, runs } = runsTo('a', 'a');
    expect(await runSeed(plan, { isTwice }, run)).toMatchObject({ hash: 'a', violations: [] });
    expect(runs()).toBe(isTwice ? 2 : 1);
  });

  it('whose run throws is B3, and says what was thrown', async () => {
    const { hash, violations } = await runSeed(plan, { isTwice: false }, () => Promise.reject(new Error('no such pod')));
    expect([hash, violations.map(({ oracle, key }) => [oracle, key])]).toEqual(['', [['B3', 'seed 3']]]);
    expect(violations[0]?.message).toContain('the run threw: Error: no such pod');
  });
});

describe('many seeds', () => {
  const [missing = '', ...others] = faultIds;
  const faults = Object.fromEntries(others.map((id) => [id, 1]));
  const evaluated = { S1: 5, S2: 0 };

  it('lack what never came and what was never put to a test', () => {
    expect(lacksOf({ seeds: 1_000, faults: { ...faults, [missing]: 0 }, evaluated })).toEqual([
      `fault ${missing} never came`,
      'oracle S2 was never put to a test',
    ]);
    expect(lacksOf({ seeds: 1_000, faults: { ...faults, [missing]: 1 }, evaluated: { S1: 1 } })).toEqual([]);
  });

  it('must be many for that', () => {
    expect(lacksOf({ seeds: 999, faults: {}, evaluated })).toEqual([]);
  });
});
