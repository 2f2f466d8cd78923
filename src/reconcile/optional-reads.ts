import { serviceName } from '../api/v1alpha1/naming.ts';
import { isKubeFault } from '../kube/faults.ts';
import { findObject } from '../kube/find.ts';
import { type EndpointSlice, endpointSlices, type Node, nodes, type ObjectKey, type Pod } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { isUnreachable } from './plan/node-state.ts';
import type { NodesSeen } from './plan/snapshot.ts';
import { projectNode } from './projections.ts';
import type { World } from './world.ts';

type Log = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const withoutIt = {
  nodes: 'pods on lost nodes are replaced only when they are deleted',
  endpointslices: 'a new pod takes over 2 s after it is ready',
} as const;

/** After that a read that was forbidden is tried again. */
const offForMs = 600_000;

/** Reads the operator can do without: forbidden or absent, they are off for a while, said once. */
export class OptionalReads {
  /** Server time until which a read is off. */
  readonly #off = new Map<keyof typeof withoutIt, number>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * The nodes of those pods that are bound and not ready, or terminate; undefined where none does, or nodes may not be read.
   *
   * @param how `live`: from the API server itself, not from what a list said some time ago
   */
  async readNodes(
    bound: readonly Pod[],
    world: World,
    kube: KubeApi,
    signal: AbortSignal,
    how: 'stored' | 'live' = 'stored',
  ): Promise<NodesSeen | undefined> {
    const names = new Set(bound.filter(isDoubtful).flatMap((pod) => pod.spec?.nodeName ?? []));
    if (names.size === 0) return undefined;
    return this.#attempt('nodes', kube, async () => {
      if (world.nodes.resourceVersion === '') world.nodes.replace(await kube.list(nodes, { project: projectNode, signal }));
      const byName: Record<string, Node | null> = {};
      for (const name of names) {
        // One that is not in view may be new: only the API server itself can say that there is none.
        const stored = how === 'stored' ? world.nodes.get({ namespace: '', name }) : undefined;
        const node = stored ?? (await findObject(kube, nodes, { namespace: '', name }, { signal }));
        byName[name] = node === undefined ? null : projectNode(node);
      }
      return toNodesSeen(byName, world.nodes.list());
    });
  }

  /** uids of the pods that the EndpointSlices of the Performer's Service call ready; undefined where slices may not be read. */
  readRouted(key: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<readonly string[] | undefined> {
    return this.#attempt('endpointslices', kube, async () => {
      const labelSelector = `kubernetes.io/service-name=${serviceName(key.name)}`;
      const { items } = await kube.list(endpointSlices, { namespace: key.namespace, labelSelector, signal });
      return readyEndpoints(items);
    });
  }

  async #attempt<T>(what: keyof typeof withoutIt, kube: KubeApi, read: () => Promise<T>): Promise<T | undefined> {
    if (kube.serverNowMs() < (this.#off.get(what) ?? 0)) return undefined;
    try {
      return await read();
    } catch (error) {
      if (!isKubeFault(error, 'forbidden', 'kindMissing', 'notFound')) throw error;
      if (!this.#off.has(what)) this.#log(`cannot read ${what}: ${withoutIt[what]}`, { code: error.code, error: error.message });
      this.#off.set(what, kube.serverNowMs() + offForMs);
      return undefined;
    }
  }
}

/** Whether it may matter how the node stands that the pod is bound to. Pure. */
export function isDoubtful(pod: Pod): boolean {
  return !isReady(pod) || pod.metadata?.deletionTimestamp !== undefined;
}

/** @param all nodes of the cluster. Pure. */
export function toNodesSeen(byName: NodesSeen['byName'], all: readonly Node[]): NodesSeen {
  return { byName, total: all.length, unreachable: all.filter(isUnreachable).length };
}

/** uids of the pods that these slices call ready, in order. Pure. */
export function readyEndpoints(slices: readonly EndpointSlice[]): readonly string[] {
  const ready = slices.flatMap((slice) => (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false));
  return [...new Set(ready.flatMap((endpoint) => endpoint.targetRef?.uid ?? []))].toSorted();
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
}
