import { conditionTypes, findCondition, reasons } from '../api/v1alpha1/conditions.ts';
import type { Performer, PerformerStatus } from '../api/v1alpha1/performer.ts';
import { controllerOf, keyOf, keyText, type ObjectKey, type Pod } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { ClusterView, Oracle, Violation, Write } from './oracle.ts';
import { Overdue } from './overdue.ts';
import { type Asked, askedOf, fits, isManagedElsewhere, isMarked, isOperator, isRoutable, performerOf } from './words.ts';

/** What status says. */
export function statusOracles(memory: Memory): readonly Oracle[] {
  return [truthful(memory), wellFormed(), keepsSecrets()];
}

/** An operator's, that was stored. */
export function isStatusWrite(write: Write): boolean {
  return isOperator(write) && write.plural === 'performers' && write.subresource === 'status' && write.result === 'ok';
}

function statusWritten(write: Write): { readonly before: Performer; readonly status: PerformerStatus } | undefined {
  const status = (write.after as Performer | undefined)?.status;
  return isStatusWrite(write) && write.before !== undefined && status !== undefined ? { before: write.before, status } : undefined;
}

/** Two operators, or one and a CRD, may put back each other's status; then each leaves it to the other for five minutes at a time. */
export const sharedMs = 600_000;

/** Told of each status that is written: whether two wrote it in turn lately. */
export function createSharing(): (write: Write) => boolean {
  const last = new Map<string, { actor: string; changedMs: number }>();
  return ({ key, actor, atMs }) => {
    const known = last.get(keyText(key));
    if (known?.actor !== actor) last.set(keyText(key), { actor, changedMs: known === undefined ? Number.NEGATIVE_INFINITY : atMs });
    return atMs - (last.get(keyText(key))?.changedMs ?? 0) < sharedMs;
  };
}

/**
 * A status is decided on pods as a view shows them and stored against the Performer's own version. So its generation is exact, and
 * the pods it calls ready were so at some time within the view lag; judged where Ready is brought or renewed. One that stands must go once
 * pods are missing for too long. Guards: a Performer that is going or managed elsewhere; a status that two write; unclaimed orphans count.
 */
