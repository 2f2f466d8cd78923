import { createRandom } from '../lib/seeded-random.ts';
import type { BenchReport, Block } from './bench-report.ts';
import { pairRounds } from './compare.ts';
import { pairedRatio } from './intervals.ts';
import { blocksOf, type Measure, measures } from './measures.ts';
import { formatFigure, type Goal } from './report.ts';
import { median, summarize } from './statistics.ts';
import { verdictLevel } from './thresholds.ts';

const { p50, p99, allDone, operatorCpu, controlPlaneCpu, operatorRss, operatorWrites, etcdWrites, emptyMs } = measures;

/** The bare loop that is the limit of a machine, and the peer with its limits off. */
export const floor = 'floor';
const isPeer = (name: string): boolean => name.endsWith('tuned');

/** What a control plane allows, and how near the report's first subject comes to it. What was not measured is NaN. Pure. */
export function controlPlaneGoals(report: BenchReport): readonly Goal[] {
  const peer = report.subjects.find(({ name }) => isPeer(name))?.name ?? 'tuned peer';
  const toFloor = (what: string, scenario: string, measure: Measure, target: number): Goal =>
    ratioGoal(report, floor, what, scenario, measure, target);
  const toPeer = (what: string, scenario: string, measure: Measure, target: number): Goal =>
    ratioGoal(report, peer, what, scenario, measure, target);
  const own = (what: string, scenario: string, measure: Measure, target: number, unit = measure.unit): Goal =>
    ownGoal(report, what, scenario, measure, target, unit);
  const figure = (what: string, scenario: string, name: string, target: number, unit: string): Goal =>
    own(what, scenario, figureOf(name, unit), target);
  return [
    toFloor('create at 2/s, p50', 'create-2-per-second', p50, 1.1),
    toFloor('create at 2/s, p99', 'create-2-per-second', p99, 1.1),
    { ...toPeer('create at 2/s, p50', 'create-2-per-second', p50, 1), bound: 'below' },
    { ...toPeer('create at 2/s, p99', 'create-2-per-second', p99, 1), bound: 'below' },
    toFloor('burst of 200, all ready', 'burst-200', allDone, 1.15),
    toPeer('burst of 200, all ready', 'burst-200', allDone, 0.7),
    toFloor('burst of 1,000, all ready', 'burst-1000', allDone, 1.05),
    own('burst of 1,000, median ready : all ready', 'burst-1000', medianOfAll, 0.55),
    toFloor('delete one by one, p50', 'delete-serial', p50, 1.1),
    toFloor('delete one by one, p99', 'delete-serial', p99, 1.1),
    toFloor('delete 180 at once', 'delete-at-once', allDone, 1.1),
    toFloor('delete 1,000 at once', 'burst-1000', figureOf('all deleted ms', 'ms'), 1.1),
    own('writes per create, burst of 200', 'burst-200', operatorWrites, 3, ''),
    own('writes per create, at 2/s', 'create-2-per-second', operatorWrites, 3, ''),
    beyondFloor(report, 'etcd writes per create beyond floor, burst of 200', 'burst-200', 0.5),
    beyondFloor(report, 'etcd writes per delete beyond floor, at once', 'delete-at-once', 0.5),
    own('writes at rest per Performer and minute', 'burst-200', atRest, 0, ''),
    own('operator CPU per create, burst of 200', 'burst-200', operatorCpu, 4, 'ms'),
    own('operator peak RSS at 200', 'burst-200', operatorRss, 85, 'MiB'),
    own('operator peak RSS at 1,000', 'burst-1000', operatorRss, 100, 'MiB'),
    own('operator peak RSS at 10,000', 'scale-10000', operatorRss, 150, 'MiB'),
    toFloor('control-plane CPU per create, burst of 200', 'burst-200', controlPlaneCpu, 1.05),
    figure('kill -9 to pod of a new Performer, 200 present', 'burst-200', 'kill -9 to pod of a new Performer ms', 500, 'ms'),
    own('image change, without a ready pod, p50', 'update-serial', emptyMs, 0, 'ms'),
  ];
}

const figureOf = (name: string, unit: string, kind: Block['kind'] = 'timed'): Measure => ({
  name,
  unit,
  kind,
  of: ({ figures }) => figures[name] ?? Number.NaN,
});
// Who wrote only the audit log tells.
const atRest = figureOf('rest: operator writes per Performer and minute', '', 'counted');

const medianOfAll: Measure = {
  name: 'median ready : all ready',
  unit: '×',
  kind: 'timed',
  of: (block: Block) => median(block.doneAtMs) / allDone.of(block),
};

function ratioGoal(report: BenchReport, other: string, what: string, scenario: string, measure: Measure, target: number): Goal {
  const subject = report.subjects[0]?.name ?? '';
  const ratios = pairRounds({ report, subject: other }, { report, subject }, scenario, measure).map(({ ratio }) => ratio);
  const { n, ratio, interval } = pairedRatio(ratios, verdictLevel, createRandom(1));
  const note = n < 2 ? `n ${n}` : `n ${n}, 99 %: ${interval.map(formatFigure).join('…')}`;
  return { what: `${what} : ${other}`, measured: ratio, target, bound: 'at most', unit: '×', note };
}

function ownGoal(report: BenchReport, what: string, scenario: string, measure: Measure, target: number, unit: string): Goal {
  const blocks = blocksOf(report.blocks, measure, scenario, report.subjects[0]?.name ?? '');
  const values = blocks.map((block) => measure.of(block)).filter(Number.isFinite);
  const { n, p50: middle, min, max } = summarize(values);
  const { interval } = pairedRatio(values, verdictLevel, createRandom(1));
  const spread = `${formatFigure(min)}…${formatFigure(max)}`;
  return {
    what,
    measured: middle,
    target,
    bound: 'at most',
    unit,
    // Of a count that does not vary, or is nothing, there is no interval.
    note:
      n === 0
        ? ''
        : n < 2 || min <= 0 || min === max
          ? `n ${n}, ${spread}`
          : `n ${n}, ${spread}, 99 %: ${interval.map(formatFigure).join('…')}`,
  };
}

function beyondFloor(report: BenchReport, what: string, scenario: string, target: number): Goal {
  const subject = report.subjects[0]?.name ?? '';
  const pairs = pairRounds({ report, subject: floor }, { report, subject }, scenario, etcdWrites);
  const measured = median(pairs.map(({ before, after }) => etcdWrites.of(after) - etcdWrites.of(before)));
  return { what, measured, target, bound: 'at most', unit: '', note: `n ${pairs.length}` };
}
