import { describe, expect, it } from 'vitest';
import { faultNames } from '../../../src/testbed/fault-proxy/faults.ts';
import { planSoakFaults } from '../../soak/schedule.ts';

const minuteMs = 60_000;
const countOf = (minutes: number, seed = 7): readonly number[] => {
  const names = planSoakFaults(seed, minutes * minuteMs).map(({ fault }) => fault.name);
  return faultNames.map((name) => names.filter((planned) => planned === name).length);
};

describe('a schedule of faults', () => {
  it.each([1, 7, 23])('of half an hour has each fault 20 times and a fifth of the time under one, seed %d', (seed) => {
    expect(Math.min(...countOf(30, seed))).toBeGreaterThanOrEqual(20);
    const underFaultMs = planSoakFaults(seed, 30 * minuteMs).reduce((sum, { injection }) => sum + (injection.durationMs ?? 0), 0);
    expect(underFaultMs / (30 * minuteMs)).toBeGreaterThan(0.2);
  });

  it('of a minute has each fault once', () => {
    expect(countOf(1)).toEqual(faultNames.map(() => 1));
  });

  it('lets each fault end before the next begins, and before the end', () => {
    const planned = planSoakFaults(7, 30 * minuteMs);
    const ends = planned.map(({ atMs, injection }) => atMs + (injection.durationMs ?? 0));
    expect(planned.filter(({ atMs }, index) => atMs < (ends[index - 1] ?? 0))).toEqual([]);
    expect(Math.max(...ends)).toBeLessThan(30 * minuteMs);
  });

  it('is the same for the same seed', () => {
    expect(planSoakFaults(7, 5 * minuteMs)).toEqual(planSoakFaults(7, 5 * minuteMs));
    expect(planSoakFaults(8, 5 * minuteMs)).not.toEqual(planSoakFaults(7, 5 * minuteMs));
  });
});
