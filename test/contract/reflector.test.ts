import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KubeObject, type Pod, pods, type Resource } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { type Reflector, startReflector } from '../../src/kube/reflector.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import type { ClusterConfig } from '../../src/kube-client/cluster-config.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { useCluster } from '../support/cluster.ts';
import { type Relay, startRelay } from '../support/relay.ts';

const cluster = useCluster({ profile: 'none' });
const run = promisify(execFile);
const namespace = 'default';

interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number };
}
const widgets: Resource<Widget> = { group: 'reflector.test', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const crds: Resource<KubeObject> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const widgetCrd = {
  metadata: { name: 'widgets.reflector.test' },
  spec: {
    group: 'reflector.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

let config: ClusterConfig;
let admin: KubeApi & { close(): void };
beforeAll(async () => {
  config = await loadClusterConfig({ kubeconfig: cluster.get().kubeconfig, env: {}, readFile, homeDir: '/' });
  admin = createKubeApi(config, { clock: systemClock, userAgent: 'reflector-test' });
  return () => admin.close();
}, 60_000);

/** A reflector on the API server through a relay that can fail, as somebody else where `user` says so. */
async function follow<T extends KubeObject>(resource: Resource<T>, user?: string) {
  const relay: Relay = await startRelay(Number(new URL(config.server).port));
  const headers = async (renew: boolean) => ({
    ...(await config.headers(renew)),
    ...(user === undefined ? {} : { 'impersonate-user': user }),
  });
  const asked: string[] = [];
  const client = createKubeApi(
    { ...config, server: `https://127.0.0.1:${relay.port}`, headers },
    { clock: systemClock, userAgent: 'reflector-test' },
  );
  const kube: Pick<KubeApi, 'list' | 'watch'> = {
    list: (of, options) => {
      asked.push('list');
      return client.list(of, options);
    },
    watch: (of, options) => {
      asked.push(options.initialEvents === true ? 'watch-list' : 'watch');
      return client.watch(of, options);
    },
  };
  const store = new ObjectStore<T>();
  const stop = new AbortController();
  const log: string[] = [];
  const gone: string[] = [];
  store.onChange((before, after) => after === undefined && gone.push(before?.metadata?.name ?? ''));
  const reflector = startReflector<T>({
    kube,
    clock: systemClock,
    resource,
    store,
    namespace,
    signal: stop.signal,
    random: Math.random,
    log: (message) => void log.push(message),
  });
  ends.push(async () => {
    stop.abort();
    await reflector.done;
    client.close();
    await relay.close();
  });
  return {
    relay,
    asked,
    store,
    log,
    gone,
    reflector,
    names: () => store.list().map((object) => object.metadata?.name ?? ''),
  };
}

/** @returns milliseconds until it held */
async function within(limitMs: number, holds: () => boolean): Promise<number> {
  const startMs = performance.now();
  while (!holds()) {
    if (performance.now() - startMs > limitMs) throw new Error(`did not hold within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startMs;
}

const isLive = (reflector: Reflector): boolean => !reflector.state().stale && reflector.state().ageMs === 0;

async function installWidgets(): Promise<void> {
  await admin.create(crds, widgetCrd as KubeObject);
  for (let served = false; !served; await new Promise((resolve) => setTimeout(resolve, 50))) {
    served = await admin.list(widgets).then(
      () => true,
      () => false,
    );
  }
}

async function kubectl(...args: readonly string[]): Promise<void> {
  const [command = 'kubectl', ...prefix] = cluster.get().kubectl;
  await run(command, [...prefix, '--kubeconfig', cluster.get().kubeconfig, ...args], { timeout: 60_000 });
}

const pod = (name: string): Pod => ({
  metadata: { namespace, name },
  spec: { schedulerName: 'nobody', automountServiceAccountToken: false, containers: [{ name: 'main', image: 'example.test/image:1' }] },
});

describe('a reflector on an API server', () => {
  it('starts by one watch-list and follows from there', async () => {
    await admin.create(pods, pod('a'));
    const { reflector, asked, names } = await follow(pods);
    await reflector.synced;
    expect([names(), asked]).toEqual([['a'], ['watch-list']]);
    await admin.create(pods, pod('b'));
    await within(5_000, () => names().length === 2);
    expect(reflector.state()).toMatchObject({ stale: false, ageMs: 0, faults: 0 });
  });

  it('is back within two seconds of a cut connection, with all that changed meanwhile', async () => {
    const { reflector, relay, names } = await follow(pods);
    await reflector.synced;
    for (const name of ['cut-1', 'cut-2', 'cut-3']) {
      relay.cut();
      await admin.create(pods, pod(name));
      await within(2_000, () => names().includes(name));
    }
    expect(reflector.state()).toMatchObject({ lists: 1, faults: 3 });
    expect(reflector.state().blindMs).toBeLessThan(3_000);
  });

  it('lives through a CRD that is deleted and put back, and holds what is there then', async () => {
    await installWidgets();
    await admin.create(widgets, { metadata: { namespace, name: 'old' } });
    const { reflector, names, gone, log } = await follow(widgets);
    await reflector.synced;
    expect(names()).toEqual(['old']);
    await kubectl('delete', 'crd', widgetCrd.metadata.name);
    await within(20_000, () => reflector.state().stale && reflector.state().lastFault?.includes('does not serve') === true);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(log.filter((message) => message.includes('failed')).length).toBeLessThanOrEqual(2);
    await installWidgets();
    await admin.create(widgets, { metadata: { namespace, name: 'new' } });
    await within(12_000, () => names().includes('new'));
    expect([names(), gone]).toEqual([['new'], ['old']]);
    expect(reflector.state().stale).toBe(false);
  });

  it('lives through access that is revoked and granted again', async () => {
    const user = 'reflector-tester';
    const grant = () => kubectl('create', 'rolebinding', 'tester', '-n', namespace, '--clusterrole=view', `--user=${user}`);
    await grant();
    const { reflector, relay, names, log } = await follow(pods, user);
    await within(10_000, () => isLive(reflector));
    await kubectl('delete', 'rolebinding', 'tester', '-n', namespace);
    // What was opened stays open; whoever comes anew is refused.
    await within(10_000, () => {
      relay.cut();
      return reflector.state().lastFault?.includes('forbidden') === true;
    });
    await admin.create(pods, pod('while-revoked'));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(reflector.state()).toMatchObject({ stale: true, synced: true });
    expect(log.filter((message) => message.includes('failed')).length).toBeLessThanOrEqual(2);
    await grant();
    await within(12_000, () => names().includes('while-revoked'));
    expect(isLive(reflector)).toBe(true);
  });
});
