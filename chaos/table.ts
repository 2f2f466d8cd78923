import type { JUnitCase } from '../src/bench/junit.ts';
import { formatFigure, formatTable } from '../src/bench/report.ts';
import type { ChaosReport, ChaosRun } from './report.ts';
import { describeSoak, judgeSoak } from './soak.ts';

/** What was found that explains a verdict, in one line. Pure. */
export function explainVerdict({ verdict, findings }: ChaosRun): string {
  const says = verdict === 'failed' ? 'fails' : 'unsure';
  return findings
    .filter((one) => one.says === says)
    .map(({ what, detail }) => `${what}: ${detail}`)
    .join('; ');
}

/** Verdicts, then goals with what was measured over all runs that are conclusive. Pure. */
export function formatChaos(report: ChaosReport): string {
  const runs = report.runs.map((run) => [run.id, run.title, run.verdict, seconds(run), explainVerdict(run)]);
  const leftOut = (report.leftOut ?? []).map(({ id, title, why }) => [id, title, 'left out', '', why]);
  const parts = [
    formatTable(['id', 'experiment', 'verdict', 'took', 'why'], [...runs, ...leftOut]),
    '',
    formatTable(['goal', 'experiment', 'figure', 'at most', 'p50', 'max', 'n', ''], goalRows(report)),
  ];
  if (report.soak !== undefined) parts.push('', describeSoak(report, report.soak));
  if (report.partialBecause !== undefined) parts.push('', `Not all of it was run: ${report.partialBecause}`);
  return parts.join('\n');
}

const seconds = ({ times }: ChaosRun): string => `${Math.round((times.endedMs - times.beganMs) / 1_000)} s`;

/** By goal, experiment and figure: what it must reach, p50, max, n and a verdict, as text. Pure. */
export function goalRows({ runs, judgesTimes }: ChaosReport): readonly (readonly string[])[] {
  const conclusive = runs.filter(({ verdict }) => verdict !== 'inconclusive');
  const all = conclusive.flatMap(({ id, goals }) => goals.filter(({ goal }) => goal !== '-').map((goal) => ({ id, ...goal })));
  return [...Map.groupBy(all, ({ id, goal, figure }) => `${goal} ${id} ${figure}`).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const taken = same.flatMap(({ measured }) => (measured === undefined ? [] : [measured])).toSorted((a, b) => a - b);
    const [middle = Number.NaN, most = Number.NaN] = [taken[(taken.length - 1) >> 1], taken.at(-1)];
    const { measured: _, ...bound } = first;
    const verdict = goalVerdict(taken.length === 0 ? bound : { ...bound, measured: most }, judgesTimes);
    const row = [
      first.goal,
      first.id,
      first.figure,
      formatFigure(first.atMost),
      formatFigure(middle),
      formatFigure(most),
      String(taken.length),
    ];
    return [[...row, verdict]];
  });
}

/** Of one figure, or of the largest of many. Pure. */
export function goalVerdict({ measured, atMost, timed }: ChaosRun['goals'][number], judgesTimes: boolean): string {
  const verdict = measured === undefined ? 'not measured' : measured <= atMost ? 'met' : 'MISSED';
  return judgesTimes || !timed ? verdict : `${verdict} (not judged here)`;
}

/** A test for each run; an inconclusive one that was run again is skipped, its last attempt failed; what was left out is skipped. A soak as a whole is one more. Pure. */
export function toJUnitCases(report: ChaosReport): readonly JUnitCase[] {
  const { runs, leftOut = [], partialBecause, soak } = report;
  const cases = runs.map((run): JUnitCase => {
    const base = {
      suite: 'chaos',
      name: `${run.id} ${run.title}${run.round === 0 ? '' : ` (round ${run.round + 1})`}${run.attempt === 1 ? '' : ' (again)'}`,
    };
    if (run.verdict === 'passed') return base;
    const why = `${run.verdict}: ${explainVerdict(run)}`;
    const wasRepeated = runs.some(({ id, round, attempt }) => id === run.id && round === run.round && attempt > run.attempt);
    return run.verdict === 'inconclusive' && (wasRepeated || soak !== undefined) ? { ...base, skipped: why } : { ...base, failure: why };
  });
  cases.push(...leftOut.map(({ id, title, why }) => ({ suite: 'chaos', name: `${id} ${title}`, skipped: `left out: ${why}` })));
  if (soak !== undefined) {
    const whole = { suite: 'chaos', name: 'the soak as a whole' };
    return [...cases, overallVerdict(report) === 'passed' ? whole : { ...whole, failure: partialBecause ?? describeSoak(report, soak) }];
  }
  return partialBecause === undefined ? cases : [...cases, { suite: 'chaos', name: 'all of it was run', failure: partialBecause }];
}

/** Of many reports: a failure weighs more than doubt. Pure. */
export function worstVerdict(reports: readonly ChaosReport[]): ChaosRun['verdict'] {
  const verdicts = reports.map(overallVerdict);
  return verdicts.includes('failed') ? 'failed' : verdicts.length === 0 || verdicts.includes('inconclusive') ? 'inconclusive' : 'passed';
}

/** What all runs come to: a failure weighs more than doubt. Pure. */
export function overallVerdict(report: ChaosReport): ChaosRun['verdict'] {
  const { runs, partialBecause, soak } = report;
  if (soak !== undefined) return judgeSoak(report, soak);
  if (runs.some(({ verdict }) => verdict === 'failed')) return 'failed';
  const last = [...Map.groupBy(runs, ({ id, round }) => `${id} ${round}`).values()].map((attempts) => attempts.at(-1)?.verdict);
  return partialBecause === undefined && last.length > 0 && last.every((verdict) => verdict === 'passed') ? 'passed' : 'inconclusive';
}
