import { beforeAll, describe, expect, it } from 'vitest';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { keyOf } from '../../src/kube/objects.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { BegunTasks } from './support/begun-tasks.ts';
import { type JudgedCluster, judgeCluster } from './support/judged-cluster.ts';
import { type Call, NodesCluster, newPerformerImage } from './support/nodes-cluster.ts';

const cluster = new NodesCluster();
const namespace = 'rollouts';
const rate = 20;
/** How often a figure is taken; more for the figures of docs/results. */
const samples = Number(process.env.HOURGLASS_SAMPLES ?? '2');
let oracles: JudgedCluster;

beforeAll(async () => {
  await cluster.namespace(namespace);
  await cluster.install('watch');
  oracles = await judgeCluster(cluster, namespace);
  return () => oracles.stop();
});

const ready = async (name: string): Promise<string> => readyOf(await cluster.kube.get(performers, { namespace, name }));
/** The newest spec serves, from no more pods than it asks for. */
const settled = (name: string, replicas = 1): Promise<void> =>
  until(`${name} to settle`, async () => {
    const { metadata, status } = await cluster.kube.get(performers, { namespace, name });
    const isNewest = status?.observedGeneration === metadata?.generation;
    return isNewest && (await ready(name)) === 'True Serving' && (await podsOf(name)).length === replicas;
  });
const podsOf = async (name: string): Promise<readonly string[]> =>
  (await cluster.pods(namespace)).filter((pod) => pod.metadata?.ownerReferences?.[0]?.name === name).map((pod) => keyOf(pod).name);
const targetOf = (name: string, port = 8080): string => `performer-${name}.${namespace}.svc.cluster.local:${port}`;

/** One caller on a long-lived channel and one that dials for each task, while `act` goes on; how their calls went. */
async function underLoad(name: string, act: () => Promise<void>): Promise<Readonly<Record<'channel' | 'dial', readonly Call[]>>> {
  const start = (mode: 'channel' | 'dial') =>
    cluster.startCaller(namespace, `${name}-${mode}`, {
      TARGET: targetOf(name),
      RATE: String(rate),
      MODE: mode,
      PREFIX: `${name}-${mode}`,
    });
  const channel = await start('channel');
  const dial = await start('dial');
  await act();
  return { channel: await channel.stop(), dial: await dial.stop() };
}

const failedOf = (calls: readonly Call[]): readonly Call[] => calls.filter(({ kind }) => kind === 'failed');
const instancesOf = (calls: readonly Call[]): ReadonlySet<string | undefined> => new Set(calls.map(({ instance }) => instance));

