import { type Clock, systemClock } from '../../src/lib/clock.ts';

/** The machine's clock running `factor` times as fast, so that a test with a real socket need not wait for real timeouts. */
export function createFastClock(factor: number): Clock {
  return {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs() * factor,
    timer: (delayMs, run) => systemClock.timer(delayMs / factor, run),
  };
}
