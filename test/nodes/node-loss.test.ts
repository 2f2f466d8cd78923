import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { operatorNamespace } from '../../chaos/experiment.ts';
import type { Call } from '../../chaos/observations.ts';
import { annotations, leaseName } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { keyOf, type Node, nodes, type Pod } from '../../src/kube/objects.ts';
import { ctr } from '../../src/testbed/nodes/node-plan.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { type Caller, NodesCluster } from './support/nodes-cluster.ts';
import { isPodReady, objectOf, type PhaseEnd, renderTimes, timePhases } from './support/phases.ts';

/** For the figures of docs/results/nodes.md: how often a node is lost, and how soon that is noticed. */
const losses = Number(process.env.HOURGLASS_LOSSES ?? '1');
const timers = process.env.HOURGLASS_TIMERS === 'stock' ? 'stock' : 'fast';
/** A node lost, its pod replaced, and the node back. */
const lossLimitMs = timers === 'stock' ? 400_000 : 180_000;
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
  until(`${name} to settle`, async () => (await ready(name)) === 'True Serving' && (await podsOf(name)).length === replicas, lossLimitMs);
/** Whether another pod than this one serves. */
const isReplaced = async (name: string, pod: string): Promise<boolean> =>
  (await podsOf(name)).some((one) => keyOf(one).name !== pod && isPodReady(one));
