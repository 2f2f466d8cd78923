import { describe, expect, it } from 'vitest';
import { grantsOf } from '../../../src/sim/grants.ts';
import { planSwarm, type RunPlan } from '../../../src/sim/run-plan.ts';

const granted = (change: Partial<RunPlan>) => grantsOf({ ...planSwarm(1), clockRate: 1, faults: [], ...change }, () => 0);
const slow = (draw: number) => granted({ faults: [{ id: 'api-slow', atMs: 5_000, forMs: 80_000, draw }] });

describe('what a run grants', () => {
  it('is time without a leader only where calls may be too slow for a Lease', () => {
    expect(granted({}).leaderlessMs).toBe(0);
    // There and back 2 x (200 + 0.3 x 6000) ms are 4 s, and a call on a Lease may take 5.
    expect(slow(0.3).leaderlessMs).toBe(0);
    expect(slow(0.4).leaderlessMs).toBe(80_000);
  });

  it('is longer waits only where a clock is slow', () => {
    expect([0.5, 1, 2].map((clockRate) => granted({ clockRate }).waitFactor)).toEqual([2, 1, 1]);
  });
});
