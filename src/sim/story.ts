import type { Violation } from '../oracle/oracle.ts';
import type { TraceLine } from './trace.ts';

const startMs = Date.UTC(2026, 0, 1);

/** `12:03.456`: minutes, seconds, ms since the start of the run. Pure. */
export function formatRunTime(ms: number): string {
  const minutes = String(Math.floor(ms / 60_000)).padStart(2, '0');
  return `${minutes}:${((ms % 60_000) / 1_000).toFixed(3).padStart(6, '0')}`;
}

/** Milliseconds since the start of the run of a violation, which knows the cluster's time. Pure. */
export function runTimeOf({ atMs }: Violation): number {
  return atMs - startMs;
}

/**
 * What a violation came from, for a reader: the lines about its Performer, its pods and Service, the operators and the faults, in order,
 * up to the moment itself, and why that is wrong. Pure.
 */
export function tellStory(violation: Violation, lines: readonly TraceLine[], statement: string, most = 60): readonly string[] {
  const untilMs = runTimeOf(violation);
  const subject = subjectOf(violation.key);
  const concerns = ({ lane, who, what }: TraceLine): boolean =>
    lane === 'fault' || lane === 'operator' || lane === 'node' || subject === '' || who.includes(subject) || what.includes(subject);
  const told = lines.filter((line) => line.atMs <= untilMs && concerns(line));
  const left = told.length - most;
  return [
    ...(left > 0 ? [`  … ${left} lines before`] : []),
    ...told.slice(-most).map(({ atMs, lane, who, what }) => `  ${formatRunTime(atMs)}  ${lane.padEnd(9)} ${who.padEnd(28)} ${what}`),
    `  ${formatRunTime(untilMs)}  VIOLATION ${violation.oracle} of ${violation.key}: ${violation.message}`,
    `  ${violation.oracle} says: ${statement}`,
  ];
}

/** The Performer's name that the objects around it share. */
function subjectOf(key: string): string {
  const name = key.slice(key.indexOf('/') + 1);
  return name.replace(/^performer-/, '').replace(/-[0-9a-f]{4}-\d+$/, '');
}
