import { z } from 'zod';
import { ArgumentError } from './argument-error.ts';
import { type BenchReport, benchReport } from './bench-report.ts';

/** A report of `hourglass bench`. @param name of the file, for the error. @throws ArgumentError that says what is wrong with it */
export function parseBenchReport(text: string, name: string): BenchReport {
  return parseReport(text, name, benchReport, 'bench');
}

/** A report of version 1 of one of our commands. @throws ArgumentError that says what is wrong with it */
export function parseReport<T>(text: string, name: string, schema: z.ZodType<T>, command: string): T {
  const bad = (why: string): ArgumentError => new ArgumentError(`${name}: ${why}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const isCut = text.trimStart().startsWith('{') && !text.trimEnd().endsWith('}');
    throw bad(isCut ? 'cut off in the middle: the file is not whole' : `not JSON: ${(error as Error).message}`);
  }
  const version = z.object({ version: z.unknown() }).safeParse(value).data?.version;
  if (version === undefined) throw bad(`not a report of \`hourglass ${command}\`: it has no version`);
  if (version !== 1) throw bad(`a report of version ${JSON.stringify(version)}; this hourglass reads version 1`);
  const read = schema.safeParse(value);
  if (!read.success) throw bad(`not a report as ${command} writes it:\n${z.prettifyError(read.error)}`);
  return read.data;
}
