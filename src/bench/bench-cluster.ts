import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { group, version } from '../api/v1alpha1/naming.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { ClusterConfig } from '../kube-client/cluster-config.ts';
import { loadClusterConfig } from '../kube-client/load-config.ts';
import { clusterPaths } from '../testbed/components.ts';
import { TestbedError } from '../testbed/testbed-error.ts';
import { readRequests } from './audit-calls.ts';
import { benchLabels, buildPerformer } from './bench-lines.ts';
import { Calls } from './calls.ts';
import { type Inside, type OwnCluster, outside } from './own-cluster.ts';
import type { Processes } from './usage.ts';

const performers = `/apis/${group}/${version}/performers`;
const ours = `labelSelector=${encodeURIComponent(
  Object.entries(benchLabels)
    .map((pair) => pair.join('='))
    .join(','),
)}`;
const collectorMs = 90_000;
const atOnce = 8;
const componentOf = {
  'kube-apiserver': 'api-server',
  etcd: 'etcd',
  'kube-controller-manager': 'controller-manager',
  'kube-scheduler': 'scheduler',
  kwok: 'kwok',
} as const;

interface List {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace: string } }[];
}

/** The cluster a bench runs on, whoever made it. */
export class BenchCluster {
  readonly kubeconfig: string;
  readonly calls: Calls;
  /** What k6 needs to reach it. */
  readonly k6Env: Readonly<Record<string, string>>;
  readonly processes: Processes;
  readonly auditLog: string | undefined;
  /** Whether the bench has started it. */
  readonly isOurs: boolean;
  readonly inside: Inside;
  readonly #etcd: Calls | undefined;

  private constructor(
    kubeconfig: string,
    config: ClusterConfig,
    k6Env: Readonly<Record<string, string>>,
    { embedded, inside = outside }: Partial<OwnCluster>,
  ) {
    this.kubeconfig = kubeconfig;
    this.calls = new Calls(config);
    this.k6Env = { ...k6Env, ...inside.env };
    this.inside = inside;
    this.auditLog = embedded?.auditLog;
    this.isOurs = embedded !== undefined;
    const components = Object.entries(embedded?.pids ?? {}).filter(([name]) => name in componentOf);
    this.processes = Object.fromEntries(components.map(([name, pid]) => [componentOf[name as keyof typeof componentOf], () => [pid]]));
    // Of real nodes the control plane has a network of its own, from which only the API server's port leads out.
    if (embedded === undefined || inside !== outside) return;
    const file = (name: string): string => readFileSync(join(clusterPaths(embedded.dir).certificates, name), 'utf8');
    const tls = { ca: file('ca.crt'), cert: file('api-server.crt'), key: file('api-server.key') };
    const server = `https://127.0.0.1:${embedded.ports.etcd}`;
    this.#etcd = new Calls({ server, tls: async () => tls, headers: async () => ({}) });
  }

  /** @param scratchDir where credentials for k6 are written; it is the caller's to remove */
  static async open(kubeconfig: string, scratchDir: string, own: Partial<OwnCluster> = {}): Promise<BenchCluster> {
    const config = await loadClusterConfig({ kubeconfig, env: process.env, readFile: (path) => readFile(path), homeDir: homedir() });
    const [{ ca, cert, key }, headers] = [await config.tls(), await config.headers(false)];
    const put = (name: string, text: string | undefined, variable: string): Record<string, string> => {
      if (text === undefined) return {};
      const path = join(scratchDir, name);
      writeFileSync(path, text, { mode: 0o600 });
      return { [variable]: path };
    };
    const token = String(Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '').replace(
      /^Bearer /,
      '',
    );
    const k6Env = {
      KUBE_SERVER: config.server,
      KUBE_TOKEN: token,
      ...put('ca.crt', ca, 'SSL_CERT_FILE'),
      ...put('client.crt', cert, 'KUBE_CLIENT_CERTIFICATE'),
      ...put('client.key', key, 'KUBE_CLIENT_KEY'),
    };
    return new BenchCluster(kubeconfig, config, k6Env, own);
  }

