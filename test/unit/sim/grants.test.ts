import { describe, expect, it } from 'vitest';
import { Grants } from '../../../src/sim/grants.ts';
import { planSwarm, type RunPlan } from '../../../src/sim/run-plan.ts';

/** Grants of a run without faults of its plan, and what moves its time. */
function granted(change: Partial<RunPlan> = {}): { readonly grants: Grants; readonly at: (seconds: number) => Grants } {
  let nowMs = 0;
  const time = { nowMs: () => nowMs, calmSinceMs: () => 0 };
  const grants = new Grants({ ...planSwarm(1), mode: 'watch', clockRate: 1, faults: [], ...change }, time);
  const at = (seconds: number): Grants => {
    nowMs = seconds * 1_000;
    return grants;
  };
  return { grants, at };
}

describe('what a run grants', () => {
  it('is an old view from the start of a fault on, as old as the fault, until its end was noticed', () => {
    const { at } = granted();
    const calmMs = at(0).viewLagMs;
    at(100).came('watch-held', 60_000);
    expect([100, 130, 160, 249].map((seconds) => at(seconds).viewLagMs - calmMs)).toEqual([0, 30_000, 60_000, 149_000]);
    expect(at(251).viewLagMs).toBe(calmMs);
  });

  it('is no older than one fault can make it, where faults meet', () => {
    const { at } = granted();
    const calmMs = at(0).viewLagMs;
    at(10).came('watch-held', 60_000);
    at(60).came('watch-stalled', 100_000);
    expect(at(160).viewLagMs - calmMs).toBe(150_000);
    expect(at(240).viewLagMs - calmMs).toBe(190_000);
    at(400).came('watch-held', 10_000);
    expect(at(405).viewLagMs - calmMs).toBe(5_000);
  });

  it.each(['front-switch', 'operator-time-travel'] as const)('is the past that %s makes somebody read, until it was noticed', (id) => {
    const { at } = granted();
    const calmMs = at(0).viewLagMs;
    at(10).came(id);
    expect([20, 129, 131].map((seconds) => at(seconds).viewLagMs - calmMs)).toEqual([10_000, 119_000, 0]);
  });

  it('is that slices are not known of, where they may not be listed, until that is asked for again', () => {
    const { at } = granted();
    at(10).came('rights-revoked', 60_000, 'list nodes');
    expect(at(20).slicesOffUntilMs).toBe(Number.NEGATIVE_INFINITY);
    at(30).came('rights-revoked', 60_000, 'list endpointslices');
    expect(at(40).slicesOffUntilMs).toBe(690_000);
  });

  it('is a write that is long on its way only while calls are slow', () => {
    const { at } = granted();
    const ways = (seconds: readonly number[]): readonly number[] => seconds.map((second) => at(second).onTheWayMs);
    at(10).came('operator-frozen', 20_000);
    expect(ways([11, 31])).toEqual([1_000, 1_000]);
    at(40).came('api-slow', 20_000);
    expect(ways([41, 124, 126])).toEqual([10_000, 10_000, 1_000]);
  });

  it('is an event that is held back, and what waited behind it', () => {
    const { at } = granted();
    const calmMs = at(0).viewLagMs;
    at(10).came('event-blocked');
    expect([40, 74, 76].map((seconds) => at(seconds).viewLagMs - calmMs)).toEqual([30_000, 64_000, 0]);
  });

  it('is a slow proof only while calls are slow', () => {
    const { at } = granted();
    at(10).came('timeout-lost');
    expect([20, 70, 80].map((seconds) => at(seconds).proofLagMs)).toEqual([15_000, 65_000, 5_000]);
    at(100).came('operator-frozen', 20_000);
    expect([110, 215].map((seconds) => at(seconds).proofLagMs)).toEqual([15_000, 5_000]);
  });

  it('is an endpoint that lags only beside a cut', () => {
    const { at } = granted();
    at(10).came('node-cut', 20_000);
    expect([20, 130].map((seconds) => at(seconds).endpointLagMs)).toEqual([15_000, 5_000]);
  });

  it('is time to come back to work after what kept operators from it', () => {
    const { at, grants } = granted();
    expect(grants.lateUntilMs()).toBe(Number.NEGATIVE_INFINITY);
    at(5).came('api-slow', 80_000);
    expect(grants.lateUntilMs()).toBe(150_000);
    at(6).came('pod-deleted');
    expect(grants.lateUntilMs()).toBe(150_000);
  });

  it('is longer waits only where a clock is slow', () => {
    expect([0.5, 1, 2].map((clockRate) => granted({ clockRate }).grants.waitFactor)).toEqual([2, 1, 1]);
    const differ = { operators: 2, clockRates: [0.5, 1, 2] };
    expect([granted(differ).grants.waitFactor, granted(differ).grants.clockAheadMs]).toEqual([2, 0]);
    expect(granted({ ...differ, mode: 'both' }).grants.clockAheadMs).toBe(1_000);
  });
});
