import type { TopLevelSpec } from 'vega-lite';
import { renderSvg } from '../chart.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
  /** What the colour says. */
  readonly series: string;
  /** Points of one line; those of its series when there is but one. */
  readonly line: string;
}

export interface Part {
  readonly row: string;
  readonly part: string;
  readonly value: number;
}

/** Colours are variables of the page, so that one drawing serves a light page and a dark one. */
export const seriesColor = (index: number): string => `var(--series-${(index % 6) + 1})`;
export const partColor = (index: number): string => `var(--part-${(index % 8) + 1})`;

/** Of every drawing of a page. */
export const chartConfig: NonNullable<TopLevelSpec['config']> = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: 'var(--muted)',
    titleColor: 'var(--muted)',
    titleFontWeight: 'normal',
    labelFontSize: 11,
    titleFontSize: 11,
    gridColor: 'var(--line)',
    domain: false,
    ticks: false,
    labelPadding: 5,
  },
};
const size = { width: 300, height: 150, padding: 2 };

/** Steps that only rise: how many, or what share, by when. @param of the vertical axis, `share` from 0 to 100 % */
export function drawSteps(points: readonly Point[], series: readonly string[], of: 'share' | 'count', xTitle: string): Promise<string> {
  const isLog = of === 'share';
  const xs = points.map(({ x }) => x);
  return renderSvg({
    ...size,
    config: chartConfig,
    data: { values: [...points] },
    mark: { type: 'line', interpolate: 'step-after', strokeWidth: isLog ? 2 : 1.5, opacity: isLog ? 1 : 0.75, strokeJoin: 'round' },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: xTitle,
        scale: isLog ? { type: 'log', nice: false } : { zero: true },
        axis: isLog ? { values: [...logTicks(Math.min(...xs), Math.max(...xs))], format: ',~r' } : { tickCount: 5, format: ',~r' },
      },
      y: {
        field: 'y',
        type: 'quantitative',
        title: null,
        axis: isLog ? { format: '.0%', values: [0, 0.25, 0.5, 0.75, 0.99] } : { tickCount: 4, format: ',~r' },
        scale: isLog ? { domain: [0, 1] } : { zero: true },
      },
      color: {
        field: 'series',
        type: 'nominal',
        legend: null,
        scale: { domain: [...series], range: series.map((_, i) => seriesColor(i)) },
      },
      detail: { field: 'line', type: 'nominal' },
    },
  });
}

/** One bar per row, put together from its parts, with the sum at its end. */
export function drawBars(parts: readonly Part[], order: readonly string[], rows: readonly string[], unit: string): Promise<string> {
  const sums = rows.flatMap((row) => {
    const own = parts.filter((part) => part.row === row);
    return own.length === 0 ? [] : [{ row, sum: own.reduce((sum, { value }) => sum + value, 0) }];
  });
  const domainMax = 1.15 * Math.max(...sums.map(({ sum }) => sum), 1e-9);
  // A name stands above its bar: beside it there is no room for a long one.
  const label = {
    labelAlign: 'left',
    labelPadding: -1,
    labelOffset: -13,
    labelLimit: size.width,
    labelColor: 'var(--ink)',
    grid: false,
  } as const;
  const y = { field: 'row', type: 'nominal', title: null, sort: [...rows], axis: label } as const;
  return renderSvg({
    ...size,
    height: Math.max(1, sums.length) * 38,
    config: chartConfig,
    layer: [
      {
        data: { values: parts.map((part) => ({ ...part, rank: order.indexOf(part.part) })) },
        mark: { type: 'bar', height: 16, yOffset: 7, stroke: 'var(--card)', strokeWidth: 1 },
        encoding: {
          y,
          x: {
            field: 'value',
            type: 'quantitative',
            title: unit,
            stack: 'zero',
            axis: { tickCount: 4, format: ',~r' },
            scale: { domainMax },
          },
          order: { field: 'rank', type: 'quantitative' },
          color: { field: 'part', type: 'nominal', legend: null, scale: { domain: [...order], range: order.map((_, i) => partColor(i)) } },
        },
      },
      {
        data: { values: sums },
        mark: { type: 'text', align: 'left', dx: 5, dy: 7, color: 'var(--ink)', fontSize: 11, fontWeight: 600 },
        encoding: { y, x: { field: 'sum', type: 'quantitative' }, text: { field: 'sum', type: 'quantitative', format: ',.3~r' } },
      },
    ],
  });
}

/** Of the nine steps of each power of ten, all, or 1, 2 and 5, or the powers alone: as many as there is room for. Pure. */
export function logTicks(from: number, to: number): readonly number[] {
  const powers = Array.from({ length: 12 }, (_, index) => 10 ** (index - 3));
  const among = (steps: readonly number[]): readonly number[] =>
    powers.flatMap((power) => steps.map((step) => Number((power * step).toPrecision(1)))).filter((tick) => tick >= from && tick <= to);
  const choices = [among([1, 2, 3, 4, 5, 6, 7, 8, 9]), among([1, 2, 5]), among([1])];
  return choices.find((ticks) => ticks.length <= 9) ?? [];
}
