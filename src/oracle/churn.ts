import { type KubeObject, keyText } from '../kube/objects.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { Change, Oracle, Write } from './oracle.ts';
import { isDeleting, isEnded, isOperator, isReady, isSelected, isUnreachable, performerOf } from './words.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Pods that come to nothing follow each other after 30 s, 60 s, … 600 s: ten in the first hour, and some for those that had been Ready. */
const freePodsPerHour = 12;
/** Writes that one step of a Performer may take, for each pod: pod, Service, status, withdrawal, deletion, marks. */
const freeWritesPerMinute = 20;
/** What a CRD did not keep of a status is left out for so long, less the second that server time may be off. */
const prunedAgainMs = 299_000;
/** A key that fails is tried again after 50 ms, 100 ms, … 60 s: ten times in the first minute, with two writes each. */
const freeRefusalsPerMinute = 30;

/** How much is done. */
export function churnOracles(memory: Memory): readonly Oracle[] {
  return [fewPods(memory), fewWrites(), fewRefusals(), noIdleWrite(memory)];
}

/**
 * Each cause outside of the operator pays for pods: a spec (a slot each), a pod that another hand deleted, that ended or lost its
 * place, or whose node went out of sight. Beside those there are as many as the back-off allows.
 */
function fewPods(memory: Memory): Oracle {
  const made = new Map<string, number[]>();
  const paid = new Map<string, number[]>();
  const specs = new Map<string, string>();
  const pay = (uid: string, atMs: number, count: number): void => note(paid, uid, Array<number>(count).fill(atMs), atMs - hourMs);
  return defineOracle('S7', 'Pods follow each other no faster than the back-off allows.', (test) => ({
    onChange: (change) => {
      const { atMs, kind } = change;
      if (kind === 'performers') {
        const version = memory.current(change.key, atMs);
        const text = `${version?.asked?.podText} ${version?.asked?.replicas}`;
        if (version?.asked !== undefined && specs.get(version.uid) !== text)
          pay(version.uid, atMs, version.asked.replicas + version.asked.maxSurge);
        if (version !== undefined) specs.set(version.uid, text);
      } else if (kind === 'pods') {
        const { before, after } = change as Change<'pods'>;
        const owner = performerOf(before);
        if (owner === undefined || before === undefined) return [];
        const stood = (pod: typeof before | undefined): boolean =>
          pod !== undefined && !isDeleting(pod) && !isEnded(pod) && isSelected(pod, owner.name);
        if (stood(before) && !stood(after) && (isReady(before) || after === undefined)) pay(owner.uid, atMs, 1);
      } else if (
        kind === 'nodes' &&
        isUnreachable((change as Change<'nodes'>).after) &&
        !isUnreachable((change as Change<'nodes'>).before)
      ) {
        for (const uid of made.keys()) pay(uid, atMs, 1);
      }
      return [];
    },
    onWrite: (write) => {
      const owner = performerOf(write.after);
      if (!isOperator(write) || write.verb !== 'create' || write.plural !== 'pods' || write.result !== 'ok' || owner === undefined)
        return [];
      note(made, owner.uid, [write.atMs], write.atMs - hourMs);
      const replicas = Math.max(1, ...memory.asked(owner, write.atMs, hourMs, owner.uid).map((one) => one.replicas));
      const allowed = freePodsPerHour * replicas + (paid.get(owner.uid)?.filter((ms) => ms >= write.atMs - hourMs).length ?? 0);
      const count = made.get(owner.uid)?.length ?? 0;
      return test(
        count <= allowed,
        write.atMs,
        keyText(owner),
        () => `more than ${freePodsPerHour} pods for each replica were made in an hour without a cause from outside`,
      );
    },
  }));
}

/** Changes by others in the same minute pay for three writes each. */
function fewWrites(): Oracle {
  const changes = new Map<string, number[]>();
  const writes = new Map<string, number[]>();
  return defineOracle('S7w', 'A step of a Performer takes few writes.', (test) => ({
    onChange: notingIn(changes),
    onWrite: (write, view) => {
      if (!isOperator(write) || write.result !== 'ok' || !['pods', 'services', 'performers'].includes(write.plural)) return [];
      const owner = performerOf(write.after ?? write.before) ?? write.key;
      const key = keyText(owner);
      note(writes, key, [write.atMs], write.atMs - minuteMs);
      const count = writes.get(key)?.length ?? 0;
      const byOthers = Math.max(0, (changes.get(key)?.length ?? 0) - count);
      let pods = 1;
      if (count > freeWritesPerMinute) for (const pod of view.pods.values()) if (performerOf(pod)?.name === owner.name) pods += 1;
      return test(
        count <= freeWritesPerMinute * pods + 3 * byOthers,
        write.atMs,
        key,
        () => 'operators write and write for it, more than once a step',
      );
    },
  }));
}

