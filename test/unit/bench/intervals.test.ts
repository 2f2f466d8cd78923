import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binomialCdf,
  bootstrap,
  findTrend,
  fitLine,
  pairedRatio,
  quantileInterval,
  studentQuantile,
} from '../../../src/bench/intervals.ts';
import { median } from '../../../src/bench/statistics.ts';
import { createRandom } from '../../../src/lib/seeded-random.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the interval of a quantile', () => {
  // Ranks of the 95 % interval of a median: Campbell and Gardner, BMJ 296 (1988), table of ranks.
  it.each([
    { n: 6, ranks: [1, 6] },
    { n: 10, ranks: [2, 9] },
    { n: 20, ranks: [6, 15] },
    { n: 25, ranks: [8, 18] },
  ])('of the median of $n values lies between ranks $ranks', ({ n, ranks }) => {
    expect(quantileInterval(upTo(n), 0.5, 0.95)).toEqual(ranks);
  });

  it('has no end where the sample is too small to give one', () => {
    expect(quantileInterval(upTo(5), 0.5, 0.99)).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect(quantileInterval(upTo(80), 0.99, 0.95)[1]).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not depend on the order of the values, and widens with the level', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 }), (values) => {
        const [from, to] = quantileInterval(values, 0.5, 0.9);
        const [wideFrom, wideTo] = quantileInterval(values.toReversed(), 0.5, 0.99);
        expect(wideFrom).toBeLessThanOrEqual(from);
        expect(wideTo).toBeGreaterThanOrEqual(to);
        expect(from).toBeLessThanOrEqual(median(values));
        expect(to).toBeGreaterThanOrEqual(median(values));
      }),
      { seed: 9, numRuns: 200 },
    );
  });
});

// Upper critical values of Student's t: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
it.each([
  { p: 0.975, freedom: 1, t: 12.706 },
  { p: 0.995, freedom: 2, t: 9.925 },
  { p: 0.975, freedom: 4, t: 2.776 },
  { p: 0.995, freedom: 4, t: 4.604 },
  { p: 0.995, freedom: 9, t: 3.25 },
  { p: 0.95, freedom: 30, t: 1.697 },
])("Student's t of $p with $freedom degrees of freedom is $t", ({ p, freedom, t }) => {
  expect(studentQuantile(p, freedom)).toBeCloseTo(t, 3);
});

// Cumulative binomial probabilities, as any table prints them.
it.each([
  { k: 1, n: 10, p: 0.5, share: 0.0107 },
  { k: 5, n: 10, p: 0.5, share: 0.623 },
  { k: 2, n: 20, p: 0.1, share: 0.6769 },
  { k: 3, n: 3, p: 0.2, share: 1 },
])('at most $k hits of $n with chance $p come to $share', ({ k, n, p, share }) => {
  expect(binomialCdf(k, n, p)).toBeCloseTo(share, 4);
});

describe('the bootstrap', () => {
  // Survival of treated mice: Efron and Tibshirani, An Introduction to the Bootstrap (1993), tables 2.1 and 2.2.
  const mice = [94, 197, 16, 38, 99, 141, 23];
  const deviation = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));

  it.each([
    { name: 'mean', statistic: mean, error: 23.36 },
    { name: 'median', statistic: median, error: 37.83 },
  ])('finds the standard error of the $name of a textbook sample', ({ statistic, error }) => {
    const found = deviation(bootstrap(mice, statistic, createRandom(1), 3_000));
    expect(Math.abs(found / error - 1)).toBeLessThan(0.05);
  });

  it('is the same for the same seed', () => {
    expect(bootstrap(mice, mean, createRandom(4), 50)).toEqual(bootstrap(mice, mean, createRandom(4), 50));
  });
});

