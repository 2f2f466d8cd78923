import type { BenchReport, Block } from './bench-report.ts';
import { type Fit, fitLine } from './intervals.ts';
import { blocksOf, type Measure, measures } from './measures.ts';
import { median } from './statistics.ts';
import { verdictLevel } from './thresholds.ts';

/** How a figure of an operator grows with the Performers that are there already. */
export interface ScaleRow extends Fit {
  readonly subject: string;
  readonly measure: Measure;
  /** Performers there are, and the median over the rounds; by number. */
  readonly points: readonly (readonly [present: number, value: number])[];
}

const { p50, p99, operatorCpu, operatorRss, etcdWrites } = measures;
const apiServerCpu: Measure = {
  name: 'API-server CPU',
  unit: 'ms each',
  kind: 'timed',
  of: ({ usage, performers }) => (usage['api-server']?.cpuMs ?? Number.NaN) / performers,
};
const operatorCalls: Measure = {
  name: 'operator calls',
  unit: 'each',
  kind: 'counted',
  of: ({ calls, performers }) =>
    calls === undefined ? Number.NaN : Object.values(calls).reduce((sum, count) => sum + count, 0) / performers,
};
const scaled: readonly Measure[] = [p50, p99, operatorCpu, apiServerCpu, operatorRss, operatorCalls, etcdWrites];

/** Of loads with 3 numbers of Performers or more beside them; a line through them, and how sure its slope is. Pure. */
export function findScale({ blocks, subjects }: BenchReport): readonly ScaleRow[] {
  const numbers = [...new Set(blocks.map(presentOf).filter(Number.isFinite))].toSorted((a, b) => a - b);
  return subjects.flatMap(({ name: subject }) =>
    scaled.flatMap((measure) => {
      const points = numbers.flatMap((present): ScaleRow['points'] => {
        const value = median(
          blocksOf(blocks, measure, `scale-${present}`, subject)
            .map((block) => measure.of(block))
            .filter(Number.isFinite),
        );
        return Number.isFinite(value) ? [[present, value]] : [];
      });
      return points.length < 3 ? [] : [{ subject, measure, points, ...fitLine(points, verdictLevel) }];
    }),
  );
}

function presentOf({ scenario }: Pick<Block, 'scenario'>): number {
  return Number(/^scale-(\d+)$/.exec(scenario)?.[1] ?? Number.NaN);
}