const otherThan = (node: string): string => cluster.nodes.names.find((name) => name !== node) ?? '';
const isLost = ({ spec }: Node): boolean =>
  spec?.taints?.some(({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute') === true;

/** The pod that the operator's Lease names, and its node. */
async function findLeader(): Promise<{ readonly pod: string; readonly node: string }> {
  const pod = await cluster.kubectl('get', 'lease', '-n', operatorNamespace, leaseName, '-o', 'jsonpath={.spec.holderIdentity}');
  return { pod, node: await cluster.kubectl('get', 'pod', '-n', operatorNamespace, pod, '-o', 'jsonpath={.spec.nodeName}') };
}

/** Ends the operator's leader for as long as it runs on the node. */
async function leadFromElsewhere(node: string): Promise<void> {
  await until(
    'the operator to lead from another node',
    async () => {
      const leader = await findLeader();
      if (leader.node !== node) return true;
      await cluster.kubectl('delete', 'pod', '-n', operatorNamespace, leader.pod);
      return false;
    },
    lossLimitMs,
  );
}

/** A Performer that serves from one pod, on `onNode` where that is given. */
async function serve(name: string, spec: object, onNode?: string): Promise<{ readonly pod: string; readonly node: string }> {
  const others = onNode === undefined ? [] : cluster.nodes.names.filter((one) => one !== onNode);
  if (others.length > 0) await cluster.kubectl('cordon', ...others);
  await cluster.performer(namespace, name, {}, spec);
  await settled(name);
  if (others.length > 0) await cluster.kubectl('uncordon', ...others);
  return await podNow(name);
}

async function podNow(name: string): Promise<{ readonly pod: string; readonly node: string }> {
  const [pod] = await podsOf(name);
  return { pod: pod === undefined ? '' : keyOf(pod).name, node: pod?.spec?.nodeName ?? '' };
}

/** The node is on, Ready, and no longer thought to be lost. */
async function switchOn(node: string): Promise<void> {
  await cluster.nodes.start(node);
  await until(
    `${node} to be back`,
    async () => {
      const seen = await cluster.kube.get(nodes, { namespace: '', name: node });
      return !isLost(seen) && seen.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    },
    lossLimitMs,
  );
}

/** How the calls of a client on another node went, one connection each, while `act` took the node away. */
async function whileCalling(name: string, node: string, act: (caller: Caller) => Promise<void>): Promise<readonly Call[]> {
  const caller = await cluster.startCaller(
    namespace,
    `${name}-caller`,
    { TARGET: `performer-${name}.${namespace}.svc.cluster.local:8080`, RATE: '20', MODE: 'dial', DEADLINE_MS: '1000' },
    otherThan(node),
  );
  await act(caller);
  return await caller.stop();
}

/** What happens between the loss of a node and a pod in the place of the one that it had. */
function phasesOf(name: string, lost: { readonly pod: string; readonly node: string }): Readonly<Record<string, PhaseEnd>> {
  const ours = (change: Parameters<PhaseEnd>[0]): Pod | undefined => {
    const pod = objectOf('pods', change);
    return pod?.metadata?.ownerReferences?.[0]?.name === name ? pod : undefined;
  };
  const other = (change: Parameters<PhaseEnd>[0]): Pod | undefined => {
    const pod = ours(change);
    return pod !== undefined && keyOf(pod).name !== lost.pod ? pod : undefined;
  };
  const isNode = (node: Node | undefined): node is Node => node !== undefined && keyOf(node).name === lost.node;
  return {
    'node said to be lost': (change) => {
      const node = objectOf('nodes', change);
      return isNode(node) && isLost(node);
    },
    'pod taken out': (change) => ours(change)?.metadata?.annotations?.[annotations.withdrawnAt] !== undefined,
    'replacement created': (change) => other(change) !== undefined,
    'replacement started': (change) => other(change)?.status?.containerStatuses?.[0]?.state?.running !== undefined,
    'replacement ready': (change) => isPodReady(other(change)),
  };
}

/** Switches the node of a Performer's only pod off, and says when what followed did, up to the first answer of another pod. */
async function loseNode(name: string): Promise<ReadonlyMap<string, number>> {
  const lost = await podNow(name);
  const { endedAtMs, stop } = await timePhases(cluster, namespace, phasesOf(name, lost));
  let lostAtMs = 0;
  const isAnswerOfOther = ({ kind, instance }: Call): boolean => kind === 'answered' && instance !== lost.pod;
  const calls = await whileCalling(name, lost.node, async (caller) => {
    lostAtMs = Date.now();
    await cluster.nodes.stop(lost.node);
    await until('a replacement to serve', () => isReplaced(name, lost.pod), lossLimitMs);
    await caller.heard('the replacement', (heard) => heard.some(isAnswerOfOther));
  });
  stop();
  await switchOn(lost.node);
  await settled(name);
  const answer = calls.find(isAnswerOfOther);
  const ends = new Map(endedAtMs).set('first answer', (answer?.atMs ?? 0) + (answer?.tookMs ?? 0));
  return new Map([...ends].map(([phase, atMs]) => [phase, atMs - lostAtMs]));
}

const inOrder = [
  'node said to be lost',
  'pod taken out',
  'replacement created',
  'replacement started',
  'replacement ready',
  'first answer',
];
const render = (tookMs: ReadonlyMap<string, number>): string => [...tookMs].map(([phase, ms]) => `${phase} ${ms}`).join(' · ');

describe('a node that loses its power', () => {
  it(
    'has its pod replaced under Route, and no second pod is left when it is back',
    async () => {
      const tookMs: number[] = [];
      await serve('route', { nodeLossPolicy: 'Route' });
      for (let loss = 0; loss < losses; loss += 1) {
        await leadFromElsewhere((await podNow('route')).node);
        const phases = await loseNode('route');
        console.log(`node off (${timers}), ms: ${render(phases)}`);
        expect([...phases.keys()]).toEqual(inOrder);
        tookMs.push(phases.get('first answer') ?? 0);
      }
      console.log(`node off → replacement answers (${timers}): ${renderTimes(tookMs)}`);
    },
    losses * lossLimitMs + 60_000,
  );

  it(
    'takes the operator that leads with it, and the other one does the same',
    async () => {
      const { node } = await findLeader();
      await serve('led', { nodeLossPolicy: 'Route' }, node);
      const leader = await findLeader();
      const phases = await loseNode('led');
      console.log(`node of the leader off (${timers}), ms: ${render(phases)}`);
      expect([...phases.keys()]).toEqual(inOrder);
      expect((await findLeader()).pod).not.toBe(leader.pod);
    },
    lossLimitMs + 60_000,
  );

  it(
    'has its pod waited for under Strict, until it is said to be out of service',
    async () => {
      const { pod, node } = await serve('strict', { nodeLossPolicy: 'Strict' });
      await cluster.nodes.stop(node);
      await until('the loss to be said', async () => (await ready('strict')) === 'False NodeLost', lossLimitMs);
      await until('the node to be lost', async () => isLost(await cluster.kube.get(nodes, { namespace: '', name: node })), lossLimitMs);
      // Three times what Route waits.
      await sleep(9_000);
      expect(await ready('strict')).toBe('False NodeLost');
      expect((await podsOf('strict')).map((one) => keyOf(one).name)).toEqual([pod]);
      await cluster.kubectl('taint', 'node', node, 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute');
      await settled('strict');
      expect((await podsOf('strict')).map(({ spec }) => spec?.nodeName)).not.toContain(node);
      await cluster.kubectl('taint', 'node', node, 'node.kubernetes.io/out-of-service:NoExecute-');
      await switchOn(node);
      await settled('strict');
    },
    lossLimitMs * 2,
  );
});

describe('a node whose kubelet is cut off for a minute', () => {
  it(
    'keeps a pod that nobody calls any more, and one pod is left once it is healed',
    async () => {
      const { pod, node } = await serve('zombie', { nodeLossPolicy: 'Route' });
      const [container = ''] = (await podsOf('zombie')).map(({ status }) => status?.containerStatuses?.[0]?.containerID ?? '');
      const isAlive = (): boolean =>
        cluster.nodes
          .run(node, [...ctr, 'tasks', 'ls'])
          .split('\n')
          .some((line) => line.startsWith(container.replace('containerd://', '')) && line.includes('RUNNING'));
      let routedAwayMs = 0;
      let healedMs = 0;
      const calls = await whileCalling('zombie', node, async (caller) => {
        const cutMs = Date.now();
        cluster.nodes.cut(node, 'control-plane');
        await until('a replacement to serve', () => isReplaced('zombie', pod), lossLimitMs);
        // What a kube-proxy on another node makes of it takes a moment more.
        await caller.heard('the replacement alone', (heard) =>
          heard.slice(-20).every(({ kind, instance }) => kind === 'answered' && instance !== pod),
        );
        routedAwayMs = Date.now();
        await sleep(Math.max(5_000, cutMs + 60_000 - Date.now()));
        expect(isAlive()).toBe(true);
        healedMs = Date.now();
        cluster.nodes.heal(node);
        await settled('zombie');
      });
      const meanwhile = calls.filter(({ atMs }) => atMs > routedAwayMs && atMs < healedMs);
      expect(meanwhile.filter(({ kind }) => kind === 'answered').length).toBeGreaterThan(10);
      expect(meanwhile.map(({ instance }) => instance)).not.toContain(pod);
      expect(calls.filter(({ atMs }) => atMs < routedAwayMs).map(({ instance }) => instance)).toContain(pod);
    },
    lossLimitMs * 2,
  );
});

describe('a node that is drained', () => {
  const drain = async (node: string, name: string): Promise<void> => {
    const selector = `--pod-selector=hourglass.eigenlayer.io/performer=${name}`;
    await cluster.kubectl('drain', node, '--ignore-daemonsets', '--force', '--delete-emptydir-data', selector, '--timeout=60s');
  };

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
    const { node } = await podNow('pair');
    await drain(node, 'pair');
    await settled('pair', 2);
    await stop();
    expect((await podsOf('pair')).map(({ spec }) => spec?.nodeName)).not.toContain(node);
    await cluster.kubectl('uncordon', node);
    expect(gaps.filter((gap) => gap.startsWith('performer-pair '))).toEqual([]);
  });

  it('has its only replica made again elsewhere, after a gap that is printed', async () => {
    const { pod, node } = await serve('single', {});
    const calls = await whileCalling('single', node, async (caller) => {
      await drain(node, 'single');
      await until('a replacement to serve', () => isReplaced('single', pod));
      await settled('single');
      await caller.heard('the replacement', (heard) => heard.some(({ kind, instance }) => kind === 'answered' && instance !== pod));
    });
    await cluster.kubectl('uncordon', node);
    const answered = calls.filter(({ kind }) => kind === 'answered').map(({ atMs }) => atMs);
    const gapMs = Math.max(...answered.slice(1).map((atMs, at) => atMs - (answered[at] ?? 0)));
    console.log(`node drained, one replica: nothing was answered for ${gapMs} ms`);
    expect(new Set(calls.flatMap(({ instance }) => instance ?? []))).toEqual(new Set([pod, (await podNow('single')).pod]));
    expect((await podNow('single')).node).not.toBe(node);
  });
});
