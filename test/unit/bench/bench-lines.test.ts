import { describe, expect, it } from 'vitest';
import { buildKeys, parseArrivals, planArrivals } from '../../../src/bench/bench-lines.ts';
import { createRandom } from '../../../src/lib/seeded-random.ts';

it('a load spreads its Performers over its namespaces in turn', () => {
  expect(buildKeys('p', 3, ['a', 'b'], 5)).toEqual(['a/p-5', 'b/p-6', 'a/p-7']);
});

describe('arrivals', () => {
  it.each([
    { text: 'serial', arrivals: 'serial' },
    { text: 'burst', arrivals: 'burst' },
    { text: '2.5', arrivals: { perSecond: 2.5, isPoisson: false } },
    { text: 'poisson:10', arrivals: { perSecond: 10, isPoisson: true } },
  ])('are read from $text', ({ text, arrivals }) => {
    expect(parseArrivals(text)).toEqual(arrivals);
  });

  it.each(['', '0', '-1', 'poisson:', 'poisson:x', 'often'])('are not read from "%s"', (text) => {
    expect(() => parseArrivals(text)).toThrow('give serial, burst, requests a second, or poisson:');
  });

  it('come at even distances', () => {
    expect(planArrivals({ perSecond: 4, isPoisson: false }, 4, () => 0.5)).toEqual([0, 250, 500, 750]);
  });

  it('by chance keep their rate, and their distances are spread as those of a Poisson process', () => {
    const due = planArrivals({ perSecond: 10, isPoisson: true }, 20_001, createRandom(7));
    const gaps = due.slice(1).map((atMs, index) => atMs - (due[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap) / gaps.length;
    expect(mean).toBeGreaterThan(97);
    expect(mean).toBeLessThan(103);
    // Of an exponential distribution the median is ln 2 of the mean, and 1 in 1,000 exceeds 6.9 of it.
    expect(gaps.filter((gap) => gap > 100 * Math.LN2).length / gaps.length).toBeCloseTo(0.5, 1);
    expect(gaps.filter((gap) => gap > 690).length).toBeGreaterThan(5);
    expect(gaps.filter((gap) => gap > 690).length).toBeLessThan(40);
  });
});