  /** Puts the CRD and the Lease's namespace where they are missing. @throws TestbedError when Performers of somebody else are there and may not be */
  async prepare(crd: object, allowExisting: boolean, signal: AbortSignal): Promise<void> {
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const { status } = await this.calls.call('POST', crds, crd);
    if (status !== 201 && status !== 409) throw new TestbedError(`creating the CRD of Performer: status ${status}`);
    const isNew = status === 201;
    // Some seconds after a CRD is new the API server ends the watches of its objects once.
    const settled = sleep(isNew ? 7_000 : 0);
    for (let tries = 0; (await this.calls.call('GET', `${performers}?limit=1`)).status !== 200; tries += 1) {
      if (tries === 100) throw new TestbedError('the CRD of Performer is not served 10 s after it was made');
      await sleep(100);
    }
    const count = async (query: string): Promise<number> => (await this.calls.ask<List>('GET', `${performers}?${query}`)).items.length;
    const foreign = (await count('')) - (await count(ours));
    if (foreign > 0 && !allowExisting)
      throw new TestbedError(
        `the cluster has ${foreign} Performers that are not of a bench: operators under test would act on them; allow it with --allow-existing`,
      );
    await this.makeNamespaces(['hourglass-system']);
    if (isNew) await this.#warmUpCollector('hourglass-system', signal);
    await settled;
  }

