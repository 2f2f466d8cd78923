/** Counts by size of value; buckets grow with it, so that a value is known to half a percent whatever it is. */
export type LogHistogram = ReadonlyMap<number, number>;

/** A bucket ends where it is this much larger than where it begins. */
const growth = 1.01;
const smallest = 1e-3;

/** Pure. What is below a thousandth counts as that. */
export function buildHistogram(values: readonly number[]): LogHistogram {
  const buckets = values.map((value) => Math.floor(Math.log(Math.max(value, smallest)) / Math.log(growth)));
  return mergeHistograms(buckets.map((bucket) => new Map([[bucket, 1]])));
}

/** The histogram of all their values together, exactly: nothing is lost that the parts had. Pure. */
export function mergeHistograms(parts: readonly LogHistogram[]): LogHistogram {
  const merged = new Map<number, number>();
  for (const part of parts) for (const [bucket, count] of part) merged.set(bucket, (merged.get(bucket) ?? 0) + count);
  return new Map([...merged].toSorted(([a], [b]) => a - b));
}

/** Per bucket, from the smallest: its geometric middle, and the share of values up to its end. Pure. */
export function cumulate(histogram: LogHistogram): readonly { readonly value: number; readonly share: number }[] {
  const n = [...histogram.values()].reduce((sum, count) => sum + count, 0);
  let seen = 0;
  return [...histogram].map(([bucket, count]) => {
    seen += count;
    return { value: growth ** (bucket + 0.5), share: seen / n };
  });
}
