import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, nodes, type Resource } from '../../src/kube/objects.ts';
import { resourceQuotas } from '../../src/sim/quota.ts';
import type { RawAnswer, RawApi } from '../support/raw-api.ts';
import { farAway } from './bodies.ts';
import { type KindName, kinds, own, pathOf, type Target, targetText } from './kinds.ts';
import { type LogEntry, ObjectLog } from './object-log.ts';
import { type Call, nameOn, type QuotaOperation, type ReadingOperation, type Side } from './side.ts';

const serviceAccounts: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};
/** Within this the admission of the API server has heard of a new quota or label, and of a namespace that is gone. */
export const admissionLagMs = 300;
const eventPatienceMs = 3_000;
const watchPatienceMs = 3_000;
const watchIdleMs = 40;

type Listener = (what: KindName | 'serviceAccount' | 'quota', entry: LogEntry) => void;

/** A real API server and what happens in it, told to whoever holds a namespace. One watch per kind serves all sequences. */
export class RealCluster {
  readonly api: RawApi;
  readonly #stop = new AbortController();
  readonly #listeners = new Map<string, Listener>();
  readonly #run = Math.random().toString(36).slice(2, 7);
  #namespaces = 0;
  #broken: Error | undefined;

  private constructor(api: RawApi) {
    this.api = api;
  }

  static async open(api: RawApi): Promise<RealCluster> {
    const cluster = new RealCluster(api);
    // Pods on a node that does not exist are taken away within seconds.
    const made = await api.call('POST', pathOf(nodes), { apiVersion: 'v1', kind: 'Node', metadata: { name: farAway } });
    if (made.status !== 201 && made.status !== 409) throw new Error(`creating node ${farAway}: ${JSON.stringify(made)}`);
    const watched = { ...kinds, serviceAccount: serviceAccounts, quota: resourceQuotas } as const;
    await Promise.all(
      Object.entries(watched).map(([name, resource]) => cluster.#follow(name as Parameters<Listener>[0], resource as Resource<KubeObject>)),
    );
    return cluster;
  }

  /** A new namespace in which pods can be created. */
  async openSide(): Promise<RealSide> {
    this.#namespaces += 1;
    const namespace = `m-${this.#run}-${this.#namespaces}`;
    const side = new RealSide(this, namespace);
    this.#listeners.set(namespace, (what, entry) => side.hear(what, entry));
    const created = await this.api.call('POST', pathOf(kinds.namespace), { metadata: { name: namespace } });
    if (created.status !== 201) throw new Error(`creating namespace ${namespace}: ${JSON.stringify(created)}`);
    if (!(await side.until(() => side.isReady, 20_000))) throw new Error(`namespace ${namespace} has no service account after 20 s`);
    return side;
  }

  checkAlive(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  close(): void {
    this.#stop.abort();
    this.api.close();
  }

  async #follow(name: Parameters<Listener>[0], resource: Resource<KubeObject>): Promise<void> {
    const list = await this.api.call('GET', `${pathOf(resource)}?limit=1`);
    const version = (list.body.metadata as { readonly resourceVersion?: string } | undefined)?.resourceVersion ?? '';
    if (list.status !== 200) throw new Error(`listing ${resource.plural}: ${JSON.stringify(list)}`);
    void (async () => {
      let from = version;
      while (!this.#stop.signal.aborted) {
        const path = `${pathOf(resource)}?watch=1&allowWatchBookmarks=true&timeoutSeconds=3000&resourceVersion=${from}`;
        for await (const event of this.api.watch(path, this.#stop.signal)) {
          const object = event.object as KubeObject;
          if (event.type === 'ERROR' || event.type === 'REFUSED') throw new Error(`watching ${resource.plural}: ${JSON.stringify(event)}`);
          from = object.metadata?.resourceVersion ?? from;
          if (event.type === 'BOOKMARK') continue;
          const namespace = name === 'namespace' ? object.metadata?.name : object.metadata?.namespace;
          this.#listeners.get(namespace ?? '')?.(name, { type: event.type as LogEntry['type'], object });
        }
      }
    })().catch((error: unknown) => {
      this.#broken = error instanceof Error ? error : new Error(String(error));
    });
  }
}

/** One namespace of a real cluster. */
export class RealSide implements Side {
  readonly log: ObjectLog;
  readonly #cluster: RealCluster;
  #wake: () => void = () => undefined;
  #hasAccount = false;
  #used: Readonly<Record<string, string>> | undefined;
  #hard: Readonly<Record<string, string>> | undefined;

  constructor(cluster: RealCluster, namespace: string) {
    this.#cluster = cluster;
    this.log = new ObjectLog(namespace);
  }

  hear(what: Parameters<Listener>[0], entry: LogEntry): void {
    if (what === 'quota') {
      const { status, spec } = entry.object as {
        status?: { used?: Record<string, string>; hard?: object };
        spec?: { hard?: Record<string, string> };
      };
      this.#used = entry.type === 'DELETED' ? undefined : status?.used;
      this.#hard = JSON.stringify(status?.hard) === JSON.stringify(spec?.hard) ? spec?.hard : undefined;
    } else if (what === 'serviceAccount') this.#hasAccount ||= entry.object.metadata?.name === 'default';
    else this.log.add(what, entry);
    this.#wake();
  }

  get isReady(): boolean {
    return this.#hasAccount && this.log.targets().length === 1;
  }

  /** What the quota counts, once all of it is counted. */
  get usage(): Readonly<Record<string, string>> | undefined {
    return this.#hard === undefined ? undefined : this.#used;
  }

  /** Looks again after each event; false when it does not come true in time. */
  async until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!holds()) {
      this.#cluster.checkAlive();
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }

  /** Lets go of what would keep the controllers of the cluster busy for long. */
  async release(): Promise<void> {
    if (!this.log.story(targetText(own)).some((line) => line.includes('"deleting":true'))) return;
    const held = this.log.targets().filter((id) => id !== targetText(own));
    await Promise.all(
      held.map(async (id) => {
        const [kind = '', name = ''] = id.split('/');
        const path = pathOf(kinds[kind as KindName], this.log.namespace, name);
        await this.#cluster.api.call('PATCH', path, { metadata: { finalizers: null } });
        await this.#cluster.api.call('DELETE', path, { gracePeriodSeconds: 0 });
      }),
    );
  }

  async run(call: Call): Promise<string> {
    const resource: Resource<KubeObject> = kinds[call.target.kind];
    const name = nameOn(this.log, call.target);
    const { api } = this.#cluster;
    const subresource = 'status' in call && call.status ? 'status' : undefined;
    const path = pathOf(resource, this.log.namespace, name, subresource);
    let answer: RawAnswer;
    if (call.verb === 'create') answer = await api.call('POST', pathOf(resource, this.log.namespace), call.body);
    else if (call.verb === 'patch') answer = await api.call('PATCH', path, call.body as object);
    else if (call.verb === 'put') answer = await api.call('PUT', path, call.body);
    else answer = await api.call('DELETE', path, call.body);
    if (call.target.kind === 'namespace') await sleep(admissionLagMs);
    await this.#hearOf(call.target, answer);
    return textOf(answer);
  }

  /** What a write says of its object arrives as an event a little later. */
  async #hearOf(target: Target, { status, body }: RawAnswer): Promise<void> {
    const { resourceVersion } = (body as KubeObject).metadata ?? {};
    if (status >= 300 || body.kind !== kinds[target.kind].kind || resourceVersion === undefined) return;
    await this.until(() => this.log.newestOf(target) >= BigInt(resourceVersion), eventPatienceMs);
  }

