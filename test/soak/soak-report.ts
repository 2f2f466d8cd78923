import type { TopLevelSpec } from 'vega-lite';
import { formatFigure, formatGoals, formatTable, type Goal } from '../../src/bench/report.ts';
import { faultNames } from '../../src/testbed/fault-proxy/faults.ts';
import type { Span } from './judge.ts';
import type { SoakResult, SoakSide } from './soak.ts';

const mebibyte = 1024 * 1024;
const fullMinutes = 30;

/** What our client must reach. Counts of faults and memory are judged only in a run long enough to say something. Pure. */
export function soakGoals(result: SoakResult): readonly Goal[] {
  const side = result.sides.find(({ client }) => client === 'ours');
  if (side === undefined) throw new RangeError('the soak has no part of ours');
  const { verdict } = side;
  const n = `${result.changes} changes in ${result.minutes} min`;
  const most = (what: string, measured: number, target: number, unit: string, note: string): Goal => ({
    what,
    measured,
    target,
    unit,
    note,
    bound: 'at most',
  });
  const fewest = Math.min(...faultNames.map((name) => verdict.faultCounts[name] ?? 0));
  const long: readonly Goal[] = [
    most(
      'RSS, last 2 min against minutes 5 to 7',
      verdict.memoryGrowth * 100,
      10,
      '%',
      `peak ${formatFigure(verdict.peakRssBytes / mebibyte)} MiB`,
    ),
    { what: 'the rarest fault', measured: fewest, target: 20, bound: 'at least', unit: 'times', note: `${faultNames.length} faults` },
  ];
  return [
    { ...most('blind', verdict.blindShare * 100, 1, '%', `${verdict.blind.length} times, ${seconds(verdict.blindMs)}`), bound: 'below' },
    most(
      'longest silent stream',
      verdict.longestSilenceMs / 1_000,
      77,
      's',
      `${verdict.silent.length} times, ${seconds(verdict.silentMs)}`,
    ),
    most('objects that differ in the end', verdict.lost, 0, '', n),
    most('changes never told', verdict.neverTold, 0, '', n),
    most('told an older state', verdict.movedBack, 0, '', n),
    most('writes the observer missed', result.unobserved, 0, '', `${result.writes} writes`),
    { what: 'time under a fault', measured: verdict.faultShare * 100, target: 20, bound: 'at least', unit: '%', note: '' },
    ...(result.minutes >= fullMinutes ? long : []),
  ];
}

/** Both clients side by side, blind time by fault, and the targets. Pure. */
export function formatSoak(result: SoakResult): string {
  const { sides } = result;
  const row = (what: string, of: (side: SoakSide) => string): readonly string[] => [what, ...sides.map(of)];
  const rows = [
    row('blind', ({ verdict }) => `${formatFigure(verdict.blindShare * 100)} %`),
    row('  in all', ({ verdict }) => `${seconds(verdict.blindMs)} in ${verdict.blind.length} spans`),
    row('  longest', ({ verdict }) => seconds(longest(verdict.blind))),
    row('shut out by a fault', ({ verdict }) => seconds(verdict.shutOutMs)),
    row('silent streams', ({ verdict }) => `${seconds(verdict.silentMs)}, longest ${seconds(verdict.longestSilenceMs)}`),
    row('objects that differ in the end', ({ verdict }) => `${verdict.lost}`),
    row('changes never told', ({ verdict }) => `${verdict.neverTold}`),
    row('told an older state', ({ verdict }) => `${verdict.movedBack}`),
    row('change told after, p50 / p99', ({ verdict }) => `${formatFigure(verdict.delayP50Ms)} / ${formatFigure(verdict.delayP99Ms)} ms`),
    row('lists anew', ({ relists }) => `${relists}`),
    row('watches anew', ({ rewatches }) => `${rewatches}`),
    row('connections', ({ proxy }) => `${proxy.connections}`),
    row('requests', ({ proxy }) => `${proxy.requests}`),
    row('RSS, peak', ({ verdict }) => `${formatFigure(verdict.peakRssBytes / mebibyte)} MiB`),
    row('RSS, growth after 5 min', ({ verdict }) =>
      Number.isNaN(verdict.memoryGrowth) ? 'too short a run' : `${formatFigure(verdict.memoryGrowth * 100)} %`,
    ),
    row('troubles told', ({ troubles }) => `${troubles}`),
    row('process ended', ({ crashes }) => `${crashes} times`),
    row('at rest after the last change', ({ settledMs }) => (settledMs === undefined ? 'never' : seconds(settledMs))),
  ];
  const counts = sides[0]?.verdict.faultCounts ?? {};
  const faultRows = [...faultNames, 'none']
    .map((name) => [
      name,
      `${counts[name] ?? 0}`,
      ...sides.map(({ proxy }) => `${(proxy.faults as Readonly<Record<string, number>>)[name] ?? 0}`),
      ...sides.map(({ verdict }) => formatFigure((verdict.blindByFault[name] ?? 0) / 1_000)),
    ])
    .filter(([name, ...cells]) => name !== 'none' || cells.some((cell) => cell !== '0'));
  const titles = sides.map(({ client }) => client);
  return [
    `${result.minutes} min, seed ${result.seed}: ${result.writes} writes, ${result.changes} changes seen by the observer (${result.observerRelists} relists of its own)`,
    formatTable(['', ...titles], rows),
    `Faults: played, struck, and the blind seconds that followed\n${formatTable(
      ['fault', 'played', ...titles.map((title) => `struck ${title}`), ...titles.map((title) => `blind s ${title}`)],
      faultRows,
    )}`,
    `Targets\n${formatGoals(soakGoals(result))}`,
  ].join('\n\n');
}