/**
 * What others change in the same minute pays for three each: a write that they overtook is no wish against their will. Each process counts
 * for itself: it cannot know what another one, or its own last life, was refused.
 */
function fewRefusals(): Oracle {
  const changes = new Map<string, number[]>();
  const refusals = new Map<string, number[]>();
  return defineOracle('S7r', 'What the API server refuses is asked for again more and more rarely.', (test) => ({
    onChange: notingIn(changes),
    onWrite: (write) => {
      if (!isOperator(write) || write.result === 'ok' || !['pods', 'services', 'performers'].includes(write.plural)) return [];
      const { namespace, name } = performerOf(write.verb === 'create' ? (write.sent as KubeObject) : write.before) ?? write.key;
      const key = keyText({ namespace: namespace === '' ? write.key.namespace : namespace, name });
      const asker = `${write.actor} ${write.processSinceMs ?? ''} ${key}`;
      note(refusals, asker, [write.atMs], write.atMs - minuteMs);
      const count = refusals.get(asker)?.length ?? 0;
      const byOthers = changes.get(key)?.filter((ms) => ms >= write.atMs - minuteMs).length ?? 0;
      return test(
        count <= freeRefusalsPerMinute + 3 * byOthers,
        write.atMs,
        key,
        () => `${write.plural} are refused again and again: ${write.result}`,
      );
    },
  }));
}

/**
 * A patch is decided on the version it names: one that changes nothing of it was not wanted. Guard: whether a CRD keeps a field can only
 * be learned by trying, which each process may do once in five minutes, and again where it heard no answer.
 */
function noIdleWrite({ context }: Memory): Oracle {
  const tried = new Map<string, Write>();
  return defineOracle('L5', 'A pass over what is as it should be writes nothing: no patch changes nothing.', (test) => ({
    onWrite: (write) => {
      const { before, after, actor, processSinceMs = 0, atMs, plural } = write;
      if (!isOperator(write) || write.verb !== 'patch' || write.result !== 'ok' || before === undefined || after === undefined) return [];
      const key = keyText(write.key);
      const pruned = prunedOf(write).map((field) => `${actor} ${processSinceMs} ${key} ${field}`);
      const mayTry = (last: Write | undefined): boolean =>
        last === undefined || last.outcome?.isUnknown === true || atMs - last.atMs >= prunedAgainMs - context.clockAheadMs;
      const isNew = pruned.length > 0 && pruned.every((id) => mayTry(tried.get(id)));
      for (const id of pruned) tried.set(id, write);
      const isEffective = before.metadata?.resourceVersion !== after.metadata?.resourceVersion;
      return test(isEffective || isNew, atMs, key, () => `${actor} patched ${plural} ${key} to what it was`);
    },
  }));
}

/** Adds times under a key and forgets those before `fromMs`. */
function note(times: Map<string, number[]>, key: string, added: readonly number[], fromMs: number): void {
  times.set(key, [...(times.get(key) ?? []).filter((ms) => ms >= fromMs), ...added]);
}

/** Notes when something of a Performer changed. */
const notingIn =
  (changes: Map<string, number[]>): NonNullable<Oracle['onChange']> =>
  ({ key, kind, before, after, atMs }) => {
    const owner = kind === 'performers' ? key : performerOf(after ?? before);
    if (owner !== undefined) note(changes, keyText(owner), [atMs], atMs - minuteMs);
    return [];
  };

/** Fields of a status that was sent which the API server did not keep. */
function prunedOf({ sent, after }: Write): readonly string[] {
  const asked = (sent as { readonly status?: object } | undefined)?.status ?? {};
  const kept = (after as { readonly status?: object } | undefined)?.status ?? {};
  return Object.entries(asked).flatMap(([name, value]) => (value === null || name in kept ? [] : [name]));
}
