import type { CompareRow } from '../compare.ts';
import { escapeXml } from '../junit.ts';
import { measures } from '../measures.ts';
import { formatFigure } from '../report.ts';
import { logTicks, seriesColor } from './charts.ts';

/** Another operator against the first. */
export interface Rival {
  readonly name: string;
  readonly rows: readonly CompareRow[];
}

const width = 240;
const lane = 13;
/** Ratios beyond it are drawn at the edge: one wild interval is not to flatten all others. */
const widest = 32;

/** Ratios to the first operator as a table with a plot in each row; the scale is one for all. @param rivals in the order of their colours */
export function renderForest(first: string, rivals: readonly Rival[]): string {
  const all = rivals.flatMap(({ rows }) => rows);
  const drawn = all.flatMap(({ ratio, interval }) => [ratio, ...interval]).filter((value) => Number.isFinite(value) && value > 0);
  const reach = Math.min(widest, Math.max(2, ...drawn.map((value) => Math.max(value, 1 / value))) * 1.1);
  const x = (ratio: number): string => {
    const share = Math.log(Math.min(reach, Math.max(1 / reach, ratio))) / Math.log(reach);
    return (width / 2 + share * (width / 2 - 6)).toFixed(1);
  };
  const bodies = [...Map.groupBy(all, ({ scenario }) => scenario)].map(([scenario, rows]) => {
    const lines = [...Map.groupBy(rows, ({ measure }) => measure)].map(([measure, some]) => {
      const { name, unit } = measures[measure];
      const own = rivals.map((rival) => rival.rows.find((row) => row.scenario === scenario && row.measure === measure));
      const label = unit === '' ? escapeXml(name) : `${escapeXml(name)} <small>${escapeXml(unit)}</small>`;
      return `<tr><th scope="row">${label}</th><td class="n">${formatFigure(some[0]?.before ?? Number.NaN)}</td>${own.map(ratioCell).join('')}<td class="plot">${plot(own, x)}</td></tr>`;
    });
    return `<tbody><tr class="group"><th colspan="${rivals.length + 3}" scope="rowgroup">${escapeXml(scenario)}</th></tr>${lines.join('')}</tbody>`;
  });
  const ticks = [...new Set([1, ...logTicks(1 / reach, reach)])];
  const scale = ticks.map((tick) => `<text x="${x(tick)}" y="12" text-anchor="middle">${formatFigure(tick)}</text>`).join('');
  const heads = rivals.map(({ name }, index) => `<th scope="col" class="n">${dot(index + 1)}${escapeXml(name)}</th>`);
  return `<div class="wide"><table class="forest"><thead><tr><th scope="col"></th><th scope="col" class="n">${dot(0)}${escapeXml(first)}</th>${heads.join('')}<th scope="col" class="plot">${draw(16, 'scale of the ratios', scale)}</th></tr></thead>${bodies.join('')}</table></div>`;
}

function ratioCell(row: CompareRow | undefined): string {
  if (row === undefined) return '<td class="n">–</td>';
  const { ratio, verdict, n, interval, because } = row;
  const text = `× ${formatFigure(ratio)}`;
  const told = verdict === 'worse' || verdict === 'better' ? `<b>${text}</b>` : text;
  const spread = because ?? (n < 2 ? '' : interval.map(formatFigure).join('…'));
  return `<td class="n${verdict === 'same' || verdict === 'not judged' ? ' dull' : ''}">${told} <small>${escapeXml(spread)}</small></td>`;
}

function plot(rows: readonly (CompareRow | undefined)[], x: (ratio: number) => string): string {
  const height = Math.max(2, rows.length) * lane;
  const marks = rows.flatMap((row, index) => {
    if (row === undefined) return [];
    const y = (index + 0.5) * (height / rows.length);
    const [from, to] = row.interval;
    const color = seriesColor(index + 1);
    const bar = row.n < 2 ? '' : `<line x1="${x(from)}" x2="${x(to)}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="2"/>`;
    return [`${bar}<circle cx="${x(row.ratio)}" cy="${y}" r="4" fill="${color}" stroke="var(--card)"/>`];
  });
  const told = rows.map((row) => formatFigure(row?.ratio ?? Number.NaN)).join(', ');
  return draw(height, `ratios ${told}`, `<line class="one" x1="${x(1)}" x2="${x(1)}" y1="0" y2="${height}"/>${marks.join('')}`);
}

function draw(height: number, label: string, content: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">${content}</svg>`;
}

function dot(index: number): string {
  return `<i style="background:${seriesColor(index)}"></i>`;
}