function truthful(memory: Memory): Oracle {
  const overdue = new Overdue(memory);
  const isShared = createSharing();
  const sharedUntilMs = new Map<string, number>();
  return defineOracle(
    'S5',
    'Ready is True only while as many pods of the newest spec serve as are wanted, and about the generation it names.',
    (test) => {
      const findServing = (key: ObjectKey, uid: string, sinceMs: number, asked: readonly Asked[], view: ClusterView): number => {
        const serving = memory
          .podsSince(key, sinceMs, uid)
          .filter((one) => one.routableToMs >= sinceMs && !memory.isAnothers(one) && asked.some((spec) => memory.passesFor(one, spec)));
        // Orphans count before they are adopted; what another hand made for itself does not.
        const isOrphan = (pod: Pod): boolean =>
          pod.metadata?.namespace === key.namespace &&
          controllerOf(pod) === undefined &&
          isRoutable(pod, key.name) &&
          isMarked(pod, key) &&
          asked.some((spec) => fits(pod, spec, false));
        const orphans = [...view.pods.values()].filter((pod) => isOrphan(pod) && !serving.some((one) => one.pod === pod));
        return serving.length + orphans.length;
      };
      const judgeStanding = (key: ObjectKey, atMs: number, view: ClusterView): readonly Violation[] => {
        const [current, performer] = [memory.current(key, atMs), view.performers.get(keyText(key))];
        const refusedMs = memory.refusedUntilMs(key);
        if (current === undefined || performer === undefined || refusedMs === undefined) return [];
        const { uid } = current;
        const asked = memory.asked(key, atMs, memory.context.viewLagMs, uid);
        const isSaid = findCondition(performer.status?.conditions, 'Ready')?.status === 'True';
        if (!isSaid || current.asked === undefined || current.deleting || isManagedElsewhere(performer)) {
          overdue.clears(uid);
          return [];
        }
        const needed = Math.min(...asked.map((one) => one.replicas));
        const serving = findServing(key, uid, Number.POSITIVE_INFINITY, asked, view);
        const untilMs = Math.max(refusedMs, sharedUntilMs.get(keyText(key)) ?? Number.NEGATIVE_INFINITY);
        const byMs = overdue.byMs(uid, serving < needed, atMs, untilMs);
        const message = (): string => `it has been called Ready for too long: ${serving} pods of its spec serve, ${needed} are wanted`;
        return byMs === undefined ? [] : test(byMs <= 0, atMs, keyText(key), message);
      };
      return {
        onWrite: (write, view) => {
          const written = statusWritten(write);
          if (written !== undefined && isShared(write)) sharedUntilMs.set(keyText(write.key), write.atMs + sharedMs);
          const ready = findCondition(written?.status.conditions, 'Ready');
          if (written === undefined || ready?.status !== 'True') return [];
          const { metadata } = written.before;
          const before = findCondition(written.before.status?.conditions, 'Ready');
          if (before?.status === 'True' && before.observedGeneration === ready.observedGeneration) return [];
          const key = keyOf(written.before);
          const asked = askedOf(written.before);
          const specs = asked === undefined ? [] : [asked];
          const serving = findServing(key, metadata?.uid ?? '', write.atMs - memory.context.viewLagMs, specs, view);
          const isTrue = asked !== undefined && serving >= asked.replicas;
          return test(
            isTrue && (ready.observedGeneration ?? metadata?.generation) === metadata?.generation,
            write.atMs,
            keyText(key),
            () =>
              isTrue
                ? `${write.actor} wrote Ready for generation ${ready.observedGeneration} on one of generation ${metadata?.generation}`
                : `${write.actor} wrote Ready for generation ${metadata?.generation}: ${serving} pods of it serve, ${asked?.replicas ?? 'unknown'} are wanted`,
          );
        },
        onChange: ({ kind, key, before, after, atMs }, view) => {
          const owner = kind === 'performers' ? key : kind === 'pods' ? performerOf(after ?? before) : undefined;
          return owner === undefined ? [] : judgeStanding({ namespace: owner.namespace, name: owner.name }, atMs, view);
        },
        onAnswer: ({ key, atMs }, view) => judgeStanding(key, atMs, view),
      };
    },
  );
}

/** Judged at each status an operator stores; fields that an older CRD prunes count as absent. */
function wellFormed(): Oracle {
  const isWrittenByTwo = createSharing();
  return defineOracle('S5f', 'Conditions, generations and the older fields of a status agree with each other.', (test) => ({
    onWrite: (write) => {
      const written = statusWritten(write);
      if (written === undefined) return [];
      const key = keyText(write.key);
      const isShared = isWrittenByTwo(write);
      const { readyReplicas: counted } = (write.sent as Performer | undefined)?.status ?? {};
      const wrong = findContradiction(written.status, written.before, isShared, counted !== undefined);
      return test(wrong === undefined, write.atMs, key, () => `${write.actor} wrote a status in which ${wrong}`);
    },
  }));
}

const phases = ['Pending', 'Running', 'Upgrading', 'Terminating', 'Failed'];

/**
 * The first thing in a status that contradicts the rest of it, or what stood before. Pure.
 *
 * @param isCounted whether the ready pods were told of with it: what another writer puts back, or a CRD prunes, is left out for a while
 */
