import { describe, expect, it } from 'vitest';
import { FlightLimit, type FlightSample, type FlightState, nextFlight } from '../../../src/controller/flight-limit.ts';
import type { Outcome } from '../../../src/controller/outcome.ts';

const wrote = (reason = 'Starting'): Outcome => ({ kind: 'waiting', reason, message: '', again: true, unsaid: false });
const looked: Outcome = { kind: 'settled', reason: 'Serving', message: '', again: false, unsaid: false };
const failed = (reason: string): Outcome => ({ kind: 'failed', reason, message: '', retry: 'backoff' });

describe('nextFlight', () => {
  const steady: FlightState = { limit: 12, slowdown: 1, startingUp: false };
  const used = { slowdown: 1, inFlight: 12 };

  it.each<{ name: string; state?: Partial<FlightState>; sample: FlightSample; limit: number }>([
    { name: 'grows by one per round while nothing queues', sample: used, limit: 12 + 1 / 12 },
    { name: 'grows by one per pass at the start', state: { startingUp: true }, sample: used, limit: 13 },
    { name: 'stays where it is not used', sample: { slowdown: 1, inFlight: 3 }, limit: 12 },
    { name: 'stays while the queue is of the wanted length', state: { slowdown: 3 }, sample: { slowdown: 3, inFlight: 12 }, limit: 12 },
    {
      name: 'shrinks by one per round while the queue is long',
      state: { slowdown: 8 },
      sample: { slowdown: 8, inFlight: 12 },
      limit: 12 - 1 / 12,
    },
    { name: 'halves when the API server is overloaded', sample: 'overloaded', limit: 6 },
    { name: 'never falls below the least', state: { limit: 3 }, sample: 'overloaded', limit: 2 },
    { name: 'never grows above the most', state: { limit: 16 }, sample: { slowdown: 1, inFlight: 16 }, limit: 16 },
  ])('$name', ({ state, sample, limit }) => {
    expect(nextFlight({ ...steady, ...state }, sample, 2, 16).limit).toBeCloseTo(limit);
  });

  it('ends the start at the first sign of a queue or an overload', () => {
    const starting = { ...steady, startingUp: true };
    expect(nextFlight({ ...starting, slowdown: 3 }, { slowdown: 3, inFlight: 10 }, 2, 16).startingUp).toBe(false);
    expect(nextFlight(starting, 'overloaded', 2, 16).startingUp).toBe(false);
  });
});

describe('FlightLimit', () => {
  /** Rounds of passes that all run at once, against a server that works on `serverWidth` of them at a time, 10 ms each. */
  const rounds = (limit: FlightLimit, count: number, serverWidth: number, outcome = wrote()): void => {
    for (let round = 0; round < count; round += 1) {
      const inFlight = limit.value;
      const tookMs = 10 * Math.max(1, inFlight / serverWidth);
      for (let pass = 0; pass < inFlight; pass += 1) limit.learn(outcome, 0, tookMs, inFlight);
    }
  };

  it('reaches all workers within three rounds where the API server keeps up', () => {
    const limit = new FlightLimit(32);
    expect(limit.value).toBe(4);
    rounds(limit, 3, 1_000);
    expect(limit.value).toBe(32);
  });

  it('stops where more only makes each wait longer', () => {
    const limit = new FlightLimit(64);
    rounds(limit, 60, 6);
    expect(limit.value).toBeGreaterThanOrEqual(8);
    expect(limit.value).toBeLessThanOrEqual(20);
  });

  it('halves once for all passes that met the same overload, and grows back', () => {
    const limit = new FlightLimit(16);
    rounds(limit, 4, 1_000);
    for (let pass = 0; pass < 16; pass += 1) limit.learn(failed('throttled'), 100, 110, 16);
    expect(limit.value).toBe(8);
    limit.learn(failed('throttled'), 120, 130, 8);
    limit.learn(failed('timeout'), 140, 150, 4);
    limit.learn(failed('unavailable'), 160, 170, 2);
    expect(limit.value).toBe(2);
    rounds(limit, 20, 1_000);
    expect(limit.value).toBe(16);
  });

  it.each([
    { name: 'a pass that wrote nothing', outcome: looked },
    { name: 'a conflict', outcome: failed('conflict') },
    { name: 'a refusal', outcome: failed('forbidden') },
  ])('learns nothing from $name', ({ outcome }) => {
    const limit = new FlightLimit(16);
    rounds(limit, 5, 1, outcome);
    expect(limit.value).toBe(4);
  });

  it('compares like with like: passes that take longer because they do more are no sign of a queue', () => {
    const limit = new FlightLimit(32);
    for (let pass = 0; pass < 200; pass += 1) {
      limit.learn(wrote('Serving'), 0, 5, limit.value);
      limit.learn(wrote('Starting'), 0, 60, limit.value);
    }
    expect(limit.value).toBe(32);
  });

  it('leaves six under way when it misjudges latency', () => {
    const limit = new FlightLimit(32);
    limit.learn(wrote(), 0, 1, 4);
    for (let pass = 0; pass < 1_000; pass += 1) limit.learn(wrote(), 0, 500, limit.value);
    expect(limit.value).toBeGreaterThanOrEqual(6);
  });

  it('takes a cluster that became slower for good as it is', () => {
    const limit = new FlightLimit(32);
    for (let pass = 0; pass < 200; pass += 1) limit.learn(wrote(), 0, 5, limit.value);
    for (let pass = 0; pass < 10_000; pass += 1) limit.learn(wrote(), 0, 50, limit.value);
    expect(limit.value).toBe(32);
  });

  it('never asks for more than one worker where there is one', () => {
    const limit = new FlightLimit(1);
    rounds(limit, 5, 1_000);
    limit.learn(failed('throttled'), 100, 110, 1);
    expect(limit.value).toBe(1);
  });
});
