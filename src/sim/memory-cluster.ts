import type { KubeFault } from '../kube/faults.ts';
import {
  coreEvents,
  type KubeObject,
  keyText,
  leases,
  namespaces,
  nodes,
  type ObjectKey,
  pods,
  type Resource,
  services,
} from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import type { Clock } from '../lib/clock.ts';
import { AutoKubelet, type AutoKubeletOptions } from './auto-kubelet.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { type CustomKindOptions, customKindRules, kindIdOf } from './kind-rules.ts';
import { MemoryApi } from './memory-api.ts';
import { MemoryServer } from './memory-server.ts';
import { MemoryStore } from './memory-store.ts';
import { MemoryWatches } from './memory-watch.ts';
import type { JsonObject } from './merge-patch.ts';
import { podRules } from './pod-rules.ts';
import { serviceRules } from './service-rules.ts';
import type { AnyObject } from './stored-object.ts';

export interface MemoryClusterOptions {
  readonly clock: Clock;
  /** Makes the uids. */
  readonly seed?: string;
  /** Absent: pods stay Pending and terminating ones stay until `removePod`. */
  readonly autoKubelet?: AutoKubeletOptions;
  /** Between two bookmarks of a watch; default one minute, as API servers do. */
  readonly bookmarkMs?: number;
  /** From a change to the garbage collector's sweep; default 10 ms. */
  readonly garbageDelayMs?: number;
}

/**
 * A Kubernetes cluster in memory: what an operator can tell from a real API server, its garbage collector and, where asked for, a
 * scheduler with one node. All time comes from its clock. Served from the start: namespaces (`default` is there), nodes, pods,
 * services, events and leases; further kinds by `registerKind`.
 */
export class MemoryCluster {
  readonly #store = new MemoryStore();
  readonly #server: MemoryServer;
  readonly #watches: MemoryWatches;
  readonly #api: KubeApi;
  #clusterIPs = 0;

  constructor(options: MemoryClusterOptions) {
    const { clock } = options;
    this.#server = new MemoryServer(this.#store, () => clock.nowMs(), options.seed ?? 'memory');
    this.#watches = new MemoryWatches(this.#store, clock, options.bookmarkMs ?? 60_000);
    this.#api = new MemoryApi(this.#store, this.#server, this.#watches, clock);
    const plain = { statusSubresource: false, countsGeneration: false };
    this.#server.register(pods, podRules);
    this.#server.register(
      services,
      serviceRules(() => this.#nextClusterIP()),
    );
    this.#server.register(nodes, { statusSubresource: true, countsGeneration: false, initialStatus: (node) => node.status });
    this.#server.register(namespaces, {
      statusSubresource: true,
      countsGeneration: false,
      initialStatus: () => ({ phase: 'Active' }),
      withDefaults: namespaceDefaults,
    });
    this.#server.register(coreEvents, plain);
    this.#server.register(leases, plain);
    new GarbageCollector(this.#store, this.#server, clock, options.garbageDelayMs ?? 10);
    this.createNamespace('default');
    if (options.autoKubelet !== undefined) new AutoKubelet(this.#store, this.#server, clock, options.autoKubelet);
  }

  /** The cluster as clients see it. */
  api(): KubeApi {
    return this.#api;
  }

  /** Serves one more kind, as the installation of its CRD does. */
  registerKind(resource: Resource<KubeObject>, options: CustomKindOptions): void {
    this.#server.register(resource, customKindRules(options));
  }

  createNamespace(name: string): void {
    this.#server.create(namespaces, { metadata: { name } });
  }

  /** All objects of a kind, ordered by key, as they are in this instant. */
  objects<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return this.#store.list(kindIdOf(resource)) as unknown as T[];
  }

  find<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): T | undefined {
    return this.#store.find(kindIdOf(resource), key) as unknown as T | undefined;
  }

  /** Changes an object as a controller of the cluster itself would: spec, status and metadata at once, nothing checked. @throws RangeError when it is not there */
  update<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, change: (object: T) => T): T {
    const stored = this.#store.find(kindIdOf(resource), key);
    if (stored === undefined) throw new RangeError(`the memory cluster has no ${resource.kind} ${keyText(key)}`);
    const wanted = change(stored as unknown as T) as unknown as AnyObject;
    return this.#server.overwrite(resource, stored, wanted) as unknown as T;
  }

  /** Members given replace those of the pod's status, the others stay. */
  setPodStatus(key: ObjectKey, status: JsonObject): void {
    this.update<AnyObject>(pods as Resource<AnyObject>, key, (pod) => ({ ...pod, status: { ...pod.status, ...status } }));
  }

  /** Ends a pod as its kubelet does when its containers have stopped, or as a forced deletion does. One that has finalizers stays marked. */
  removePod(key: ObjectKey): void {
    const stored = this.#store.find(kindIdOf(pods), key);
    if (stored !== undefined) this.#server.remove(pods, stored, { gracePeriodSeconds: 0 });
  }

  /** Deletes an object without preconditions, as a user with kubectl does. Nothing happens when it is not there. */
  remove(resource: Resource<KubeObject>, key: ObjectKey, options: Parameters<MemoryServer['remove']>[2] = {}): void {
    const stored = this.#store.find(kindIdOf(resource), key);
    if (stored !== undefined) this.#server.remove(resource, stored, options);
  }

  /** Sends a bookmark on every open watch. */
  bookmark(): void {
    this.#watches.bookmark();
  }

  /** Forgets the history: a watch from before now fails with `expired`. Open watches go on. */
  compact(): void {
    this.#store.compact();
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
    return String(this.#store.revision);
  }

  #nextClusterIP(): string {
    this.#clusterIPs += 1;
    return `10.96.${Math.floor(this.#clusterIPs / 250)}.${(this.#clusterIPs % 250) + 1}`;
  }
}

/** The real one keeps its finalizer in the spec; here it stands with the others, to the same effect: the namespace goes when it is empty. */
function namespaceDefaults(object: AnyObject, before: AnyObject | undefined): AnyObject {
  const labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name ?? '' };
  const metadata = { ...object.metadata, labels, ...(before === undefined ? { finalizers: ['kubernetes'] } : {}) };
  return { ...object, metadata };
}
