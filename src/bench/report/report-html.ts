import { gzipSync } from 'node:zlib';
import type { BenchReport } from '../bench-report.ts';
import { caveats, compareSides } from '../compare.ts';
import { controlPlaneGoals } from '../goals.ts';
import { escapeXml } from '../junit.ts';
import { formatFigure, goalVerdict } from '../report.ts';
import { seriesColor } from './charts.ts';
import { renderForest } from './forest.ts';
import { pageStyle } from './page-style.ts';
import { drawScenario, type Figure } from './sections.ts';
import { summarizeReport, summaryMeasures } from './tables.ts';

/** The whole report as one file: drawings inside, no script, and a policy by which the browser asks nobody for anything. */
export async function renderReportHtml(report: BenchReport): Promise<string> {
  const { subjects, blocks, startedAt } = report;
  const [first = { name: '', command: '' }, ...others] = subjects;
  const scenarios = [...new Set(blocks.map(({ scenario }) => scenario))];
  const forest = others.map(({ name }) => ({ name, rows: compareSides({ report, subject: first.name }, { report, subject: name }) }));
  const drawn = await Promise.all(
    scenarios.map(async (scenario) =>
      section(
        scenario,
        loadOf(report, scenario),
        `<div class="charts">${(await drawScenario(report, scenario)).map(figure).join('')}</div>`,
      ),
    ),
  );
  const names = subjects.map(({ name }, index) => ({ name, color: seriesColor(index) }));
  const day = new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ');
  const body = [
    `<h1>${escapeXml(subjects.map(({ name }) => name).join(' · '))}</h1>`,
    `<p class="sub">Benchmark of ${day} UTC, ${escapeXml(machineOf(report))}</p>`,
    tiles(report),
    notes(report),
    `<div class="key">${legend(names)}</div>`,
    section('Goals', `What the control plane allows, and how near ${first.name} comes to it in this run.`, goals(report)),
    ...(others.length === 0 ? [] : [section('Side by side', aboutRatios(first.name), renderForest(first.name, forest))]),
    ...drawn,
    section('All figures', 'Medians over the rounds; blocks that are void count for nothing.', figures(report)),
    section('How it was measured', '', provenance(report)),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Benchmark ${day}</title><style>${pageStyle}</style></head><body><main>
${body.join('\n')}
</main></body></html>
`;
}

function aboutRatios(first: string): string {
  return `What each takes of what ${first} takes, paired by round: geometric mean with its 99 % interval, on a logarithmic scale. Right of the line is more than ${first}, bold is beyond noise.`;
}

function section(title: string, about: string, content: string): string {
  return `<section><h2>${escapeXml(title)}</h2>${about === '' ? '' : `<p class="note">${escapeXml(about)}</p>`}${content}</section>`;
}

function figure({ title, svg, legend: colors = [] }: Figure): string {
  return `<figure><h3>${escapeXml(title)}</h3>${svg.replace('<svg ', `<svg role="img" aria-label="${escapeXml(title)}" `)}${colors.length < 2 ? '' : legend(colors, ' small')}</figure>`;
}

function legend(entries: readonly { readonly name: string; readonly color: string }[], kind = ''): string {
  return `<ul class="legend${kind}">${entries.map(({ name, color }) => `<li><i style="background:${color}"></i>${escapeXml(name)}</li>`).join('')}</ul>`;
}

function tiles(report: BenchReport): string {
  const verdicts = controlPlaneGoals(report).map(goalVerdict);
  const count = (verdict: (typeof verdicts)[number]): number => verdicts.filter((one) => one === verdict).length;
  const minutes = (Date.parse(report.finishedAt) - Date.parse(report.startedAt)) / 60_000;
  const voids = report.blocks.filter(({ voidBecause }) => voidBecause !== undefined).length;
  const facts: readonly (readonly [string, string])[] = [
    [`${count('met')}`, 'goals met'],
    [`${count('MISSED')}`, 'goals missed'],
    [`${count('not measured')}`, 'goals not measured'],
    [`${report.blocks.length}`, voids === 0 ? 'blocks' : `blocks, ${voids} of them void`],
    [formatFigure(minutes), 'minutes'],
  ];
  return `<div class="tiles">${facts.map(([value, what]) => `<div class="tile"><b>${value}</b><span>${what}</span></div>`).join('')}</div>`;
}

function notes(report: BenchReport): string {
  const all = caveats(report);
  if (all.length === 0) return '';
  return `<div class="card caveats"><h3>This report says less than it might</h3><ul>${all.map((note) => `<li>${escapeXml(note)}</li>`).join('')}</ul></div>`;
}

function goals(report: BenchReport): string {
  const rows = controlPlaneGoals(report).map((goal) => {
    const verdict = goalVerdict(goal);
    const target = `${goal.bound} ${formatFigure(goal.target)} ${goal.unit}`;
    return [
      goal.what,
      `${formatFigure(goal.measured)} ${goal.unit}`,
      target,
      `<span class="badge ${verdict}">${verdict.toLowerCase()}</span>`,
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

/** Cells are HTML where they begin with a tag of ours, text otherwise. */
function table(head: readonly string[], rows: readonly (readonly string[])[], rightSet: readonly number[]): string {
  const cell = (text: string, column: number, tag: string): string =>
    `<${tag}${rightSet.includes(column) ? ' class="n"' : ''}>${text.startsWith('<span class="badge') ? text : escapeXml(text)}</${tag}>`;
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((text, column) => cell(text, column, tag)).join('')}</tr>`;
  return `<div class="wide"><table><thead>${row(head, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>`;
}

function provenance(report: BenchReport): string {
  const { subjects, versions, cluster, seed } = report;
  const raw = gzipSync(JSON.stringify(report));
  const facts: readonly (readonly [string, string])[] = [
    ['machine', `${machineOf(report)}, ${report.machine.system}`],
    ['cluster', cluster.profile],
    ['fsync of etcd', cluster.etcdFsync === undefined ? 'not known' : cluster.etcdFsync ? 'on' : 'off'],
    ...Object.entries(versions),
    ['seed', String(seed)],
  ];
  const list = facts.map(([what, value]) => `<dt>${escapeXml(what)}</dt><dd>${escapeXml(value)}</dd>`);
  const commands = subjects.map(({ name, command }) => `<dt>${escapeXml(name)}</dt><dd><code>${escapeXml(command)}</code></dd>`);
  const link = `<a download="report.json.gz" href="data:application/gzip;base64,${raw.toString('base64')}">report.json.gz</a>`;
  return `<div class="card"><dl>${[...list, ...commands].join('')}<dt>raw data</dt><dd>${link}, ${formatFigure(raw.length / 1_000)} kB</dd></dl></div>`;
}

function machineOf({ machine: { cores, cpu, memoryBytes } }: BenchReport): string {
  return `${cores} × ${cpu}, ${formatFigure(memoryBytes / 1024 ** 3)} GiB`;
}

function loadOf({ blocks }: BenchReport, scenario: string): string {
  const own = blocks.filter((block) => block.scenario === scenario);
  const sizes = [...new Set(own.map(({ performers }) => performers))].map(formatFigure).join(' or ');
  const rounds = new Set(own.map(({ round }) => round)).size;
  return `${sizes} Performers, ${rounds === 1 ? 'one round' : `${rounds} rounds`}; colours as above. A step to the left is faster.`;
}
