import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { keyOf, type Pod } from '../../src/kube/objects.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { NodesCluster } from './support/nodes-cluster.ts';

/** For the figures of docs/results/nodes.md: how often a node is lost, and how soon that is noticed. */
const losses = Number(process.env.HOURGLASS_LOSSES ?? '1');
const timers = process.env.HOURGLASS_TIMERS === 'stock' ? 'stock' : 'fast';
const cluster = new NodesCluster({ timers });
const namespace = 'losses';

beforeAll(async () => {
  await cluster.namespace(namespace);
  await cluster.install('watch');
});

const ready = async (name: string): Promise<string> => readyOf(await cluster.kube.get(performers, { namespace, name }));
const podsOf = async (name: string): Promise<readonly Pod[]> =>
  (await cluster.pods(namespace)).filter((pod) => pod.metadata?.ownerReferences?.[0]?.name === name);
const settled = (name: string, replicas = 1): Promise<void> =>
  until(`${name} to settle`, async () => (await ready(name)) === 'True Serving' && (await podsOf(name)).length === replicas, 120_000);
const isReady = ({ status }: Pod): boolean => status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
/** Whether another pod than this one serves. */
const isReplaced = async (name: string, pod: string | undefined): Promise<boolean> =>
  (await podsOf(name)).some((one) => keyOf(one).name !== pod && isReady(one));
const targetOf = (name: string): string => `performer-${name}.${namespace}.svc.cluster.local:8080`;
const otherThan = (node: string): string => cluster.nodes.names.find((name) => name !== node) ?? '';

/** A Performer that serves from one pod; its pod's name and node. */
async function serving(name: string, spec: object): Promise<{ readonly pod: string; readonly node: string }> {
  await cluster.performer(namespace, name, {}, spec);
  await settled(name);
  const [pod] = await podsOf(name);
  return { pod: pod === undefined ? '' : keyOf(pod).name, node: pod?.spec?.nodeName ?? '' };
}

/** Takes the node away while somebody calls from another one; returns what was answered after the loss. */
async function whileCalling(
  name: string,
  node: string,
  act: () => Promise<void>,
): Promise<readonly { readonly kind: string; readonly atMs: number; readonly instance?: string }[]> {
  const caller = await cluster.startCaller(
    namespace,
    `${name}-caller`,
    { TARGET: targetOf(name), RATE: '10', MODE: 'dial', DEADLINE_MS: '1000' },
    otherThan(node),
  );
  await act();
  return await caller.stop();
}

describe('a node that loses its power', () => {
  it('has its pod replaced under Route, and no second pod is left when it is back', async () => {
    const tookMs: number[] = [];
    await serving('route', { nodeLossPolicy: 'Route' });
    for (let loss = 0; loss < losses; loss += 1) {
      const [lost] = await podsOf('route');
      const [pod, node] = [lost?.metadata?.name, lost?.spec?.nodeName ?? ''];
      let lostAtMs = 0;
      const calls = await whileCalling('route', node, async () => {
        lostAtMs = Date.now();
        await cluster.nodes.stop(node);
        await until('a replacement to serve', () => isReplaced('route', pod), 180_000);
        await sleep(3_000);
      });
      const answer = calls.find(({ kind, atMs, instance }) => kind === 'answered' && atMs > lostAtMs && instance !== pod);
      expect(answer).toBeDefined();
      tookMs.push((answer?.atMs ?? 0) - lostAtMs);
      await cluster.nodes.start(node);
      await settled('route');
      await until('the node to be back', async () => (await cluster.kubectl('get', 'node', node)).includes(' Ready '), 120_000);
    }
    tookMs.sort((a, b) => a - b);
    console.log(
      `node off → replacement answers (${timers}): p50 ${tookMs[tookMs.length >> 1]} ms, max ${tookMs.at(-1)} ms, n ${tookMs.length}`,
    );
  });

  it('has its pod waited for under Strict, until it is said to be out of service', async () => {
    const { pod, node } = await serving('strict', { nodeLossPolicy: 'Strict' });
    await cluster.nodes.stop(node);
    await until('the loss to be said', async () => (await ready('strict')).startsWith('False'));
    await sleep(15_000);
    expect((await podsOf('strict')).map((one) => keyOf(one).name)).toEqual([pod]);
    await cluster.kubectl('taint', 'node', node, 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute');
    await settled('strict');
    expect((await podsOf('strict')).map(({ spec }) => spec?.nodeName)).not.toContain(node);
    await cluster.nodes.start(node);
    await cluster.kubectl('taint', 'node', node, 'node.kubernetes.io/out-of-service:NoExecute-');
    await settled('strict');
  });
});

describe('a node whose kubelet is cut off', () => {
  it('keeps a pod that nobody calls any more, and one pod is left once it is healed', async () => {
    const { pod, node } = await serving('zombie', { nodeLossPolicy: 'Route' });
    let routedAwayMs = 0;
    let healedMs = 0;
    const calls = await whileCalling('zombie', node, async () => {
      cluster.nodes.cut(node, 'control-plane');
      await until('a replacement to serve', () => isReplaced('zombie', pod));
      // What a kube-proxy on another node makes of it takes a moment more.
      await sleep(3_000);
      routedAwayMs = Date.now();
      await sleep(5_000);
      healedMs = Date.now();
      cluster.nodes.heal(node);
      await settled('zombie');
    });
    const meanwhile = calls.filter(({ atMs }) => atMs > routedAwayMs && atMs < healedMs);
    expect(meanwhile.filter(({ kind }) => kind === 'answered').length).toBeGreaterThan(10);
    expect(meanwhile.map(({ instance }) => instance)).not.toContain(pod);
  });
});

describe('a node that is drained', () => {
  it('leaves no gap in what serves, with two replicas and a budget for disruptions', async () => {
    await cluster.performer(namespace, 'pair', {}, { replicas: 2 });
    await settled('pair', 2);
    await cluster.apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'pair', namespace },
      spec: { minAvailable: 1, selector: { matchLabels: { 'hourglass.eigenlayer.io/performer': 'pair' } } },
    });
    const { gaps, stop } = await cluster.probe(namespace);
    const node = (await podsOf('pair'))[0]?.spec?.nodeName ?? '';
    await cluster.kubectl('cordon', node);
    await cluster.kubectl(
      'drain',
      node,
      '--ignore-daemonsets',
      '--force',
      '--delete-emptydir-data',
      '--pod-selector=hourglass.eigenlayer.io/performer=pair',
      '--timeout=25s',
    );
    await settled('pair', 2);
    await stop();
    await cluster.kubectl('uncordon', node);
    expect(gaps.filter((gap) => gap.startsWith('performer-pair '))).toEqual([]);
  });
});
