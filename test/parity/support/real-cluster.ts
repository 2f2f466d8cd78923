import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../../scripts/generate.ts';
import { performerPodsSelector } from '../../../src/api/v1alpha1/naming.ts';
import { type Performer, performers } from '../../../src/api/v1alpha1/performer.ts';
import type { OnceReport } from '../../../src/cli/output.ts';
import { type EndpointSlice, endpointSlices, namespaces, type Pod, pods, type Service, services } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { startReflector } from '../../../src/kube/reflector.ts';
import { ObjectStore } from '../../../src/kube/store.ts';
import { createKubeApi } from '../../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../../src/kube-client/load-config.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { EmbeddedCluster } from '../../../src/testbed/embedded-cluster.ts';
import { kubectl } from '../../../src/testbed/kubectl.ts';
import { hourglass, startHourglass } from '../../support/cli.ts';
import { type CrdName, crdPath } from './crd.ts';

const crdName = 'performers.hourglass.eigenlayer.io';

/** One embedded cluster as the tests of a file use it. */
export class RealCluster {
  readonly #cluster: { get(): EmbeddedCluster };
  #kube: (KubeApi & { close(): void }) | undefined;

  constructor(cluster: { get(): EmbeddedCluster }) {
    this.#cluster = cluster;
    beforeAll(async () => {
      const { kubeconfig } = cluster.get();
      const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
      this.#kube = createKubeApi(config, { clock: systemClock, userAgent: 'hourglass-test' });
    });
    afterAll(() => this.#kube?.close());
  }

  get kube(): KubeApi {
    if (this.#kube === undefined) throw new Error('the cluster exists only while tests run');
    return this.#kube;
  }

  get kubeconfig(): string {
    return this.#cluster.get().kubeconfig;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(this.#cluster.get(), args);
  }

  apply(object: object): Promise<string> {
    return kubectl(this.#cluster.get(), ['apply', '-f', '-'], { input: JSON.stringify(object) });
  }

  replace(object: object): Promise<string> {
    return kubectl(this.#cluster.get(), ['replace', '-f', '-'], { input: JSON.stringify(object) });
  }

  /** Puts a CRD in the place of whichever is there, and waits until its schema is the one that is served. */
  async installCrd(name: CrdName): Promise<void> {
    await this.kubectl('apply', '--server-side', '--force-conflicts', '-f', crdPath(name));
    // Ours gives a new object a status at once, the others never do.
    await until('the schema to be served', async () => {
      const probe = { ...this.#object('default', 'probe'), spec: { avsAddress: `0x${'0'.repeat(40)}`, image: 'avs:1' } };
      const seen = await kubectl(this.#cluster.get(), ['create', '--dry-run=server', '-o', 'json', '-f', '-'], {
        input: JSON.stringify(probe),
      });
      return ((JSON.parse(seen) as Performer).status !== undefined) === (name === 'ours');
    });
  }

  async removeCrd(): Promise<void> {
    await this.kubectl('delete', 'crd', crdName, '--timeout=30s');
  }

  async namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.kube.create(namespaces, { metadata: { name, labels } });
    await until('its service account', async () =>
      (await this.kubectl('get', 'serviceaccounts', '-n', name, '-o', 'name')).includes('/default'),
    );
  }

  ask(namespace: string, name: string, spec: object = {}): Promise<Performer> {
    const full = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1', ...spec };
    return this.kube.create(performers, { ...this.#object(namespace, name), spec: full } as Performer);
  }

  /** Merges a change into the spec. */
  async change(namespace: string, name: string, spec: object): Promise<void> {
    await this.kubectl('patch', 'performer', name, '-n', namespace, '--type', 'merge', '-p', JSON.stringify({ spec }));
  }

  async pods(namespace: string): Promise<readonly Pod[]> {
    return (await this.kube.list(pods, { namespace, labelSelector: performerPodsSelector })).items;
  }

  async services(namespace: string): Promise<readonly Service[]> {
    return (await this.kube.list(services, { namespace })).items;
  }

  async performers(namespace: string): Promise<readonly Performer[]> {
    return (await this.kube.list(performers, { namespace })).items;
  }

  /** A kubeconfig of a service account of the namespace, which is made here and has no rights yet. */
  async accountKubeconfig(namespace: string, account: string): Promise<string> {
    await this.kubectl('create', 'serviceaccount', account, '-n', namespace);
    return this.kubeconfigOf(namespace, account);
  }

  /** A kubeconfig of a service account that is there. */
  async kubeconfigOf(namespace: string, account: string): Promise<string> {
    const token = (await this.kubectl('create', 'token', account, '-n', namespace)).trim();
    const text = (await readFile(this.kubeconfig, 'utf8'))
      .replace(/client-certificate-data: .*/, `token: ${token}`)
      .replace(/\n.*client-key-data: .*/, '');
    const path = join(dirname(this.kubeconfig), `${namespace}-${account}`);
    await writeFile(path, text);
    return path;
  }

  /** Lets an account of the namespace hold the Lease there, as the manifests do in the operator's own. */
  async grantLease(namespace: string, account: string): Promise<void> {
    const role = parse(await readFile(join(projectRoot, 'manifests/rbac/lease-role.yaml'), 'utf8')) as { metadata: { name: string } };
    const { name } = role.metadata;
    await this.apply({ ...role, metadata: { name, namespace } });
    await this.kubectl('create', 'rolebinding', name, `--role=${name}`, `--serviceaccount=${namespace}:${account}`, '-n', namespace);
  }

  /** `once` over one namespace; what it says beside its report stands in `stderr`. */
  async once(namespace: string, ...args: readonly string[]): Promise<OnceReport & { readonly stderr: string }> {
    const config = args.includes('--kubeconfig') ? [] : ['--kubeconfig', this.kubeconfig];
    const { stdout, stderr } = await hourglass(['once', '-o', 'json', '-n', namespace, ...config, ...args]);
    if (stdout === '') throw new Error(`once said nothing but:\n${stderr}`);
    return { ...(JSON.parse(stdout) as OnceReport), stderr };
  }

  /** Runs `act` beside a watch over one namespace, which must end well when it is told to. */
  async whileWatching(namespace: string, act: () => Promise<void>): Promise<void> {
    const { child, result, line } = await startHourglass([
      'watch',
      '-n',
      namespace,
      '--kubeconfig',
      this.kubeconfig,
      '--log-format',
      'text',
    ]);
    try {
      await line(/running without a Lease/);
      await act();
    } finally {
      child.kill('SIGTERM');
      await result;
    }
    const { code, stderr } = await result;
    if (code !== 0) throw new Error(`watch ended with ${code}:\n${stderr}`);
  }

  /** Follows the EndpointSlices of a namespace, and notes each moment at which a Service that had a ready endpoint has none. */
  async probe(
    namespace: string,
  ): Promise<{ ready: () => ReadonlyMap<string, number>; gaps: readonly string[]; events: () => number; stop: () => Promise<void> }> {
    const store = new ObjectStore<EndpointSlice>();
    const counts = new Map<string, number>();
    const gaps: string[] = [];
    let events = 0;
    store.onChange((before, after) => {
      events += 1;
      const service = (after ?? before)?.metadata?.labels?.['kubernetes.io/service-name'] ?? '';
      const now = store
        .list()
        .filter((slice) => slice.metadata?.labels?.['kubernetes.io/service-name'] === service)
        .flatMap((slice) => slice.endpoints ?? [])
        .filter((endpoint) => endpoint.conditions?.ready === true).length;
      if (now === 0 && (counts.get(service) ?? 0) > 0) gaps.push(`${service} at ${new Date().toISOString()}`);
      counts.set(service, now);
    });
    const stop = new AbortController();
    const { kube } = this;
    const reflector = startReflector({
      kube,
      clock: systemClock,
      resource: endpointSlices,
      store,
      namespace,
      signal: stop.signal,
      random: Math.random,
    });
    await reflector.synced;
    return {
      ready: () => counts,
      gaps,
      events: () => events,
      stop: async () => {
        stop.abort();
        await reflector.done;
      },
    };
  }

  #object(namespace: string, name: string): { apiVersion: string; kind: string; metadata: { name: string; namespace: string } } {
    return { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', metadata: { name, namespace } };
  }
}

/** Waits for the cluster. @throws Error after a minute */
export async function until(what: string, holds: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (systemClock.monotonicMs() - startedMs > limitMs) throw new Error(`waited ${limitMs / 1_000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The Ready condition in two words, e.g. `True Serving`. */
export function readyOf(performer: Performer | undefined): string {
  const condition = performer?.status?.conditions?.at(-1);
  return condition?.type === 'Ready' ? `${condition.status} ${condition.reason}` : 'none';
}

export async function isNamespaceGone(kube: KubeApi, name: string): Promise<boolean> {
  return (await kube.list(namespaces)).items.every((namespace) => namespace.metadata?.name !== name);
}
