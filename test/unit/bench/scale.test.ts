import { describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/bench/bench-report.ts';
import { scaleRows } from '../../../src/bench/report/tables.ts';
import { findScale } from '../../../src/bench/scale.ts';
import { makeBenchReport } from '../../support/bench-reports.ts';

/** Loads beside so many Performers, whose operator keeps so many bytes of each. */
function beside(numbers: readonly number[], bytesEach: number): BenchReport {
  const { blocks, ...report } = makeBenchReport({ seed: 9, rounds: 1, scenarios: ['create-2-per-second'] });
  const operator = (present: number) => ({ cpuMs: 100, rssBytes: 1, peakRssBytes: 60e6 + present * bytesEach });
  const scaled = numbers.flatMap((present) =>
    blocks.map((block) => ({ ...block, scenario: `scale-${present}`, usage: { ...block.usage, operator: operator(present) } })),
  );
  return { ...report, blocks: scaled };
}

describe('figures by the number of Performers', () => {
  it('grow by what is kept of each', () => {
    const rss = findScale(beside([100, 1_000, 10_000], 2e6)).find(({ measure }) => measure.name === 'operator peak RSS');
    expect(rss?.slope).toBeCloseTo(2, 6);
    expect(rss?.intercept).toBeCloseTo(60, 6);
    expect(rss?.points.map(([present]) => present)).toEqual([100, 1_000, 10_000]);
  });

  it('are told with their slope for a thousand more', () => {
    const rows = scaleRows(beside([100, 1_000, 10_000], 1024));
    expect(rows.find(([, measure]) => measure === 'operator peak RSS MB')?.[4]).toBe('1.02');
    expect(rows.map(([, measure]) => measure)).toContain('operator calls each');
  });

  it('say nothing of fewer than three', () => {
    expect(findScale(beside([100, 1_000], 1024))).toEqual([]);
  });
});
