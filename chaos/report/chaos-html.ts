import { escapeXml } from '../../src/bench/junit.ts';
import {
  caveatCard,
  dayOf,
  describeMachine,
  factList,
  legend,
  rawLink,
  renderPage,
  section,
  table,
  tiles,
} from '../../src/bench/report/page.ts';
import { formatFigure } from '../../src/bench/report.ts';
import type { ChaosReport, ChaosRun } from '../report.ts';
import { explainVerdict, goalRows, goalVerdict, overallVerdict } from '../table.ts';
import { drawTimeline, outcomeColors, stateColors, writeColors } from './draw-timeline.ts';
import { podStates, readTimeline, taskOutcomes, writeKinds } from './timeline.ts';

const style = `
:root{--open:#7a5200;--open-back:#fdf1d3}
@media (prefers-color-scheme:dark){:root{--open:#f0c35a;--open-back:#33290f}}
.badge.passed,.badge.holds{background:var(--good-back);color:var(--good)}
.badge.failed,.badge.fails{background:var(--bad-back);color:var(--bad)}
.badge.inconclusive,.badge.unsure{background:var(--open-back);color:var(--open)}
h1 .badge{font-size:17px;padding:2px 14px;vertical-align:4px;margin-left:6px;letter-spacing:0}
h2 .badge{vertical-align:3px;margin-left:8px;letter-spacing:0}
.timeline svg{display:block;min-width:1092px;margin:0 auto}
.timeline .legend{padding:0 16px 14px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:12px;align-items:start}
.pair td{white-space:normal}
.badge,.pair td.n{white-space:nowrap}
#experiments td:nth-child(2){white-space:normal;min-width:170px}
#experiments td:last-child{white-space:normal;min-width:200px;overflow-wrap:anywhere}
details{margin-top:10px;font-size:13.5px;color:var(--muted)}
`;

/** The whole report as one file, a drawing for each run inside. */
export async function renderChaosHtml(report: ChaosReport): Promise<string> {
  const { runs, startedAt, subject = 'ours', suite, seed, machine } = report;
  const day = dayOf(startedAt);
  const verdict = overallVerdict(report);
  const drawn = await Promise.all(runs.map((run) => renderRun(run, report)));
  const body = [
    `<h1>Chaos ${badge(verdict)}</h1>`,
    `<p class="sub">${subject === 'ours' ? '' : `Subject ${escapeXml(subject)}, `}Suite ${suite}, seed ${seed}, ${day} UTC, ${escapeXml(describeMachine(machine))}</p>`,
    totals(report),
    caveatCard(caveats(report)),
    section(
      'Experiments',
      'In the order in which they were run. Tasks are those sent from nodes that were neither cut off nor off.',
      summary(runs),
    ),
    section('Goals', 'Over all runs that are conclusive.', goals(report)),
    ...drawn,
    section('How it was run', '', provenance(report)),
  ];
  return renderPage(`Chaos ${day}: ${verdict}`, body, style);
}

const badge = (word: string, kind = word): string => `<span class="badge ${kind}">${word}</span>`;
const anchorOf = ({ id, round, attempt }: ChaosRun): string => `${id}-${round + 1}-${attempt}`.toLowerCase();
const nameOf = ({ id, round, attempt }: ChaosRun): string =>
  `${id}${round === 0 ? '' : ` round ${round + 1}`}${attempt === 1 ? '' : ' again'}`;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function totals({ runs, startedAt, finishedAt, soak }: ChaosReport): string {
  const count = (verdict: ChaosRun['verdict']): string => `${runs.filter((run) => run.verdict === verdict).length}`;
  const tasks = runs.flatMap(({ load }) => load).reduce((sum, { answered, failed }) => sum + answered + failed, 0);
  return tiles([
    [count('passed'), 'passed'],
    [count('failed'), 'failed'],
    [count('inconclusive'), 'inconclusive'],
    [formatFigure(tasks), 'tasks sent'],
    ...(soak === undefined ? [] : [[`${soak.outside.failed} of ${formatFigure(soak.outside.sent)}`, 'failed outside of faults'] as const]),
    [formatFigure((Date.parse(finishedAt) - Date.parse(startedAt)) / 60_000), 'minutes'],
  ]);
}

function caveats({ partialBecause, resumedAt = [], judgesTimes, runs }: ChaosReport): readonly string[] {
  const blind = runs.filter(({ writes }) => writes === undefined);
  const open = runs.filter(({ verdict }) => verdict === 'inconclusive');
  return [
    ...(partialBecause === undefined ? [] : [`Not all of it was run: ${partialBecause}.`]),
    ...resumedAt.map((at) => `It was interrupted, and went on at ${at}.`),
    ...(open.length === 0
      ? []
      : [`It is open what ${open.map(nameOf).join(', ')} would have shown: it is not known that the fault was there.`]),
    ...(judgesTimes ? [] : ['How fast it was is told and not judged: this suite is made for busy machines.']),
    ...(blind.length === 0
      ? []
      : [`What the operator wrote could not be seen in ${blind.map(nameOf).join(', ')}: there is no audit log to read.`]),
  ];
}

function summary(runs: readonly ChaosRun[]): string {
  const rows = runs.map((run) => {
    const { title, target, times, verdict, load } = run;
    const bystanders = load.filter(({ performer }) => performer !== target.performer);
    const back = times.convergedMs === undefined ? 'never' : seconds(Math.max(0, times.convergedMs - times.healedMs));
    return [
      `<a href="#${anchorOf(run)}">${nameOf(run)}</a>`,
      title,
      badge(verdict),
      share(load.filter(({ performer }) => performer === target.performer)),
      share(bystanders),
      back,
      explainVerdict(run),
    ];
  });
  return `<div id="experiments">${table(['', 'what is done', '', 'tasks answered', 'by bystanders', 'restored after', 'why'], rows, [3, 4, 5])}</div>`;
}

