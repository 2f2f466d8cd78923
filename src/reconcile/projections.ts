import { annotations, containerName } from '../api/v1alpha1/naming.ts';
import type { Node, Pod } from '../kube/objects.ts';

type PodStatus = NonNullable<Pod['status']>;
type ContainerStatus = NonNullable<PodStatus['containerStatuses']>[number];
type PodCondition = NonNullable<PodStatus['conditions']>[number];

/**
 * What decisions need of a pod, a twentieth of its bytes; environment values never come into memory. Pure.
 * Literals, so that ten thousand of them share one shape; what says nothing about a healthy pod is left out.
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
      containers: container === undefined ? [] : [{ name: container.name, image: container.image, ports: container.ports }],
    },
    status: {
      phase: status?.phase,
      podIP: status?.podIP,
      reason: status?.reason,
      message: status?.message,
      conditions: status?.conditions?.flatMap(projectCondition),
      initContainerStatuses: status?.initContainerStatuses?.map(projectContainer),
      containerStatuses: status?.containerStatuses?.map(projectContainer),
    },
  } as unknown as Pod;
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
