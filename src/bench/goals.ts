import { createRandom } from '../lib/seeded-random.ts';
import type { BenchReport, Block } from './bench-report.ts';
import { pairRounds } from './compare.ts';
import { bootstrap, type Interval, pairedRatio, quantileInterval } from './intervals.ts';
import { blocksOf, latencies, type Measure, measures } from './measures.ts';
import { formatFigure, type Goal } from './report.ts';
import { median, quantile, summarize } from './statistics.ts';
import { verdictLevel } from './thresholds.ts';

const { p50, p99, allDone, operatorCpu, controlPlaneCpu, operatorRss, operatorWrites, etcdWrites, emptyMs } = measures;

/** The bare loop that is the limit of a machine, and the peer with its limits off. */
export const floor = 'floor';
const isPeer = (name: string): boolean => name.endsWith('tuned');

/** What is asked of an operator, whatever it must reach. */
interface Row {
  readonly what: string;
  readonly scenario: string;
  readonly measure: Measure;
  /** A quantile of the latencies of all rounds together: in one round it would rest on one request. */
  readonly pooled?: number;
}

const figureOf = (name: string, unit: string, kind: Block['kind'] = 'timed'): Measure => ({
  name,
  unit,
  kind,
  of: ({ figures }) => figures[name] ?? Number.NaN,
});
const medianOfAll: Measure = {
  name: 'median ready : all ready',
  unit: '×',
  kind: 'timed',
  of: (block: Block) => median(block.doneAtMs) / allDone.of(block),
};
// Who wrote only the audit log tells.
const atRest = figureOf('rest: operator writes per Performer and minute', '', 'counted');
const toPod = figureOf('kill -9 to pod of a new Performer ms', 'ms');

const rows = {
  createP50: { what: 'create at 2/s, p50', scenario: 'create-2-per-second', measure: p50 },
  createP99: { what: 'create at 2/s, p99', scenario: 'create-2-per-second', measure: p99, pooled: 0.99 },
  burst200: { what: 'burst of 200, all ready', scenario: 'burst-200', measure: allDone },
  burst1000: { what: 'burst of 1,000, all ready', scenario: 'burst-1000', measure: allDone },
  medianReady: { what: 'burst of 1,000, median ready : all ready', scenario: 'burst-1000', measure: medianOfAll },
  deleteP50: { what: 'delete one by one, p50', scenario: 'delete-serial', measure: p50 },
  deleteP99: { what: 'delete one by one, p99', scenario: 'delete-serial', measure: p99, pooled: 0.99 },
  delete180: { what: 'delete 180 at once', scenario: 'delete-at-once', measure: allDone },
  delete1000: { what: 'delete 1,000 at once', scenario: 'burst-1000', measure: figureOf('all deleted ms', 'ms') },
  writesBurst: { what: 'writes per create, burst of 200', scenario: 'burst-200', measure: operatorWrites },
  writesPaced: { what: 'writes per create, at 2/s', scenario: 'create-2-per-second', measure: operatorWrites },
  etcdCreate: { what: 'etcd writes per create, burst of 200', scenario: 'burst-200', measure: etcdWrites },
  etcdDelete: { what: 'etcd writes per delete, at once', scenario: 'delete-at-once', measure: etcdWrites },
  rest: { what: 'writes at rest per Performer and minute', scenario: 'burst-200', measure: atRest },
  cpu: { what: 'operator CPU per create, burst of 200', scenario: 'burst-200', measure: operatorCpu },
  rss200: { what: 'operator peak RSS at 200', scenario: 'burst-200', measure: operatorRss },
  rss1000: { what: 'operator peak RSS at 1,000', scenario: 'burst-1000', measure: operatorRss },
  rss10000: { what: 'operator peak RSS at 10,000', scenario: 'scale-10000', measure: operatorRss },
  controlPlane: { what: 'control-plane CPU per create, burst of 200', scenario: 'burst-200', measure: controlPlaneCpu },
  killed: { what: 'kill -9 to pod of a new Performer, 200 present', scenario: 'burst-200', measure: toPod },
  empty: { what: 'image change, without a ready pod, p50', scenario: 'update-serial', measure: emptyMs },
} as const satisfies Readonly<Record<string, Row>>;

/** What a control plane allows, and how near the report's first subject comes to it. What was not measured is NaN. Pure. */
export function controlPlaneGoals(report: BenchReport): readonly Goal[] {
  const peer = report.subjects.find(({ name }) => isPeer(name))?.name ?? 'tuned peer';
  const toFloor = (row: Row, target: number): Goal => ratioGoal(report, floor, row, target);
  const toPeer = (row: Row, target: number): Goal => ratioGoal(report, peer, row, target);
  const own = (row: Row, target: number): Goal => ownGoal(report, row, target);
  return [
    toFloor(rows.createP50, 1.1),
    toFloor(rows.createP99, 1.1),
    { ...toPeer(rows.createP50, 1), bound: 'below' },
    { ...toPeer(rows.createP99, 1), bound: 'below' },
    toFloor(rows.burst200, 1.15),
    toPeer(rows.burst200, 0.7),
    toFloor(rows.burst1000, 1.05),
    own(rows.medianReady, 0.55),
    toFloor(rows.deleteP50, 1.1),
    toFloor(rows.deleteP99, 1.1),
    toFloor(rows.delete180, 1.1),
    toFloor(rows.delete1000, 1.1),
    own(rows.writesBurst, 3),
    own(rows.writesPaced, 3),
    beyondFloor(report, rows.etcdCreate, 0.5),
    beyondFloor(report, rows.etcdDelete, 0.5),
    own(rows.rest, 0),
    own(rows.cpu, 4),
    own(rows.rss200, 85),
    own(rows.rss1000, 100),
    own(rows.rss10000, 150),
    toFloor(rows.controlPlane, 1.05),
    own(rows.killed, 500),
    own(rows.empty, 0),
  ];
}

