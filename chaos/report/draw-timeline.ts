import type { TopLevelSpec } from 'vega-lite';
import { renderSvg } from '../../src/bench/chart.ts';
import { chartConfig } from '../../src/bench/report/charts.ts';
import { podStates, type Span, type Timeline, taskOutcomes, writeKinds } from './timeline.ts';

type Concat = Extract<TopLevelSpec, { readonly vconcat: unknown }>;
type Panel = Extract<Concat['vconcat'][number], { readonly layer: unknown }> & { readonly height: number };
type Layer = Panel['layer'][number];

const width = 880;
const labelWidth = 190;
const laneHeight = 17;
/** What a letter of a label takes, and its margin. */
const letterWidth = 6.2;
const spacing = 28;
const resolve = { scale: { color: 'independent', shape: 'independent' } } as const;

/** What each colour says, in the order of the drawing. */
export const outcomeColors = ['var(--part-3)', 'var(--bad)', 'var(--part-8)'] as const satisfies Colors<typeof taskOutcomes>;
export const stateColors = ['var(--part-6)', 'var(--part-4)', 'var(--part-7)', 'var(--part-2)', 'var(--part-8)'] as const satisfies Colors<
  typeof podStates
>;
export const writeColors = ['var(--series-1)', 'var(--series-4)', 'var(--series-2)', 'var(--bad)'] as const satisfies Colors<
  typeof writeKinds
>;
type Colors<T extends readonly unknown[]> = { readonly [Index in keyof T]: string };
const writeShapes = ['triangle-up', 'circle', 'triangle-down', 'cross'];

/** A run from its baseline to its end, panel under panel on one axis of time, the fault shaded in each. @returns an SVG 1,100 wide */
export function drawTimeline(timeline: Timeline): Promise<string> {
  const { tasks, pods, writes, conditions } = timeline;
  const panels = [
    drawMoments(timeline),
    ...tasks.map(({ performer, counts }, index) =>
      panel(timeline, `Tasks sent to ${performer} each second`, index === 0 ? 74 : 40, [
        {
          data: { values: counts.map((one) => ({ ...one, top: one.above + one.count })) },
          mark: { type: 'rect', stroke: 'var(--card)', strokeWidth: 0.6 },
          encoding: {
            ...time(timeline, 'from', 'to'),
            y: { field: 'above', type: 'quantitative', title: null, axis: { tickCount: 3, format: ',~r' } },
            y2: { field: 'top' },
            color: colorOf('outcome', taskOutcomes, outcomeColors),
          },
        },
      ]),
    ),
    drawLanes(timeline, 'Pods', pods, [
      { mark: { type: 'bar', height: 9 }, encoding: { color: colorOf('state', podStates, stateColors) } },
    ]),
    ...(writes === undefined ? [] : [drawWrites(timeline, writes)]),
    drawLanes(timeline, 'What each Performer says of itself', conditions.map(labelled(timeline)), [
      {
        mark: { type: 'bar', height: 14, strokeWidth: 1 },
        encoding: { color: tint('-back', 'transparent'), stroke: tint('', 'var(--muted)') },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 10.5, color: 'var(--ink)' },
        encoding: { text: { field: 'label', type: 'nominal' } },
      },
    ]),
  ];
  const height = panels.reduce((sum, one) => sum + one.height + spacing, 0);
  // How wide letters are is a guess without a screen, and panels are not to move by it: what is around them is said.
  const padding = { left: labelWidth, right: width + 12, top: 4, bottom: height + 22 };
  const vconcat = [...panels, drawAxis(timeline)] as Concat['vconcat'];
  return renderSvg({ autosize: 'none', padding, bounds: 'flush', spacing, config: chartConfig, vconcat, resolve });
}

function time({ from, to }: Timeline, start: string, end?: string): object {
  const x = { field: start, type: 'quantitative', scale: { domain: [from, to], nice: false }, axis: null };
  return end === undefined ? { x } : { x, x2: { field: end } };
}

function colorOf(field: string, domain: readonly string[], range: readonly string[]): object {
  return { field, type: 'nominal', legend: null, scale: { domain: [...domain], range: [...range] } };
}

/** Of a condition, by its status. */
function tint(kind: '' | '-back', otherwise: string): object {
  const when = (status: string, name: string) => ({ test: `indexof(datum.state, '${status}') === 0`, value: `var(--${name}${kind})` });
  return { condition: [when('True', 'good'), when('False', 'bad')], value: otherwise };
}

/** The reason where there is room for it. */
const labelled =
  ({ from, to }: Timeline) =>
  (span: Span): Span & { readonly label: string } => {
    const reason = span.state.split(' ').at(-1) ?? '';
    const room = ((span.to - span.from) / (to - from)) * width;
    return { ...span, label: room > (reason.length + 1) * letterWidth ? reason : '' };
  };

