import { conditionTypes } from '../api/v1alpha1/conditions.ts';
import { labels, legacyFinalizer } from '../api/v1alpha1/naming.ts';
import type { Performer } from '../api/v1alpha1/performer.ts';
import { controllerOf, type KubeObject, keyText, type Pod, type Service } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { Oracle, Write } from './oracle.ts';
import { isMarked, isOperator, performerOf } from './words.ts';

/** Whose objects operators write, and how carefully. */
export function ownershipOracles(memory: Memory): readonly Oracle[] {
  return [onlyOurs(memory), preconditions(), othersStay(), noResurrection(memory)];
}

const childKinds = ['pods', 'services'];

function isChildWrite(write: Write): boolean {
  return isOperator(write) && write.result === 'ok' && childKinds.includes(write.plural);
}

function describe(write: Write): string {
  return `${write.actor}: ${write.verb} of ${write.plural} ${keyText(write.key)}`;
}

/**
 * Allowed: changing what a Performer that stood within the view lag controls; deleting what any Performer controls or controlled (a
 * leftover); giving our marks to what another operator made, unless that was beside all that are wanted of ours; giving an owner to an
 * unowned object with our marks, for a Performer that stood, not deleting, within the proof lag.
 */
function onlyOurs(memory: Memory): Oracle {
  return defineOracle(
    'S2',
    'Operators change or delete only what belongs to a Performer, and adopt only what carries its marks.',
    (test) => ({
      onWrite: (write) => {
        if (!isChildWrite(write) || write.verb === 'create' || write.before === undefined) return [];
        const owner = performerOf(write.before);
        const claim = owner ?? performerOf(write.after);
        const say = (why: string) => (): string => `${describe(write)}: ${why}`;
        const at = keyText(claim ?? write.key);
        if (owner === undefined) {
          const control = controllerOf(write.before);
          if (claim === undefined || control !== undefined || write.verb === 'delete')
            return test(
              false,
              write.atMs,
              at,
              say(control === undefined ? 'it belongs to nobody' : `it belongs to ${control.kind} ${control.name}`),
            );
          const kept = write.before.metadata?.ownerReferences ?? [];
          const isAddition = sameJson(write.after?.metadata?.ownerReferences?.slice(0, kept.length), kept);
          const lives = memory.versions(claim, write.atMs, memory.context.proofLagMs).some((one) => one.uid === claim.uid && !one.deleting);
          return test(isAddition && lives && isMarked(write.before, claim), write.atMs, at, say('it may not be adopted'));
        }
        const trace = memory.trace(write.before.metadata?.uid);
        if (trace?.claimedBeside === true && trace.markedMs === write.atMs)
          return test(false, write.atMs, at, say('another operator made it, beside enough of ours'));
        const stood = memory.versions(owner, write.atMs, memory.context.viewLagMs).some((one) => one.uid === owner.uid);
        return test(write.verb === 'delete' || stood, write.atMs, at, say('its Performer is gone, it is only to be deleted'));
      },
    }),
  );
}

/** Leases and Events have rules of their own and are left out; writes that were refused count as well. */
function preconditions(): Oracle {
  const kinds = [...childKinds, 'performers'];
  return defineOracle(
    'W1',
    'Each delete carries uid and resourceVersion, each patch a resourceVersion, and no write lands on another object.',
    (test) => ({
      onWrite: (write) => {
        if (!isOperator(write) || !kinds.includes(write.plural) || write.verb === 'create') return [];
        const { uid, resourceVersion } = write.preconditions;
        const guarded = resourceVersion !== undefined && (write.verb !== 'delete' || uid !== undefined);
        const stored = write.before?.metadata;
        const meant =
          write.result !== 'ok' ||
          stored === undefined ||
          ((uid ?? stored.uid) === stored.uid && resourceVersion === stored.resourceVersion);
        const why = guarded
          ? `it was meant for uid ${uid} at ${resourceVersion} and landed on ${stored?.uid} at ${stored?.resourceVersion}`
          : 'it lacks a precondition';
        return test(guarded && meant, write.atMs, keyText(write.key), () => `${describe(write)}: ${why}`);
      },
    }),
  );
}

const ourPodLabels: readonly string[] = Object.values(labels);

