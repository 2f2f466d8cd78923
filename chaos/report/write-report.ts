import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ArgumentError } from '../../src/bench/argument-error.ts';
import { formatJUnit } from '../../src/bench/junit.ts';
import { parseReport } from '../../src/bench/read-report.ts';
import { renderPeers } from '../peers-table.ts';
import { type ChaosReport, chaosReport } from '../report.ts';
import { formatChaos, toJUnitCases } from '../table.ts';
import type { Trace } from '../trace/trace.ts';
import { renderChaosHtml } from './chaos-html.ts';

/** Writes `report.json`, and makes the folder. In one step: a reader never sees half of it. */
export function writeReport(report: ChaosReport, dir: string): void {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'report.json');
  writeFileSync(`${path}.part`, `${JSON.stringify(report)}\n`);
  renameSync(`${path}.part`, path);
}

/** Writes `traces/NAME.json.gz`. */
export function writeTrace(dir: string, name: string, trace: Trace): void {
  mkdirSync(join(dir, 'traces'), { recursive: true });
  writeFileSync(join(dir, 'traces', `${name}.json.gz`), gzipSync(JSON.stringify(trace)));
}

/** Writes `chaos.html` and `junit.xml`, and makes the folder. @returns where the page is */
export async function writeChaosReport(report: ChaosReport, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const html = join(dir, 'chaos.html');
  await writeFile(html, await renderChaosHtml(report));
  await writeFile(join(dir, 'junit.xml'), formatJUnit('chaos', toJUnitCases(report)));
  return html;
}

/** What a run has left in its folder; undefined where there is no report. @throws ArgumentError for one that cannot be read */
export async function readChaosReport(dir: string): Promise<ChaosReport | undefined> {
  const file = join(dir, 'report.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ArgumentError(`${file}: ${error.message}`, { cause: error });
  });
  return text === undefined ? undefined : parseReport(text, file, chaosReport, 'chaos');
}

/** Writes `peers.json`, the reports of all subjects, and `peers.md`, their figures side by side. */
export async function writePeers(reports: readonly ChaosReport[], dir: string): Promise<void> {
  await writeFile(join(dir, 'peers.json'), `${JSON.stringify(reports)}\n`);
  await writeFile(join(dir, 'peers.md'), renderPeers(reports));
}

/**
 * Draws a report anew, beside it or in `out`.
 *
 * @param path of a report.json, or of the folder that has one
 * @returns the tables of the run, and where the page is
 * @throws ArgumentError when there is none, or it is not one
 */
export async function redrawChaosReport(path: string, out?: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const file = isFolder ? join(path, 'report.json') : path;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new ArgumentError(`${file}: ${error.message}; name the folder that \`hourglass chaos\` wrote (--out), or its report.json`, {
      cause: error,
    });
  });
  const report = parseReport(text, file, chaosReport, 'chaos');
  const html = await writeChaosReport(report, out ?? dirname(file));
  return `${formatChaos(report)}\n\n${html}`;
}
