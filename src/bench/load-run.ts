import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchLine } from './bench-lines.ts';
import { type Command, startCommand } from './command.ts';
import type { Sample } from './observer.ts';

export interface LoadRun {
  readonly samples: readonly Sample[];
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  readonly requests: number;
  readonly lateMs: number;
  /** Why the figures count for nothing. */
  readonly voidBecause?: string;
}

export interface LoadOptions {
  /** The program, after what it is started by. */
  readonly k6: readonly string[];
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the script's lines go; a new file. */
  readonly linesPath: string;
  readonly logPath: string;
  readonly signal: AbortSignal;
  /** When what is measured begins, with the generator; and on every look how far it is. */
  readonly onBegin: (generator: Command) => void;
  readonly onProgress: (samples: readonly Sample[], requests: number) => void;
}

const lookEveryMs = 40;

/** k6 tells nobody that it runs, and looks for no extensions. */
export const k6Quiet = { K6_NO_USAGE_REPORT: 'true', K6_AUTO_EXTENSION_RESOLUTION: 'false' };

/** Runs one k6 script to its end and returns what it told. What a script told before it died is kept, and void. */
export async function runLoad({ k6, script, env, linesPath, logPath, signal, onBegin, onProgress }: LoadOptions): Promise<LoadRun> {
  const tail = new LineTail(linesPath);
  const argv = ['run', '--quiet', '--summary-mode=disabled', '--log-format=raw', `--console-output=${linesPath}`, script];
  const generator = startCommand([...k6, ...argv] as [string, ...string[]], { ...k6Quiet, ...env }, logPath);
  let how: string | undefined;
  void generator.ended.then((text) => {
    how = text;
  });
  const lines: BenchLine[] = [];
  let begun = false;
  try {
    while (!signal.aborted) {
      const hasEnded = how !== undefined;
      lines.push(...parseLines(tail.read()));
      const begin = lines.find((one) => one.line === 'begin');
      if (begin !== undefined && !begun) {
        begun = true;
        onBegin(generator);
      }
      onProgress(
        lines.filter((one) => one.line === 'sample'),
        begin?.requests ?? 0,
      );
      if (hasEnded || lines.some(({ line }) => line === 'end')) break;
      await sleep(lookEveryMs);
    }
  } finally {
    if (signal.aborted) await generator.stop(1_000);
  }
  return readRun(lines, signal.aborted ? 'it was interrupted' : `k6 ended before its load did: ${how}, log: ${logPath}`);
}

/** Reads a file that grows, each line once and whole. */
class LineTail {
  readonly #path: string;
  readonly #chunk = Buffer.alloc(1 << 20);
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
    // What an earlier run left there is not of this one.
    closeSync(openSync(path, 'w', 0o600));
  }

  /** The lines that were finished since the last call. */
  read(): string {
    const file = openSync(this.#path, 'r');
    const bytes = readSync(file, this.#chunk, 0, this.#chunk.length, this.#offset);
    closeSync(file);
    this.#offset += bytes;
    const text = this.#rest + this.#chunk.toString('utf8', 0, bytes);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    this.#rest = text.slice(whole.length);
    return whole;
  }
}

/** Lines that are no objects are k6's own. Pure. */
export function parseLines(text: string): readonly BenchLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as BenchLine);
}

/** @param otherwise why there is no end, if there is none */
export function readRun(lines: readonly BenchLine[], otherwise: string): LoadRun {
  const begin = lines.find((one) => one.line === 'begin');
  const end = lines.find((one) => one.line === 'end');
  const trouble = lines.find((one) => one.line === 'trouble')?.what;
  const samples = lines.filter((one) => one.line === 'sample').toSorted((a, b) => a.askedAtMs - b.askedAtMs);
  const late =
    end !== undefined && end.lateMs > 250 ? `requests were sent up to ${end.lateMs} ms late: the generator was the limit` : undefined;
  const voidBecause = trouble ?? (end === undefined || begin === undefined ? otherwise : late);
  const lastMs = Math.max(begin?.atMs ?? 0, ...samples.map(({ askedAtMs }) => askedAtMs));
  return {
    samples,
    beganAtMs: begin?.atMs ?? 0,
    endedAtMs: end?.atMs ?? lastMs,
    requests: begin?.requests ?? 0,
    lateMs: end?.lateMs ?? 0,
    ...(voidBecause === undefined ? {} : { voidBecause }),
  };
}
