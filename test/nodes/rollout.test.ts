import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { endpointSlices } from '../../src/kube/objects.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { BegunTasks } from './support/begun-tasks.ts';
import { type Call, NodesCluster, newPerformerImage, performerImage } from './support/nodes-cluster.ts';

const cluster = new NodesCluster();
const namespace = 'rollouts';
const rate = 20;

describe('a Performer under 20 tasks/s, on real nodes', () => {
  beforeAll(async () => {
    await cluster.namespace(namespace);
    await cluster.install('watch');
  });

  const get = (name: string) => cluster.kube.get(performers, { namespace, name });
  /** Settled on the newest spec, with the pods of before gone. */
  const settled = (name: string, replicas = 1): Promise<void> =>
    until(`${name} to settle`, async () => {
      const performer = await get(name);
      const { observedGeneration, readyReplicas, updatedReplicas } = performer?.status ?? {};
      const pods = (await cluster.pods(namespace)).filter(({ metadata }) => metadata?.name?.startsWith(`performer-${name}`));
      return (
        readyOf(performer) === 'True Serving' &&
        observedGeneration === performer?.metadata?.generation &&
        readyReplicas === replicas &&
        updatedReplicas === replicas &&
        pods.length === replicas
      );
    });

  /** Calls by one long-lived channel and, apart, by a connection for each task, while `act` runs. */
  async function underLoad(name: string, act: () => Promise<void>): Promise<Record<'channel' | 'dial', readonly Call[]>> {
    const TARGET = `performer-${name}.${namespace}.svc.cluster.local:8080`;
    const start = (MODE: 'channel' | 'dial') =>
      cluster.startCaller(namespace, `${name}-${MODE}`, { TARGET, MODE, RATE: `${rate}`, PREFIX: `${name}-${MODE}` });
    const [channel, dial] = await Promise.all([start('channel'), start('dial')]);
    await sleep(1_500);
    await act();
    await sleep(1_500);
    const [byChannel, byDial] = await Promise.all([channel.stop(), dial.stop()]);
    return { channel: byChannel, dial: byDial };
  }

  function tell(what: string, calls: readonly Call[], begun: ReadonlyMap<string, readonly string[]>) {
    const failed = calls.filter(({ kind }) => kind === 'failed');
    const doubled = calls.filter(({ id }) => (begun.get(id)?.length ?? 0) > 1);
    console.log(`${what}: sent ${calls.length}, failed ${failed.length}, doubled ${doubled.length}`);
    return { failed, doubled };
  }

  it('gets a new image without a task failed or doubled', async () => {
    await cluster.performer(namespace, 'x', { TASK_DELAY_MS: '100' });
    await settled('x');
    const followed = new BegunTasks(cluster, namespace);
    const calls = await underLoad('x', async () => {
      await cluster.change(namespace, 'x', { image: newPerformerImage });
      await settled('x');
    });
    const begun = await followed.stop();
    for (const mode of ['channel', 'dial'] as const) {
      const { failed, doubled } = tell(`image rollout, ${mode}`, calls[mode], begun);
      expect(failed).toEqual([]);
      expect(doubled).toEqual([]);
      expect(calls[mode].filter(({ id }) => !begun.has(id))).toEqual([]);
      expect(calls[mode].at(0)?.instance).not.toBe(calls[mode].at(-1)?.instance);
    }
  });

  it('goes on answering while a bad image is asked for, and settles without a lost task once that is taken back', async () => {
    const before = (await get('x'))?.status?.podName;
    const followed = new BegunTasks(cluster, namespace);
    const calls = await underLoad('x', async () => {
      await cluster.change(namespace, 'x', { image: `${performerImage}-nowhere` });
      await until('the reason to be told', async () =>
        ((await get('x'))?.status?.conditions ?? []).some(({ reason }) => reason === 'ImagePullFailed'),
      );
      await cluster.change(namespace, 'x', { image: newPerformerImage });
      await settled('x');
    });
    const begun = await followed.stop();
    for (const mode of ['channel', 'dial'] as const) {
      const { failed, doubled } = tell(`bad image, ${mode}`, calls[mode], begun);
      expect(failed).toEqual([]);
      expect(doubled).toEqual([]);
      expect(new Set(calls[mode].map(({ instance }) => instance))).toEqual(new Set([before]));
    }
  });

  it('answers from each of three replicas once it is scaled to them', async () => {
    await cluster.change(namespace, 'x', { replicas: 3 });
    await settled('x', 3);
    const calls = await underLoad('x', () => sleep(1_000));
    expect(calls.dial.filter(({ kind }) => kind === 'failed')).toEqual([]);
    const names = (await cluster.pods(namespace)).map(({ metadata }) => metadata?.name);
    expect(new Set(calls.dial.map(({ instance }) => instance))).toEqual(new Set(names));
  });

  it('loses at most the tasks in flight when its performer dies at SIGTERM', async () => {
    await cluster.performer(namespace, 'dying', { TASK_DELAY_MS: '100', AT_SIGTERM: 'die' });
    await settled('dying');
    const followed = new BegunTasks(cluster, namespace);
    const calls = await underLoad('dying', async () => {
      await cluster.change(namespace, 'dying', { image: newPerformerImage });
      await settled('dying');
    });
    const begun = await followed.stop();
    for (const mode of ['channel', 'dial'] as const) {
      const { failed, doubled } = tell(`dies at SIGTERM, ${mode}`, calls[mode], begun);
      const firstEndMs = Math.min(...failed.map(({ atMs, tookMs }) => atMs + tookMs));
      expect(failed.filter(({ atMs }) => atMs > firstEndMs)).toEqual([]);
      expect(doubled).toEqual([]);
    }
  });

  it('is answered for by another pod after its pod was killed', async () => {
    await cluster.performer(namespace, 'killed');
    await settled('killed');
    const samples = Number(process.env.HOURGLASS_SAMPLES ?? 3);
    const tookMs: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      const [pod] = (await cluster.pods(namespace)).filter(({ metadata }) => metadata?.name?.startsWith('performer-killed'));
      const killedMs = performance.now();
      await cluster.kubectl('delete', 'pod', '-n', namespace, pod?.metadata?.name ?? '', '--grace-period=0', '--force');
      await until('another endpoint', async () =>
        (await cluster.kube.list(endpointSlices, { namespace, labelSelector: 'kubernetes.io/service-name=performer-killed' })).items
          .flatMap(({ endpoints }) => endpoints ?? [])
          .some(({ conditions, targetRef }) => conditions?.ready === true && targetRef?.uid !== pod?.metadata?.uid),
      );
      tookMs.push(performance.now() - killedMs);
      await settled('killed');
    }
    const sorted = tookMs.toSorted((a, b) => a - b).map(Math.round);
    console.log(`pod killed → endpoint again: p50 ${sorted[Math.floor(samples / 2)]} ms, max ${sorted.at(-1)} ms, n ${samples}`);
    expect(tookMs).toHaveLength(samples);
  });
});
