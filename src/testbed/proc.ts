import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of processes, which may go at any moment: of one that is gone, and where there is no /proc, nothing. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}

/** Fields of /proc/PID/stat from the third (state) on; the second, the name, may hold spaces and brackets itself. */
export function statFields(pid: number | string): readonly string[] {
  const text = readProc(`${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Processes that any thread of `pid` has started. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readProc(`${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