/** Spans of faults and of views that were too old, and memory, over the minutes of the run. Pure. */
export function soakChart(result: SoakResult): TopLevelSpec {
  const [first] = result.sides;
  if (first === undefined) throw new RangeError('a soak without clients has no chart');
  const { fromMs, toMs, faults } = first.recording;
  const minute = (ms: number): number => (ms - fromMs) / 60_000;
  const x = { field: 'from', type: 'quantitative', title: 'minutes', scale: { domain: [0, minute(toMs)] as number[] } } as const;
  const width = 1_000;
  const spans = result.sides.flatMap(({ client, verdict }) => {
    const of = (what: string, list: readonly Span[]) =>
      list.map((span) => ({ client, what, from: minute(span.fromMs), to: minute(span.toMs) }));
    return [...of('blind', verdict.blind), ...of('silent stream', verdict.silent), ...of('shut out by a fault', verdict.shutOut)];
  });
  const played = faults.map((fault) => ({
    fault: fault.name,
    effect: fault.effect,
    from: minute(fault.fromMs),
    to: minute(Math.max(fault.toMs, fault.fromMs + (toMs - fromMs) / 1_000)),
  }));
  const memory = result.sides.flatMap(({ client, recording }) =>
    recording.memory
      .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
      .map(({ atMs, rssBytes }) => ({ client, from: minute(atMs), rss: rssBytes / mebibyte })),
  );
  const share = result.sides.map(({ client, verdict }) => `${client} ${formatFigure(verdict.blindShare * 100)} %`).join(', ');
  return {
    title: `Blind under faults: ${share} of ${result.minutes} min (seed ${result.seed})`,
    vconcat: [
      {
        width,
        height: 90,
        title: 'View older than 2 s',
        data: { values: spans },
        mark: { type: 'bar', height: 22 },
        encoding: {
          x,
          x2: { field: 'to' },
          y: { field: 'client', type: 'nominal', title: null, scale: { domain: result.sides.map(({ client }) => client) } },
          color: {
            field: 'what',
            type: 'nominal',
            title: 'view',
            scale: { domain: ['blind', 'silent stream', 'shut out by a fault'], range: ['#d62728', '#ff9f40', '#b8b8b8'] },
          },
        },
      },
      {
        width,
        height: 240,
        title: 'Faults played',
        data: { values: played },
        mark: { type: 'bar', height: 9 },
        encoding: {
          x,
          x2: { field: 'to' },
          y: { field: 'fault', type: 'nominal', title: null },
          color: { field: 'effect', type: 'nominal', title: 'fault', scale: { range: ['#8c564b', '#1f77b4', '#e3b505'] } },
        },
      },
      {
        width,
        height: 160,
        title: 'Resident memory',
        data: { values: memory },
        mark: { type: 'line', interpolate: 'monotone' },
        encoding: {
          x,
          y: { field: 'rss', type: 'quantitative', title: 'MiB', scale: { zero: true } },
          color: { field: 'client', type: 'nominal', title: 'client', scale: { range: ['#9467bd', '#2ca02c'] } },
        },
      },
    ],
    resolve: { scale: { color: 'independent' } },
  };
}

function longest(spans: readonly Span[]): number {
  return Math.max(0, ...spans.map(({ fromMs, toMs }) => toMs - fromMs));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