/** What an operator may change on each kind; all else must be as before. */
function othersStay(): Oracle {
  return defineOracle('W2', 'What others put on an object stays: fields, labels, ports, conditions.', (test) => ({
    onWrite: (write) => {
      const { before, after } = write;
      if (!isOperator(write) || write.result !== 'ok' || write.verb === 'create' || write.verb === 'delete') return [];
      if (before === undefined || after === undefined) return [];
      const rest =
        write.plural === 'pods'
          ? podOfOthers
          : write.plural === 'services'
            ? serviceOfOthers
            : write.plural === 'performers'
              ? performerOfOthers
              : undefined;
      if (rest === undefined) return [];
      const [was, is] = [rest(before, after), rest(after, before)];
      const changed = Object.keys({ ...was, ...is }).filter((part) => !sameJson(was[part], is[part]));
      return test(changed.length === 0, write.atMs, keyText(write.key), () => `${describe(write)} changed ${changed.join(', ')} of others`);
    },
  }));
}

type Parts = Readonly<Record<string, unknown>>;

function metadataOfOthers({ metadata }: KubeObject): Parts {
  const { resourceVersion: _version, generation: _generation, managedFields: _fields, ownerReferences: _owners, ...rest } = metadata ?? {};
  return rest;
}

function podOfOthers(pod: KubeObject): Parts {
  const { spec, status } = pod as Pod;
  const { labels: marks = {}, annotations = {}, ...rest } = metadataOfOthers(pod) as Pod['metadata'] & object;
  const left = (map: Readonly<Record<string, string>>, isOurs: (name: string) => boolean): Parts =>
    Object.fromEntries(Object.entries(map).filter(([name]) => !isOurs(name)));
  const notes = left(annotations, (name) => name.startsWith('hourglass.eigenlayer.io/'));
  return { metadata: rest, labels: left(marks, (name) => ourPodLabels.includes(name)), annotations: notes, spec, status };
}

/** The port numbers that either side of the change has under a name of ours are ours, as is an only port without a name. */
function serviceOfOthers(service: KubeObject, other: KubeObject): Parts {
  const { selector: _selector, ports = [], ...spec } = (service as Service).spec ?? {};
  const ours = (name: string | undefined): boolean => /^grpc(-\d+)?$/.test(name ?? '');
  const otherPorts = (other as Service).spec?.ports ?? [];
  const numbers = new Set([...ports, ...otherPorts].filter((port) => ours(port.name)).map((port) => port.port));
  const foreign = ports.filter((port) => !ours(port.name) && !numbers.has(port.port) && (port.name !== undefined || ports.length > 1));
  const kept = otherPorts.filter((port) => ours(port.name)).map((port) => port.name);
  const nodePorts = Object.fromEntries(
    ports.filter((port) => ours(port.name) && kept.includes(port.name)).map((port) => [port.name, port.nodePort]),
  );
  return {
    metadata: metadataOfOthers(service),
    spec,
    ports: foreign,
    nodePorts,
    status: (service as Service).status,
  };
}

function performerOfOthers(object: KubeObject): Parts {
  const performer = object as Performer;
  const { finalizers = [], ...metadata } = metadataOfOthers(performer) as Performer['metadata'] & object;
  const types: readonly string[] = conditionTypes;
  const conditions = (performer.status?.conditions ?? []).filter((one) => !types.includes(one.type));
  return { metadata, finalizers: finalizers.filter((name) => name !== legacyFinalizer), spec: performer.spec, conditions };
}

/**
 * Creates are decided on what was seen and proven by nothing: one may come after its Performer went, if it still stood within the view
 * lag. What it made goes again (S3). That much is promised, and no more.
 */
function noResurrection(memory: Memory): Oracle {
  return defineOracle('S4', 'Nothing is made for a Performer that was known to be gone or going.', (test) => ({
    onWrite: (write) => {
      if (!isChildWrite(write) || write.verb !== 'create') return [];
      const owner = performerOf(write.after);
      if (owner === undefined) return test(false, write.atMs, keyText(write.key), () => `${describe(write)}: it belongs to no Performer`);
      const lived = memory.versions(owner, write.atMs, memory.context.viewLagMs).some((one) => one.uid === owner.uid && !one.deleting);
      return test(lived, write.atMs, keyText(owner), () => `${describe(write)}: Performer ${owner.name} (${owner.uid}) is gone or going`);
    },
  }));
}
