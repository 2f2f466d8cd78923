import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchReport } from '../bench-report.ts';
import { formatJUnit } from '../junit.ts';
import { renderReportHtml } from './report-html.ts';
import { goalCases } from './tables.ts';

/** Writes `report.html` and `junit.xml`, and makes the folder. @returns where they are */
export async function writeReport(report: BenchReport, dir: string): Promise<{ readonly html: string; readonly junit: string }> {
  await mkdir(dir, { recursive: true });
  const [html, junit] = [join(dir, 'report.html'), join(dir, 'junit.xml')];
  await writeFile(html, await renderReportHtml(report));
  await writeFile(junit, formatJUnit('hourglass bench', goalCases(report)));
  return { html, junit };
}
