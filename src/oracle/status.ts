import { conditionTypes, findCondition, reasons } from '../api/v1alpha1/conditions.ts';
import type { Performer, PerformerStatus } from '../api/v1alpha1/performer.ts';
import { controllerOf, keyOf, keyText, type ObjectKey } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { Oracle, Write } from './oracle.ts';
import { type Asked, askedOf, isOperator, isRoutable } from './words.ts';

/** What status says. */
export function statusOracles(memory: Memory): readonly Oracle[] {
  return [truthful(memory), wellFormed(), keepsSecrets()];
}

function statusWritten(write: Write): { readonly before: Performer; readonly status: PerformerStatus } | undefined {
  const isOurs = isOperator(write) && write.plural === 'performers' && write.subresource === 'status' && write.result === 'ok';
  const status = (write.after as Performer | undefined)?.status;
  return isOurs && write.before !== undefined && status !== undefined ? { before: write.before, status } : undefined;
}

/**
 * A status is decided on pods as a view shows them and stored against the Performer's own version. So its generation is exact, and
 * the pods it calls ready were so at some time within the view lag. Only writes that bring or renew Ready are judged: one that leaves it alone says nothing.
 */
function truthful(memory: Memory): Oracle {
  return defineOracle(
    'S5',
    'Ready is True only while as many pods of the newest spec serve as are wanted, and about the generation it names.',
    (test) => ({
      onWrite: (write, view) => {
        const written = statusWritten(write);
        const ready = findCondition(written?.status.conditions, 'Ready');
        if (written === undefined || ready?.status !== 'True') return [];
        const { metadata } = written.before;
        const before = findCondition(written.before.status?.conditions, 'Ready');
        if (before?.status === 'True' && before.observedGeneration === ready.observedGeneration) return [];
        const key = keyOf(written.before);
        const asked = askedOf(written.before);
        const sinceMs = write.atMs - memory.context.viewLagMs;
        const serving = memory
          .podsSince(key, sinceMs, metadata?.uid ?? '')
          .filter((one) => one.routableToMs >= sinceMs && asked !== undefined && memory.passesFor(one, asked) && !memory.isAnothers(one));
        // Orphans count before they are adopted.
        const orphans = [...view.pods.values()].filter((pod) => controllerOf(pod) === undefined && isRoutable(pod, key.name));
        const isTrue = asked !== undefined && serving.length + orphans.length >= asked.replicas;
        return test(isTrue && (ready.observedGeneration ?? metadata?.generation) === metadata?.generation, write.atMs, keyText(key), () =>
          isTrue
            ? `${write.actor} wrote Ready for generation ${ready.observedGeneration} on one of generation ${metadata?.generation}`
            : `${write.actor} wrote Ready for generation ${metadata?.generation}: ${serving.length} pods of it serve, ${asked?.replicas ?? 'unknown'} are wanted`,
        );
      },
    }),
  );
}

/** Judged at each status an operator stores; fields that an older CRD prunes count as absent. */
function wellFormed(): Oracle {
  const others = new Map<string, { actor: string; changedMs: number }>();
  return defineOracle('S5f', 'Conditions, generations and the older fields of a status agree with each other.', (test) => ({
    onWrite: (write) => {
      const written = statusWritten(write);
      if (written === undefined) return [];
      const key = keyText(write.key);
      const last = others.get(key);
      if (last?.actor !== write.actor)
        others.set(key, { actor: write.actor, changedMs: last === undefined ? Number.NEGATIVE_INFINITY : write.atMs });
      const isShared = write.atMs - (others.get(key)?.changedMs ?? 0) < sharedMs;
      const { readyReplicas: counted } = (write.sent as Performer | undefined)?.status ?? {};
      const wrong = findContradiction(written.status, written.before, isShared, counted !== undefined);
      return test(wrong === undefined, write.atMs, key, () => `${write.actor} wrote a status in which ${wrong}`);
    },
  }));
}

/** Of a status that two write against each other an operator leaves the older fields to the other for five minutes at a time. */
const sharedMs = 600_000;

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
  return defineOracle('S8', 'No value of an environment variable stands in a status or an Event.', (test) => ({
    onWrite: (write, view) => {
      if (!isOperator(write) || !(write.plural === 'events' || (write.plural === 'performers' && write.subresource === 'status')))
        return [];
      const key = write.plural === 'events' ? regardedBy(write) : write.key;
      const performer = (key === undefined ? undefined : view.performers.get(keyText(key))) ?? (write.before as Performer | undefined);
      const asked = performer === undefined ? undefined : askedOf(performer);
      if (asked === undefined || key === undefined) return [];
      const sent = JSON.stringify(write.sent ?? '');
      const values = secretsOf(asked, key);
      return test(
        !values.some((value) => sent.includes(value)),
        write.atMs,
        keyText(key),
        () => `${write.actor} wrote a value of its environment into ${write.plural}`,
      );
    },
  }));
}

function regardedBy(write: Write): ObjectKey | undefined {
  const { regarding, involvedObject } = (write.sent ?? {}) as { regarding?: ObjectKey; involvedObject?: ObjectKey };
  return regarding ?? involvedObject;
}

function secretsOf({ spec }: Asked, key: ObjectKey): readonly string[] {
  const { config = {}, ...others } = spec;
  const { environment = {}, env = [], environmentFrom: _from, ...rest } = config as NonNullable<typeof spec.config>;
  const elsewhere = JSON.stringify([others, rest, Object.keys(environment), env.map((one) => one.name), key]);
  const values = [...Object.values(environment), ...env.map((one) => one.value ?? '')].map((value) => JSON.stringify(value).slice(1, -1));
  return values.filter((value) => value.length >= 8 && !elsewhere.includes(value));
}
