import { median, quantile } from './statistics.ts';

/** From, to; infinite where the sample is too small to say. */
export type Interval = readonly [number, number];

/**
 * Where the quantile `q` of what a sample was drawn from lies, by order statistics: nothing is assumed of its shape.
 *
 * @param level share of samples whose interval holds the quantile, at least, e.g. 0.99
 */
export function quantileInterval(values: readonly number[], q: number, level: number): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const tail = (1 - level) / 2;
  const ranks = Array.from({ length: sorted.length + 1 }, (_, rank) => rank);
  const below = ranks.findLast((rank) => rank > 0 && binomialCdf(rank - 1, sorted.length, q) <= tail);
  const above = ranks.find((rank) => rank > 0 && binomialCdf(rank - 1, sorted.length, q) >= 1 - tail);
  return [
    below === undefined ? Number.NEGATIVE_INFINITY : (sorted[below - 1] ?? Number.NaN),
    above === undefined ? Number.POSITIVE_INFINITY : (sorted[above - 1] ?? Number.NaN),
  ];
}

/** What a statistic comes to on samples drawn anew from the sample, sorted. @param random numbers from [0, 1) */
export function bootstrap(
  values: readonly number[],
  statistic: (sample: readonly number[]) => number,
  random: () => number,
  times = 2_000,
): readonly number[] {
  const draw = (): number => values[Math.floor(random() * values.length)] ?? Number.NaN;
  return Array.from({ length: times }, () => statistic(values.map(draw))).toSorted((a, b) => a - b);
}

export interface PairedRatio {
  /** Pairs it comes from. */
  readonly n: number;
  /** Geometric mean; NaN without pairs. */
  readonly ratio: number;
  readonly interval: Interval;
  /** How likely so many pairs on one side are if neither is slower: the two-sided sign test. */
  readonly signP: number;
}

/** Of fewer pairs the bootstrap has too few to draw from; Student's t over the logarithms, which assumes them normal, holds its level of any. */
const bootstrapFrom = 8;

/** Ratios of blocks that stood side by side, one per round. Pure: `random` is the caller's. */
export function pairedRatio(ratios: readonly number[], level: number, random: () => number): PairedRatio {
  const logs = ratios.map(Math.log);
  const center = mean(logs);
  const ups = logs.filter((log) => log > 0).length;
  const downs = logs.filter((log) => log < 0).length;
  const signP = Math.min(1, 2 * binomialCdf(Math.min(ups, downs), ups + downs, 0.5));
  const tail = (1 - level) / 2;
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - center) ** 2, 0) / (logs.length - 1));
  const reach =
    logs.length < 2 ? Number.POSITIVE_INFINITY : (studentQuantile(1 - tail, logs.length - 1) * deviation) / Math.sqrt(logs.length);
  const drawn = logs.length < bootstrapFrom ? [center] : bootstrap(logs, mean, random);
  // The wider of the two: the bootstrap of a dozen is too sure of itself, Student of what is skewed.
  const from = Math.min(center - reach, quantile(drawn, tail));
  const to = Math.max(center + reach, quantile(drawn, 1 - tail));
  return { n: logs.length, ratio: Math.exp(center), interval: [Math.exp(from), Math.exp(to)], signP };
}

export interface Fit {
  readonly intercept: number;
  readonly slope: number;
  /** Of the slope; infinite of two points. */
  readonly slopeInterval: Interval;
}

/** The line of least squares through points of at least two different x. @param level as of `quantileInterval`, assuming errors that are normal */
export function fitLine(points: readonly (readonly [x: number, y: number])[], level: number): Fit {
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  const slope = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread;
  const intercept = y - slope * x;
  const freedom = points.length - 2;
  const errors = points.reduce((sum, [at, value]) => sum + (value - intercept - slope * at) ** 2, 0);
  const reach = freedom < 1 ? Number.POSITIVE_INFINITY : studentQuantile((1 + level) / 2, freedom) * Math.sqrt(errors / freedom / spread);
  return { intercept, slope, slopeInterval: [slope - reach, slope + reach] };
}

export interface Trend {
  /** Two-sided, of Mann and Kendall: how likely such an order is without a trend. */
  readonly p: number;
  /** Of Theil and Sen, in values per step. */
  readonly slope: number;
}

/** Whether values rise or fall from first to last. Pure; without ties the variance is exact. */
export function findTrend(values: readonly number[]): Trend {
  const n = values.length;
  const slopes = values.flatMap((from, i) => values.slice(i + 1).map((to, gap) => (to - from) / (gap + 1)));
  const s = slopes.reduce((sum, slope) => sum + Math.sign(slope), 0);
  const z = Math.max(0, Math.abs(s) - 1) / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return { p: n < 3 ? 1 : 2 * (1 - normalCdf(z)), slope: median(slopes) };
}

/** Share of draws with at most `k` hits of `n`, each with chance `p`. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k >= n) return 1;
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let hits = 1; hits <= k; hits += 1) {
    logTerm += Math.log(((n - hits + 1) / hits) * (p / (1 - p)));
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/** The value of Student's t that the share `p` lies below. @param p above 0.5 @param freedom degrees, a whole number */
export function studentQuantile(p: number, freedom: number): number {
  let [low, high] = [0, 1e6];
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, freedom) < p) low = middle;
    else high = middle;
  }
  return high;
}

/** @see Abramowitz and Stegun, 26.7.3 and 26.7.4: the finite series for whole degrees of freedom */
function studentCdf(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const isOdd = freedom % 2 === 1;
  let term = isOdd ? Math.cos(angle) : 1;
  let sum = freedom === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k < freedom; k += 2) {
    term *= ((k - 1) / k) * Math.cos(angle) ** 2;
    sum += term;
  }
  const inside = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return (1 + inside) / 2;
}

/** By the series of Marsaglia, good to the last digits where it is used. */
function normalCdf(z: number): number {
  if (z > 8) return 1;
  let [term, sum] = [z, z];
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + sum * Math.exp((-z * z - Math.log(2 * Math.PI)) / 2);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