  /** The garbage collector learns of a new kind only every 30 s; the first deletion that is measured is not to wait for that. */
  async #warmUpCollector(namespace: string, signal: AbortSignal): Promise<void> {
    const performer = buildPerformer(`${namespace}/warm-up`, 'registry.invalid/performer:1', Date.now());
    const { metadata } = await this.calls.ask<{ readonly metadata: { readonly uid: string } }>(
      'POST',
      this.#in(namespace, 'performers', ''),
      performer,
    );
    const owner = { apiVersion: `${group}/${version}`, kind: 'Performer', name: 'warm-up', uid: metadata.uid };
    const service = { metadata: { name: 'warm-up', ownerReferences: [owner] }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } };
    await this.calls.ask('POST', this.#in(namespace, 'services', ''), service);
    await this.calls.ask('DELETE', this.#in(namespace, 'performers', '/warm-up'));
    const deadlineMs = performance.now() + collectorMs;
    while ((await this.calls.call('GET', this.#in(namespace, 'services', '/warm-up'))).status !== 404) {
      signal.throwIfAborted();
      if (performance.now() > deadlineMs)
        throw new TestbedError(
          `the Service of a deleted Performer is still there after ${collectorMs / 1_000} s: does the cluster's controller-manager run?`,
        );
      await sleep(200);
    }
  }

  /** One that goes, as those of a run that has just ended do, takes nothing new: it is waited for, and made anew. */
  async makeNamespaces(names: readonly string[]): Promise<void> {
    const goes = async (name: string): Promise<boolean> => {
      const { metadata } = await this.calls.ask<KubeObject>('GET', `/api/v1/namespaces/${name}`, undefined, [404]);
      return metadata?.deletionTimestamp !== undefined;
    };
    for (const name of names) for (let tries = 0; tries < 600 && (await goes(name)); tries += 1) await sleep(100);
    for (const name of names) await this.calls.ask('POST', '/api/v1/namespaces', { metadata: { name, labels: benchLabels } }, [409]);
    for (const name of names) {
      const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
      for (let tries = 0; tries < 200 && (await this.calls.call('GET', account)).status !== 200; tries += 1) await sleep(50);
    }
  }

  /** Those that a bench has made; one of the same name that is somebody's own is left alone. */
  async removeNamespaces(names: readonly string[]): Promise<void> {
    const { items } = await this.calls.ask<List>('GET', `/api/v1/namespaces?${ours}`);
    const made = new Set(items.map(({ metadata }) => metadata.name));
    for (const name of names.filter((one) => made.has(one))) await this.calls.call('DELETE', `/api/v1/namespaces/${name}`);
  }

  /**
   * Deletes the Performers of the bench and waits until their pods and Services are gone, too; by force after `timeoutMs`. An interrupted
   * run waits 10 s, and not at all for a cluster that goes as a whole.
   *
   * @returns what did not go by itself
   */
  async clean(namespaces: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
    const isOver = (): boolean => signal.aborted && this.#etcd !== undefined;
    if (isOver()) return undefined;
    // One by one: an API server has a minute for a request, and a collection of thousands takes it longer.
    const lists = await Promise.all(namespaces.map((name) => this.calls.ask<List>('GET', this.#in(name, 'performers', `?${ours}`))));
    const all = lists.flatMap(({ items }) => items.map(({ metadata }) => this.#in(metadata.namespace, 'performers', `/${metadata.name}`)));
    const work = async (): Promise<void> => {
      for (let path = all.pop(); path !== undefined && !isOver(); path = all.pop()) await this.calls.ask('DELETE', path, undefined, [404]);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const startMs = performance.now();
    const patienceMs = (): number => (isOver() ? 0 : signal.aborted ? Math.min(timeoutMs, 10_000) : timeoutMs);
    const left = await this.#waitEmpty(namespaces, () => performance.now() - startMs > patienceMs());
    if (left === undefined || isOver()) return undefined;
    for (const name of namespaces) {
      const { items } = await this.calls.ask<List>('GET', this.#in(name, 'performers', `?${ours}`));
      for (const { metadata } of items)
        await this.calls.call('PATCH', this.#in(name, 'performers', `/${metadata.name}`), { metadata: { finalizers: null } });
      for (const kind of ['pods', 'services']) await this.calls.call('DELETE', this.#in(name, kind, '?gracePeriodSeconds=0'));
    }
    const forcedMs = performance.now();
    await this.#waitEmpty(namespaces, () => performance.now() - forcedMs > 30_000);
    return left;
  }

  async #waitEmpty(namespaces: readonly string[], isLate: () => boolean): Promise<string | undefined> {
    for (const name of namespaces) {
      for (const [kind, query] of [
        ['performers', `&${ours}`],
        ['pods', ''],
        ['services', ''],
      ] as const) {
        while ((await this.calls.ask<List>('GET', this.#in(name, kind, `?limit=1${query}`))).items.length > 0) {
          if (isLate()) return `${kind} in namespace ${name}`;
          await sleep(200);
        }
      }
    }
    return undefined;
  }

  /** Puts and deletes that etcd has taken so far; undefined where its metrics are out of reach. */
  async etcdWrites(): Promise<number | undefined> {
    if (this.#etcd === undefined) return undefined;
    const { body } = await this.#etcd.call('GET', '/metrics');
    return readMetric(body, 'etcd_mvcc_put_total') + readMetric(body, 'etcd_mvcc_delete_total');
  }

  /** Requests that the API server has counted so far, everybody's; undefined where it does not tell. */
  async requests(): Promise<Readonly<Record<string, number>> | undefined> {
    const { status, body } = await this.calls.call('GET', '/metrics');
    return status === 200 ? readRequests(body) : undefined;
  }

  /** Waits until fewer than 5 writes a second reach etcd for `quietMs`, or the time is over; where that is not seen, just waits. */
  async waitQuiet(quietMs: number, timeoutMs = 60_000): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    let before = await this.etcdWrites();
    while (before !== undefined && performance.now() < deadlineMs) {
      await sleep(quietMs);
      const now = await this.etcdWrites();
      if (now === undefined || (now - before) / (quietMs / 1_000) < 5) return true;
      before = now;
    }
    if (before === undefined) await sleep(quietMs);
    return before === undefined;
  }

  close(): void {
    this.calls.close();
    this.#etcd?.close();
  }

  #in(namespace: string, kind: string, rest: string): string {
    return kind === 'performers'
      ? `/apis/${group}/${version}/namespaces/${namespace}/performers${rest}`
      : `/api/v1/namespaces/${namespace}/${kind}${rest}`;
  }
}

/** The sum of a metric over its labels, from Prometheus text; 0 where it has not been counted yet. Pure. */
export function readMetric(text: string, name: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