  async setQuota(hard: QuotaOperation['hard']): Promise<string> {
    const { api } = this.#cluster;
    const body = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'limits' }, spec: { hard } };
    const path = pathOf(resourceQuotas, this.log.namespace);
    // What is there is changed first: in a namespace that goes, a POST is refused before its name is looked at.
    const changed = await api.call('PATCH', `${path}/limits`, { spec: { hard: withoutOthers(hard) } });
    const answer = changed.status === 404 ? await api.call('POST', path, body) : changed;
    await sleep(admissionLagMs);
    return textOf(answer);
  }

  async watch({ kind, selector }: ReadingOperation, from: string, expected: number | undefined): Promise<readonly LogEntry[] | string> {
    const stop = new AbortController();
    const events: LogEntry[] = [];
    const query = new URLSearchParams({
      watch: '1',
      resourceVersion: from,
      ...(selector === undefined ? {} : { labelSelector: selector }),
    });
    let timer = setTimeout(() => stop.abort(), expected === 0 ? watchIdleMs * 5 : watchPatienceMs);
    try {
      for await (const event of this.#cluster.api.watch(`${pathOf(kinds[kind], this.log.namespace)}?${query.toString()}`, stop.signal)) {
        if (event.type === 'ERROR' || event.type === 'REFUSED') return `${String(event.object.code)} ${String(event.object.reason)}`;
        events.push({ type: event.type as LogEntry['type'], object: event.object as KubeObject });
        if (expected === undefined || events.length < expected) continue;
        clearTimeout(timer);
        timer = setTimeout(() => stop.abort(), watchIdleMs);
      }
    } finally {
      clearTimeout(timer);
    }
    return events;
  }
}

/** A merge patch to exactly these members. */
function withoutOthers(hard: QuotaOperation['hard']): object {
  return { pods: null, services: null, ...hard };
}

function textOf({ status, body }: RawAnswer): string {
  return status < 300 ? 'ok' : `${status} ${String(body.reason)}`;
}
