import { closeSync, fstatSync, openSync, readSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

const tailBytes = 65_536;
const shownLines = 10;
const fullDiskBytes = 1_048_576;

/** The last lines of a log, as far as `maxBytes` reach; none if it cannot be read. */
export function readLastLines(path: string, maxBytes = tailBytes): string[] {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    const size = fstatSync(file).size;
    const buffer = Buffer.alloc(Math.min(size, maxBytes));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
  } finally {
    closeSync(file);
  }
}

export type DeathCause = 'PortInUse' | 'DiskFull' | 'PermissionDenied' | 'Unknown';

const causes: readonly { readonly pattern: RegExp; readonly cause: DeathCause }[] = [
  { pattern: /no space left on device|disk quota exceeded/i, cause: 'DiskFull' },
  { pattern: /address already in use/i, cause: 'PortInUse' },
  { pattern: /permission denied|read-only file system/i, cause: 'PermissionDenied' },
];

/** Why a component ended, from the end of its log; the order of the table decides. Pure. */
export function findDeathCause(lines: readonly string[]): DeathCause {
  const text = lines.join('\n');
  return causes.find((row) => row.pattern.test(text))?.cause ?? 'Unknown';
}

export interface Death {
  readonly cause: DeathCause;
  /** What a user reads: which component, how it ended, what to do, where its log is and what it says last. */
  readonly message: string;
}

/** Explains the end of a component from its log; on a full disk the log itself may be cut short, so the disk is asked as well. */
export function explainDeath(component: string, how: string, logPath: string): Death {
  const lines = readLastLines(logPath);
  const found = findDeathCause(lines);
  const cause = found === 'Unknown' && isDiskFull(dirname(logPath)) ? 'DiskFull' : found;
  return { cause, message: describeDeath(component, how, logPath, cause, lines) };
}

/** Pure. */
export function describeDeath(component: string, how: string, logPath: string, cause: DeathCause, lines: readonly string[]): string {
  const tail = lines.length === 0 ? ['(the log is empty)'] : dropStackTraces(lines).slice(-shownLines).map(shorten);
  return [`${component} ended (${how}); ${advice[cause]}`, `  log: ${logPath}`, ...tail.map((line) => `  | ${line}`)].join('\n');
}

const advice: Readonly<Record<DeathCause, string>> = {
  DiskFull: 'the disk is full: free some space, or choose another directory with --dir',
  PortInUse: 'a port it was given is in use by another process: start again, other ports are chosen each time',
  PermissionDenied: 'it may not write to its directory: choose another one with --dir',
  Unknown: 'its log says why',
};

/** Go prints the cause of a panic first, then pages about where it was. */
function dropStackTraces(lines: readonly string[]): readonly string[] {
  const trace = lines.findIndex((line) => /^goroutine \d+ .*\[/.test(line));
  return trace > 0 ? lines.slice(0, trace) : lines;
}

function isDiskFull(dir: string): boolean {
  try {
    const disk = statfsSync(dir);
    return disk.bavail * disk.bsize < fullDiskBytes;
  } catch {
    return false;
  }
}

function shorten(line: string): string {
  return line.length <= 600 ? line : `${line.slice(0, 597)}...`;
}
