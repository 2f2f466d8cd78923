/** What a set of measurements comes to; all in the unit of the values. */
export interface Summary {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** The value below which the share `q` of a sorted list lies, between neighbours in proportion; NaN for an empty list. Pure. */
export function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** Pure; of an empty list everything but `n` is NaN. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, p50, p90, p99, max] = [0, 0.5, 0.9, 0.99, 1].map((q) => quantile(sorted, q)) as [number, number, number, number, number];
  return { n: sorted.length, min, p50, p90, p99, max, mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length };
}

/** Pure; NaN for an empty list. */
export function median(values: readonly number[]): number {
  return summarize(values).p50;
}
