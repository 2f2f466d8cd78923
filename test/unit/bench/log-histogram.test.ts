import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildHistogram, cumulate, mergeHistograms } from '../../../src/bench/log-histogram.ts';

const someValues = fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 80 });

describe('a histogram with buckets that grow', () => {
  it('merges exactly: parts together are the same as the whole', () => {
    fc.assert(
      fc.property(someValues, someValues, (one, two) => {
        expect(mergeHistograms([buildHistogram(one), buildHistogram(two)])).toEqual(buildHistogram([...one, ...two]));
      }),
      { seed: 9 },
    );
  });

  it('knows every value to half a percent, from the smallest to the largest', () => {
    fc.assert(
      fc.property(someValues, (values) => {
        const [first, last] = [cumulate(buildHistogram(values))[0], cumulate(buildHistogram(values)).at(-1)];
        expect(Math.abs((first?.value ?? 0) / Math.min(...values) - 1)).toBeLessThan(0.0051);
        expect(Math.abs((last?.value ?? 0) / Math.max(...values) - 1)).toBeLessThan(0.0051);
        expect(last?.share).toBe(1);
      }),
      { seed: 9 },
    );
  });

  it('counts what is nothing at all as the smallest', () => {
    expect(cumulate(buildHistogram([0, 0, 1])).map(({ share }) => share)).toEqual([2 / 3, 1]);
  });

  it('is empty without values', () => {
    expect(cumulate(buildHistogram([]))).toEqual([]);
  });
});
