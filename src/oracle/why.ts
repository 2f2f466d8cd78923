import { findCondition, type Reason, reasons } from '../api/v1alpha1/conditions.ts';
import type { Performer } from '../api/v1alpha1/performer.ts';
import { teeTypes } from '../api/v1alpha1/rules.ts';
import { controllerOf, keyOf, type Pod } from '../kube/objects.ts';
import type { Memory } from './memory.ts';
import type { ClusterView } from './oracle.ts';
import { type Asked, isDeleting, isEnded, isOnLostNode, isPodNameOf, isReady, performerOf } from './words.ts';

/** What its Ready condition gives as the reason, where a table has it. */
export function reasonOf(performer: Performer): Reason | undefined {
  const reason = findCondition(performer.status?.conditions, 'Ready')?.reason;
  return reason !== undefined && reason in reasons ? (reason as Reason) : undefined;
}

/** Reasons under which pods may be missing though all that was asked for can be read. */
export const denials: ReadonlySet<Reason> = new Set<Reason>([
  'QuotaExceeded',
  'LimitExceeded',
  'PodSecurityViolation',
  'WebhookDenied',
  'ReferenceMissing',
  'NamespaceTerminating',
  'WriteDenied',
]);

interface Grounds {
  readonly performer: Performer;
  readonly asked: Asked | undefined;
  /** Pods the Performer controls. */
  readonly owned: readonly Pod[];
  readonly view: ClusterView;
  readonly memory: Memory;
  readonly atMs: number;
}

/** Whether something keeps its operators from acting, by what its status says and is so. */
export function isHindered(hindrances: ReadonlySet<Reason>, uid: string, grounds: Omit<Grounds, 'owned'>): boolean {
  const reason = reasonOf(grounds.performer);
  if (reason === undefined || !hindrances.has(reason)) return false;
  const owned = [...grounds.view.pods.values()].filter((pod) => performerOf(pod)?.uid === uid);
  return isTrueOf(reason, { ...grounds, owned });
}

const pulls = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError', 'RegistryUnavailable'];

function waits(pod: Pod, isMeant: (reason: string) => boolean): boolean {
  return (pod.status?.containerStatuses ?? []).some((one) => isMeant(one.state?.waiting?.reason ?? ''));
}

/** Whether a TEE of a type that nobody knows is required: such a pod must not run just anywhere. */
function asksForUnknownTee({ spec }: Asked): boolean {
  const { teeRequired, teeType = '' } = spec.hardwareRequirements ?? {};
  return teeRequired === true && teeType !== '' && !(teeTypes as readonly string[]).includes(teeType.toLowerCase());
}

/** Whether the cluster shows what a reason claims; generous where the proof lies outside of what is seen. Pure. */
export function isTrueOf(reason: Reason, { performer, asked, owned, view, memory, atMs }: Grounds): boolean {
  const key = keyOf(performer);
  const unready = owned.filter((pod) => !isReady(pod) && !isDeleting(pod));
  if (denials.has(reason)) return atMs <= (memory.refusedUntilMs(key) ?? atMs) + memory.context.settleMs;
  switch (reason) {
    case 'Paused':
      return asked?.paused === true;
    case 'InvalidSpec':
      return asked === undefined || asksForUnknownTee(asked) || key.name.length > 53 || key.name.includes('.');
    case 'Unschedulable':
    case 'SurgeUnschedulable':
      return unready.some((pod) => pod.status?.conditions?.some((one) => one.type === 'PodScheduled' && one.status === 'False') === true);
    case 'ImagePullFailed':
      return unready.some((pod) => waits(pod, (why) => pulls.includes(why)));
    case 'ContainerConfigFailed':
      return unready.some((pod) => waits(pod, (why) => why !== '' && !pulls.includes(why) && why !== 'CrashLoopBackOff'));
    case 'CrashLooping':
    case 'OOMKilled':
      return unready.some((pod) => pod.status?.containerStatuses?.some((one) => one.restartCount > 0 || one.state?.terminated) === true);
    case 'ProbeFailing':
      return unready.some((pod) => pod.status?.containerStatuses?.some((one) => one.state?.running !== undefined) === true);
    case 'NodeLost':
      return owned.some((pod) => !isReady(pod) && isOnLostNode(pod, view));
    case 'Evicted':
    case 'Preempted':
    case 'PodFailed':
      return owned.some(isEnded);
    case 'NameConflict':
      return [...view.pods.values(), ...view.services.values()].some(
        (object) =>
          object.metadata?.namespace === key.namespace &&
          isPodNameOf(object.metadata?.name ?? '', key.name) &&
          (controllerOf(object) === undefined || performerOf(object)?.name !== key.name),
      );
    case 'WaitingForLeftover':
      return [...view.pods.values(), ...view.services.values()].some((object) => {
        const owner = performerOf(object);
        return owner?.name === key.name && owner.namespace === key.namespace && owner.uid !== performer.metadata?.uid;
      });
    case 'Starting':
    case 'RolloutInProgress':
    case 'ProgressDeadlineExceeded':
      return unready.length > 0 || owned.some((pod) => memory.trace(pod.metadata?.uid)?.routedToMs !== Number.POSITIVE_INFINITY);
    default:
      return false;
  }
}
