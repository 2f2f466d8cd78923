import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { operatorNamespace } from '../../chaos/experiment.ts';
import { leaseName } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { isApiSqueezed, releaseApi, squeezeApi } from '../../src/testbed/api-squeeze.ts';
import { clustersHome, registryDirOf } from '../../src/testbed/cluster-state.ts';
import { openComponentFaults } from '../../src/testbed/component-faults.ts';
import { findContainer, isContainerStopped, signalContainer } from '../../src/testbed/nodes/container-faults.ts';
import { directPods, startPodProxy } from '../../src/testbed/nodes/pod-proxy.ts';
import { silentProgress } from '../../src/testbed/progress.ts';
import { ensureTool } from '../../src/testbed/tools.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { NodesCluster } from './support/nodes-cluster.ts';

const cluster = new NodesCluster({ count: 2 });
const namespace = 'paths';
const operator = { namespace: operatorNamespace, name: 'hourglass-operator' };
const account = { namespace: operatorNamespace, serviceAccount: 'hourglass-operator' };
/** Several times what an operator that reaches the API server takes. */
const longMs = 6_000;

beforeAll(async () => {
  await cluster.namespace(namespace);
  await cluster.install('watch');
});

const registryDir = (): string => registryDirOf(clustersHome(process.env), cluster.cluster.name);
const isServing = async (name: string): Promise<boolean> =>
  readyOf(await cluster.kube.get(performers, { namespace, name })) === 'True Serving';
const serves = (name: string): Promise<void> => until(`${name} to serve`, () => isServing(name));
/** Asks for a Performer while the operator is kept from its API server: it serves only once that is over. */
async function waitsForEnd(name: string, end: () => Promise<void> | void): Promise<void> {
  await cluster.performer(namespace, name);
  await sleep(longMs);
  expect(await isServing(name)).toBe(false);
  await end();
  await serves(name);
}

describe('the way from the operator to the API server', () => {
  it('leads through a proxy that does what it is told, and directly again', async () => {
    const proxy = await startPodProxy(registryDir(), { seed: 1 });
    try {
      await directPods(cluster.cluster, operator, proxy);
      await cluster.performer(namespace, 'through');
      await serves('through');
      const { openStreams } = proxy.stats();
      expect(openStreams).toBeGreaterThan(0);
      await waitsForEnd('refused', proxy.inject({ name: 'refuse' }));
      await waitsForEnd('silent', proxy.inject({ name: 'half-open' }, { durationMs: 3_600_000 }));
      expect(proxy.stats().faults).toMatchObject({ refuse: 1 });
    } finally {
      await directPods(cluster.cluster, operator);
      await proxy.close();
    }
    await cluster.performer(namespace, 'direct');
    await serves('direct');
  });

  it('is narrow while its account is squeezed: it is told to wait, and gets there', async () => {
    const countRefused = async (): Promise<number> => {
      const metrics = await cluster.kubectl('get', '--raw', '/metrics');
      return Number(/^apiserver_flowcontrol_rejected_requests_total\{flow_schema="hourglass-squeeze".*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    };
    for (let twice = 0; twice < 2; twice += 1) await squeezeApi(cluster.cluster, account);
    expect(await isApiSqueezed(cluster.cluster)).toBe(true);
    const names = Array.from({ length: 8 }, (_, index) => `squeezed-${index}`);
    await Promise.all(names.map((name) => cluster.performer(namespace, name)));
    await until('a refusal', async () => (await countRefused()) > 0);
    for (const name of names) await serves(name);
    for (let twice = 0; twice < 2; twice += 1) await releaseApi(cluster.cluster);
    expect(await isApiSqueezed(cluster.cluster)).toBe(false);
  });

  it('leads to nowhere while the API server stands still or is stopped, or its etcd', async () => {
    const { stop, hang } = openComponentFaults(registryDir(), await ensureTool('control-plane', silentProgress));
    const answers = (): Promise<boolean> =>
      cluster.kubectl('get', '--raw', '/readyz', '--request-timeout=2s').then(
        () => true,
        () => false,
      );
    for (const [fault, component] of [
      [hang, 'kube-apiserver'],
      [stop, 'kube-apiserver'],
      [hang, 'etcd'],
      [stop, 'etcd'],
    ] as const) {
      expect(fault.isThere(component)).toBe(false);
      for (let twice = 0; twice < 2; twice += 1) await fault.apply(component);
      expect(fault.isThere(component)).toBe(true);
      await until('no answer', async () => !(await answers()));
      for (let twice = 0; twice < 2; twice += 1) await fault.undo(component);
      expect(fault.isThere(component)).toBe(false);
      await until('an answer', answers);
    }
    await until('its watches to be back', async () => {
      await cluster.performer(namespace, 'after').catch(() => undefined);
      return isServing('after').catch(() => false);
    });
    await expect(stop.apply('kubelet')).rejects.toThrow('component kubelet: cluster');
  });

  it('is not walked by a leader that stands still; another one leads then', async () => {
    const findLeader = (): Promise<string> =>
      cluster.kubectl('get', 'lease', '-n', operatorNamespace, leaseName, '-o', 'jsonpath={.spec.holderIdentity}');
    const leader = await findLeader();
    const container = await findContainer(cluster.cluster, operatorNamespace, leader);
    await signalContainer(cluster.nodes, container, 'SIGSTOP');
    expect(isContainerStopped(cluster.nodes, container)).toBe(true);
    await until('another leader', async () => (await findLeader()) !== leader, 60_000);
    await signalContainer(cluster.nodes, container, 'SIGCONT');
    expect(isContainerStopped(cluster.nodes, container)).toBe(false);
  });
});
