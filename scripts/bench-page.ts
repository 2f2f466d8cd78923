import { basename } from 'node:path';
import type { BenchReport } from '../src/bench/bench-report.ts';
import { caveats } from '../src/bench/compare.ts';
import { controlPlaneGoals } from '../src/bench/goals.ts';
import { aboutFigures, aboutLatencies, aboutScale } from '../src/bench/report/report-html.ts';
import { figureHead, figureRows, latencyHead, latencyRows, scaleHead, scaleRows } from '../src/bench/report/tables.ts';
import { formatFigure, type Goal, goalVerdict, isWithinNoise } from '../src/bench/report.ts';
import { markdownTable } from './markdown-table.ts';

/** The runs that are published, from the project root: every sample of them. */
export const benchReportPaths = { full: 'docs/results/raw/bench-full.json.gz', scale: 'docs/results/raw/bench-scale.json.gz' } as const;
export interface PublishedRuns {
  readonly full: BenchReport;
  /** Absent until it was run. */
  readonly scale?: BenchReport | undefined;
}

/** A figure of one round has no interval: whether another run would say the same, nothing tells. */
const isOfOne = ({ note }: Goal): boolean => /^n 1\b/.test(note);

function told(goal: Goal): string {
  const remark = isWithinNoise(goal) ? ', within noise' : isOfOne(goal) ? ', one round' : '';
  return `${goalVerdict(goal) === 'met' ? 'met' : '**missed**'}${remark}`;
}

const measured = (report: BenchReport): readonly Goal[] => controlPlaneGoals(report).filter((goal) => goalVerdict(goal) !== 'not measured');

function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => [
    goal.what,
    `${formatFigure(goal.measured)} ${goal.unit}`.trim(),
    `${goal.bound} ${formatFigure(goal.target)}`,
    goal.note,
    told(goal),
  ]);
  return markdownTable(['goal', 'measured', 'asked', 'n, spread', ''], rows);
}

/** Where, when and with what a run was made, and what speaks against it. */
function circumstances(report: BenchReport): string {
  const { startedAt, finishedAt, machine, versions, cluster, seed, blocks, subjects } = report;
  const minutes = Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 60_000);
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const fsync = cluster.etcdFsync === undefined ? '' : `, etcd ${cluster.etcdFsync ? 'with' : 'without'} fsync`;
  const place = `${machine.cores} × ${machine.cpu}, ${formatFigure(machine.memoryBytes / 1024 ** 3)} GiB, ${machine.system}`;
  return [
    `From ${startedAt.slice(0, 16)}Z, ${minutes} min, ${blocks.length} blocks, seed ${seed}. ${place}; cluster \`${cluster.profile}\`${fsync}. ${programs.join(', ')}.`,
    `Operators: ${subjects.map(({ name }) => `\`${name}\``).join(', ')}.`,
    ...caveats(report).map((remark) => `- ${remark}`),
  ].join('\n\n');
}

/** What became of the goals: how many of each, and those by name that stand against us or are open. */
function summary(full: readonly Goal[], scale: readonly Goal[]): string {
  const all = [...full, ...scale].filter((goal) => goalVerdict(goal) !== 'not measured');
  const missed = all.filter((goal) => goalVerdict(goal) === 'MISSED');
  const beyond = missed.filter((goal) => !isWithinNoise(goal));
  const open = full.filter(({ what }) => !all.some((goal) => goal.what === what));
  const named = (goals: readonly Goal[]): string => (goals.length === 0 ? '' : `: ${goals.map(({ what }) => what).join('; ')}`);
  return [
    `Of ${full.length} goals ${all.length - missed.length} were met, ${missed.length - beyond.length} missed within noise (their 99 % interval holds what was asked), ${beyond.length} missed${named(beyond)}.`,
    `Not measured: ${open.length}${named(open)}. Resting on one round, so that nothing tells what another would say: ${all.filter(isOfOne).length}, marked below.`,
  ].join(' ');
}

function scaleSection(scale: BenchReport): string {
  return `## With how many Performers there are

\`\`\`sh
npm run bench -- --scenario scale --repeat 1 --out bench-results/scale
\`\`\`

${circumstances(scale)}

${aboutScale} One round for each number; \`at none\` is where the line begins.

${markdownTable(scaleHead, scaleRows(scale))}

${goalTable(measured(scale))}
`;
}

/** `docs/results/bench.md`: what was run as it came out, with what was reached of each goal. Pure. */
export function renderBenchPage({ full, scale }: PublishedRuns): string {
  const paths = [benchReportPaths.full, ...(scale === undefined ? [] : [benchReportPaths.scale])];
  const links = paths.map((path) => `[${basename(path)}](raw/${basename(path)})`);
  return `# Benchmark results

<!-- Generated from ${paths.join(' and ')} by \`npm run generate\`; do not edit. -->

What [\`npm run bench\`](../benchmarks.md) measured. Absolute figures are of one machine; what carries over are the ratios of one run, and the counts. Raw data, every sample: ${links.join(', ')}; \`gunzip\` them, and \`bin/hourglass bench report\` draws them.

${summary(controlPlaneGoals(full), scale === undefined ? [] : measured(scale))}

## All operators

\`\`\`sh
npm run bench -- --full --compare controller-runtime --compare controller-runtime-tuned --compare floor --out bench-results/full
\`\`\`

${circumstances(full)}

### Goals

Figures of ours: medians of the blocks, p99 of all requests together. Ratios are to the named operator, paired by round (geometric mean; p99 of all rounds together), and so not the quotient of two medians; \`beyond floor\` are differences. Then n, the least and the most of single figures, and the 99 % interval.

${goalTable(measured(full))}

### The same of each operator

${aboutFigures}

${markdownTable(figureHead(full), figureRows(full))}

### Latencies

${aboutLatencies}

${markdownTable(latencyHead, latencyRows(full))}

${scale === undefined ? '' : `${scaleSection(scale)}\n`}With 100,000 and 1,000,000, in process: [scale](../scale.md).
`;
}
