import { annotations, containerName } from '../api/v1alpha1/naming.ts';
import type { Node, Pod } from '../kube/objects.ts';

type PodStatus = NonNullable<Pod['status']>;
type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number];
type PodCondition = NonNullable<PodStatus['conditions']>[number];

/**
 * What decisions need of a pod, a fifth of its memory; environment values never come into memory. Pure.
 * Literals, so that ten thousand of them share one shape; what says nothing about a healthy pod is left out, and what is equal is shared.
 */
export function projectPod(pod: Pod): Pod {
  const { metadata = {}, spec, status } = pod;
  const container = spec?.containers?.find(({ name }) => name === containerName);
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      generation: metadata.generation,
      creationTimestamp: metadata.creationTimestamp,
      deletionTimestamp: metadata.deletionTimestamp,
      labels: metadata.labels,
      annotations: projectAnnotations(metadata.annotations),
      ownerReferences: metadata.ownerReferences,
    },
    spec: {
      nodeName: spec?.nodeName,
      containers: shareEqual(container === undefined ? [] : [{ name: container.name, image: container.image, ports: container.ports }]),
    },
    status: {
      phase: status?.phase,
      podIP: status?.podIP,
      reason: status?.reason,
      message: status?.message,
      conditions: shareEqual(status?.conditions?.flatMap(projectCondition)),
      initContainerStatuses: shareEqual(status?.initContainerStatuses?.map(projectContainer)),
      containerStatuses: shareEqual(status?.containerStatuses?.map(projectContainer)),
    },
  } as unknown as Pod;
}

/** Parts of pods seen lately, by their JSON. */
const shared = new Map<string, readonly object[]>();
const maxShared = 1_024;
const maxSharedLength = 512;

/** One list in place of all that are equal to it: healthy pods differ in hardly more than their names. Nobody may change it. */
function shareEqual(list: readonly object[] | undefined): readonly object[] | undefined {
  if (list === undefined) return undefined;
  const text = JSON.stringify(list);
  const known = shared.get(text);
  if (known !== undefined) return known;
  // Lists that grew have room to spare.
  const exact = list.slice();
  if (text.length > maxSharedLength) return exact;
  if (shared.size >= maxShared) shared.clear();
  shared.set(text, exact);
  return exact;
}

/** What decides whether a pod is lost. Pure. */
export function projectNode(node: Node): Node {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const { name, uid, resourceVersion } = node.metadata ?? {};
  return {
    metadata: { name, uid, resourceVersion },
    spec: { taints: node.spec?.taints },
    status: { conditions: ready === undefined ? undefined : [{ type: ready.type, status: ready.status }] },
  } as unknown as Node;
}

function projectAnnotations(all: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const ours = Object.values(annotations).filter((name) => all?.[name] !== undefined);
  return ours.length === 0 ? undefined : Object.fromEntries(ours.map((name) => [name, all?.[name] ?? '']));
}

function projectCondition({ type, status, reason, message, lastTransitionTime }: PodCondition): object[] {
  if (type === 'Ready') return [{ type, status, lastTransitionTime }];
  const tells = type === 'DisruptionTarget' || (type === 'PodScheduled' && status !== 'True');
  return tells ? [{ type, status, reason, message }] : [];
}

function projectContainer({ name, image, ready, started, restartCount, state, lastState }: ContainerStatus): object {
  if (ready && lastState?.terminated === undefined) return { name, ready, started, restartCount };
  const ended = lastState?.terminated;
  return {
    name,
    image,
    ready,
    started,
    restartCount,
    state,
    lastState: ended === undefined ? undefined : { terminated: { reason: ended.reason, exitCode: ended.exitCode } },
  };
}
