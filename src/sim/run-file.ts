import type { Violation } from '../oracle/oracle.ts';
import { drawnIds } from './faults/faults.ts';
import type { RunPlan } from './run-plan.ts';

/** Raised when plans of before mean something else, or are written in another form. */
export const planFormat = 1;

/** A run that was written down: to be run again, and kept when it once failed. */
export interface RunFile {
  readonly format: number;
  /** The version that wrote it. */
  readonly build?: string;
  /** What it is about, or the violation it was written down for. */
  readonly note?: string;
  readonly plan: RunPlan;
}

export function renderRunFile(plan: RunPlan, violation: Violation | undefined, build: string): string {
  const note = violation === undefined ? {} : { note: `${violation.oracle} ${violation.key}: ${violation.message}` };
  return `${JSON.stringify({ format: planFormat, build, ...note, plan } satisfies RunFile, undefined, 1)}\n`;
}

/** @param path for messages @throws what `fail` makes of a message with cause and next step */
export function parseRunFile(path: string, text: string, fail: (message: string) => Error): RunFile {
  let file: Partial<RunFile> | null;
  try {
    file = JSON.parse(text) as Partial<RunFile> | null;
  } catch (error) {
    throw fail(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}; give a file that simulate --out wrote`);
  }
  const writer = file?.build === undefined ? 'the version that wrote it' : `version ${file.build}, which wrote it`;
  if (file?.format !== planFormat) {
    const said = file?.format === undefined ? 'names no format' : `is of format ${file.format}`;
    throw fail(
      `${path} ${said}, this version runs format ${planFormat}: run it with ${writer}, or make it anew: simulate --seed N --out DIR`,
    );
  }
  if (!Array.isArray(file.plan?.users) || !Array.isArray(file.plan.faults))
    throw fail(
      `${path} holds no plan: it is no file that simulate --out wrote; give one of those, or make one: simulate --seed N --out DIR`,
    );
  const unknown = file.plan.faults.find(({ id }) => !drawnIds.includes(id));
  if (unknown !== undefined)
    throw fail(`${path} asks for the fault ${unknown.id}, which this version does not know: run it with ${writer}`);
  return file as RunFile;
}
