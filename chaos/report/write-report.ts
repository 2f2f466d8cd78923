import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArgumentError } from '../../src/bench/argument-error.ts';
import { formatJUnit } from '../../src/bench/junit.ts';
import { parseReport } from '../../src/bench/read-report.ts';
import { renderPeers } from '../peers-table.ts';
import { type ChaosReport, chaosReport } from '../report.ts';
import { formatChaos, toJUnitCases } from '../table.ts';
import { renderChaosHtml } from './chaos-html.ts';

/** Writes `chaos.html` and `junit.xml`, and makes the folder. @returns where the page is */
export async function writeChaosReport(report: ChaosReport, dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const html = join(dir, 'chaos.html');
  await writeFile(html, await renderChaosHtml(report));
  await writeFile(join(dir, 'junit.xml'), formatJUnit('chaos', toJUnitCases(report)));
  return html;
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
