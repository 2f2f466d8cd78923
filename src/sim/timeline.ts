import type { Violation } from '../oracle/oracle.ts';
import type { RunResult } from './run.ts';
import type { RunPlan } from './run-plan.ts';
import { formatRunTime, runTimeOf } from './story.ts';
import type { TraceLine } from './trace.ts';

/** Something in a lane: a band while it lasts, else a mark. */
interface Item {
  readonly fromMs: number;
  readonly toMs?: number;
  /** A class of the style sheet below. */
  readonly look: string;
  readonly title: string;
  readonly label?: string;
}

interface Lane {
  readonly name: string;
  readonly kind: 'head' | 'main' | 'sub';
  readonly items: readonly Item[];
}

const heights = { head: 28, main: 18, sub: 11 } as const;
const left = 200;
const right = 1_400;
/** Of one letter of a label. */
const letter = 6;
/** Performers up to so many show their pods even when nothing is wrong with them. */
const few = 8;
const mostViolations = 20;

/** A page that draws a run, whole in itself: a lane per object, faults across the top, violations in red. Pure. */
export function renderTimeline(plan: RunPlan, result: RunResult): string {
  const { violations, simulatedMs } = result;
  const endMs = Math.max(simulatedMs, 1_000);
  const of = Map.groupBy(result.lines, ({ lane }) => lane);
  const lines = (lane: TraceLine['lane'], who?: string): readonly TraceLine[] =>
    (of.get(lane) ?? []).filter((line) => who === undefined || line.who === who);
  const ownerOf = new Map(lines('pod').map((line) => [line.who, line.of]));
  const wrong = Map.groupBy(violations, ({ key }) => ownerOf.get(key) || key);
  const seen = new Set([...lines('performer'), ...lines('user')].map(({ who }) => who).filter((who) => who.includes('/')));
  const names = [...seen].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const faults = lines('fault').filter(({ who }) => who !== 'heal');

  const performer = (name: string): Lane => {
    const items = [...bands(lines('performer', name), endMs), ...lines('user', name).map(mark), ...(wrong.get(name) ?? []).map(fail)];
    return { name, kind: 'main', items };
  };
  const parts = (name: string): readonly Lane[] => [
    ...pack(
      'pods',
      'sub',
      [
        ...Map.groupBy(
          lines('pod').filter((line) => line.of === name),
          ({ who }) => who,
        ).values(),
      ].map((pod) => bands(pod, endMs)),
    ),
    {
      name: 'Service',
      kind: 'sub',
      items: lines('service')
        .filter((line) => line.of === name)
        .map(mark),
    },
  ];
  const operator = (who: string): Lane => {
    const writes = lines('write', who).map((line) => ({
      ...mark(line),
      look: line.what.endsWith(': ok') ? (line.what.split(' ')[0] ?? '') : 'refused',
    }));
    return { name: who, kind: 'main', items: [...bands(lines('operator', who), endMs), ...writes] };
  };
  const node = (who: string): Lane => {
    const name = who.replace(/^\//, '');
    const hits = faults
      .filter((line) => line.of === name || line.who === 'all-nodes-cut')
      .map((line) => ({ ...span(line), look: line.who.endsWith('cut') ? 'cut' : 'off' }));
    return { name, kind: 'main', items: [...bands(lines('node', who), endMs), ...hits] };
  };
  const each = (lane: TraceLine['lane'], make: (who: string) => Lane): readonly Lane[] =>
    [...new Set(lines(lane).map(({ who }) => who))].toSorted().map(make);

  const isLoud = (name: string): boolean => wrong.has(name) || names.length <= few;
  const loud = names.filter(isLoud).toSorted((a, b) => Number(wrong.has(b)) - Number(wrong.has(a)));
  const quiet = names.filter((name) => !isLoud(name));
  const others = [...wrong].flatMap(([key, found]) => (seen.has(key) ? [] : found.map(fail)));
  const lanes = [
    head(`faults (${faults.length})`),
    ...pack(
      '',
      'main',
      faults.map((line) => [span(line)]),
      (letter * endMs) / (right - left),
    ),
    ...(others.length === 0 ? [] : [{ name: 'violations', kind: 'main', items: others } as const]),
    head('operators'),
    ...each('operator', operator),
    head('nodes'),
    ...each('node', node),
    head(`Performers (${names.length})`),
    ...loud.flatMap((name) => [performer(name), ...parts(name)]),
    ...quiet.map(performer),
  ];
  const healMs = lines('fault', 'heal')[0]?.atMs;
  const count = violations.length;
  const told = violations
    .slice(0, mostViolations)
    .map((one) => `<li><b>${formatRunTime(runTimeOf(one))} ${one.oracle}</b> ${escapeText(one.key)}: ${escapeText(one.message)}</li>`);
  const title = `Seed ${plan.seed}: ${count === 0 ? 'no violation' : count === 1 ? '1 violation' : `${count} violations`}`;
  const facts = `mode ${plan.mode}; Performers: ${names.length}, nodes: ${plan.nodes}, faults: ${faults.length}, effective writes: ${result.writes}, simulated minutes: ${(endMs / 60_000).toFixed(1)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style></head><body>
<h1>${title}</h1><p>${facts}. Times are minutes:seconds of the run. Point at anything to read it.</p>
${count === 0 ? '' : `<ol>${told.join('')}</ol>${count > told.length ? `<p>and ${count - told.length} more</p>` : ''}`}
<p class="legend">${legend.map(([word, looks, isBand]) => `${word}:${looks.map((look) => sample(look, isBand === true)).join('')}`).join('<br/>')}</p>
${draw(lanes, endMs, healMs)}
${
  quiet.length === 0
    ? ''
    : `<details><summary>Pods and Services of the ${quiet.length} Performers without a violation</summary>${draw(
        quiet.flatMap((name) => [performer(name), ...parts(name)]),
        endMs,
        healMs,
      )}</details>`
}
</body></html>
`;
}

const head = (name: string): Lane => ({ name, kind: 'head', items: [] });

const say = ({ atMs, who, what }: TraceLine): string => `${formatRunTime(atMs)} ${who}: ${what}`;

const mark = (line: TraceLine): Item => ({ fromMs: line.atMs, look: line.lane, title: say(line) });

const fail = (one: Violation): Item => ({
  fromMs: runTimeOf(one),
  look: 'violation',
  title: `${formatRunTime(runTimeOf(one))} ${one.oracle} ${one.key}: ${one.message}`,
  label: one.oracle,
});

function span(line: TraceLine): Item {
  const item = { ...mark(line), label: line.who };
  return line.forMs === undefined ? item : { ...item, toMs: line.atMs + line.forMs };
}

/** What one object was, from each line that says so to the next; a line that says nothing of it ends that only when the object goes. */
function bands(lines: readonly TraceLine[], endMs: number): readonly Item[] {
  const turns = lines.filter(({ lane, state }, index) => lane === 'operator' || state === undefined || state !== lines[index - 1]?.state);
  return turns.flatMap((line, index) => {
    const { atMs, state } = line;
    if (state === undefined) return [];
    const toMs = turns[index + 1]?.atMs ?? endMs;
    const word = state.split(' ')[0] ?? '';
    const look = line.lane === 'node' && word !== 'ready' ? 'tainted' : word;
    return [{ fromMs: atMs, toMs, look, title: `${say(line)}\n${state} until ${formatRunTime(toMs)}` }];
  });
}

/** Groups of items in as few lanes as hold them side by side, labels included. */
function pack(name: string, kind: Lane['kind'], groups: readonly (readonly Item[])[], letterMs = 0): readonly Lane[] {
  const rows: { readonly items: Item[]; endMs: number }[] = [];
  for (const group of groups) {
    const fromMs = group[0]?.fromMs ?? 0;
    const row = rows.find(({ endMs }) => endMs <= fromMs) ?? { items: [], endMs: 0 };
    if (row.items.length === 0) rows.push(row);
    row.items.push(...group);
    row.endMs = Math.max(...group.map((item) => Math.max(item.toMs ?? 0, item.fromMs + ((item.label ?? '').length + 2) * letterMs)));
  }
  return rows.map(({ items }, index) => ({ name: index === 0 ? name : '', kind, items }));
}

/** One drawing of lanes under one another, with a scale of minutes. */
function draw(lanes: readonly Lane[], endMs: number, healMs: number | undefined): string {
  const x = (ms: number): number => Math.round((left + ((right - left) * Math.min(ms, endMs)) / endMs) * 10) / 10;
  let y = 20;
  const rows: string[] = [];
  for (const { name, kind, items } of lanes) {
    const tall = heights[kind];
    const base = y + tall - 5;
    rows.push(
      `<text class="${kind}" x="${kind === 'sub' ? 24 : 4}" y="${kind === 'sub' ? y + tall - 2 : base}">${escapeText(name)}</text>`,
    );
    if (kind !== 'sub') rows.push(`<path class="rule" d="M0 ${y + tall}H${right}"/>`);
    // Bands first, so that marks lie on them.
    for (const item of items.toSorted((a, b) => Number(a.toMs === undefined) - Number(b.toMs === undefined))) {
      const from = x(item.fromMs);
      const label = item.label === undefined ? '' : `<text class="label" x="${from + 5}" y="${base}">${escapeText(item.label)}</text>`;
      rows.push(
        `<g class="${item.look}"><title>${escapeText(item.title)}</title>${shape(item, from, item.toMs === undefined ? undefined : x(item.toMs), y, tall)}${label}</g>`,
      );
    }
    y += tall;
  }
  const stepMs = [5_000, 15_000, 30_000, 60_000, 120_000].find((ms) => endMs / ms <= 20) ?? 300_000;
  const ticks = Array.from({ length: Math.floor(endMs / stepMs) + 1 }, (_, index) => index * stepMs);
  const scale = ticks.map(
    (ms) => `<path class="rule" d="M${x(ms)} 16V${y}"/><text class="time" x="${x(ms)}" y="12">${formatRunTime(ms).slice(0, 5)}</text>`,
  );
  const heal =
    healMs === undefined
      ? ''
      : `<path class="heal" d="M${x(healMs)} 16V${y}"/><text class="heal" x="${x(healMs) + 3}" y="28">faults end</text>`;
  return `<svg viewBox="0 0 ${right + 20} ${y + 4}" role="img" aria-label="timeline">${scale.join('')}${heal}${rows.join('')}</svg>`;
}

function shape({ look }: Item, from: number, to: number | undefined, y: number, tall: number): string {
  if (to !== undefined)
    return `<rect x="${from}" y="${y + 2}" width="${Math.max(1, to - from).toFixed(1)}" height="${tall - 4}" rx="1.5"/>`;
  const middle = y + tall / 2;
  if (look === 'violation') return `<circle cx="${from}" cy="${middle}" r="5"/>`;
  if (look === 'user') return `<path d="M${from} ${y + tall - 3}l-4 -9h8z"/>`;
  if (look === 'service' || look === 'fault') return `<path d="M${from} ${middle - 4.5}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"/>`;
  return `<rect x="${from}" y="${y + 2}" width="1.6" height="${tall - 4}"/>`;
}

const legend: readonly (readonly [word: string, looks: readonly string[], isBand?: true])[] = [
  ['Ready of a Performer', ['True', 'False', 'unknown', 'deleting'], true],
  ['pods', ['starting', 'serving', 'out', 'leaving'], true],
  ['nodes', ['ready', 'tainted', 'cut', 'off'], true],
  ['writes of operators', ['create', 'patch', 'delete', 'refused']],
  ['marks', ['user', 'service', 'fault', 'violation']],
];

function sample(look: string, isBand: boolean): string {
  const item = { fromMs: 0, look, title: look };
  return `<span><svg class="sample" viewBox="0 0 16 14"><g class="${look}">${shape(item, isBand ? 0 : 8, isBand ? 16 : undefined, 0, 14)}</g></svg>${look}</span>`;
}

/** By what it says: green holds, amber waits, grey is on its way out, red is wrong. */
const style = `
:root{color-scheme:light dark;--ink:#1f2430;--dim:#6b7280;--rule:#e3e6eb;--paper:#fff;--good:#4caf7a;--wait:#e8b04a;--go:#a9b1bd;--off:#4b5263;--new:#5b8def;--patch:#8a63d2;--bad:#d6293e;--fault:#f0c9a8;--faultline:#b8621b}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--dim:#9aa3b2;--rule:#2b303b;--paper:#14171d;--good:#3f9d6b;--wait:#c08a2a;--go:#5d6675;--off:#8a90a0;--new:#6f9df5;--patch:#a98bea;--bad:#ff5468;--fault:#5a3d24;--faultline:#f0a35c}}
body{font:13px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:20px}h1{font-size:18px;margin:0}p{color:var(--dim);margin:4px 0 10px}
ol{color:var(--bad);margin:6px 0 12px;padding-left:24px}summary{cursor:pointer;margin:14px 0}
svg{width:100%;min-width:900px;display:block}svg.sample{width:16px;min-width:0;height:14px;display:inline-block;vertical-align:-2px;margin:0 4px 0 12px}
text{font:11px system-ui,sans-serif;fill:var(--ink)}.head{font-weight:600;font-size:12px}.sub,.time{fill:var(--dim);font-size:9px}.time{text-anchor:middle}.label{font-size:10px}
.rule{stroke:var(--rule)}path.heal{stroke:var(--new);stroke-dasharray:4 3}text.heal{fill:var(--new);font-size:10px}
.True,.serving,.ready{fill:var(--good)}.False,.starting,.tainted{fill:var(--wait)}.unknown,.Unknown,.deleting,.out{fill:var(--go)}.leaving,.off{fill:var(--off)}.cut{fill:var(--faultline)}
.ready,.runs{opacity:.35}.runs{fill:var(--go)}.create{fill:var(--new)}.patch{fill:var(--patch)}.delete{fill:var(--ink)}.refused{fill:var(--bad)}
.user{fill:var(--ink)}.service{fill:var(--new)}.fault rect{fill:var(--fault)}.fault path{fill:var(--faultline)}.violation{fill:var(--bad)}.violation .label{fill:var(--bad);font-weight:600}g:hover>:not(.label){stroke:var(--ink);stroke-width:1.2}`;

function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
