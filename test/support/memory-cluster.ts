import type { KubeFault } from '../../src/kube/faults.ts';
import { type KubeObject, keyText, namespaces, type ObjectKey, pods, type Resource } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { type KindRules, kindIdOf } from '../../src/sim/kind-rules.ts';
import type { MemoryServer, RemoveOptions } from '../../src/sim/memory-server.ts';
import { startCluster } from '../../src/sim/start-cluster.ts';
import type { AnyObject, JsonObject } from '../../src/sim/stored-object.ts';
import { MemoryApi } from './memory-api.ts';
import { MemoryWatches } from './memory-watch.ts';
import { type CrdSchema, structuralRules } from './structural-rules.ts';

export interface MemoryClusterOptions {
  readonly clock: Clock;
  /** Makes the uids. */
  readonly seed?: string;
  /** Between two bookmarks of a watch; default one minute, as API servers do. */
  readonly bookmarkMs?: number;
  /** From a change to the garbage collector's sweep; default 10 ms. */
  readonly garbageDelayMs?: number;
}

/** A kind that a CRD would define. */
interface CustomKindOptions {
  readonly statusSubresource: boolean;
  /** Its schema: unknown fields are pruned, defaults filled in, what does not fit is refused. */
  readonly schema?: CrdSchema;
  /** Where it has none: status members an object has where it does not say otherwise, from its creation on. */
  readonly defaultStatus?: JsonObject;
  /** Rules beyond the schema: why the object is refused, or undefined. */
  readonly validate?: KindRules['refusal'];
}

/** A cluster in memory with a client that nothing stands in the way of, and what tests do to one. */
export class MemoryCluster {
  /** Its verbs as any client may call them, with and without preconditions. */
  readonly server: MemoryServer;
  readonly #watches: MemoryWatches;
  readonly #api: KubeApi;

  constructor({ clock, seed = 'memory', bookmarkMs = 60_000, garbageDelayMs }: MemoryClusterOptions) {
    this.server = startCluster(clock, seed, garbageDelayMs);
    this.#watches = new MemoryWatches(this.server, bookmarkMs);
    this.#api = new MemoryApi(this.server, this.#watches);
  }

  /** The cluster as clients see it. */
  api(): KubeApi {
    return this.#api;
  }

  /** Serves one more kind, as the installation of its CRD does. */
  registerKind(resource: Resource<KubeObject>, options: CustomKindOptions): void {
    const { statusSubresource, schema, defaultStatus, validate } = options;
    const rules: KindRules = schema === undefined ? { statusSubresource, countsGeneration: true } : structuralRules(schema);
    const refusal: KindRules['refusal'] = (object, before) => rules.refusal?.(object, before) ?? validate?.(object, before);
    const withStatus: Partial<KindRules> = {
      defaultsStatus: true,
      withDefaults: (object) => ({ ...object, status: { ...defaultStatus, ...object.status } }),
    };
    this.server.register(resource, { ...rules, ...(defaultStatus === undefined ? {} : withStatus), refusal });
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
