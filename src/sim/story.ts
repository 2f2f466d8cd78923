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
  return Math.max(0, atMs - startMs);
}

/** Lines of a trace for a reader. Pure. */
export function tellLines(lines: readonly TraceLine[]): readonly string[] {
  return lines.map(({ atMs, lane, who, what }) =>
    `  ${formatRunTime(atMs)}  ${lane.padEnd(9)} ${who.replace(/^\//, '').padEnd(28)} ${what.replace(/ @\d+/, '')}`.trimEnd(),
  );
}

/**
 * What a violation came from, for a reader: what happened to its Performer, to its pods and Service and their nodes, to the operators, and
 * which faults came, in order, up to the moment itself; what is wrong then, and what should be. Pure.
 *
 * @param seeMore the command that shows more
 */
export function tellStory(
  violation: Violation,
  lines: readonly TraceLine[],
  statement: string,
  seeMore?: string,
  most = 60,
): readonly string[] {
  const { oracle, key, message } = violation;
  const untilMs = runTimeOf(violation);
  const before = lines.filter(({ atMs }) => atMs <= untilMs);
  const subject = before.find(({ lane, who, of }) => who === key && lane === 'pod' && of)?.of ?? key;
  const isKnown = before.some(({ who }) => who === subject);
  const own = (line: TraceLine): boolean => line.who === subject || line.of === subject;
  const around = new Set(before.filter(own).flatMap(({ who, what }) => [who, /\bnode (\S+)/.exec(what)?.[1] ?? who]));
  const concerns = (line: TraceLine): boolean => {
    if (!isKnown || own(line) || line.lane === 'operator') return true;
    // A fault without a target strikes all; one that strikes another's pod or a node of others is not of this story.
    if (line.lane === 'fault') return line.of === undefined || around.has(line.of) || !/\/|^node-/.test(line.of);
    return line.lane === 'node' && around.has(line.who.replace(/^\//, '')) && line.atMs > 0;
  };
  const told = withWriters(before.filter(concerns));
  const left = told.length - most;
  return [
    `${oracle} is violated at ${formatRunTime(untilMs)} by ${key}. What led to it (minutes:seconds of the run, what, who):`,
    ...(left > 0 ? [`  … ${left} lines before`] : []),
    ...tellLines(told.slice(-most)),
    `  ${formatRunTime(untilMs)}  VIOLATION ${message}`,
    `  ${oracle} asks: ${statement}`,
    ...(seeMore === undefined ? [] : [`  see more: ${seeMore}`]),
  ];
}

/** A change and the write that made it in one line; changes that say nothing left out. */
function withWriters(lines: readonly TraceLine[]): readonly TraceLine[] {
  const told: TraceLine[] = [];
  for (const line of lines) {
    const last = told.at(-1);
    const made = line.lane === 'write' && line.what.endsWith(`${last?.who}: ok`) && last?.atMs === line.atMs;
    if (made) told.splice(-1, 1, { ...last, what: `${last.what}, by ${line.who}` });
    else told.push(line);
  }
  return told.filter(({ what }) => !/^changes @\d+$/.test(what));
}

/** How things stand at the end of the lines: who runs, what is wrong with nodes, each Performer with its pods. Pure. */
export function tellStanding(lines: readonly TraceLine[], atMs: number): readonly string[] {
  const last = new Map<string, TraceLine>();
  for (const line of lines)
    if (line.lane !== 'user' && line.lane !== 'fault' && line.lane !== 'write') last.set(`${line.lane} ${line.who}`, line);
  const standing = [...last.values()].filter(({ state }) => state !== undefined);
  const of = (lane: TraceLine['lane']): readonly TraceLine[] => standing.filter((line) => line.lane === lane);
  const say = (some: readonly TraceLine[]): string =>
    some.map(({ who, state }) => `${who.slice(who.indexOf('/') + 1)} ${state}`).join(', ') || 'none';
  const lasting = lines.filter((line) => line.forMs !== undefined && line.atMs + line.forMs > atMs);
  const isHealed = lines.some(({ lane, who }) => lane === 'fault' && who === 'heal');
  return [
    `How things stand at ${formatRunTime(atMs)}:`,
    `  operators: ${say(of('operator'))}`,
    `  nodes that are not ready: ${say(of('node').filter(({ state }) => state !== 'ready'))}`,
    `  faults that last: ${isHealed ? 'none' : lasting.map(({ who, what }) => `${who} ${what}`).join(', ') || 'none'}`,
    ...of('performer').map(
      ({ who, state }) => `  ${who.padEnd(16)} Ready ${state}; pods: ${say(of('pod').filter((pod) => pod.of === who))}`,
    ),
  ];
}
