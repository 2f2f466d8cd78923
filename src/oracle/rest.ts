import { findCondition, type Reason, reasons } from '../api/v1alpha1/conditions.ts';
import { effectivePort } from '../api/v1alpha1/defaults.ts';
import { labels, legacyFinalizer, performerSelector, portName, serviceName } from '../api/v1alpha1/naming.ts';
import type { Performer } from '../api/v1alpha1/performer.ts';
import { type KubeObject, keyOf, keyText, type Pod } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import { defineOracle } from './define.ts';
import type { Memory } from './memory.ts';
import type { ClusterView, Oracle, Rest, Violation } from './oracle.ts';
import { Overdue } from './overdue.ts';
import { createSharing, isStatusWrite, sharedMs } from './status.ts';
import { denials, isTrueOf, reasonOf } from './why.ts';
import {
  type Asked,
  askedOf,
  fits,
  isDeleting,
  isEnded,
  isInService,
  isManagedElsewhere,
  isOnLostNode,
  isReady,
  isSelected,
  performerOf,
  replacedByMs,
} from './words.ts';

/** How the cluster stands once nothing happens any more. */
export function restOracles(memory: Memory): readonly Oracle[] {
  return [converged(memory), isolated(memory), deletionFinished(), noOrphan(), silent(memory)];
}

/** The Performers we look after that are not going. */
function living({ view }: Rest): readonly Performer[] {
  return [...view.performers.values()].filter((one) => !isDeleting(one) && !isManagedElsewhere(one));
}

function isFollowed(performer: Performer, { atMs, graceMs = 0 }: Rest, memory: Memory): boolean {
  return atMs - memory.podsChangedMs(keyOf(performer)) >= graceMs;
}

function converged(memory: Memory): Oracle {
  return defineOracle(
    'L1',
    'Each Performer has what it asks for and its status says so, or a reason that is true of the cluster.',
    (test) => ({
      atRest: (rest) =>
        living(rest)
          .filter((performer) => isFollowed(performer, rest, memory))
          .flatMap((performer) => {
            const wrong = findUnrest(performer, rest, memory);
            return test(wrong === undefined, rest.atMs, keyText(keyOf(performer)), () => wrong ?? '');
          }),
    }),
  );
}

function isPoisoned(performer: Performer): boolean {
  const reason = reasonOf(performer);
  return reason !== undefined && (reasons[reason].stalls || denials.has(reason));
}

/** Whether its status says nothing yet of the spec as it is; an older CRD keeps no generation. */
function isBehind({ status, metadata }: Performer): boolean {
  if (findCondition(status?.conditions, 'Ready') === undefined) return true;
  return status?.observedGeneration !== undefined && status.observedGeneration !== metadata?.generation;
}

/**
 * Tested where somebody's Performer is refused or stalled: of the others each must be heard in time, and at rest those with all they need
 * must be Ready. Guards: one that is going or managed elsewhere; a status that was refused, or that two write.
 */
function isolated(memory: Memory): Oracle {
  const overdue = new Overdue(memory);
  const isShared = createSharing();
  const sharedUntilMs = new Map<string, number>();
  return defineOracle('L2', 'A Performer that cannot be carried out keeps no other one waiting.', (test) => ({
    onWrite: (write) => {
      if (isStatusWrite(write) && isShared(write)) sharedUntilMs.set(keyText(write.key), write.atMs + sharedMs);
      return [];
    },
    onAnswer: ({ key, atMs }, { performers }) => {
      const [performer, refusedMs] = [performers.get(keyText(key)), memory.refusedUntilMs(key)];
      if (performer === undefined || refusedMs === undefined) return [];
      // What is asked for anew is another thing to be heard.
      const id = `${performer.metadata?.uid} ${performer.metadata?.generation}`;
      const isOurs = !isDeleting(performer) && !isManagedElsewhere(performer) && !isPoisoned(performer);
      if (!isOurs || ![...performers.values()].some(isPoisoned)) {
        overdue.clears(id);
        return [];
      }
      const untilMs = Math.max(refusedMs, sharedUntilMs.get(keyText(key)) ?? Number.NEGATIVE_INFINITY);
      const byMs = overdue.byMs(id, isBehind(performer), atMs, untilMs);
      const message = (): string => 'nothing is said of what it asks for, for too long, while another Performer is refused';
      return byMs === undefined ? [] : test(byMs <= 0, atMs, keyText(key), message);
    },
    atRest: (rest) => {
      const all = living(rest);
      if (!all.some(isPoisoned)) return [];
      return all
        .filter((one) => !isPoisoned(one) && isFollowed(one, rest, memory))
        .flatMap((one) =>
          test(
            findUnrest(one, rest, memory) === undefined,
            rest.atMs,
            keyText(keyOf(one)),
            () => 'it waits while another Performer is refused',
          ),
        );
    },
  }));
}

