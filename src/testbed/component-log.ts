import { readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const tailBytes = 65_536;
const shownLines = 10;
/** Of each log of a node: there are several nodes, and two logs of each. */
const nodeLines = 4;
const fullDiskBytes = 1_048_576;

/** The last lines of a log, as far as `maxBytes` reach; none if it cannot be read. */
export function readLastLines(path: string, maxBytes = tailBytes): string[] {
  try {
    const end = readFileSync(path).subarray(-maxBytes).toString('utf8');
    return end.split('\n').filter((line) => line.trim() !== '');
  } catch {
    return [];
  }
}

export type DeathCause = 'PortInUse' | 'DiskFull' | 'PermissionDenied' | 'Unknown';

/** How a cause shows in a log, and what to tell the user; the order of the table decides. */
const causes: Readonly<Record<DeathCause, { readonly pattern: RegExp; readonly advice: string }>> = {
  DiskFull: {
    pattern: /no space left on device|disk quota exceeded/i,
    advice: 'the disk is full: free some space, or choose another directory with --dir',
  },
  PortInUse: {
    pattern: /address already in use/i,
    advice: 'a port it was given is in use by another process: start again, other ports are chosen each time',
  },
  PermissionDenied: {
    pattern: /permission denied|read-only file system/i,
    advice: 'it may not write to its directory: choose another one with --dir',
  },
  Unknown: { pattern: /^/, advice: 'its log says why' },
};

/** Why a component ended, from the end of its log. Pure. */
export function findDeathCause(lines: readonly string[]): DeathCause {
  const text = lines.join('\n');
  const names = Object.keys(causes) as DeathCause[];
  return names.find((name) => causes[name].pattern.test(text)) ?? 'Unknown';
}

/**
 * Explains the end of a component from its log; on a full disk the log itself may be cut short, so the disk is asked as well.
 * The message says which component, how it ended, what to do, where its log is and what it says last.
 */
export function explainDeath(component: string, how: string, logPath: string): { readonly cause: DeathCause; readonly message: string } {
  const lines = readLastLines(logPath);
  const found = findDeathCause(lines);
  const cause = found === 'Unknown' && isDiskFull(dirname(logPath)) ? 'DiskFull' : found;
  const tail = lines.length === 0 ? ['(the log is empty)'] : dropStackTraces(lines).slice(-shownLines).map(shorten);
  const message = [`${component} ended (${how}); ${causes[cause].advice}`, `  log: ${logPath}`, ...tail.map((line) => `  | ${line}`)];
  return { cause, message: message.join('\n') };
}

/** What keeps nodes from being Ready: what the API server knows of each that is not, and the end of its logs. */
export function explainNodes(told: ReadonlyMap<string, string>, names: readonly string[], logs: string): readonly string[] {
  return names.flatMap((name) => {
    const said = told.get(name) ?? 'has not registered';
    if (said === 'Ready') return [];
    const paths = [`${name}.log`, `${name}-kubelet.log`].map((file) => join(logs, file));
    const tails = paths.flatMap((path) => [
      `  log: ${path}`,
      ...readLastLines(path)
        .slice(-nodeLines)
        .map((line) => `  | ${shorten(line)}`),
    ]);
    return [`${name}: ${said}`, ...tails];
  });
}

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
