import { findCondition } from '../src/api/v1alpha1/conditions.ts';
import type { Performer } from '../src/api/v1alpha1/performer.ts';
import { operatorActor } from './audit.ts';
import type { FigureName } from './experiment.ts';
import { readLives } from './lives.ts';
import type { Met, Observations, OperatorRequest, Times } from './observations.ts';

/** The least that an API server asks to wait for. */
const retryAfterMs = 1_000;
/** What comes again makes a series of Events, which is written once a minute: until then it tells of what was before. */
const seriesMs = 60_000;
const reading: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

type OperatorFigure = Extract<
  FigureName,
  | 'fault to work taken up ms'
  | 'crash to trouble said ms'
  | 'operator writes but Leases'
  | 'operator reads a minute'
  | 'writes of a deposed leader'
  | 'asked again too soon'
>;

/** Figures of what the operator did and said while the fault lasted; undefined for what nobody saw. Pure. */
export function takeOperatorFigures(seen: Observations, times: Times, met: Met): Readonly<Record<OperatorFigure, number | undefined>> {
  const { feltMs, healedMs } = times;
  const takenUp = readLives(seen.changes).find(({ performer }) => performer === met.asked)?.seenMs;
  const trouble = troubleSaid(seen, feltMs, met);
  const meanwhile = seen.requests?.filter((one) => one.startedMs >= feltMs && one.startedMs <= healedMs && one.plural !== 'leases');
  const reads = meanwhile?.filter(({ verb }) => reading.has(verb)).length;
  return {
    'fault to work taken up ms': takenUp === undefined ? undefined : Math.max(0, takenUp - feltMs),
    'crash to trouble said ms': trouble === undefined ? undefined : trouble - feltMs,
    'operator writes but Leases': meanwhile?.filter((one) => !reading.has(one.verb) && !isOfBefore(one, feltMs)).length,
    'operator reads a minute': reads === undefined || healedMs === feltMs ? undefined : (reads * 60_000) / (healedMs - feltMs),
    'writes of a deposed leader': deposedWrites(seen),
    'asked again too soon': seen.requests === undefined ? undefined : countImpatient(seen.requests),
  };
}

function isOfBefore({ verb, plural, startedMs }: OperatorRequest, feltMs: number): boolean {
  return verb === 'patch' && plural === 'events' && startedMs < feltMs + seriesMs;
}

/** A start that is under way is no trouble yet. */
function troubleSaid({ changes }: Observations, feltMs: number, met: Met): number | undefined {
  return changes.find(({ kind, key, after, atMs }) => {
    if (kind !== 'performers' || key.name !== met.asked || atMs < feltMs) return false;
    const ready = findCondition((after as Performer | undefined)?.status?.conditions, 'Ready');
    return ready?.status === 'False' && ready.reason !== 'Starting';
  })?.atMs;
}

/** What a holder of the Lease wrote with effect after another one had taken it, and before it had it again. Events harm nobody. */
function deposedWrites({ writes, renewals }: Observations): number | undefined {
  const terms = renewals.filter(({ of, holder }) => of === 'operator' && holder !== '');
  return writes?.filter(({ actor, plural, result, atMs }) => {
    if (result !== 'ok' || plural === 'events') return false;
    const before = terms.filter((term) => term.atMs <= atMs);
    const leads = before.at(-1)?.holder;
    return leads !== undefined && actor !== operatorActor(leads) && before.some(({ holder }) => actor === operatorActor(holder));
  }).length;
}

/**
 * Requests that came again before the time that a 429 asks for was over. Those that create name no object in their path: two of them need
 * not be the same, and they are left out.
 */
function countImpatient(requests: readonly OperatorRequest[]): number {
  const named = requests.filter(({ verb }) => verb !== 'create');
  const same = Map.groupBy(named, ({ pod, verb, uri }) => `${pod} ${verb} ${uri}`);
  return [...same.values()]
    .map((all) => all.toSorted((a, b) => a.startedMs - b.startedMs))
    .map(
      (all) =>
        all.filter(({ startedMs }, at) => all[at - 1]?.code === 429 && startedMs < (all[at - 1]?.endedMs ?? 0) + retryAfterMs).length,
    )
    .reduce((sum, count) => sum + count, 0);
}
