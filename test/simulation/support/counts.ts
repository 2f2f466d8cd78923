import type { FaultStep } from '../../../src/sim/faults/faults.ts';
import type { TraceLine } from '../../../src/sim/trace.ts';

/** How often operators made and deleted objects of each kind, by Performer: `team-0/x create pods`. */
export type Counts = Readonly<Record<string, number>>;

/** What was made and deleted, by the lines of a run. Pure. */
export function countsOf(lines: readonly TraceLine[]): Counts {
  const counts: Record<string, number> = {};
  for (const { lane, what, of } of lines) {
    const match = lane === 'write' ? /^((?:create|delete) (?:pods|services)) .*: ok$/.exec(what) : null;
    if (match === null) continue;
    const id = `${of} ${match[1]}`;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

/** So many more of a kind a fault explains: what somebody deletes is made again, and on a view without an event one more may be, which goes again. */
const explained: Partial<Record<FaultStep['id'], number>> = { 'target-gone': 1, 'event-blocked': 1 };
/** Of what is asked for only for a moment an operator may hear or not, and then it makes and deletes so many pods more. */
const heardByChance: Readonly<Record<string, number>> = { 'scale-back': 2 };

/**
 * What was made or deleted more often than without the fault, and is not explained by it; a line each. Fewer are no matter: a late operator
 * meets the newest spec first. Of what goes with its Performer the garbage collector or an operator deletes each once, whoever is faster. Pure.
 *
 * @param isDeleted whether users delete what they asked for
 */
export function findUnexplained(free: Counts, found: Counts, scenario: string, fault: FaultStep, isDeleted: boolean): readonly string[] {
  const explainedMore = Math.max(explained[fault.id] ?? 0, heardByChance[scenario] ?? 0);
  return Object.entries(found).flatMap(([id, count]) => {
    const without = free[id] ?? 0;
    const goes = isDeleted && id.includes(' delete ') ? (free[id.replace(' delete ', ' create ')] ?? 0) - without : 0;
    const allowed = Math.max(explainedMore, goes);
    return count <= without + allowed ? [] : [`${id}: ${count} times, without the fault ${without}, and ${allowed} more are explained`];
  });
}