const mayLack = new Set<Reason>([...denials, 'NodeLost', 'NameConflict', 'WaitingForLeftover', 'Paused', 'InvalidSpec']);

/** The first thing that is not as asked and that no true reason explains; undefined when the Performer is at rest. */
function findUnrest(performer: Performer, { view, atMs }: Rest, memory: Memory): string | undefined {
  const key = keyOf(performer);
  const { status, metadata } = performer;
  const ready = findCondition(status?.conditions, 'Ready');
  const reason = reasonOf(performer);
  if (ready === undefined || reason === undefined) return 'its status says nothing';
  if (status?.observedGeneration !== undefined && status.observedGeneration !== metadata?.generation)
    return `its status is about generation ${status.observedGeneration}, not ${metadata?.generation}`;
  const asked = askedOf(performer);
  const controlled = [...view.pods.values()].filter((pod) => performerOf(pod)?.uid === metadata?.uid);
  const rivals = findRivals(controlled, key.name, asked);
  if (reason !== 'InvalidSpec' && rivals.length > 0 && findCondition(status?.conditions, 'ForeignWriter')?.status !== 'True')
    return `pod ${rivals[0]?.metadata?.name} was made by another operator beside ours, and nothing says so`;
  const owned = controlled.filter((pod) => !rivals.includes(pod));
  const inService = owned.filter((pod) => isInService(pod, key.name));
  const passes = (pod: Pod): boolean => {
    const trace = memory.trace(pod.metadata?.uid);
    // Whatever another hand did to it, by now it is put right or replaced.
    return asked !== undefined && (trace === undefined || fits(pod, asked, trace.marked));
  };
  const newest = inService.filter(passes);
  const serving = newest.filter(isReady);
  const isServed = asked !== undefined && serving.length >= asked.replicas;
  const isDisputed = rivals.length === 0 && atMs <= (memory.disputedUntilMs(key) ?? atMs);
  const findLingering = (): string | undefined => {
    const lingering = owned.find((pod) => !inService.includes(pod) && !isEnded(pod) && !isOnLostNode(pod, view) && !hasFinalizers(pod));
    return lingering === undefined ? undefined : `pod ${lingering.metadata?.name} lingers`;
  };
  if (ready.status !== 'True') {
    const why = `${reason} is the reason it is not Ready`;
    if (!isTrueOf(reason, { performer, asked, owned, view, memory, atMs })) return `${why}, and that is not so`;
    // Room that former pods hold, which serve until newer ones do, is not missing. A pod may have ended since the last look.
    const follows = atMs - memory.podsChangedMs(key) <= memory.context.viewLagMs;
    const isAwaited = (pod: Pod): boolean => isEnded(pod) && (follows || atMs <= replacedByMs(pod, memory.context));
    if (asked !== undefined && inService.length < asked.replicas && !mayLack.has(reason) && !owned.some(isAwaited))
      return `${why}, and ${inService.length} of ${asked.replicas} pods were made`;
    if (isServed && inService.length === serving.length && !mayLack.has(reason)) return `${why}, and all ${asked.replicas} pods serve`;
    if (asked === undefined || mayLack.has(reason)) return undefined;
    return findLingering() ?? findServiceFault(performer, view, effectivePort(asked.spec), isDisputed);
  }
  if (asked === undefined) return 'it is Ready with a spec that cannot be read';
  if (!isServed) return `it is Ready, ${serving.length} pods of its spec serve and ${asked.replicas} are wanted`;
  // Admission may have another image run from the start; one that was swapped later is put right in time.
  const swapped = inService.find(
    ({ metadata, spec }) => (metadata?.generation ?? 1) > 1 && !spec?.containers?.some(({ image }) => image === asked.spec.image),
  );
  if (swapped !== undefined) return `pod ${swapped.metadata?.name} runs another image than the spec's`;
  if (inService.length !== asked.replicas) return `${inService.length} pods are in its Service, ${asked.replicas} are wanted`;
  return (
    findLingering() ??
    findServiceFault(performer, view, effectivePort(asked.spec), isDisputed) ??
    findStatusFault(performer, serving, inService)
  );
}