describe('the ratio of pairs', () => {
  it('is their geometric mean, with an interval of Student for few', () => {
    const { ratio, interval, n } = pairedRatio([1, 2, 4], 0.95, createRandom(1));
    expect(ratio).toBeCloseTo(2);
    // 4.303 standard errors of 0.6931 / √3.
    expect(interval[1]).toBeCloseTo(2 * Math.exp((4.3027 * Math.LN2) / Math.sqrt(3)), 2);
    expect(n).toBe(3);
  });

  it('has no interval of one pair', () => {
    expect(pairedRatio([1.5], 0.99, createRandom(1)).interval).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it('knows how likely its signs are: 9 of 10 on one side is 0.0215', () => {
    const ratios = [...upTo(9).map(() => 1.1), 0.9];
    expect(pairedRatio(ratios, 0.99, createRandom(1)).signP).toBeCloseTo(0.0215, 4);
  });

  it('turns over with its pairs', () => {
    const pairs = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 2, maxLength: 7 });
    fc.assert(
      fc.property(pairs, (ratios) => {
        const [there, back] = [ratios, ratios.map((ratio) => 1 / ratio)].map((some) => pairedRatio(some, 0.99, createRandom(1)));
        expect((there?.ratio ?? 0) * (back?.ratio ?? 0)).toBeCloseTo(1, 6);
        expect(there?.signP).toBe(back?.signP);
      }),
      { seed: 9, numRuns: 200 },
    );
  });

  it.each([
    { rounds: 3, runs: 2_000 },
    { rounds: 5, runs: 2_000 },
    { rounds: 12, runs: 200 },
  ])('of $rounds rounds of an operator with itself has 1 in its interval 99 times of 100', ({ rounds, runs }) => {
    const [noise, random] = [createRandom(7), createRandom(8)];
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - noise())) * Math.cos(2 * Math.PI * noise());
    const missed = Array.from({ length: runs }).filter(() => {
      const ratios = upTo(rounds).map(() => Math.exp(0.05 * normal()));
      const [from, to] = pairedRatio(ratios, 0.99, random).interval;
      return from > 1 || to < 1;
    }).length;
    expect(missed / runs).toBeLessThan(0.016);
    // Wide enough is not endlessly wide.
    if (runs > 1_000) expect(missed / runs).toBeGreaterThan(0.004);
  });
});

describe('a trend', () => {
  it('has the median of the slopes between any two values', () => {
    // 6, 5, 3⅔, 4, 2½ and 1.
    expect(findTrend([9, 15, 19, 20]).slope).toBeCloseTo(3.833, 3);
  });

  it('has the normal approximation of Mann and Kendall: ten values in order have z = 44 / √125', () => {
    expect(findTrend(upTo(10)).p).toBeCloseTo(0.000083, 6);
    expect(findTrend(upTo(10).toReversed()).p).toBeCloseTo(0.000083, 6);
  });

  it('is none in what goes up and down, nor in two values', () => {
    expect(findTrend([1, 3, 2, 4, 1, 3, 2]).p).toBeGreaterThan(0.5);
    expect(findTrend([1, 9]).p).toBe(1);
  });
});

describe('a line', () => {
  it('is that of Anscombe’s first set: American Statistician 27 (1973)', () => {
    const points = [
      [10, 8.04],
      [8, 6.95],
      [13, 7.58],
      [9, 8.81],
      [11, 8.33],
      [14, 9.96],
      [6, 7.24],
      [4, 4.26],
      [12, 10.84],
      [7, 4.82],
      [5, 5.68],
    ] as const;
    const { intercept, slope, slopeInterval } = fitLine(points, 0.99);
    expect(intercept).toBeCloseTo(3.0001, 4);
    expect(slope).toBeCloseTo(0.5001, 4);
    // Its standard error is 0.1179; Student's t of 9 degrees is 3.2498.
    expect(slopeInterval[1] - slope).toBeCloseTo(0.1179 * 3.2498, 3);
  });

  it('of two points is sure of nothing', () => {
    expect(
      fitLine(
        [
          [1, 1],
          [2, 3],
        ],
        0.99,
      ),
    ).toEqual({ intercept: -1, slope: 2, slopeInterval: [-Infinity, Infinity] });
  });
});
