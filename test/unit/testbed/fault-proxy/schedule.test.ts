import { describe, expect, it } from 'vitest';
import { faultNames, faultText } from '../../../../src/testbed/fault-proxy/faults.ts';
import { planFaultSchedule, playFaultSchedule } from '../../../../src/testbed/fault-proxy/schedule.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const minuteMs = 60_000;

describe('planFaultSchedule', () => {
  it.each([
    { name: '30 minutes', durationMs: 30 * minuteMs, each: 20 },
    { name: 'a minute', durationMs: minuteMs, each: 1 },
  ])('plays each fault $each times in $name, one at a time, a fifth of the time or more', ({ durationMs, each }) => {
    for (const seed of [1, 7, 42]) {
      const episodes = planFaultSchedule(seed, durationMs);
      for (const name of faultNames) expect(episodes.filter(({ fault }) => fault.name === name)).toHaveLength(each);
      const underFaultMs = episodes.reduce((sum, episode) => sum + episode.durationMs, 0);
      expect(underFaultMs).toBeGreaterThanOrEqual(0.2 * durationMs);
      for (const [index, episode] of episodes.entries()) {
        const endMs = episode.atMs + episode.durationMs;
        expect(endMs).toBeLessThanOrEqual((episodes[index + 1]?.atMs ?? durationMs) + 1);
      }
    }
  });

  it('plays every variant of a fault', () => {
    const texts = new Set(planFaultSchedule(7, 30 * minuteMs).map(({ fault }) => faultText(fault)));
    for (const text of ['goaway/graceful', 'goaway/refusing', 'goaway/abrupt', 'error-after/504', 'half-open/connection'])
      expect(texts).toContain(text);
  });

  it('is the same for the same seed and another for another', () => {
    expect(planFaultSchedule(7, minuteMs)).toEqual(planFaultSchedule(7, minuteMs));
    expect(planFaultSchedule(7, minuteMs)).not.toEqual(planFaultSchedule(8, minuteMs));
  });

  it('spreads a fault over the whole run', () => {
    const times = planFaultSchedule(7, 30 * minuteMs)
      .filter(({ fault }) => fault.name === 'expired')
      .map(({ atMs }) => atMs);
    expect(new Set(times.map((atMs) => Math.floor(atMs / (3 * minuteMs)))).size).toBe(10);
  });
});

describe('playFaultSchedule', () => {
  it('injects each fault when it is due, for as long as planned, and ends with the last', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const inject = (fault: { name: string }, options?: { durationMs?: number }): (() => void) => {
      seen.push(`${clock.monotonicMs()} ${fault.name} ${options?.durationMs}`);
      return () => undefined;
    };
    const episodes = [
      { atMs: 100, durationMs: 50, fault: { name: 'delay' as const } },
      { atMs: 300, durationMs: 20, fault: { name: 'refuse' as const } },
    ];
    const startedMs = clock.monotonicMs();
    const done = playFaultSchedule({ inject }, episodes, { clock, signal: new AbortController().signal });
    await clock.advance(1_000);
    await done;
    expect(seen).toEqual([`${startedMs + 100} delay 50`, `${startedMs + 300} refuse 20`]);
  });
});
