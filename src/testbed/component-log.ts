import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last lines of a log, without reading the rest of it; none if it cannot be read. */
export function readLastLines(path: string, count: number, maxBytes = 16_384): string[] {
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
    const lines = buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    return lines.slice(-count);
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

/** Why a component ended, from the last lines of its log; the order of the table decides. Pure. */
export function findDeathCause(lines: readonly string[]): DeathCause {
  const text = lines.join('\n');
  return causes.find((row) => row.pattern.test(text))?.cause ?? 'Unknown';
}

/** What a user reads about a component that ended, and what to do. Pure. */
export function describeDeath(component: string, how: string, logPath: string, lines: readonly string[]): string {
  const advice: Readonly<Record<DeathCause, string>> = {
    DiskFull: 'the disk is full: free some space, or choose another directory with --dir',
    PortInUse: 'a port it was given is in use by another process: start again, other ports are chosen each time',
    PermissionDenied: 'it may not write to its directory: choose another one with --dir',
    Unknown: 'its log says why',
  };
  const tail = lines.length === 0 ? ['(the log is empty)'] : lines.map(shorten);
  return [`${component} ended (${how}); ${advice[findDeathCause(lines)]}`, `  log: ${logPath}`, ...tail.map((line) => `  | ${line}`)].join(
    '\n',
  );
}

function shorten(line: string): string {
  return line.length <= 600 ? line : `${line.slice(0, 597)}...`;
}
