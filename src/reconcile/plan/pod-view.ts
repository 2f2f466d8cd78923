import { annotations, containerName, firstPodName, labels, portName } from '../../api/v1alpha1/naming.ts';
import type { Pod } from '../../kube/objects.ts';
import { parseTime } from '../../lib/time.ts';
import { isChildOf } from './owner.ts';

/**
 * What a pod is to its Performer, in one word:
 * `starting` selected by the Service, not ready · `serving` ready · `out` withdrawn from the Service, draining · `leaving` being deleted, or ended for good.
 */
export type PodWord = 'starting' | 'serving' | 'out' | 'leaving';

/** A cause that keeps a pod from becoming ready. */
export interface PodTrouble {
  readonly reason: 'SchedulingFailed' | 'ImagePullFailed' | 'ContainerConfigFailed' | 'CrashLooping' | 'PodFailed';
  readonly message: string;
}

export interface PodView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly word: PodWord;
  readonly revision: string;
  readonly index: number;
  /** Whether calls may be on their way to it: it was Ready at some time, or might have been. */
  readonly mayServe: boolean;
  /** Ended for good (Succeeded, Failed) but not yet deleted. */
  readonly ended: boolean;
  readonly createdAtMs: number;
  /** Server time of the withdrawal; undefined while the Service selects it, and when it lost its label by another hand. */
  readonly withdrawnAtMs: number | undefined;
  readonly readySinceMs: number | undefined;
  readonly ip: string | undefined;
  /** Container ports it declares. */
  readonly ports: readonly number[];
  readonly trouble: PodTrouble | undefined;
}

export interface PodsByOwner {
  readonly ours: readonly PodView[];
  /** Controlled by a former Performer of this name: garbage collection takes them. */
  readonly leftovers: readonly Pod[];
  /** Not ours, in the way of our names. */
  readonly foreign: readonly Pod[];
}

/**
 * Sorts the pods of a snapshot by owner, ours in name order.
 *
 * @param currentRevision given to pods without a revision label (made by the Go original) whose image is `image`: all that one acted on
 */
export function sortPods(
  pods: readonly Pod[],
  performer: { readonly name: string; readonly uid: string; readonly image: string | undefined; readonly currentRevision: string },
): PodsByOwner {
  const ours: PodView[] = [];
  const leftovers: Pod[] = [];
  const foreign: Pod[] = [];
  for (const pod of pods) {
    if (isChildOf(pod, performer.name, undefined)) {
      if (isChildOf(pod, performer.name, performer.uid)) ours.push(viewPod(pod, performer));
      else leftovers.push(pod);
    } else {
      foreign.push(pod);
    }
  }
  return { ours: ours.toSorted((a, b) => (a.name < b.name ? -1 : 1)), leftovers, foreign };
}

function viewPod(pod: Pod, performer: { name: string; image: string | undefined; currentRevision: string }): PodView {
  const name = pod.metadata?.name ?? '';
  const status = pod.status;
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
  const isReady = status?.phase === 'Running' && ready?.status === 'True';
  const ended = pod.metadata?.deletionTimestamp === undefined && (status?.phase === 'Succeeded' || status?.phase === 'Failed');
  const containers = status?.containerStatuses ?? [];
  const revision = pod.metadata?.labels?.[labels.revision];
  const container = pod.spec?.containers?.find((candidate) => candidate.name === containerName);
  const sameImage = performer.image !== undefined && container?.image === performer.image;
  return {
    name,
    uid: pod.metadata?.uid ?? '',
    resourceVersion: pod.metadata?.resourceVersion ?? '',
    word: computeWord(pod, isReady, ended, performer.name),
    revision: revision ?? (sameImage ? performer.currentRevision : 'unlabelled'),
    index: podIndex(pod, performer.name),
    mayServe: isReady || containers.some((container) => container.started === true || container.restartCount > 0),
    ended,
    createdAtMs: parseTime(pod.metadata?.creationTimestamp) ?? 0,
    withdrawnAtMs: parseTime(pod.metadata?.annotations?.[annotations.withdrawnAt]),
    readySinceMs: isReady ? parseTime(ready?.lastTransitionTime) : undefined,
    ip: status?.podIP,
    // Of our container and by our name: what others inject is not ours to offer.
    ports: (container?.ports ?? []).filter((port) => port.name === portName).map((port) => port.containerPort),
    trouble: isReady ? undefined : findTrouble(pod),
  };
}

function computeWord(pod: Pod, isReady: boolean, ended: boolean, performerName: string): PodWord {
  if (pod.metadata?.deletionTimestamp !== undefined || ended) return 'leaving';
  if (pod.metadata?.labels?.[labels.performer] !== performerName) return 'out';
  return isReady ? 'serving' : 'starting';
}

/** The index a pod's label says; 0 for a first pod, whose name has none. */
function podIndex(pod: Pod, performerName: string): number {
  const text = pod.metadata?.labels?.[labels.index] ?? '0';
  const index = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return index === 0 && pod.metadata?.name !== firstPodName(performerName) ? indexOfName(pod.metadata?.name) : index;
}

/** The number at the end of a later pod's name; 0 for any other name. Pure. */
export function indexOfName(name: string | undefined): number {
  const match = /-[0-9a-f]{4}-(\d{1,9})$/.exec(name ?? '');
  return match === null ? 0 : Number(match[1]);
}

const pullReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'RegistryUnavailable']);
const configReasons = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

function findTrouble(pod: Pod): PodTrouble | undefined {
  const { status } = pod;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') {
    const text = [status.reason, status.message].filter((part) => part !== undefined && part !== '').join(': ');
    return { reason: 'PodFailed', message: text === '' ? `ended in phase ${status.phase}` : text };
  }
  for (const container of status?.containerStatuses ?? []) {
    const waiting = container.state?.waiting;
    const text = waiting?.message ?? waiting?.reason ?? '';
    if (pullReasons.has(waiting?.reason ?? ''))
      return { reason: 'ImagePullFailed', message: `${container.image ?? ''}: ${pullText(text)}` };
    if (configReasons.has(waiting?.reason ?? '')) return { reason: 'ContainerConfigFailed', message: text };
    const ended = container.lastState?.terminated;
    // Between two tries it runs or lies ended; the words hold no count, so that they stay the same.
    if (waiting?.reason === 'CrashLoopBackOff' || (container.ready !== true && container.restartCount >= 2 && ended !== undefined)) {
      const code = ended === undefined ? '' : `, with exit code ${ended.exitCode}`;
      return { reason: 'CrashLooping', message: `container ${container.name} ends again and again${code}` };
    }
  }
  const scheduled = status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { reason: 'SchedulingFailed', message: scheduled.message ?? 'no node fits' };
  }
  return undefined;
}

/** The kubelet tells the cause in turns with and without its word of backing off; it stays one cause. */
function pullText(text: string): string {
  const cause = text.replace(/^Back-off pulling image "[^"]*"(: (ErrImagePull: )?)?/, '');
  return cause === '' ? 'cannot be pulled' : cause;
}
