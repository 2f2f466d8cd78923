import { performers } from '../api/v1alpha1/performer.ts';
import { endpointSlices, type KubeObject, keyOf, nodes, pods, type Resource, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { startReflector } from '../kube/reflector.ts';
import { ObjectStore } from '../kube/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Change, SeenKinds } from './oracle.ts';

export interface ObserveOptions {
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly onChange: (change: Change) => void;
}

const resources: { readonly [Kind in keyof SeenKinds]: Resource<SeenKinds[Kind]> } = { performers, nodes, pods, services, endpointSlices };

/**
 * Follows a cluster through its API server until `signal` aborts, and tells each change: what a list or watch brought, so of several
 * changes in a gap only the last. Order holds within a kind. Performers and nodes come first, then what stands on them.
 */
export async function observeCluster(options: ObserveOptions): Promise<void> {
  for (const kind of Object.keys(resources) as (keyof SeenKinds)[]) await follow(kind, resources[kind], options);
}

async function follow<Kind extends keyof SeenKinds>(
  kind: Kind,
  resource: Resource<SeenKinds[Kind]>,
  options: ObserveOptions,
): Promise<void> {
  const { kube, clock, signal, random, namespace, onChange } = options;
  const store = new ObjectStore<SeenKinds[Kind]>();
  store.onChange((before, after) => {
    const object: KubeObject = after ?? before ?? {};
    onChange({ atMs: kube.serverNowMs(), kind, key: keyOf(object), before, after });
  });
  const scope = namespace === undefined || !resource.namespaced ? {} : { namespace };
  await startReflector({ kube, clock, signal, random, resource, store, ...scope }).synced;
}