/** Rounded down: one that is lost is never hidden. */
function share(load: ChaosRun['load']): string {
  const judged = load.filter(({ inside }) => !inside);
  const answered = judged.reduce((sum, one) => sum + one.answered, 0);
  const all = answered + judged.reduce((sum, { failed }) => sum + failed, 0);
  return all === 0 ? '–' : `${formatFigure(Math.floor((answered / all) * 1_000) / 10)} % of ${formatFigure(all)}`;
}

function goals(report: ChaosReport): string {
  const head = ['goal', 'experiment', 'figure', 'at most', 'p50', 'max', 'n', ''];
  const rows = goalRows(report).map((row) => row.map((cell, column) => (column === head.length - 1 ? verdictBadge(cell) : cell)));
  return rows.length === 0 ? '<p class="note">None of them was measured.</p>' : table(head, rows, [3, 4, 5, 6]);
}

const verdictBadge = (text: string): string => badge(text.toLowerCase(), text.includes('(') ? 'not' : (text.split(' ')[0] ?? ''));

async function renderRun(run: ChaosRun, { judgesTimes }: ChaosReport): Promise<string> {
  const { title, verdict, target, injector, twin, times, writes } = run;
  const svg = await drawTimeline(readTimeline(run));
  const lasted = times.healedMs > times.feltMs ? `felt for ${seconds(times.healedMs - times.feltMs)}` : 'over in an instant';
  const met = [...target.pods, ...target.nodes.map((node) => `node ${node}`)].join(', ');
  const about = `Met: ${met}. Carried out by ${injector === 'chaos-mesh' ? 'Chaos Mesh' : 'the testbed'}; felt ${seconds(times.feltMs - times.askedMs)} after it was asked for, ${lasted}.`;
  const sameAs = twin === undefined ? '' : ` <code>bin/hourglass simulate</code> has it as <code>${escapeXml(twin)}</code>.`;
  const colors = (names: readonly string[], all: readonly string[]) => names.map((name, index) => ({ name, color: all[index] ?? '' }));
  const keys = [
    ...colors(['task answered', ...taskOutcomes.slice(1)], outcomeColors),
    ...colors(
      podStates.map((state) => `pod ${state}`),
      stateColors,
    ),
    ...(writes === undefined ? [] : colors(['▲ create', '● change', '▼ delete', '✚ refused'].slice(0, writeKinds.length), writeColors)),
    { name: '→ met by the fault', color: 'transparent' },
  ];
  return `<section id="${anchorOf(run)}"><h2>${escapeXml(`${nameOf(run)} · ${title}`)} ${badge(verdict)}</h2><p class="note">${escapeXml(about)}${sameAs}</p>
<div class="wide timeline">${svg.replace('<svg ', `<svg role="img" aria-label="${escapeXml(`timeline of ${nameOf(run)}`)}" `)}${legend(keys, ' small')}</div>
<div class="pair">${bounds(run, judgesTimes)}${evidence(run)}</div>${asked(run)}</section>`;
}

function bounds({ goals }: ChaosRun, judgesTimes: boolean): string {
  const rows = goals.map((one) => {
    const { goal, figure, atMost, measured } = one;
    const unit = figure.endsWith(' ms') ? ' ms' : '';
    const text = measured === undefined ? '–' : `${formatFigure(measured)}${unit}`;
    return [goal, figure.replace(/ ms$/, ''), text, `${formatFigure(atMost)}${unit}`, verdictBadge(goalVerdict(one, judgesTimes))];
  });
  return table(['goal', 'figure', 'measured', 'at most', ''], rows, [2, 3]);
}

/** What stands beside the figures. */
function evidence({ findings, goals }: ChaosRun): string {
  const figures = new Set(goals.map(({ goal, figure }) => (goal === '-' ? figure : `${goal} ${figure}`)));
  const rows = findings.filter(({ what }) => !figures.has(what)).map(({ what, says, detail }) => [what, badge(says), detail]);
  return table(['evidence', '', ''], rows, []);
}

function asked({ evaluated }: ChaosRun): string {
  const all = Object.entries(evaluated).toSorted(([, a], [, b]) => b - a);
  const tested = all.filter(([, times]) => times > 0).map(([id, times]) => `${id} ${formatFigure(times)}×`);
  const never = all.filter(([, times]) => times === 0).map(([id]) => id);
  return `<details><summary>${tested.length} of ${all.length} statements about the cluster were put to the test</summary>${escapeXml(tested.join(', '))}${never.length === 0 ? '' : `; never: ${escapeXml(never.join(', '))}`}. <code>docs/simulation-ids.md</code> says what they are.</details>`;
}

function provenance(report: ChaosReport): string {
  const { cluster, load, versions, machine, seed, repeat } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['machine', `${describeMachine(machine)}, ${machine.system}`],
    ['cluster', `${cluster.nodes} nodes, ${cluster.server}${cluster.timers === undefined ? '' : `, ${cluster.timers} timers`}`],
    ['load', `${load.perSecond} tasks a second from each node to each Performer, each within ${load.deadlineMs} ms`],
    ...Object.entries(versions),
    ['seed, rounds', `${seed}, ${repeat}`],
  ];
  return factList([...facts.map(([name, text]) => [name, escapeXml(text)] as const), ['raw data', rawLink(report)]]);
}
