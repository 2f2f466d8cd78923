import type { KubeFault } from '../kube/faults.ts';
import {
  coreEvents,
  type KubeObject,
  keyText,
  leases,
  namespaces,
  nodes,
  type ObjectKey,
  type ObjectMeta,
  pods,
  type Resource,
  services,
} from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import type { Clock } from '../lib/clock.ts';
import { startGarbageCollector } from './garbage-collector.ts';
import { type CustomKindOptions, customKindRules, kindIdOf } from './kind-rules.ts';
import { MemoryApi } from './memory-api.ts';
import { MemoryServer, type RemoveOptions } from './memory-server.ts';
import { MemoryWatches } from './memory-watch.ts';
import { podRules } from './pod-rules.ts';
import { resourceQuotas } from './quota.ts';
import { serviceRules } from './service-rules.ts';
import type { AnyObject, JsonObject } from './stored-object.ts';

export interface MemoryClusterOptions {
  readonly clock: Clock;
  /** Makes the uids. */
  readonly seed?: string;
  /** Between two bookmarks of a watch; default one minute, as API servers do. */
  readonly bookmarkMs?: number;
  /** From a change to the garbage collector's sweep; default 10 ms. */
  readonly garbageDelayMs?: number;
}

/**
 * A Kubernetes cluster in memory: what an operator can tell from a real API server, its garbage collector. All time comes from its clock. Served from the start: namespaces (`default` is there), nodes, pods,
 * services, events and leases; further kinds by `registerKind`.
 */
export class MemoryCluster {
  /** Its verbs as any client may call them, with and without preconditions. */
  readonly server: MemoryServer;
  readonly #watches: MemoryWatches;
  readonly #api: KubeApi;

  constructor({ clock, seed = 'memory', bookmarkMs = 60_000, garbageDelayMs = 10 }: MemoryClusterOptions) {
    const server = new MemoryServer(clock, seed);
    this.server = server;
    this.#watches = new MemoryWatches(server, bookmarkMs);
    this.#api = new MemoryApi(server, this.#watches);
    server.register(pods, podRules);
    server.register(services, serviceRules());
    server.register(nodes, {
      statusSubresource: true,
      countsGeneration: false,
      metadataWithStatus: 'all',
      initialStatus: (node) => node.status,
    });
    server.register(namespaces, {
      statusSubresource: true,
      countsGeneration: false,
      unconditionalUpdate: true,
      initialStatus: () => ({ phase: 'Active' }),
      withDefaults: namespaceDefaults,
      metadataWithStatus: 'all',
      onMark: markNamespace,
    });
    server.register(leases, {
      statusSubresource: false,
      countsGeneration: false,
      createsOnUpdate: true,
      withDefaults: leaseDefaults,
      refusal: leaseRefusal,
    });
    server.register(coreEvents, { statusSubresource: false, countsGeneration: false, createsOnUpdate: true, unconditionalUpdate: true });
    server.register(resourceQuotas, { statusSubresource: true, countsGeneration: false, unconditionalUpdate: true });
    startGarbageCollector(server, garbageDelayMs);
    this.createNamespace('default');
  }

  /** The cluster as clients see it. */
  api(): KubeApi {
    return this.#api;
  }

  /** Serves one more kind, as the installation of its CRD does. */
  registerKind(resource: Resource<KubeObject>, options: CustomKindOptions): void {
    this.server.register(resource, customKindRules(options));
  }

  createNamespace(name: string): void {
    this.server.create(namespaces, { metadata: { name } });
  }

  /** All objects of a kind, ordered by key, as they are in this instant. */
  objects<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return this.server.store.list(kindIdOf(resource)) as unknown as T[];
  }

  find<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): T | undefined {
    return this.server.find(resource, key) as unknown as T | undefined;
  }

  /** Changes an object as a controller of the cluster itself would: spec, status and metadata at once, nothing checked. @throws RangeError when it is not there */
  update<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, change: (object: T) => T): T {
    const stored = this.server.find(resource, key);
    if (stored === undefined) throw new RangeError(`the memory cluster has no ${resource.kind} ${keyText(key)}`);
    const wanted = change(stored as unknown as T) as unknown as AnyObject;
    return this.server.overwrite(resource, stored, wanted) as unknown as T;
  }

  /** Members given replace those of the pod's status, the others stay. */
  setPodStatus(key: ObjectKey, status: JsonObject): void {
    this.update<AnyObject>(pods as Resource<AnyObject>, key, (pod) => ({ ...pod, status: { ...pod.status, ...status } }));
  }

  /** Ends a pod as its kubelet does when its containers have stopped, or as a forced deletion does. One that has finalizers stays marked. */
  removePod(key: ObjectKey): void {
    this.remove(pods, key, { gracePeriodSeconds: 0 });
  }

  /** Deletes an object without preconditions, as a user with kubectl does. Nothing happens when it is not there. */
  remove(resource: Resource<KubeObject>, key: ObjectKey, options: RemoveOptions = {}): void {
    const stored = this.server.find(resource, key);
    if (stored !== undefined) this.server.remove(resource, stored, options);
  }

  /** Sends a bookmark on every open watch. */
  bookmark(): void {
    this.#watches.bookmark();
  }

  /** Forgets the history: a watch from before now fails with `expired`. Open watches go on. */
  compact(): void {
    this.server.store.compact();
  }

  /** Ends every open watch, with a fault or as a server does when its time is over. */
  endWatches(fault?: KubeFault): void {
    this.#watches.endAll(fault);
  }

  get openWatches(): number {
    return this.#watches.open;
  }

  /** The newest resourceVersion. */
  get resourceVersion(): string {
    return String(this.server.store.revision);
  }
}

/** The real one keeps its finalizer in the spec; here it stands with the others, to the same effect: the namespace goes when it is empty. */
function namespaceDefaults(object: AnyObject, before: AnyObject | undefined): AnyObject {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name ?? '' };
  const metadata = { ...object.metadata, labels, ...(before === undefined ? { finalizers: ['kubernetes'] } : {}) };
  return { ...object, metadata };
}

function markNamespace(namespace: AnyObject): AnyObject {
  const { deletionGracePeriodSeconds: _grace, ...metadata } = namespace.metadata;
  return { ...namespace, metadata: metadata as ObjectMeta, status: { ...namespace.status, phase: 'Terminating' } };
}

function leaseDefaults(lease: AnyObject): AnyObject {
  return { ...lease, spec: { ...lease.spec } };
}

function leaseRefusal({ spec }: AnyObject): string | undefined {
  if (Number(spec?.leaseDurationSeconds ?? 1) <= 0) return 'spec.leaseDurationSeconds: Invalid value: must be greater than 0';
  if (Number(spec?.leaseTransitions ?? 0) < 0) return 'spec.leaseTransitions: Invalid value: must be greater than or equal to 0';
  return undefined;
}