/**
 * Pods that another operator made beside ours, which stay its own: without our marks, and younger than one of ours in the Service, or of the
 * image that is asked for where ours fill all places.
 */
function findRivals(controlled: readonly Pod[], name: string, asked: Asked | undefined): readonly Pod[] {
  const isMarked = ({ metadata }: Pod): boolean => [labels.revision, labels.index].some((label) => metadata?.labels?.[label] !== undefined);
  const bornAt = ({ metadata }: Pod): string => metadata?.creationTimestamp ?? '';
  const ours = controlled.filter((pod) => isMarked(pod) && !isDeleting(pod) && isSelected(pod, name));
  const isFilled = asked !== undefined && ours.filter((pod) => !isEnded(pod) && fits(pod, asked, true)).length >= asked.replicas;
  const isBeside = (pod: Pod): boolean =>
    ours.some((one) => bornAt(one) <= bornAt(pod)) || (isFilled && !isEnded(pod) && fits(pod, asked, false));
  return controlled.filter((pod) => !isMarked(pod) && !isDeleting(pod) && isBeside(pod));
}

function findServiceFault(performer: Performer, view: ClusterView, port: number, isDisputed: boolean): string | undefined {
  const key = keyOf(performer);
  const service = view.services.get(keyText({ ...key, name: serviceName(key.name) }));
  if (service === undefined) return 'it has no Service';
  if (performerOf(service)?.uid !== performer.metadata?.uid) return 'its Service belongs to another';
  // Whom somebody else keeps overruling leaves the Service alone, and says so.
  if (isDisputed && findCondition(performer.status?.conditions, 'ForeignWriter')?.status === 'True') return undefined;
  if (!sameJson(service.spec?.selector, performerSelector(key.name))) return 'its Service selects something else';
  const entry = service.spec?.ports?.find((one) => one.name === portName);
  return entry?.port === port && entry.targetPort === portName ? undefined : `its Service offers port ${entry?.port}, ${port} is asked for`;
}

function findStatusFault({ status }: Performer, serving: readonly Pod[], inService: readonly Pod[]): string | undefined {
  const named = serving.find((pod) => pod.metadata?.name === status?.podName);
  if (status?.phase !== 'Running' || status.ready !== true) return `it is Ready, its phase ${status?.phase} and ready ${status?.ready}`;
  if (named === undefined) return `status names pod ${status.podName}, which does not serve`;
  // An older CRD prunes what it does not know.
  if (status.observedGeneration === undefined) return undefined;
  if (status.podIP !== named.status?.podIP)
    return `status has ${status.podIP} as the address of ${named.metadata?.name}, which has ${named.status?.podIP}`;
  const counts = [status.replicas, status.readyReplicas, status.updatedReplicas];
  const real = [inService.length, serving.length, serving.length];
  return sameJson(counts, real)
    ? undefined
    : `status counts ${counts.join('/')} pods, ready ones, updated ones; there are ${real.join('/')}`;
}

function hasFinalizers(object: KubeObject): boolean {
  return (object.metadata?.finalizers ?? []).length > 0;
}

/** Judged for each that was deleted. Finalizers of others hold it by right. */
function deletionFinished(): Oracle {
  const deleted = new Set<string>();
  return defineOracle('L3', 'A Performer that was deleted is gone, unless somebody else holds it.', (test) => ({
    onChange: ({ kind, key, before, after }) => {
      if (kind === 'performers' && (after === undefined || isDeleting(after)) && !isManagedElsewhere((after ?? before) as Performer))
        deleted.add(keyText(key));
      return [];
    },
    atRest: ({ view, atMs }) =>
      [...deleted].flatMap((key) => {
        const left = view.performers.get(key);
        const isLeft = left !== undefined && isDeleting(left) && !isManagedElsewhere(left);
        const held = (left?.metadata?.finalizers ?? []).some((name) => name !== legacyFinalizer);
        return test(!isLeft || held, atMs, key, () => 'it was deleted and is still there, held by nobody else');
      }),
  }));
}

