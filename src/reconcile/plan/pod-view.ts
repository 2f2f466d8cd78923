import { nodeLossSeconds, replicas } from '../../api/v1alpha1/defaults.ts';
import { annotations, containerName, firstPodName, labels, portName } from '../../api/v1alpha1/naming.ts';
import type { PerformerStatus } from '../../api/v1alpha1/performer.ts';
import type { Pod } from '../../kube/objects.ts';
import { parseTime } from '../../lib/time.ts';
import { type NodeState, nodeStateOf } from './node-state.ts';
import { findTrouble, type PodTrouble } from './pod-trouble.ts';
import { type Rules, secondMs } from './rules.ts';
import type { NodesSeen, Snapshot } from './snapshot.ts';

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
  /** Server time from which it may count as lost, where it may be put on a lost node: the clocks of API servers differ, so one that came to a lost node may seem older, as its successors would. */
  readonly sureAtMs: number;
  /** Server time since when it has not been ready, its creation at the earliest; of no meaning while it is ready. */
  readonly notReadySinceMs: number;
  /** Whether the Service selects it. */
  readonly selected: boolean;
  /** Server time of the withdrawal; undefined for one in service, and when it lost its label by another hand. */
  readonly withdrawnAtMs: number | undefined;
  readonly readySinceMs: number | undefined;
  /** Server time from which it counts as available; undefined while it is not ready. */
  readonly availableAtMs: number | undefined;
  /** Whether the Service's EndpointSlices send calls to it; undefined where that is not known. */
  readonly routed: boolean | undefined;
  readonly node: NodeState & { readonly name: string | undefined };
  /** How many pods before it came to nothing right after their creation. */
  readonly failures: number;
  /** Server time from which it may be replaced, should it have come to nothing: what refused it would refuse the next one as well. */
  readonly replaceAtMs: number;
  /** Another hand swapped its image; it is replaced from `replaceAtMs` on. */
  readonly edited: boolean;
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
  /** Whether status, written for the spec as it is, counts all pods in service as of its revision. */
  readonly allCurrent: boolean;
  /** Server time before which a pod without our marks may have been made for a former spec that we served. */
  readonly formerUntilMs: number;
  readonly rules: Pick<Rules, 'minReadyMs' | 'nodeLossMs' | 'replicas' | 'toleratesLoss'>;
  readonly nodes: NodesSeen | undefined;
  readonly routed: readonly string[] | undefined;
  readonly nowMs: number;
}

const withoutSpec = {
  image: undefined,
  revision: '',
  rules: { minReadyMs: 0, nodeLossMs: nodeLossSeconds * 1_000, replicas, toleratesLoss: false },
};

/** The view of pods under a spec, or where none can be read or matters. Pure. */
export function contextOf(snapshot: Snapshot, spec: Pick<PodContext, 'image' | 'revision' | 'rules'> = withoutSpec): PodContext {
  const { performer, key, nodes, routed, nowMs } = snapshot;
  const { observedGeneration, revision, replicas, updatedReplicas } = performer?.status ?? {};
  const isOfSpec = observedGeneration === performer?.generation && revision !== undefined && revision === spec.revision;
  const allCurrent = isOfSpec && replicas === updatedReplicas;
  return {
    ...spec,
    performerName: key.name,
    allCurrent,
    formerUntilMs: formerUntilMs(performer?.status, spec.revision),
    nodes,
    routed,
    nowMs,
  };
}

