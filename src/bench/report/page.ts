import { gzipSync } from 'node:zlib';
import { escapeXml } from '../junit.ts';
import { formatFigure } from '../report.ts';
import { pageStyle } from './page-style.ts';

/** A whole page: no script, and a policy by which the browser asks nobody for anything. Pure, as is all below. @param style what it has beyond `pageStyle` */
export function renderPage(title: string, body: readonly string[], style = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title><style>${pageStyle}${style}</style></head><body><main>
${body.join('\n')}
</main></body></html>
`;
}

export function section(title: string, about: string, content: string): string {
  return `<section><h2>${escapeXml(title)}</h2>${about === '' ? '' : `<p class="note">${escapeXml(about)}</p>`}${content}</section>`;
}

export function legend(entries: readonly { readonly name: string; readonly color: string }[], kind = ''): string {
  return `<ul class="legend${kind}">${entries.map(({ name, color }) => `<li><i style="background:${color}"></i>${escapeXml(name)}</li>`).join('')}</ul>`;
}

export function tiles(facts: readonly (readonly [value: string, what: string])[]): string {
  return `<div class="tiles">${facts.map(([value, what]) => `<div class="tile"><b>${value}</b><span>${what}</span></div>`).join('')}</div>`;
}

/** Why a report says less than it might; nothing where there is no reason. */
export function caveatCard(all: readonly string[]): string {
  if (all.length === 0) return '';
  return `<div class="card caveats"><h3>This report says less than it might</h3><ul>${all.map((note) => `<li>${escapeXml(note)}</li>`).join('')}</ul></div>`;
}

/** Names and values that are HTML already. */
export function factList(facts: readonly (readonly [name: string, html: string])[]): string {
  return `<div class="card"><dl>${facts.map(([name, html]) => `<dt>${escapeXml(name)}</dt><dd>${html}</dd>`).join('')}</dl></div>`;
}

/** Cells are HTML where they begin with a tag of ours, text otherwise. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], rightSet: readonly number[]): string {
  const cell = (text: string, column: number, tag: string): string =>
    `<${tag}${rightSet.includes(column) ? ' class="n"' : ''}>${/^<(?:span class="badge|a href="#)/.test(text) ? text : escapeXml(text)}</${tag}>`;
  const row = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((text, column) => cell(text, column, tag)).join('')}</tr>`;
  return `<div class="wide"><table><thead>${row(head, 'th')}</thead><tbody>${rows.map((cells) => row(cells, 'td')).join('')}</tbody></table></div>`;
}

/** A report within its own page, to be saved. */
export function rawLink(report: object): string {
  const raw = gzipSync(JSON.stringify(report));
  return `<a download="report.json.gz" href="data:application/gzip;base64,${raw.toString('base64')}">report.json.gz</a>, ${formatFigure(raw.length / 1_000)} kB`;
}

export function describeMachine({
  cores,
  cpu,
  memoryBytes,
}: {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
}): string {
  return `${cores} × ${cpu}, ${formatFigure(memoryBytes / 1024 ** 3)} GiB`;
}

/** `2026-01-31 14:05`. */
export function dayOf(iso: string): string {
  return new Date(iso).toISOString().slice(0, 16).replace('T', ' ');
}
