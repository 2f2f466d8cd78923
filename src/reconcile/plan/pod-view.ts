import { annotations, containerName, firstPodName, labels, portName } from '../../api/v1alpha1/naming.ts';
import type { Pod } from '../../kube/objects.ts';
import { parseTime } from '../../lib/time.ts';
import { type NodeState, nodeStateOf } from './node-state.ts';
import { findTrouble, type PodTrouble } from './pod-trouble.ts';
import type { Rules } from './rules.ts';
import type { NodesSeen } from './snapshot.ts';

/**
 * What a pod is to its Performer, in one word:
 * `starting` selected by the Service, not ready · `serving` ready · `out` withdrawn from the Service, draining ·
 * `leaving` being deleted, or ended for good · `lost` selected, not ready, and its node is gone from view.
 */
export type PodWord = 'starting' | 'serving' | 'out' | 'leaving' | 'lost';

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
  /** Server time from which it counts as available; undefined while it is not ready. */
  readonly availableAtMs: number | undefined;
  /** Whether the Service's EndpointSlices send calls to it; undefined where that is not known. */
  readonly routed: boolean | undefined;
  readonly node: NodeState & { readonly name: string | undefined };
  /** How many pods before it ended right after their creation. */
  readonly failures: number;
  readonly ip: string | undefined;
  /** Container ports it declares. */
  readonly ports: readonly number[];
  readonly trouble: PodTrouble | undefined;
}

/** What the view of a pod depends on besides the pod. */
export interface PodContext {
  readonly performerName: string;
  /** Of the spec; undefined where it cannot be read. */
  readonly image: string | undefined;
  readonly revision: string;
  readonly rules: Pick<Rules, 'minReadyMs' | 'nodeLossMs'>;
  readonly nodes: NodesSeen | undefined;
  readonly routed: readonly string[] | undefined;
  readonly nowMs: number;
}

/** One pod of ours, as everything that decides sees it: a new question about pods is a new field here, answered once. Pure. */
export function viewPod(pod: Pod, context: PodContext): PodView {
  const name = pod.metadata?.name ?? '';
  const uid = pod.metadata?.uid ?? '';
  const status = pod.status;
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
  const isReady = status?.phase === 'Running' && ready?.status === 'True';
  const ended = pod.metadata?.deletionTimestamp === undefined && (status?.phase === 'Succeeded' || status?.phase === 'Failed');
  const container = pod.spec?.containers?.find((candidate) => candidate.name === containerName);
  const node = nodeStateOf(pod.spec?.nodeName, context.nodes, context.rules.nodeLossMs, context.nowMs);
  const readySinceMs = isReady ? (parseTime(ready?.lastTransitionTime) ?? context.nowMs) : undefined;
  const { minReadyMs } = context.rules;
  const trouble = isReady ? undefined : findTrouble(pod);
  return {
    name,
    uid,
    resourceVersion: pod.metadata?.resourceVersion ?? '',
    word: computeWord(pod, isReady, ended, node, context.performerName),
    revision: computePodRevision(pod, context),
    index: podIndex(pod, context.performerName),
    mayServe: isReady || (status?.containerStatuses ?? []).some((one) => one.started === true || one.restartCount > 0),
    ended,
    createdAtMs: parseTime(pod.metadata?.creationTimestamp) ?? 0,
    withdrawnAtMs: parseTime(pod.metadata?.annotations?.[annotations.withdrawnAt]),
    readySinceMs,
    availableAtMs: readySinceMs === undefined || minReadyMs === 0 ? readySinceMs : readySinceMs + minReadyMs + 1_000,
    routed: context.routed?.includes(uid),
    node: { ...node, name: pod.spec?.nodeName },
    failures: Math.max(0, Number.parseInt(pod.metadata?.annotations?.[annotations.failures] ?? '0', 10) || 0),
    ip: status?.podIP,
    // Of our container and by our name: what others inject is not ours to offer.
    ports: (container?.ports ?? []).filter((port) => port.name === portName).map((port) => port.containerPort),
    trouble,
  };
}

function computeWord(pod: Pod, isReady: boolean, ended: boolean, node: NodeState, performerName: string): PodWord {
  if (pod.metadata?.deletionTimestamp !== undefined || ended) return 'leaving';
  if (pod.metadata?.labels?.[labels.performer] !== performerName) return 'out';
  if (isReady) return 'serving';
  return node.word === 'lost' || node.word === 'gone' ? 'lost' : 'starting';
}

/** The revision a pod runs. One made by the Go original has no label: it runs the present one if its image is the spec's, all that one acted on. */
function computePodRevision(pod: Pod, context: PodContext): string {
  const labelled = pod.metadata?.labels?.[labels.revision];
  const image = pod.spec?.containers?.find((candidate) => candidate.name === containerName)?.image;
  const sameImage = context.image !== undefined && image === context.image;
  if (labelled === undefined) return sameImage ? context.revision : 'unlabelled';
  // The image of a running pod can be swapped in place, which moves its generation; one that admission rewrote at creation stays at the first.
  const edited = labelled === context.revision && context.image !== undefined && !sameImage && (pod.metadata?.generation ?? 1) > 1;
  return edited ? 'edited' : labelled;
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