/** A figure of one subject with what it comes from. */
export interface SubjectFigure {
  /** Blocks, or requests where it is a quantile of all of them; 0 where it was not measured. */
  readonly n: number;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** With 99 % certainty; absent where nothing can be said. */
  readonly interval?: Interval;
}

/** The same figures of every subject, in the order of the report's subjects; those that nobody has are left out. Pure. */
export function goalFigures(
  report: BenchReport,
): readonly { readonly what: string; readonly unit: string; readonly figures: readonly SubjectFigure[] }[] {
  return Object.values<Row>(rows).flatMap((row) => {
    const figures = report.subjects.map(({ name }) => figureIn(report, row, name));
    return figures.every(({ n }) => n === 0) ? [] : [{ what: row.what, unit: row.measure.unit, figures }];
  });
}

/** The latencies of all requests of these blocks, sorted. */
const pool = (blocks: readonly Block[]): readonly number[] => blocks.flatMap(latencies).toSorted((a, b) => a - b);

function figureIn({ blocks }: BenchReport, { scenario, measure, pooled }: Row, subject: string): SubjectFigure {
  const own = blocksOf(blocks, measure, scenario, subject);
  if (pooled !== undefined) {
    const whole = own.filter((block) => Number.isFinite(measure.of(block)));
    const values = pool(whole);
    const { n, min, max } = summarize(values);
    return { n, value: quantile(values, pooled), min, max, interval: quantileInterval(values, pooled, verdictLevel) };
  }
  const values = own.map((block) => measure.of(block)).filter(Number.isFinite);
  const { n, p50: value, min, max } = summarize(values);
  // Of a count that does not vary, or is nothing, there is no interval.
  const hasInterval = n > 1 && min > 0 && min !== max;
  return { n, value, min, max, ...(hasInterval ? { interval: pairedRatio(values, verdictLevel, createRandom(1)).interval } : {}) };
}

function ratioGoal(report: BenchReport, other: string, row: Row, target: number): Goal {
  const subject = report.subjects[0]?.name ?? '';
  const pairs = pairRounds({ report, subject: other }, { report, subject }, row.scenario, row.measure);
  const { pooled } = row;
  const random = createRandom(1);
  const byRound = pairedRatio(
    pairs.map(({ ratio }) => ratio),
    verdictLevel,
    random,
  );
  let found: { readonly ratio: number; readonly interval: Interval } = byRound;
  if (pooled !== undefined) {
    const q = (blocks: readonly Block[]): number => quantile(pool(blocks), pooled);
    const ratioOf = (chosen: readonly number[]): number => {
      const some = chosen.flatMap((at) => pairs[at] ?? []);
      return q(some.map(({ after }) => after)) / q(some.map(({ before }) => before));
    };
    const all = [...pairs.keys()];
    const drawn = bootstrap(all, ratioOf, random, 500);
    // The wider of the two: a handful of rounds drawn anew is too sure of itself.
    const from = Math.min(byRound.interval[0], quantile(drawn, (1 - verdictLevel) / 2));
    const to = Math.max(byRound.interval[1], quantile(drawn, (1 + verdictLevel) / 2));
    found = { ratio: ratioOf(all), interval: [from, to] };
  }
  const n = pairs.length;
  const note = n < 2 ? `n ${n}` : `n ${n}, 99 %: ${found.interval.map(formatFigure).join('…')}`;
  const what = `${row.what} : ${other}`;
  return { what, measured: found.ratio, target, bound: 'at most', unit: '×', note, ...(n < 2 ? {} : { interval: found.interval }) };
}

function ownGoal(report: BenchReport, row: Row, target: number): Goal {
  const subject = report.subjects[0]?.name ?? '';
  const { n, value, min, max, interval } = figureIn(report, row, subject);
  const spread = `n ${n}, ${formatFigure(min)}…${formatFigure(max)}`;
  return {
    what: row.what,
    measured: value,
    target,
    bound: 'at most',
    unit: row.measure.unit.replace(/ ?each$/, ''),
    note: n === 0 ? '' : interval === undefined ? spread : `${spread}, 99 %: ${interval.map(formatFigure).join('…')}`,
    ...(interval === undefined ? {} : { interval }),
  };
}

function beyondFloor(report: BenchReport, row: Row, target: number): Goal {
  const subject = report.subjects[0]?.name ?? '';
  const pairs = pairRounds({ report, subject: floor }, { report, subject }, row.scenario, row.measure);
  const measured = median(pairs.map(({ before, after }) => row.measure.of(after) - row.measure.of(before)));
  const what = row.what.replace(',', ' beyond floor,');
  return { what, measured, target, bound: 'at most', unit: '', note: `n ${pairs.length}` };
}
