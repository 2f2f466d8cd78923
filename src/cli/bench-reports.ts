import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BenchReport } from '../bench/bench-report.ts';
import { type CompareRow, compareSides, remarksOn, type Side } from '../bench/compare.ts';
import { floor } from '../bench/goals.ts';
import { formatJUnit } from '../bench/junit.ts';
import { parseBenchReport } from '../bench/read-report.ts';
import { comparisonCases, formatComparison, formatReport } from '../bench/report/tables.ts';
import { writeReport } from '../bench/report/write-report.ts';
import { CliError, type ExitCode, exitCodes } from './exit-codes.ts';

export interface CompareCommandOptions {
  readonly baseline?: string;
  readonly subjects?: readonly [string, string];
  readonly control?: string;
  readonly junit?: string;
  readonly json?: boolean;
}

export async function runBenchCompare(beforeFile: string, afterFile: string, options: CompareCommandOptions): Promise<ExitCode> {
  const { baseline, subjects, junit } = options;
  const [one, two] = [await readReport(beforeFile), afterFile === beforeFile ? undefined : await readReport(afterFile)];
  if (two === undefined && subjects?.[0] === subjects?.[1])
    throw new CliError('one report is nothing to compare: name two of its operators with --subjects before,after', exitCodes.usage);
  const before = sideOf(one, beforeFile, subjects?.[0]);
  const after = sideOf(two ?? one, afterFile, subjects?.[1]);
  const control = options.control ?? (two !== undefined && [one, two].every(hasFloor) ? floor : 'none');
  const isCorrected = control !== 'none';
  if (isCorrected) for (const side of [before, after]) sideOf(side.report, side === before ? beforeFile : afterFile, control);
  const noise = [before.report, after.report, ...(baseline === undefined ? [] : [await readReport(baseline)])];
  const rows = compareSides(before, after, { noise, ...(isCorrected ? { control } : {}) });
  const correction = `what is timed is corrected by what ${control} differs by: that is the machine`;
  const remarks = [...(isCorrected ? [correction] : []), ...remarksOn(before, after)];
  process.stdout.write(options.json === true ? `${JSON.stringify({ rows, remarks })}\n` : formatComparison(before, after, rows, remarks));
  if (junit !== undefined) await writeFile(junit, formatJUnit('hourglass bench compare', comparisonCases(rows)));
  return exitCodeOf(rows);
}

export async function runBenchReport(file: string, { out = dirname(file) }: ReportCommandOptions): Promise<void> {
  const report = await readReport(file);
  const { html } = await writeReport(report, out);
  process.stdout.write(`${formatReport(report)}\n\n${html}\n`);
}

export interface ReportCommandOptions {
  readonly out?: string;
}

/** One row that is worse decides; a comparison of nothing is no success, nor is one in which something was lost. Pure. */
function exitCodeOf(rows: readonly CompareRow[]): ExitCode {
  if (rows.some(({ verdict }) => verdict === 'worse')) return exitCodes.negative;
  return rows.every(({ verdict }) => verdict === 'not judged') || rows.some(({ isLost }) => isLost === true)
    ? exitCodes.inconclusive
    : exitCodes.ok;
}

const hasFloor = ({ subjects }: BenchReport): boolean => subjects.some(({ name }) => name === floor);

async function readReport(file: string): Promise<BenchReport> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new CliError(`${file}: ${error.message}`, exitCodes.usage, { cause: error });
  });
  return parseBenchReport(text, file);
}

function sideOf(report: BenchReport, file: string, name = report.subjects[0]?.name ?? ''): Side {
  const names = report.subjects.map((subject) => subject.name);
  if (!names.includes(name)) throw new CliError(`${file}: no operator ${name} in it, only ${names.join(', ')}`, exitCodes.usage);
  return { report, subject: name };
}
