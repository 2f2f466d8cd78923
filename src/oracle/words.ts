import * as defaults from '../api/v1alpha1/defaults.ts';
import {
  annotations,
  appLabelValue,
  containerName,
  firstPodName,
  group,
  labels,
  performerSelector,
  portName,
  serviceName,
} from '../api/v1alpha1/naming.ts';
import { type Performer, type PerformerSpec, parsePerformerSpec } from '../api/v1alpha1/performer.ts';
import { controllerOf, type EndpointSlice, type KubeObject, type Node, type ObjectKey, type Pod, type Service } from '../kube/objects.ts';
import { canonicalJson, sameJson } from '../lib/canonical-json.ts';
import { parseTime } from '../lib/time.ts';
import type { OracleContext } from './define.ts';
import type { ClusterView, Write } from './oracle.ts';

/** What a Performer asks for, in the numbers the specification speaks in. */
export interface Asked {
  readonly spec: PerformerSpec;
  readonly replicas: number;
  readonly maxSurge: number;
  /** Pods that must go on serving through a rollout. */
  readonly minAvailable: number;
  readonly recreate: boolean;
  readonly strict: boolean;
  readonly paused: boolean;
  readonly drainMs: number;
  readonly nodeLossMs: number;
  /** Equal for two specs: both ask for the same pods for certain. */
  readonly podText: string;
}

const askedBySpec = new WeakMap<object, Asked | null>();

/** Undefined where the spec cannot be read. Pure. */
export function askedOf(performer: Performer): Asked | undefined {
  const { spec } = performer;
  if (typeof spec !== 'object' || spec === null) return undefined;
  const known = askedBySpec.get(spec);
  if (known !== undefined) return known ?? undefined;
  const asked = readAsked(spec);
  askedBySpec.set(spec, asked ?? null);
  return asked;
}

function readAsked(stored: unknown): Asked | undefined {
  const parsed = parsePerformerSpec(stored);
  if (!parsed.valid) return undefined;
  const { spec } = parsed;
  const { replicas, strategy, minReadySeconds: _ready, progressDeadlineSeconds: _late, managedBy: _by, ...rest } = spec;
  const { drainSeconds = defaults.drainSeconds, nodeLossSeconds = defaults.nodeLossSeconds, nodeLossPolicy, paused, ...ofPods } = rest;
  const share = (value: number | string, round: (count: number) => number): number =>
    typeof value === 'number' ? value : round((Number.parseInt(value, 10) * replicas) / 100);
  const maxSurge = share(strategy?.rollingUpdate?.maxSurge ?? defaults.maxSurge, Math.ceil);
  const missing = share(strategy?.rollingUpdate?.maxUnavailable ?? defaults.maxUnavailable, Math.floor);
  return {
    spec,
    replicas,
    maxSurge,
    minAvailable: Math.max(0, replicas - (maxSurge === 0 ? Math.max(1, missing) : missing)),
    recreate: strategy?.type === 'Recreate',
    strict: nodeLossPolicy === 'Strict',
    paused: paused ?? false,
    drainMs: drainSeconds * 1_000,
    nodeLossMs: nodeLossSeconds * 1_000,
    podText: canonicalJson(ofPods),
  };
}

/** Whether somebody else looks after it: the operator writes nothing then, status included. Pure. */
export function isManagedElsewhere(performer: Performer): boolean {
  const managedBy = (performer.spec as { readonly managedBy?: unknown } | undefined)?.managedBy;
  return managedBy !== undefined && managedBy !== null && managedBy !== '' && managedBy !== defaults.managedBy;
}

export function isOperator(write: Write): boolean {
  return write.actor.startsWith('operator');
}

/** The Performer that controls the object, if one does. Pure. */
export function performerOf(object: KubeObject | undefined): (ObjectKey & { readonly uid: string }) | undefined {
  const owner = object === undefined ? undefined : controllerOf(object);
  if (owner?.kind !== 'Performer' || !owner.apiVersion.startsWith(`${group}/`)) return undefined;
  return { namespace: object?.metadata?.namespace ?? '', name: owner.name, uid: owner.uid };
}

/** Whether the API server refused it for good, or as long as a webhook is down. A create that finds nothing finds no namespace. Pure. */
export function isRefused({ result, verb }: Write): boolean {
  return result === 'notFound' ? verb === 'create' : ['forbidden', 'invalid', 'unavailable'].includes(result);
}

export function isDeleting(object: KubeObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

export function isReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && pod.status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
}

/** By its kubelet's word; -Infinity where it has none. */
export function readySinceMs(pod: Pod): number {
  return parseTime(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime) ?? Number.NEGATIVE_INFINITY;
}

export function isEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Pods that come to nothing follow each other after 30 s, each after twice as long as the one before, up to ten minutes. */
const [followMs, longestFollowMs] = [30_000, 600_000];

/** When another one is to be in the place of a pod that ended, at the latest: one that came to nothing soon after its creation waits for that. Pure. */
export function replacedByMs({ metadata }: Pod, { waitFactor, settleMs }: Pick<OracleContext, 'waitFactor' | 'settleMs'>): number {
  const before = Number(metadata?.annotations?.[annotations.failures] ?? 0);
  const waitMs = Math.min(longestFollowMs, followMs * 2 ** before);
  return (parseTime(metadata?.creationTimestamp) ?? 0) + waitMs * waitFactor + settleMs;
}

/** Whether a pod or Service bears the marks by which a Performer may adopt it. Pure. */
export function isMarked(object: KubeObject, key: ObjectKey): boolean {
  const marks = object.metadata?.labels ?? {};
  const selector = (object as Service).spec?.selector;
  if (object.metadata?.deletionTimestamp !== undefined) return false;
  if (selector !== undefined && sameJson(selector, performerSelector(key.name))) return true;
  return (
    marks[labels.app] === appLabelValue && (selector !== undefined || [marks[labels.performer], marks[labels.instance]].includes(key.name))
  );
}