/** A panel with the fault behind it and the moments across it. */
function panel(timeline: Timeline, title: string, height: number, content: readonly object[]): Panel {
  const { fault, moments } = timeline;
  const shade = {
    data: { values: [fault] },
    mark: { type: 'rect', color: 'var(--bad)', opacity: 0.1 },
    encoding: time(timeline, 'from', 'to'),
  };
  const rules = {
    data: { values: [...moments] },
    mark: { type: 'rule', color: 'var(--muted)', strokeDash: [3, 3], opacity: 0.8 },
    encoding: time(timeline, 'at'),
  };
  return {
    width,
    height,
    title: { text: title, anchor: 'start', frame: 'group', fontSize: 11.5, fontWeight: 600, color: 'var(--ink)', offset: 5 },
    layer: [shade, ...content, rules] as Layer[],
  };
}

/** Names of the moments; one that is near the one before stands above it. */
function drawMoments({ moments, ...timeline }: Timeline): Panel {
  const near = (150 / width) * (timeline.to - timeline.from);
  const rows: number[] = [];
  for (const [index, { at }] of moments.entries()) {
    const before = moments[index - 1];
    rows.push(before === undefined || at - before.at > near ? 0 : 1 - (rows.at(-1) ?? 0));
  }
  const values = moments.map(({ at, name }, index) => ({
    at,
    row: rows[index],
    text: index === 0 ? name : `${name}, ${at.toFixed(1)} s`,
    align: at > timeline.to - near ? 'right' : 'left',
  }));
  const words = (align: 'left' | 'right') => ({
    transform: [{ filter: `datum.align === '${align}'` }],
    mark: { type: 'text', align, dx: align === 'left' ? -1 : 1, fontSize: 11, fontWeight: 600, color: 'var(--ink)' },
    encoding: {
      ...time({ moments, ...timeline }, 'at'),
      y: { field: 'row', type: 'quantitative', axis: null, scale: { domain: [-0.4, 1.4] } },
      text: { field: 'text', type: 'nominal' },
    },
  });
  return { width, height: 28, data: { values }, layer: [words('left'), words('right')] as Layer[] };
}

function drawLanes(
  timeline: Timeline,
  title: string,
  spans: readonly Span[],
  layers: readonly { readonly mark: object; readonly encoding: object }[],
): Panel {
  const lanes = [...new Set(spans.map(({ lane }) => lane))];
  const content = layers.map(({ mark, encoding }) => ({
    data: { values: [...spans] },
    mark,
    encoding: { ...('text' in encoding ? time(timeline, 'from') : time(timeline, 'from', 'to')), ...laneOf(lanes), ...encoding },
  }));
  return panel(timeline, title, lanes.length * laneHeight, content);
}

function drawWrites(timeline: Timeline, writes: NonNullable<Timeline['writes']>): Panel {
  const lanes = [...new Set(writes.map(({ lane }) => lane))].toSorted();
  const shape = { field: 'kind', type: 'nominal', legend: null, scale: { domain: [...writeKinds], range: writeShapes } };
  const marks = {
    data: { values: [...writes] },
    mark: { type: 'point', filled: true, size: 62, opacity: 0.9, stroke: 'var(--card)', strokeWidth: 0.7 },
    encoding: { ...time(timeline, 'at'), ...laneOf(lanes), color: colorOf('kind', writeKinds, writeColors), shape },
  };
  const title = `Writes of the operator${writes.length === 0 ? ': none' : ''}`;
  return panel(timeline, title, Math.max(1, lanes.length) * laneHeight, writes.length === 0 ? [] : [marks]);
}

function laneOf(lanes: readonly string[]): object {
  const axis = { labelColor: 'var(--ink)', labelLimit: 0, grid: false };
  return { y: { field: 'lane', type: 'nominal', title: null, sort: null, scale: { domain: [...lanes] }, axis } };
}

function drawAxis(timeline: Timeline): object {
  const { x } = time(timeline, 'from') as { readonly x: object };
  const axis = {
    orient: 'bottom',
    offset: 8 - spacing,
    title: 'seconds since the fault was felt',
    format: ',~r',
    tickCount: 12,
    grid: false,
    ticks: true,
    domain: true,
  };
  return {
    width,
    height: 1,
    data: { values: [{ from: timeline.from }] },
    mark: { type: 'rule', opacity: 0 },
    encoding: { x: { ...x, axis: { ...axis, domainColor: 'var(--line)', tickColor: 'var(--line)' } } },
  };
}
