import { isKubeFault, KubeFault } from '../../src/kube/faults.ts';
import { type CoreEvent, coreEvents, type KubeObject, type ObjectKey, type Resource } from '../../src/kube/objects.ts';
import type {
  CallOptions,
  DeleteOptions,
  EventRecord,
  KubeApi,
  ListOptions,
  ListResult,
  PatchOptions,
  WatchEvent,
  WatchOptions,
} from '../../src/kube/port.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import { formatTime } from '../../src/lib/time.ts';
import { kindIdOf } from '../../src/sim/kind-rules.ts';
import type { MemoryServer } from '../../src/sim/memory-server.ts';
import { matcherOf } from '../../src/sim/selectors.ts';
import type { MemoryWatches } from './memory-watch.ts';

/** The memory cluster through the port. Each call takes effect in one instant, a microtask after it was made. */
export class MemoryApi implements KubeApi {
  readonly #server: MemoryServer;
  readonly #watches: MemoryWatches;

  constructor(server: MemoryServer, watches: MemoryWatches) {
    this.#server = server;
    this.#watches = watches;
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions<T> = {}): Promise<ListResult<T>> {
    await begin(`listing ${resource.plural}`, options);
    this.#server.rulesOf('listing', resource);
    const { store } = this.#server;
    const items = store.list(kindIdOf(resource)).filter(matcherOf(resource, options)) as unknown as T[];
    return { items: items.map((item) => selected(item, options.project)), resourceVersion: String(store.revision) };
  }

  async get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    await begin(`getting ${resource.kind} ${key.name}`, options);
    return this.#server.get(resource, key) as unknown as T;
  }

  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions<T>): AsyncGenerator<WatchEvent<T>, void, undefined> {
    await begin(`watching ${resource.plural}`, options);
    this.#server.rulesOf('watching', resource);
    const matches = matcherOf(resource, options);
    const events = this.#watches.watch({ ...options, kindId: kindIdOf(resource), matches }) as AsyncIterable<WatchEvent<T>>;
    for await (const event of events)
      yield event.type === 'BOOKMARK' ? event : { type: event.type, object: selected(event.object, options.project) };
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, options: CallOptions = {}): Promise<T> {
    await begin(`creating ${resource.kind} ${object.metadata?.name ?? ''}`, options);
    return this.#server.create(resource, object) as unknown as T;
  }

  async patch<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, patch: Json, options: PatchOptions): Promise<T> {
    await begin(`patching ${resource.kind} ${key.name}`, options);
    return this.#server.patch(resource, key, patch, options) as unknown as T;
  }

  async delete<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, options: DeleteOptions): Promise<T | undefined> {
    await begin(`deleting ${resource.kind} ${key.name}`, options);
    return this.#server.delete(resource, key, options) as unknown as T | undefined;
  }

  async event(event: EventRecord, options: CallOptions = {}): Promise<void> {
    await begin(`recording Event ${event.name}`, options);
    const { name, regarding, type, reason, message, action } = event;
    const now = formatTime(this.#server.clock.nowMs());
    const metadata = { namespace: regarding.namespace || 'default', name };
    const told = { type, reason, message, action, count: 1, firstTimestamp: now, lastTimestamp: now };
    const object: CoreEvent = { metadata, involvedObject: regarding, ...told };
    try {
      this.#server.create(coreEvents, object);
    } catch (error) {
      if (!isKubeFault(error, 'alreadyExists')) throw error;
    }
  }

  /** As coarse as the `Date` header of a real answer. */
  serverNowMs(): number {
    return Math.floor(this.#server.clock.nowMs() / 1_000) * 1_000;
  }
}

/** Nobody in this cluster keeps managedFields but who brings them along. */
function selected<T extends KubeObject>(object: T, project: ((object: T) => T) | undefined): T {
  const { metadata } = object;
  const lean = metadata?.managedFields === undefined ? object : { ...object, metadata: { ...metadata, managedFields: undefined } };
  return project === undefined ? lean : project(lean);
}

/** Puts the call behind those that were made before it, and out of the caller's own turn. */
async function begin(doing: string, { signal }: CallOptions): Promise<void> {
  await Promise.resolve();
  if (signal?.aborted === true) throw new KubeFault('aborted', `${doing}: the caller aborted`);
}