function findContradiction(status: PerformerStatus, before: Performer, isShared: boolean, isCounted: boolean): string | undefined {
  const { conditions = [], observedGeneration, phase = '' } = status;
  const generation = before.metadata?.generation ?? 0;
  const ready = findCondition(conditions, 'Ready');
  const available = findCondition(conditions, 'Available');
  const earlier = before.status?.observedGeneration ?? -1;
  if (ready === undefined) return 'there is no Ready condition';
  if (conditions.at(-1) !== ready) return 'Ready is not the last condition';
  if (!phases.includes(phase)) return `phase is ${phase}`;
  if (observedGeneration !== undefined && observedGeneration > generation)
    return `observedGeneration is ${observedGeneration}, the generation ${generation}`;
  if (observedGeneration !== undefined && observedGeneration < earlier)
    return `observedGeneration went back from ${earlier} to ${observedGeneration}`;
  if (!(ready.reason in reasons)) return `${ready.reason} is the reason, which no table has`;
  const row = reasons[ready.reason as keyof typeof reasons];
  if (row.ready !== (ready.status === 'True')) return `Ready is ${ready.status} for ${ready.reason}`;
  if (!isShared && available !== undefined && (available.status === 'True') !== status.ready)
    return `ready is ${status.ready} and Available ${available.status}`;
  if (!isShared && ready.status === 'True' && (phase !== 'Running' || status.ready !== true))
    return `Ready is True, phase ${phase} and ready ${status.ready}`;
  const asked = askedOf(before);
  const { readyReplicas, updatedReplicas, replicas } = status;
  const isWhole = asked !== undefined && replicas === asked.replicas && readyReplicas === replicas && updatedReplicas === replicas;
  if (isCounted && ready.reason === 'Starting' && isWhole && !asked.spec.minReadySeconds)
    return `Starting is the reason, and all ${asked.replicas} pods are ready`;
  if (row.stalls !== (findCondition(conditions, 'Stalled')?.status === 'True')) return `Stalled does not go with ${ready.reason}`;
  if (ready.status === 'True' && findCondition(conditions, 'Reconciling') !== undefined) return 'Reconciling stands beside Ready True';
  const kinds = conditions.map((one) => one.type);
  const twice = conditionTypes.find((type) => kinds.indexOf(type) !== kinds.lastIndexOf(type));
  return twice === undefined ? undefined : `condition ${twice} stands twice`;
}

/** Values too short to be told from other words, or that stand elsewhere in the spec or name, are left out. */
function keepsSecrets(): Oracle {
  /** By Performer, the values that it has and had, but for those that now stand elsewhere in it: an old view may tell of former ones. */
  const known = new Map<string, Set<string>>();
  return defineOracle('S8', 'No value of an environment variable stands in a status, an Event or a log.', (test) => ({
    onChange: ({ kind, key, after }) => {
      const asked = kind === 'performers' && after !== undefined ? askedOf(after as Performer) : undefined;
      if (asked === undefined) return [];
      const open = openPartsOf(asked, key);
      const values = [...(known.get(keyText(key)) ?? []), ...valuesOf(asked)];
      if (values.length > 0) known.set(keyText(key), new Set(values.filter((value) => !open.includes(value))));
      return [];
    },
    onWrite: (write) => {
      if (!isOperator(write) || !(write.plural === 'events' || (write.plural === 'performers' && write.subresource === 'status')))
        return [];
      const key = write.plural === 'events' ? regardedBy(write) : write.key;
      if (key === undefined) return [];
      const sent = JSON.stringify(write.sent ?? '');
      const values = [...(known.get(keyText(key)) ?? [])];
      return test(
        !values.some((value) => sent.includes(value)),
        write.atMs,
        keyText(key),
        () => `${write.actor} wrote a value of its environment into ${write.plural}`,
      );
    },
    // A line names its Performer in words at most.
    onLog: ({ atMs, actor, text }) =>
      [...known].flatMap(([key, values]) => {
        const says = ![...values].some((value) => text.includes(value));
        return test(says, atMs, key, () => `${actor} wrote a value of its environment into its log`);
      }),
  }));
}

function regardedBy(write: Write): ObjectKey | undefined {
  const { regarding, involvedObject } = (write.sent ?? {}) as { regarding?: ObjectKey; involvedObject?: ObjectKey };
  return regarding ?? involvedObject;
}

/** What of a spec anybody may be told, as it stands in JSON, with the Performer's own name. */
function openPartsOf({ spec }: Asked, key: ObjectKey): string {
  const { config = {}, ...others } = spec;
  const { environment = {}, env = [], environmentFrom: _from, ...rest } = config as NonNullable<typeof spec.config>;
  return JSON.stringify([others, rest, Object.keys(environment), env.map((one) => one.name), key]);
}

/** Values of variables that are long enough to be told from other words, as they stand in JSON. */
function valuesOf({ spec }: Asked): readonly string[] {
  const { environment = {}, env = [] } = spec.config ?? {};
  const values = [...Object.values(environment), ...env.map((one) => one.value ?? '')].map((value) => JSON.stringify(value).slice(1, -1));
  return values.filter((value) => value.length >= 8);
}
