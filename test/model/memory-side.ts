import { isKubeFault } from '../../src/kube/faults.ts';
import type { KubeObject, Resource } from '../../src/kube/objects.ts';
import { kindIdOf } from '../../src/sim/kind-rules.ts';
import { quotaUsage, resourceQuotas } from '../../src/sim/quota.ts';
import type { AnyObject } from '../../src/sim/stored-object.ts';
import { installCrd } from '../parity/support/crd.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { type KindName, kinds } from './kinds.ts';
import { type LogEntry, ObjectLog } from './object-log.ts';
import { type Call, nameOn, type QuotaOperation, type ReadingOperation, type Side } from './side.ts';

const namespace = 'own';
/** Long enough for every sweep of the garbage collector that one change leads to. */
const restMs = 200;

/** The memory cluster as one side: a new one for each sequence. */
export class MemorySide implements Side {
  readonly log = new ObjectLog(namespace);
  readonly #clock = new FakeClock();
  readonly #cluster = new MemoryCluster({ clock: this.#clock });

  constructor() {
    const { server } = this.#cluster;
    installCrd(this.#cluster, 'ours');
    const names = new Map<string, KindName>(
      Object.entries(kinds).map(([name, resource]) => [kindIdOf(resource as Resource<KubeObject>), name as KindName]),
    );
    server.store.compact();
    server.store.onChange(({ kindId, before, after, object }) => {
      const kind = names.get(kindId);
      if (kind === undefined || (kind === 'namespace' && object.metadata.name !== namespace)) return;
      this.log.add(kind, { type: after === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED', object });
    });
    this.#cluster.createNamespace(namespace);
  }

  async run(call: Call): Promise<string> {
    const { server } = this.#cluster;
    const resource: Resource<KubeObject> = kinds[call.target.kind];
    const key = { namespace: resource.namespaced ? namespace : '', name: nameOn(this.log, call.target) };
    return this.#answer(() => {
      if (call.verb === 'create') server.create(resource, call.body);
      else if (call.verb === 'patch') server.patch(resource, key, call.body, call.status ? { subresource: 'status' } : {});
      else if (call.verb === 'put') server.replace(resource, key, call.body, call.status ? { subresource: 'status' } : {});
      else server.delete(resource, key, { ...call.body.preconditions, ...call.body });
    });
  }

  setQuota(hard: QuotaOperation['hard']): Promise<string> {
    const { server } = this.#cluster;
    const key = { namespace, name: 'limits' };
    const body = { metadata: key, spec: { hard } } as KubeObject;
    return this.#answer(() => {
      if (server.find(resourceQuotas, key) === undefined) server.create(resourceQuotas, body);
      else server.replace(resourceQuotas, key, body);
    });
  }

  async watch({ kind, selector }: ReadingOperation, from: string): Promise<readonly LogEntry[] | string> {
    const events: LogEntry[] = [];
    const abort = new AbortController();
    const options = {
      namespace,
      resourceVersion: from,
      signal: abort.signal,
      ...(selector === undefined ? {} : { labelSelector: selector }),
    };
    let refused: string | undefined;
    const reading = (async () => {
      for await (const event of this.#cluster.api().watch<KubeObject>(kinds[kind], options))
        if (event.type !== 'BOOKMARK') events.push(event);
    })().catch((error: unknown) => {
      if (!isKubeFault(error)) throw error;
      if (error.code !== 'aborted') refused = `${error.status} ${error.reason}`;
    });
    await this.#clock.advance(0);
    abort.abort();
    await reading;
    return refused ?? events;
  }

  /** What counts against the quota, or undefined where there is none. */
  usage(): Readonly<Record<string, string>> | undefined {
    const { server } = this.#cluster;
    const quota = server.find(resourceQuotas, { namespace, name: 'limits' });
    if (quota === undefined) return undefined;
    const counted = (plural: string): readonly AnyObject[] =>
      server.store.list(plural).filter((object) => object.metadata.namespace === namespace);
    return Object.fromEntries(
      Object.keys((quota.spec?.hard ?? {}) as object).map((plural) => [plural, String(quotaUsage(counted(plural), this.#clock.nowMs()))]),
    );
  }

  async #answer(run: () => void): Promise<string> {
    let answer = 'ok';
    try {
      run();
    } catch (error) {
      if (!isKubeFault(error)) throw error;
      answer = `${error.status} ${error.reason}`;
    }
    await this.#clock.advance(restMs);
    return answer;
  }
}
