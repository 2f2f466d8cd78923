import { createRandom } from '../lib/seeded-random.ts';
import type { BenchReport, Block } from './bench-report.ts';
import { findTrend, type PairedRatio, pairedRatio } from './intervals.ts';
import { blocksOf, type Measure, type MeasureName, measures } from './measures.ts';
import { median } from './statistics.ts';
import { leastChanges, thresholds, verdictLevel } from './thresholds.ts';

/** A subject of a report. */
export interface Side {
  readonly report: BenchReport;
  readonly subject: string;
}

export type Verdict = 'worse' | 'better' | 'same' | 'not judged';

export interface CompareRow extends PairedRatio {
  readonly scenario: string;
  readonly measure: MeasureName;
  /** Medians over the rounds. */
  readonly before: number;
  readonly after: number;
  /** The ratio up to which nothing is claimed: the threshold, or what an operator differs from itself by. */
  readonly claimFrom: number;
  readonly verdict: Verdict;
  /** Why it is not judged. */
  readonly because?: string;
  /** It was measured before and is not any more: silence about it would be a pass. */
  readonly isLost?: true;
}

export interface CompareOptions {
  /** Reports in which one operator may have run twice under two names: what it differs from itself by is noise. */
  readonly noise?: readonly BenchReport[];
  /** A subject of both reports that did not change: what it differs by is the machine, and is taken out of what is timed. */
  readonly control?: string;
}

export const measureNames = Object.keys(measures) as readonly MeasureName[];
/** What is smaller counts as this, so that there is a ratio to nothing. */
const least = 0.01;

/** Every measure of every scenario of the first side, paired by round; those that the second side lacks are lost. Pure. */
export function compareSides(before: Side, after: Side, { noise = [], control }: CompareOptions = {}): readonly CompareRow[] {
  const scenarios = [...new Set(before.report.blocks.map(({ scenario }) => scenario))];
  return scenarios.flatMap((scenario) =>
    measureNames.flatMap((name) => {
      const measure: Measure = measures[name];
      const pairs = pairRounds(before, after, scenario, measure);
      const isNothing = measure.exact === true && pairs.every((pair) => measure.of(pair.before) === 0 && measure.of(pair.after) === 0);
      if (pairs.length === 0) return findLost(before, scenario, name);
      if (isNothing) return [];
      const isCorrected = control !== undefined && measure.unit.startsWith('ms');
      const drift = isCorrected ? driftByRound(before.report, after.report, control, scenario, measure) : undefined;
      const ratios = pairs.flatMap(({ round, ratio }) => {
        const machine = drift === undefined ? 1 : drift.get(round);
        return machine === undefined ? [] : [ratio / machine];
      });
      const paired = pairedRatio(ratios, verdictLevel, createRandom(1));
      const claimFrom = Math.max(thresholds[name], ...noise.map((report) => noiseOf(report, scenario, measure)));
      const sizes = new Set(pairs.flatMap((pair) => [pair.before.performers, pair.after.performers]));
      const because =
        sizes.size > 1
          ? `loads of ${[...sizes].join(' and ')} Performers`
          : paired.n === 0
            ? `${control} ran in no round of both`
            : paired.n === 1 && measure.exact !== true
              ? 'one round'
              : undefined;
      const row = { ...paired, scenario, measure: name, claimFrom };
      const [old, now] = [median(pairs.map((pair) => measure.of(pair.before))), median(pairs.map((pair) => measure.of(pair.after)))];
      const { each, all } = leastChanges[name] ?? { each: 0, all: 0 };
      const change = Math.abs(now - old);
      const isTrifle = change < each || change * Math.min(...sizes) < all;
      const verdict = because !== undefined ? 'not judged' : isTrifle ? 'same' : judge(row, measure.exact === true);
      return [{ ...row, before: old, after: now, verdict, ...(because === undefined ? {} : { because }) }];
    }),
  );
}

/** What was measured and is not measured in any round of the other side. */
function findLost({ report, subject }: Side, scenario: string, name: MeasureName): readonly CompareRow[] {
  const measure: Measure = measures[name];
  const had = blocksOf(report.blocks, measure, scenario, subject)
    .map((block) => measure.of(block))
    .filter(Number.isFinite);
  if (had.length === 0) return [];
  const nothing = { n: 0, ratio: Number.NaN, interval: [Number.NaN, Number.NaN] as const, signP: Number.NaN };
  const because = 'measured before, and in no round after';
  return [
    {
      ...nothing,
      scenario,
      measure: name,
      before: median(had),
      after: Number.NaN,
      claimFrom: thresholds[name],
      verdict: 'not judged',
      because,
      isLost: true,
    },
  ];
}

function judge({ ratio, interval: [from, to], claimFrom }: PairedRatio & { readonly claimFrom: number }, isExact: boolean): Verdict {
  if (ratio > claimFrom && (from > 1 || isExact)) return 'worse';
  return ratio < 1 / claimFrom && (to < 1 || isExact) ? 'better' : 'same';
}

