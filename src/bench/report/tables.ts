import type { BenchReport } from '../bench-report.ts';
import { type CompareRow, caveats, type Side } from '../compare.ts';
import { controlPlaneGoals, goalFigures } from '../goals.ts';
import { quantileInterval } from '../intervals.ts';
import type { JUnitCase } from '../junit.ts';
import { blocksOf, latencies, type Measure, measures } from '../measures.ts';
import { formatFigure, formatGoals, formatTable, goalVerdict } from '../report.ts';
import { findScale } from '../scale.ts';
import { median, summarize } from '../statistics.ts';
import { verdictLevel } from '../thresholds.ts';

/** What a subject came to under a load: the median over the rounds of each measure; NaN where there is none. */
export interface SummaryRow {
  readonly scenario: string;
  readonly subject: string;
  readonly rounds: number;
  readonly values: readonly number[];
}

export const summaryMeasures: readonly Measure[] = Object.values(measures);
const level = `${Math.round(verdictLevel * 100)} %`;

/** One row per scenario and subject, in the order they ran. Pure. */
export function summarizeReport({ blocks, subjects }: BenchReport): readonly SummaryRow[] {
  const scenarios = [...new Set(blocks.map(({ scenario }) => scenario))];
  return scenarios.flatMap((scenario) =>
    subjects.map(({ name: subject }) => {
      const all = summaryMeasures.map((measure) => ({ measure, blocks: blocksOf(blocks, measure, scenario, subject) }));
      const values = all.map(({ measure, blocks: some }) => median(some.map((block) => measure.of(block)).filter(Number.isFinite)));
      return { scenario, subject, rounds: Math.max(...all.map((one) => one.blocks.length)), values };
    }),
  );
}

export const latencyHead: readonly string[] = ['scenario', 'operator', 'n', 'p50 ms', level, 'p99 ms', level];

/** Latencies of all rounds together, each quantile with where it lies by order statistics. Pure. */
export function latencyRows({ blocks, subjects }: BenchReport): readonly (readonly string[])[] {
  const timed = blocks.filter(({ kind, voidBecause }) => kind === 'timed' && voidBecause === undefined);
  return [...Map.groupBy(timed, ({ scenario }) => scenario)].flatMap(([scenario, some]) =>
    subjects.flatMap(({ name }) => {
      const values = some.filter(({ subject }) => subject === name).flatMap(latencies);
      const { n, ...summary } = summarize(values);
      if (n === 0) return [];
      const cells = (
        [
          ['p50', 0.5],
          ['p99', 0.99],
        ] as const
      ).flatMap(([of, q]) => [formatFigure(summary[of]), quantileInterval(values, q, verdictLevel).map(formatFigure).join('…')]);
      return [[scenario, name, `${n}`, ...cells]];
    }),
  );
}

export const scaleHead: readonly string[] = ['operator', 'measure', 'Performers: figure', 'at none', 'per 1,000 more', level];

/** Pure. */
export function scaleRows(report: BenchReport): readonly (readonly string[])[] {
  return findScale(report).map(({ subject, measure: { name, unit }, points, intercept, slope, slopeInterval }) => [
    subject,
    `${name} ${unit}`,
    points.map(([present, value]) => `${formatFigure(present)}: ${formatFigure(value)}`).join('  '),
    formatFigure(intercept),
    formatFigure(slope * 1_000),
    slopeInterval.map((end) => formatFigure(end * 1_000)).join('…'),
  ]);
}

export const figureHead = ({ subjects }: BenchReport): readonly string[] => ['', ...subjects.map(({ name }) => name)];

/** What the goals speak of, of every subject. Pure. */
export function figureRows(report: BenchReport): readonly (readonly string[])[] {
  return goalFigures(report).map(({ what, unit, figures }) => [
    `${what}${unit === '' || unit === '×' ? '' : `, ${unit}`}`,
    ...figures.map(({ n, value, interval }) =>
      n === 0 ? '–' : `${formatFigure(value)} (${n}${interval === undefined ? '' : `: ${interval.map(formatFigure).join('…')}`})`,
    ),
  ]);
}