/** Guards: on its way out on a node out of sight, or held by a finalizer of its own; Performers managed elsewhere; a deletion that orphans. */
function noOrphan(): Oracle {
  return defineOracle('S3', 'No pod and no Service is left of a Performer that is gone or going.', (test) => ({
    atRest: ({ view, atMs }) => {
      const wrong: Violation[] = [];
      for (const object of [...view.pods.values(), ...view.services.values()]) {
        const owner = performerOf(object);
        if (owner === undefined) continue;
        const live = view.performers.get(keyText(owner));
        const isLive = live?.metadata?.uid === owner.uid && (!isDeleting(live) || live.metadata.finalizers?.includes('orphan') === true);
        const isStuck = isDeleting(object) && (hasFinalizers(object) || isOnLostNode(object as Pod, view));
        if (live !== undefined && isManagedElsewhere(live)) continue;
        const message = (): string => `${keyText(keyOf(object))} is left of a Performer (${owner.uid}) that is gone or going`;
        wrong.push(...test(isLive || isStuck, atMs, keyText(owner), message));
      }
      return wrong;
    },
  }));
}

/** Pods that come to nothing follow each other after 30 s or more: a pod, what is left of the former one, and a status that says so. */
const [tryEveryMs, writesOfATry] = [30_000, 4];

/**
 * Guards: where pods keep coming to nothing or are refused, each new try and each new word about it is a write by right, as often as the
 * back-off lets it come; status follows a pod that changes by itself, as one that crashes does, and what it says of that pod may need a
 * minute to be sure; a stranger's pod that no list of ours shows is seen to be gone at the next look.
 */
function silent(memory: Memory): Oracle {
  return defineOracle('L4', 'At rest operators write nothing.', (test) => ({
    atRest: ({ atMs, silentWrites, view }) => {
      const tries = new Map<string, number[]>();
      // A try says that it starts, until it has come to nothing, too.
      const formerReasons = new Map(
        silentWrites.flatMap(({ plural, key, before }) => {
          const former = plural === 'performers' && before !== undefined ? reasonOf(before as Performer) : undefined;
          return former === undefined ? [] : [[keyText(key), former] as const];
        }),
      );
      const wrong = silentWrites.flatMap((write) => {
        const about = write.verb === 'create' ? (write.sent as KubeObject) : (write.after ?? write.before);
        const { namespace, name } = performerOf(about) ?? write.key;
        const key = keyText({ namespace, name });
        const performer = view.performers.get(key);
        const reason = performer === undefined ? undefined : reasonOf(performer);
        // Time alone brings this one about, once.
        const cameDue = reason === 'ProgressDeadlineExceeded' && reasonOf((write.before ?? {}) as Performer) !== reason;
        const follows =
          write.plural === 'performers' &&
          write.atMs - memory.podsChangedMs({ namespace, name: name ?? '' }) <= 2 * memory.context.settleMs;
        const strangerWent = findCondition((write.before as Performer | undefined)?.status?.conditions, 'ForeignPod') !== undefined;
        if (cameDue || follows || strangerWent) return [];
        const { replicas = 1, maxSurge = 1 } = (performer === undefined ? undefined : askedOf(performer)) ?? {};
        const recent = [...(tries.get(key) ?? []).filter((ms) => ms > write.atMs - tryEveryMs), write.atMs];
        tries.set(key, recent);
        const mayTry = [reason, formerReasons.get(key)].some(
          (one) => one !== undefined && (reasons[one].warns || denials.has(one)) && (!reasons[one].stalls || write.result !== 'ok'),
        );
        const message = (): string => `${write.actor}: ${write.verb} of ${write.plural} ${keyText(write.key)} at rest: ${write.result}`;
        return mayTry && recent.length <= writesOfATry * (replicas + maxSurge) ? [] : test(false, write.atMs, key, message);
      });
      // Where nobody is looked after there is nothing to be silent about.
      return wrong.length > 0 || view.performers.size === 0 ? wrong : test(true, atMs, '', () => '');
    },
  }));
}
