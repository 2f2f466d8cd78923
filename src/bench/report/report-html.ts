import type { BenchReport } from '../bench-report.ts';
import { caveats, compareSides } from '../compare.ts';
import { controlPlaneGoals } from '../goals.ts';
import { escapeXml } from '../junit.ts';
import { formatFigure, type Goal, goalVerdict, isWithinNoise } from '../report.ts';
import { seriesColor } from './charts.ts';
import { renderForest } from './forest.ts';
import { caveatCard, dayOf, describeMachine, factList, legend, rawLink, renderPage, section, table, tiles } from './page.ts';
import { drawScenario, type Figure } from './sections.ts';
import { figureHead, figureRows, latencyHead, latencyRows, scaleHead, scaleRows, summarizeReport, summaryMeasures } from './tables.ts';

/** The whole report as one file, drawings inside. */
export async function renderReportHtml(report: BenchReport): Promise<string> {
  const { subjects, blocks, startedAt } = report;
  const [first = { name: '', command: '' }, ...others] = subjects;
  const scenarios = [...new Set(blocks.map(({ scenario }) => scenario))];
  const forest = others.map(({ name }) => ({
    name,
    rows: compareSides({ report, subject: first.name }, { report, subject: name }, { noise: [report] }),
  }));
  const drawn = await Promise.all(
    scenarios.map(async (scenario) =>
      section(
        scenario,
        loadOf(report, scenario),
        `<div class="charts">${(await drawScenario(report, scenario)).map(figure).join('')}</div>`,
      ),
    ),
  );
  const scale = scaleRows(report);
  const names = subjects.map(({ name }, index) => ({ name, color: seriesColor(index) }));
  const day = dayOf(startedAt);
  const body = [
    `<h1>${escapeXml(subjects.map(({ name }) => name).join(' · '))}</h1>`,
    `<p class="sub">Benchmark of ${day} UTC, ${escapeXml(describeMachine(report.machine))}</p>`,
    totals(report),
    caveatCard(caveats(report)),
    `<div class="key">${legend(names)}</div>`,
    ...(controlPlaneGoals(report).every(isOpen) ? [] : [section('Goals', aboutGoals(first.name), goals(report))]),
    ...(others.length === 0 ? [] : [section('The same of each operator', aboutFigures, table(figureHead(report), figureRows(report), []))]),
    ...(others.length === 0 ? [] : [section('Side by side', aboutRatios(first.name), renderForest(first.name, forest))]),
    ...drawn,
    ...(scale.length === 0 ? [] : [section('With how many Performers there are', aboutScale, table(scaleHead, scale, [3, 4, 5]))]),
    section('Latencies', aboutLatencies, table(latencyHead, latencyRows(report), [2, 3, 4, 5, 6])),
    section('All figures', 'Medians over the rounds; blocks that are void count for nothing.', figures(report)),
    section('How it was measured', '', provenance(report)),
  ];
  return renderPage(`Benchmark ${day}`, body);
}

const isOpen = (goal: Goal): boolean => goalVerdict(goal) === 'not measured';

function aboutGoals(first: string): string {
  return `What the control plane allows, and how near ${first} comes to it in this run. Within noise: with 99 % certainty it might as well be on the other side.`;
}

export const aboutScale =
  'A few creations a second beside so many settled Performers. The line is that of least squares, with the 99 % interval of its slope: where that holds 0, nothing grows.';

export const aboutFigures =
  'Medians over the rounds, p99 of all requests together; in brackets how many blocks, or requests, and where the figure lies with 99 % certainty.';

export const aboutLatencies =
  'From each request to the state it asked for, all rounds together; beside each quantile where it lies with 99 % certainty, by order statistics. Too small a sample leaves an end open (–).';

function aboutRatios(first: string): string {
  return `What each takes of what ${first} takes, paired by round: geometric mean with its 99 % interval, on a logarithmic scale. Right of the line is more than ${first}, bold is beyond noise.`;
}

function figure({ title, svg, legend: colors = [] }: Figure): string {
  return `<figure><h3>${escapeXml(title)}</h3>${svg.replace('<svg ', `<svg role="img" aria-label="${escapeXml(title)}" `)}${colors.length < 2 ? '' : legend(colors, ' small')}</figure>`;
}

function totals(report: BenchReport): string {
  const verdicts = controlPlaneGoals(report).map(goalVerdict);
  const count = (verdict: (typeof verdicts)[number]): number => verdicts.filter((one) => one === verdict).length;
  const minutes = (Date.parse(report.finishedAt) - Date.parse(report.startedAt)) / 60_000;
  const voids = report.blocks.filter(({ voidBecause }) => voidBecause !== undefined).length;
  return tiles([
    [`${count('met')}`, 'goals met'],
    [`${count('MISSED')}`, 'goals missed'],
    [`${count('not measured')}`, 'goals not measured'],
    [`${report.blocks.length}`, voids === 0 ? 'blocks' : `blocks, ${voids} of them void`],
    [formatFigure(minutes), 'minutes'],
  ]);
}

function goals(report: BenchReport): string {
  const rows = controlPlaneGoals(report).map((goal) => {
    const verdict = goalVerdict(goal);
    const target = `${goal.bound} ${formatFigure(goal.target)} ${goal.unit}`;
    return [
      goal.what,
      `${formatFigure(goal.measured)} ${goal.unit}`,
      target,
      `<span class="badge ${verdict}">${verdict.toLowerCase()}${isWithinNoise(goal) ? ', within noise' : ''}</span>`,
      goal.note,
    ];
  });
  return table(['', 'measured', 'target', '', 'n, spread'], rows, [1, 2]);
}

function figures(report: BenchReport): string {
  const head = ['scenario', 'operator', 'rounds', ...summaryMeasures.map(({ name, unit }) => `${name} ${unit}`)];
  const rows = summarizeReport(report).map(({ scenario, subject, rounds, values }) => [
    scenario,
    subject,
    `${rounds}`,
    ...values.map(formatFigure),
  ]);
  return table(head, rows, head.map((_, column) => column).slice(2));
}

function provenance(report: BenchReport): string {
  const { subjects, versions, cluster, seed } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['machine', `${describeMachine(report.machine)}, ${report.machine.system}`],
    ['cluster', cluster.profile],
    ['fsync of etcd', cluster.etcdFsync === undefined ? 'not known' : cluster.etcdFsync ? 'on' : 'off'],
    ...Object.entries(versions),
    ['seed', String(seed)],
  ];
  const commands = subjects.map(({ name, command }) => [name, `<code>${escapeXml(command)}</code>`] as const);
  return factList([...facts.map(([name, text]) => [name, escapeXml(text)] as const), ...commands, ['raw data', rawLink(report)]]);
}

function loadOf({ blocks }: BenchReport, scenario: string): string {
  const own = blocks.filter((block) => block.scenario === scenario);
  const sizes = [...new Set(own.map(({ performers }) => performers))].map(formatFigure).join(' or ');
  const rounds = new Set(own.map(({ round }) => round)).size;
  return `${sizes} Performers, ${rounds === 1 ? 'one round' : `${rounds} rounds`}; colours as above. A step to the left is faster.`;
}