/** The greatest ratio, in any one round, of two subjects that are the same command; 1 where a report has no such two. */
export function noiseOf(report: BenchReport, scenario: string, measure: Measure): number {
  const twins = report.subjects.flatMap((one, index) =>
    report.subjects.slice(index + 1).flatMap((two) => (one.command === two.command ? [[one.name, two.name] as const] : [])),
  );
  const ratios = twins.flatMap(([one, two]) =>
    pairRounds({ report, subject: one }, { report, subject: two }, scenario, measure).map(({ ratio }) => ratio),
  );
  return Math.max(1, ...ratios.map((ratio) => Math.max(ratio, 1 / ratio)));
}

/** What the reader must know before the rows: reports that are partial, blocks that are void, machines that differ. Pure. */
export function remarksOn(before: Side, after: Side): readonly string[] {
  const [a, b] = [before.report, after.report];
  const facts: readonly (readonly [string, string, string])[] = [
    ['machine', `${a.machine.cores} × ${a.machine.cpu}`, `${b.machine.cores} × ${b.machine.cpu}`],
    ['cluster', a.cluster.profile, b.cluster.profile],
    ['fsync of etcd', String(a.cluster.etcdFsync), String(b.cluster.etcdFsync)],
    ...['kubernetes', 'etcd', 'node'].map((name) => [name, a.versions[name] ?? '?', b.versions[name] ?? '?'] as const),
  ];
  const differing = facts.flatMap(([what, old, now]) => (old === now ? [] : [`${what} differs: ${old}, then ${now}`]));
  const sides = a === b ? [before] : [before, after];
  return [...differing, ...sides.flatMap(({ report }) => caveats(report))];
}

/** Why a report says less than it might. Pure. */
export function caveats(report: BenchReport): readonly string[] {
  const { partialBecause, resumedAt = [], notMeasurable, blocks } = report;
  const late = blocks.flatMap((block) => {
    const left = measures.unfinished.of(block);
    if (left === 0 || block.voidBecause !== undefined) return [];
    return [`unfinished: ${block.scenario}, ${block.subject}, round ${block.round + 1}: ${left} of ${block.performers}`];
  });
  const voids = blocks.flatMap(({ scenario, subject, round, voidBecause }) =>
    voidBecause === undefined ? [] : [`void: ${scenario}, ${subject}, round ${round + 1}: ${voidBecause}`],
  );
  return [
    ...(partialBecause === undefined ? [] : [`partial: ${partialBecause}`]),
    ...resumedAt.map((at) => `resumed: at ${at}; blocks of one round may lie apart in time`),
    ...voids,
    ...late,
    ...findDrift(report),
    ...notMeasurable.map((row) => `not measurable here: ${row}`),
  ];
}

/** Five rounds all in one order come to 0.027. */
const driftP = 0.03;

/** Loads whose latency rose or fell from round to round, whichever operator ran. */
function findDrift({ blocks }: BenchReport): readonly string[] {
  const timed = blocks.filter(({ kind, voidBecause }) => kind === 'timed' && voidBecause === undefined);
  return [...Map.groupBy(timed, ({ scenario }) => scenario)].flatMap(([scenario, some]) => {
    const usual = (name: string): number => median(some.filter(({ subject }) => subject === name).map(measures.p50.of));
    const rounds = [...Map.groupBy(some, ({ round }) => round)].toSorted(([a], [b]) => a - b);
    const { p, slope } = findTrend(rounds.map(([, own]) => median(own.map((block) => measures.p50.of(block) / usual(block.subject)))));
    const percent = `${slope > 0 ? '+' : ''}${(slope * 100).toFixed(1)} %`;
    return p < driftP ? [`drift: ${scenario}, p50 ${percent} from round to round whichever operator ran`] : [];
  });
}

interface Pair {
  readonly round: number;
  readonly before: Block;
  readonly after: Block;
  readonly ratio: number;
}

/** Blocks of one round stood side by side, or at the same place of two runs. */
export function pairRounds(before: Side, after: Side, scenario: string, measure: Measure): readonly Pair[] {
  const others = blocksOf(after.report.blocks, measure, scenario, after.subject);
  return blocksOf(before.report.blocks, measure, scenario, before.subject).flatMap((block) => {
    const other = others.find(({ round }) => round === block.round);
    if (other === undefined) return [];
    const ratio = Math.max(least, measure.of(other)) / Math.max(least, measure.of(block));
    return Number.isFinite(ratio) ? [{ round: block.round, before: block, after: other, ratio }] : [];
  });
}

function driftByRound(a: BenchReport, b: BenchReport, subject: string, scenario: string, measure: Measure): ReadonlyMap<number, number> {
  const pairs = pairRounds({ report: a, subject }, { report: b, subject }, scenario, measure);
  return new Map(pairs.map(({ round, ratio }) => [round, ratio]));
}