/** The report as text: figures, goals, and why it may say less than it should. Pure. */
export function formatReport(report: BenchReport): string {
  const head = ['scenario', 'operator', 'rounds', ...summaryMeasures.map(({ name, unit }) => `${name} ${unit}`.trim())];
  const rows = summarizeReport(report).map(({ scenario, subject, rounds, values }) => [
    scenario,
    subject,
    `${rounds}`,
    ...values.map(formatFigure),
  ]);
  const scale = scaleRows(report);
  const goals = controlPlaneGoals(report);
  const measured = goals.filter((goal) => goalVerdict(goal) !== 'not measured');
  const missing = goals.length - measured.length;
  const parts = [
    formatTable(head, rows),
    `Latencies, all rounds together\n${formatTable(latencyHead, latencyRows(report))}`,
    ...(scale.length === 0 ? [] : [`With how many Performers there are\n${formatTable(scaleHead, scale)}`]),
    ...(measured.length === 0 ? [] : [`Goals\n${formatGoals(measured)}`]),
    ...(missing === 0 ? [] : [`${missing} goals were not measured here`]),
    ...(measured.length === 0 || report.subjects.length < 2
      ? []
      : [`The same of each operator (n: 99 %)\n${formatTable(figureHead(report), figureRows(report))}`]),
  ];
  const remarks = caveats(report);
  return [...parts, ...(remarks.length === 0 ? [] : [remarks.join('\n')])].join('\n\n');
}

/** Pure. */
export function formatComparison(before: Side, after: Side, rows: readonly CompareRow[], remarks: readonly string[]): string {
  const names = before.subject === after.subject ? ['before', 'after'] : [before.subject, after.subject];
  const head = ['scenario', 'measure', ...names, 'ratio', level, 'claimed from', 'n', 'sign test p', ''];
  const cells = rows.map(({ scenario, measure, n, ratio, interval, claimFrom, signP, verdict, because, ...row }) => [
    scenario,
    `${measures[measure].name} ${measures[measure].unit}`.trim(),
    formatFigure(row.before),
    formatFigure(row.after),
    formatFigure(ratio),
    n < 2 ? '–' : interval.map(formatFigure).join('…'),
    formatFigure(claimFrom),
    `${n}`,
    formatFigure(signP),
    `${verdict === 'worse' ? 'WORSE' : verdict}${because === undefined ? '' : `: ${because}`}`,
  ]);
  const count = (verdict: CompareRow['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  const sums = `${count('worse')} worse, ${count('better')} better, ${count('same')} the same within noise, ${count('not judged')} not judged`;
  return `${[formatTable(head, cells), ...remarks, sums].join('\n')}\n`;
}

/** Rows as tests: one that is worse fails. Pure. */
export function comparisonCases(rows: readonly CompareRow[]): readonly JUnitCase[] {
  return rows.map(({ scenario, measure, before, after, ratio, interval, verdict, because = '' }) => ({
    suite: scenario,
    name: measures[measure].name,
    ...(verdict === 'not judged' ? { skipped: because } : {}),
    ...(verdict === 'worse'
      ? {
          failure: `${formatFigure(before)} → ${formatFigure(after)} ${measures[measure].unit}, × ${formatFigure(ratio)} (${level}: ${interval.map(formatFigure).join('…')})`,
        }
      : {}),
  }));
}

/** Goals as tests: one that is missed fails, one that was not measured is skipped. Pure. */
export function goalCases(report: BenchReport): readonly JUnitCase[] {
  return controlPlaneGoals(report).map((goal) => {
    const verdict = goalVerdict(goal);
    const told = `${formatFigure(goal.measured)} ${goal.unit}, ${goal.bound} ${formatFigure(goal.target)} (${goal.note})`;
    return {
      suite: 'control-plane goals',
      name: goal.what,
      ...(verdict === 'MISSED' ? { failure: told } : {}),
      ...(verdict === 'not measured' ? { skipped: verdict } : {}),
    };
  });
}