/** Whether calls may be on their way to it: its container has started at some time. Pure. */
export function mayServe(pod: Pod): boolean {
  return isReady(pod) || (pod.status?.containerStatuses ?? []).some((one) => one.started === true || one.restartCount > 0);
}

export function withdrawnAtMs(pod: Pod): number | undefined {
  return parseTime(pod.metadata?.annotations?.[annotations.withdrawnAt]);
}

/** Whether the Service of that Performer selects it. Pure. */
export function isSelected(pod: Pod, performerName: string): boolean {
  return pod.metadata?.labels?.[labels.performer] === performerName;
}

/** Live, selected, never withdrawn. Pure. */
export function isInService(pod: Pod, performerName: string): boolean {
  return isSelected(pod, performerName) && withdrawnAtMs(pod) === undefined && !isDeleting(pod) && !isEnded(pod);
}

export function isRoutable(pod: Pod, performerName: string): boolean {
  return isInService(pod, performerName) && isReady(pod);
}

/** Whether an operator chooses that name for a pod of that Performer; an adopted pod may have any. Pure. */
export function isPodNameOf(name: string, performerName: string): boolean {
  const first = firstPodName(performerName);
  return name.startsWith(first) && /^(?:-[0-9a-f]{4}-\d+)?$/.test(name.slice(first.length));
}

/**
 * Whether a pod has what the spec asks for as far as anybody can tell from outside: image, port, command, variables, account, place.
 * Necessary, not sufficient. One that another operator made is only held to its image, all that one acted on. Pure.
 */
export function fits(pod: Pod, asked: Asked, madeByUs: boolean): boolean {
  const { spec } = asked;
  const container = pod.spec?.containers?.find((one) => one.name === containerName);
  if (container?.image !== spec.image) return false;
  if (!madeByUs) return true;
  const { config, scheduling } = spec;
  const account = config?.serviceAccountName ?? '';
  const priority = scheduling?.priorityClassName ?? '';
  return (
    (container.ports ?? []).some((port) => port.name === portName && port.containerPort === defaults.effectivePort(spec)) &&
    sameJson(container.args ?? [], config?.args ?? []) &&
    sameJson(container.command ?? [], config?.command ?? []) &&
    Object.entries(scheduling?.nodeSelector ?? {}).every(([label, value]) => pod.spec?.nodeSelector?.[label] === value) &&
    (account === '' || pod.spec?.serviceAccountName === account) &&
    (priority === '' || pod.spec?.priorityClassName === priority) &&
    hasVariables(container.env ?? [], config ?? {})
  );
}

/** Each variable that is asked for is there, with its value where one is written. A later one of the same name wins. */
function hasVariables(
  env: readonly { readonly name: string; readonly value?: string }[],
  config: NonNullable<PerformerSpec['config']>,
): boolean {
  const wanted = new Map<string, string | undefined>(Object.entries(config.environment ?? {}));
  const referred = (config.environmentFrom ?? []).filter((one) => Object.keys(one.valueFrom).length > 0);
  for (const one of [...referred, ...(config.env ?? [])]) wanted.set(one.name, 'valueFrom' in one ? undefined : (one.value ?? ''));
  const found = new Map(env.map((one) => [one.name, one.value ?? '']));
  return [...wanted].every(([name, value]) => found.has(name) && (value === undefined || found.get(name) === value));
}

/** Whether the node controller has lost sight of the node. Pure. */
export function isUnreachable(node: Node | undefined): boolean {
  return node?.spec?.taints?.some((taint) => taint.key === 'node.kubernetes.io/unreachable') ?? false;
}

/** Whether it is proven that nothing of the pod runs: its Node is gone, or somebody vouches that the machine is off. Pure. */
export function isProvenGone(pod: Pod, view: ClusterView): boolean {
  const name = pod.spec?.nodeName;
  if (name === undefined) return false;
  const node = view.nodes.get(name);
  if (node === undefined) return true;
  const ready = node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
  return !ready && (node.spec?.taints ?? []).some((taint) => taint.key === 'node.kubernetes.io/out-of-service');
}

/** Whether the pod's node is out of sight, or not there at all. Pure. */
export function isOnLostNode(pod: Pod, view: ClusterView): boolean {
  const name = pod.spec?.nodeName;
  return name !== undefined && (isUnreachable(view.nodes.get(name)) || isProvenGone(pod, view));
}

/** From this share of unreachable nodes on it is the view that is broken, and no pod counts as lost. */
export function mostUnreachable(view: Pick<ClusterView, 'nodes'>): boolean {
  let unreachable = 0;
  for (const node of view.nodes.values()) if (isUnreachable(node)) unreachable += 1;
  return unreachable > 0 && unreachable / view.nodes.size >= 0.55;
}

/** uids of the pods to which an EndpointSlice of a Service sends calls. Pure. */
export function endpointsOf(slice: EndpointSlice): readonly string[] {
  return (slice.endpoints ?? []).flatMap((one) => (one.conditions?.ready !== false && one.targetRef?.uid ? [one.targetRef.uid] : []));
}

/** The Performer whose Service an EndpointSlice belongs to. Pure. */
export function performerOfSlice(slice: EndpointSlice): ObjectKey | undefined {
  const name = slice.metadata?.labels?.['kubernetes.io/service-name'] ?? '';
  const prefix = serviceName('');
  return name.startsWith(prefix) ? { namespace: slice.metadata?.namespace ?? '', name: name.slice(prefix.length) } : undefined;
}