describe('a rollout under load', () => {
  it('loses no task and doubles none, over one channel and over a connection for each', async () => {
    await cluster.performer(namespace, 'kit', {}, { drainSeconds: 5 });
    await settled('kit');
    const before = await podsOf('kit');
    const followed = new BegunTasks(cluster, namespace);
    const calls = await underLoad('kit', async () => {
      await cluster.change(namespace, 'kit', { image: newPerformerImage });
      await settled('kit');
    });
    const begun = await followed.stop();
    for (const [mode, all] of Object.entries(calls)) {
      const doubled = all.filter(({ id }) => (begun.get(id)?.length ?? 0) > 1);
      // Sent while GOAWAY was on its way to the client: turned away unseen, so its sender may send it again. grpc-js announces its end once only.
      const refused = all.filter(({ details }) => details === 'Stream refused by server');
      const failed = failedOf(all).filter((call) => !refused.includes(call));
      console.log(
        `rollout, ${mode}: ${all.length} sent, ${failed.length} failed, ${refused.length} refused unseen, ${doubled.length} doubled`,
      );
      expect(failed).toEqual([]);
      expect(refused.length).toBeLessThanOrEqual(1);
      expect(refused.filter(({ id }) => begun.has(id))).toEqual([]);
      expect(doubled).toEqual([]);
      // A log that lost lines would hide a second run.
      expect(all.filter((call) => !begun.has(call.id) && !refused.includes(call))).toEqual([]);
    }
    for (const all of Object.values(calls)) {
      const answering = instancesOf(all.filter(({ kind }) => kind === 'answered'));
      expect(answering).toContain(before[0]);
      expect(answering.size).toBe(2);
    }
  });

  it('loses at most what is in flight where performers die at SIGTERM', async () => {
    const taskMs = 100;
    await cluster.performer(namespace, 'rude', { AT_SIGTERM: 'die', TASK_DELAY_MS: String(taskMs) }, { drainSeconds: 5 });
    await settled('rude');
    const calls = await underLoad('rude', async () => {
      await cluster.change(namespace, 'rude', { image: newPerformerImage });
      await settled('rude');
    });
    // Those begun within one task's time before the end, and, on a connection that is cut, those sent before its client heard of it.
    const inFlight = Math.ceil((rate * taskMs) / 1_000) + 2;
    for (const [mode, all] of Object.entries(calls)) {
      console.log(`rollout of performers that die, ${mode}: ${all.length} sent, ${failedOf(all).length} failed (in flight: ${inFlight})`);
      expect(failedOf(all).length).toBeLessThanOrEqual(inFlight);
    }
  });

  it('that cannot succeed leaves the old pod serving, and says why', async () => {
    await cluster.performer(namespace, 'stuck');
    await settled('stuck');
    const before = await podsOf('stuck');
    const { dial } = await underLoad('stuck', async () => {
      await cluster.change(namespace, 'stuck', { image: 'registry.example.com/absent:1' });
      await until('it to be said', async () => /^False (ImagePull|ErrImage|ImageUnavailable)/.test(await ready('stuck')));
      await cluster.change(namespace, 'stuck', { image: 'registry.example.com/hourglass-test-performer:0.1.0' });
      await settled('stuck');
    });
    expect(failedOf(dial)).toEqual([]);
    expect(await podsOf('stuck')).toEqual(before);
  });

  it('to three replicas lets all of them answer', async () => {
    await cluster.performer(namespace, 'many');
    await settled('many');
    await cluster.change(namespace, 'many', { replicas: 3 });
    await settled('many', 3);
    const caller = await cluster.startCaller(namespace, 'many-caller', {
      TARGET: targetOf('many'),
      RATE: '40',
      SECONDS: '3',
      MODE: 'dial',
    });
    const calls = await caller.stop();
    expect(failedOf(calls)).toEqual([]);
    expect(instancesOf(calls)).toEqual(new Set(await podsOf('many')));
  });
});

describe('a change of the port', () => {
  it('loses no task of a client that takes the new number once Ready shows the new generation', async () => {
    await cluster.performer(namespace, 'moved', {}, { drainSeconds: 10 });
    await settled('moved');
    await cluster.kubectl(
      'patch',
      'performer',
      'moved',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"spec":{"config":{"grpcPort":8081,"environment":{"GRPC_PORT":"8081"}}}}',
    );
    await until('the newest spec to be Ready', async () => {
      const { metadata, status } = await cluster.kube.get(performers, { namespace, name: 'moved' });
      return status?.observedGeneration === metadata?.generation && (await ready('moved')) === 'True Serving';
    });
    const switched = await cluster.startCaller(namespace, 'moved-new', { TARGET: targetOf('moved', 8081), RATE: `${rate}`, SECONDS: '2' });
    const calls = await switched.stop();
    expect(failedOf(calls)).toEqual([]);
    expect(calls.length).toBeGreaterThan(0);
    await settled('moved');
  });
});

describe('a pod that is killed', () => {
  it('is replaced, and the replacement is routed to', async () => {
    await cluster.performer(namespace, 'killed');
    await settled('killed');
    const { ready: endpoints, stop } = await cluster.probe(namespace);
    const took: number[] = [];
    for (let run = 0; run < samples; run += 1) {
      const [name = ''] = await podsOf('killed');
      const startedMs = performance.now();
      await cluster.kubectl('delete', 'pod', '-n', namespace, name, '--grace-period=0', '--force');
      await until('its endpoint to go', async () => endpoints().get('performer-killed') === 0, 10_000);
      await until('an endpoint again', async () => (endpoints().get('performer-killed') ?? 0) > 0);
      took.push(performance.now() - startedMs);
      await settled('killed');
    }
    await stop();
    took.sort((a, b) => a - b);
    console.log(
      `pod killed → endpoint again: p50 ${Math.round(took[took.length >> 1] ?? 0)} ms, max ${Math.round(took.at(-1) ?? 0)} ms, n ${took.length}`,
    );
    expect(took).toHaveLength(samples);
  });
});

describe('all of that', () => {
  it('kept what every cluster is held to', () => {
    oracles.rest();
    expect(oracles.violations()).toEqual([]);
    expect(oracles.evaluated()).toEqual(expect.arrayContaining(['S1', 'S3', 'L1', 'L3', 'L4']));
  });
});