/** Where no revision is told of, nothing of ours has served yet: what the Go original left is of the spec as it is, and is not restarted. */
function formerUntilMs({ revision: served, lastUpgrade }: PerformerStatus = {}, revision: string): number {
  if (served === undefined) return Number.NEGATIVE_INFINITY;
  return served === revision ? (parseTime(lastUpgrade) ?? Number.NEGATIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

/** A pod that came to nothing sooner than this after it was made is replaced only then, each further one after twice as long. */
const replaceAfterMs = 30_000;
const replaceCapMs = 600_000;

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
  const createdAtMs = parseTime(pod.metadata?.creationTimestamp) ?? 0;
  const withdrawnAtMs = parseTime(pod.metadata?.annotations?.[annotations.withdrawnAt]);
  const selected = pod.metadata?.labels?.[labels.performer] === context.performerName;
  const failures = Math.max(0, Number.parseInt(pod.metadata?.annotations?.[annotations.failures] ?? '0', 10) || 0);
  const replaceAtMs = createdAtMs + Math.min(replaceCapMs, replaceAfterMs * 2 ** Math.min(failures, 10)) + secondMs;
  const edited = isEdited(pod, context);
  const mayServe = isReady || (status?.containerStatuses ?? []).some((one) => one.started === true || one.restartCount > 0);
  const sureAtMs = mayServe || !context.rules.toleratesLoss ? createdAtMs : createdAtMs + replaceAfterMs + secondMs;
  return {
    name,
    uid,
    resourceVersion: pod.metadata?.resourceVersion ?? '',
    word: computeWord(
      { deleting: pod.metadata?.deletionTimestamp !== undefined, ended, selected, withdrawnAtMs, isReady, createdAtMs, sureAtMs },
      node,
      context.nowMs,
    ),
    revision: edited && context.nowMs >= replaceAtMs ? 'edited' : computePodRevision(pod, context),
    index: podIndex(pod, context.performerName),
    mayServe,
    ended,
    createdAtMs,
    sureAtMs,
    notReadySinceMs: Math.max(createdAtMs, ready?.status === 'True' ? 0 : (parseTime(ready?.lastTransitionTime) ?? 0)),
    selected,
    withdrawnAtMs,
    readySinceMs,
    availableAtMs: readySinceMs === undefined ? undefined : availableFrom(readySinceMs, minReadyMs, context.nowMs),
    routed: context.routed?.includes(uid),
    node: { ...node, name: pod.spec?.nodeName },
    failures,
    replaceAtMs,
    edited,
    ip: status?.podIP,
    // Of our container and by our name: what others inject is not ours to offer.
    ports: (container?.ports ?? []).filter((port) => port.name === portName).map((port) => port.containerPort),
    trouble,
  };
}

/** Where nothing is to be waited for, one that is ready is available as it is seen: our idea of the server's time may be up to a second late. */
function availableFrom(readySinceMs: number, minReadyMs: number, nowMs: number): number {
  return minReadyMs === 0 ? Math.min(readySinceMs, nowMs) : readySinceMs + minReadyMs + secondMs;
}

interface WordFacts {
  readonly deleting: boolean;
  readonly ended: boolean;
  readonly selected: boolean;
  readonly withdrawnAtMs: number | undefined;
  readonly isReady: boolean;
  readonly createdAtMs: number;
  readonly sureAtMs: number;
}

function computeWord(facts: WordFacts, node: NodeState, nowMs: number): PodWord {
  if (facts.deleting || facts.ended) return 'leaving';
  // Out is out, also when somebody puts the label back.
  if (!facts.selected || facts.withdrawnAtMs !== undefined) return 'out';
  if (facts.isReady) return 'serving';
  // One that was put on a node which was lost already (it tolerates that) waits there: its successor would land there too.
  const wasThere = node.lostAtMs === undefined || facts.createdAtMs < node.lostAtMs;
  const isOut = node.word === 'lost' || node.word === 'gone';
  return isOut && wasThere && nowMs >= facts.sureAtMs ? 'lost' : 'starting';
}

/**
 * The revision a pod runs. One made by the Go original has no label: it runs the present one if its image is the spec's, all that one acted
 * on, and if no other spec was served since it was made: what that changed would never reach it. One of ours whose label another hand took
 * off may differ in what is not seen here: it runs the present one if all did when last told.
 */
function computePodRevision(pod: Pod, context: PodContext): string {
  const { [labels.revision]: told, [labels.index]: index } = pod.metadata?.labels ?? {};
  const isOfNow = (parseTime(pod.metadata?.creationTimestamp) ?? 0) >= context.formerUntilMs;
  const mayBeCurrent = index === undefined ? isOfNow : context.allCurrent;
  return told ?? (mayBeCurrent && hasImageOf(pod, context) ? context.revision : 'unlabelled');
}

/** The image of a running pod can be swapped in place, which moves its generation; one that admission rewrote at creation stays at the first. */
function isEdited(pod: Pod, context: PodContext): boolean {
  const isCurrent = pod.metadata?.labels?.[labels.revision] === context.revision;
  return isCurrent && context.image !== undefined && !hasImageOf(pod, context) && (pod.metadata?.generation ?? 1) > 1;
}

/** Whether its container has the image of the spec. Pure. */
export function hasImageOf(pod: Pod, context: PodContext): boolean {
  const container = pod.spec?.containers?.find((candidate) => candidate.name === containerName);
  return context.image !== undefined && container?.image === context.image;
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
