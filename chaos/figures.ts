import { findCondition } from '../src/api/v1alpha1/conditions.ts';
import { serviceName } from '../src/api/v1alpha1/naming.ts';
import type { Performer } from '../src/api/v1alpha1/performer.ts';
import type { EndpointSlice, Node } from '../src/kube/objects.ts';
import { takeawayOf } from '../src/oracle/takeaway.ts';
import { mostUnreachable } from '../src/oracle/words.ts';
import { accountableBy } from './accountable.ts';
import type { FigureName } from './experiment.ts';
import { type PodLife, readLives } from './lives.ts';
import { isAnswerOf, type LoadCall, type Met, type Observations, type Times } from './observations.ts';
import { takeOperatorFigures } from './operator-figures.ts';

export type Figures = Readonly<Partial<Record<FigureName, number>>>;

/** After a cut is over, callers notice by their next connection. */
const afterHealMs = 5_000;
/** What nodes route by is renewed within it. */
const cutOverMs = 2_000;

/** Every figure that what was seen yields; those that never came to be are absent. Pure. */
export function takeFigures(seen: Observations, times: Times, met: Met): Figures {
  const lives = readLives(seen.changes);
  const ours = lives.filter(({ performer }) => performer === met.performer);
  const isVictim = ({ uid }: { readonly uid: string }): boolean => met.pods.some((pod) => pod.uid === uid);
  const outside = seen.calls.filter(({ from }) => !met.nodes.includes(from));
  const toTarget = outside.filter(({ performer }) => performer === met.performer);
  const failedOf = (calls: readonly LoadCall[], fromMs: number): number =>
    calls.filter(({ kind, atMs }) => kind === 'failed' && atMs >= fromMs).length;
  const since = (fromMs: number, atMs: number | undefined): number | undefined =>
    atMs === undefined ? undefined : Math.max(0, atMs - fromMs);
  const ofAnother = toTarget.filter((call) => call.kind === 'answered' && !isAnswerOf(call, met.pods) && call.atMs >= times.askedMs);
  const otherMs = Math.min(...ofAnother.map(({ atMs, tookMs }) => atMs + tookMs));
  const firstOtherMs = Number.isFinite(otherMs) ? otherMs : undefined;
  const isAccountable = accountableBy(seen.changes);
  const unaccountable = (calls: readonly LoadCall[]): readonly LoadCall[] => calls.filter((call) => !isAccountable(call));
  const ofBystanders = outside.filter(({ performer }) => performer !== met.performer && !isHit(performer, lives, met));
  const isBorn = ({ wasThere, seenMs }: PodLife): boolean => !wasThere && seenMs >= times.askedMs;
  const born = ours.filter(isBorn);
  const figures: Record<FigureName, number | undefined> = {
    ...takeOperatorFigures(seen, times, met),
    'deletion to creation ms': longestVacancy(ours.filter(isVictim), born),
    'fault to replacement ready ms': since(times.feltMs, readyElsewhere(seen, times.feltMs, met)),
    'heal to replacement ready ms': since(times.healedMs, readyElsewhere(seen, times.feltMs, met)),
    'fault to first answer of another pod ms': since(times.feltMs, firstOtherMs),
    'fault to loss said ms': since(times.feltMs, lossSaid(seen, times, met)),
    'change to new pod alone ms': since(times.askedMs, aloneFrom(toTarget, met)),
    'outage ms': longestGap(toTarget, times),
    'heal to work taken up ms': since(times.healedMs, lives.find(({ performer }) => performer === met.asked)?.seenMs),
    'heal to one pod left ms': since(times.healedMs, lastButOneGone(ours)),
    'operator writes to pods': operatorWrites(seen, times, ours),
    'pods created': Math.max(born.length, lives.filter(({ performer }) => performer === met.asked).length),
    'pods created beyond one for each kill': Math.max(0, born.length - ours.filter(isVictim).length),
    'pods created for one Performer at most': Math.max(
      0,
      ...[...Map.groupBy(lives.filter(isBorn), ({ performer }) => performer).values()].map((all) => all.length),
    ),
    'pods taken away while most nodes are gone': takenWhileMostAreGone(seen, times),
    'failed after heal': failedOf(toTarget, times.healedMs + afterHealMs),
    'failed in baseline': seen.calls.filter(({ kind, atMs, tookMs }) => kind === 'failed' && atMs + tookMs <= times.askedMs).length,
    'failed of bystander': failedOf(ofBystanders, times.askedMs),
    'failed of bystander, unaccountably': failedOf(unaccountable(ofBystanders), times.askedMs),
    'failed throughout': failedOf(toTarget, times.askedMs),
    'failed throughout, unaccountably': failedOf(unaccountable(toTarget), times.askedMs),
    'answers of a replaced pod':
      firstOtherMs === undefined
        ? undefined
        : toTarget.filter((call) => isAnswerOf(call, met.pods) && call.atMs > firstOtherMs + cutOverMs).length,
    'load pause ms': longestPause(outside),
    'tasks begun twice':
      seen.begun.length === 0 ? undefined : [...Map.groupBy(seen.begun, ({ id }) => id).values()].filter((all) => all.length > 1).length,
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

/** Since when there is one pod of several; undefined where there never was another one, or more than one stay. */
function lastButOneGone(lives: readonly PodLife[]): number | undefined {
  const gone = lives.flatMap(({ goneMs }) => goneMs ?? []);
  return gone.length > 0 && gone.length === lives.length - 1 ? Math.max(...gone) : undefined;
}

/** When the first answer came that was asked for after the last one of a former pod; undefined when nobody else answers. */
function aloneFrom(calls: readonly LoadCall[], { pods }: Met): number | undefined {
  const answered = calls.filter(({ kind }) => kind === 'answered');
  const last = answered.findLast((call) => isAnswerOf(call, pods));
  const next = answered.find((call) => !isAnswerOf(call, pods) && call.atMs >= (last?.atMs ?? 0));
  return next === undefined ? undefined : next.atMs + next.tookMs;
}

/** From the deletion of a pod to the next one made, at the longest; undefined when a deletion was followed by none. */
function longestVacancy(victims: readonly PodLife[], born: readonly PodLife[]): number | undefined {
  const deleted = victims.flatMap(({ deletingMs, goneMs }) => deletingMs ?? goneMs ?? []);
  const waited = deleted.map((atMs) => (born.find(({ seenMs }) => seenMs >= atMs)?.seenMs ?? Number.POSITIVE_INFINITY) - atMs);
  const longestMs = Math.max(...waited);
  return Number.isFinite(longestMs) ? longestMs : undefined;
}

/** What is not Ready by the node controller's word, until the fault is over; undefined where nobody logs writes or most were never gone. */
function takenWhileMostAreGone({ changes, writes }: Observations, { healedMs }: Times): number | undefined {
  const view = { nodes: new Map<string, Node>() };
  const goneFrom = changes.find(({ kind, key, after }) => {
    if (kind !== 'nodes') return false;
    if (after === undefined) view.nodes.delete(key.name);
    else view.nodes.set(key.name, after as Node);
    return mostUnreachable(view);
  })?.atMs;
  if (goneFrom === undefined) return undefined;
  return writes?.filter((write) => write.atMs >= goneFrom && write.atMs <= healedMs && takeawayOf(write) !== undefined).length;
}

/** Whether a Performer that was not aimed at stood on a node that was. */
function isHit(performer: string, lives: readonly PodLife[], met: Met): boolean {
  return lives.some((life) => life.performer === performer && life.wasThere && met.nodes.includes(life.node ?? ''));
}

function readyElsewhere({ changes }: Observations, feltMs: number, met: Met): number | undefined {
  return changes.find(({ kind, after, atMs }) => {
    const slice = after as EndpointSlice | undefined;
    if (
      kind !== 'endpointSlices' ||
      atMs < feltMs ||
      slice?.metadata?.labels?.['kubernetes.io/service-name'] !== serviceName(met.performer)
    )
      return false;
    return (
      slice.endpoints?.some(
        ({ conditions, targetRef }) => conditions?.ready === true && !met.pods.some(({ uid }) => uid === targetRef?.uid),
      ) === true
    );
  })?.atMs;
}

function lossSaid({ changes }: Observations, { feltMs }: Times, met: Met): number | undefined {
  return changes.find(({ kind, key, after, atMs }) => {
    if (kind !== 'performers' || key.name !== met.performer || atMs < feltMs) return false;
    return findCondition((after as Performer | undefined)?.status?.conditions, 'Ready')?.status === 'False';
  })?.atMs;
}

function longestGap(calls: readonly LoadCall[], { feltMs, endedMs }: Times): number {
  const answered = calls
    .filter(({ kind }) => kind === 'answered')
    .map(({ atMs }) => atMs)
    .toSorted((a, b) => a - b);
  const gaps = [...answered, endedMs].map((atMs, at) => (atMs < feltMs ? 0 : atMs - (answered[at - 1] ?? atMs)));
  return Math.max(0, ...gaps);
}

/** Callers send at their pace whatever becomes of their tasks: where one does not, the machine had nothing left for it. */
function longestPause(calls: readonly LoadCall[]): number {
  const byCaller = Map.groupBy(calls, ({ from, performer }) => `${from} ${performer}`);
  const sent = [...byCaller.values()].map((own) => own.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
  return Math.max(0, ...sent.flatMap((times) => times.map((atMs, at) => atMs - (times[at - 1] ?? atMs))));
}

/** Until all was as asked; undefined where nobody logs writes. */
function operatorWrites({ writes }: Observations, { askedMs, endedMs }: Times, ours: readonly PodLife[]): number | undefined {
  return writes?.filter(
    ({ actor, plural, key, atMs }) =>
      actor.startsWith('operator') && plural === 'pods' && atMs >= askedMs && atMs <= endedMs && ours.some(({ name }) => name === key.name),
  ).length;
}
