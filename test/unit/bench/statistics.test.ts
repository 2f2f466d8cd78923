import { describe, expect, it } from 'vitest';
import { median, quantile, summarize } from '../../../src/bench/statistics.ts';

describe('quantile of a sorted list', () => {
  it.each([
    { name: 'is its only value', sorted: [7], q: 0.99, value: 7 },
    { name: 'is the least at 0', sorted: [1, 2, 3], q: 0, value: 1 },
    { name: 'is the greatest at 1', sorted: [1, 2, 3], q: 1, value: 3 },
    { name: 'is the middle of an odd number', sorted: [1, 2, 30], q: 0.5, value: 2 },
    { name: 'lies between two neighbours in proportion', sorted: [0, 10], q: 0.25, value: 2.5 },
    { name: 'is nothing of nothing', sorted: [], q: 0.5, value: Number.NaN },
  ])('$name', ({ sorted, q, value }) => {
    expect(quantile(sorted, q)).toBe(value);
  });
});

it('sums measurements up in whatever order they came', () => {
  const values = Array.from({ length: 101 }, (_, index) => index);
  const summary = { n: 101, min: 0, p50: 50, p90: 90, p99: 99, max: 100, mean: 50 };
  expect(summarize(values)).toEqual(summary);
  expect(summarize(values.toReversed())).toEqual(summary);
});

it('compares numbers, not their digits', () => {
  expect(median([100, 9, 20])).toBe(20);
});
