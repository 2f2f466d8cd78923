import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/controller/backoff.ts';

describe('backoffMs', () => {
  it.each([
    { failures: 1, jitter: 0, ms: 25 },
    { failures: 1, jitter: 1, ms: 50 },
    { failures: 4, jitter: 1, ms: 400 },
    { failures: 1_000, jitter: 1, ms: 60_000 },
  ])('is $ms ms after $failures failures with jitter $jitter', ({ failures, jitter, ms }) => {
    expect(backoffMs(failures, jitter)).toBe(ms);
  });

  it('refuses a count below 1', () => {
    expect(() => backoffMs(0, 0)).toThrow(RangeError);
  });
});
