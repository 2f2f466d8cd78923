import { beforeAll, describe, expect, it } from 'vitest';
import type { Call } from '../../../chaos/observations.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { keyOf } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/oracle/kit.ts';
import { readyOf, until } from '../../parity/support/real-cluster.ts';
import { BegunTasks } from '../support/begun-tasks.ts';
import { type JudgedCluster, judgeCluster } from '../support/judged-cluster.ts';
import { type NodesCluster, newPerformerImage } from '../support/nodes-cluster.ts';
import { objectOf, renderTimes, timePhases } from '../support/phases.ts';

/** Changes of Performers under load, and pods that end. */
export function describeRollouts(cluster: NodesCluster): void {
  describe('Performers that change', () => {
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
    /** Uids of the pods that a Service of a Performer routes to, as far as a change tells. */
    const endpointsOf = (change: Change, name: string): readonly string[] => {
      const slice = objectOf('endpointSlices', change);
      if (slice?.metadata?.labels?.['kubernetes.io/service-name'] !== `performer-${name}`) return [];
      return (slice.endpoints ?? []).flatMap(({ conditions, targetRef }) => (conditions?.ready === true ? (targetRef?.uid ?? []) : []));
    };
    const killedPod = async (): Promise<{ readonly name: string; readonly uid: string | undefined }> => {
      const pod = (await cluster.pods(namespace)).find(({ metadata }) => metadata?.ownerReferences?.[0]?.name === 'killed');
      return { name: keyOf(pod ?? {}).name, uid: pod?.metadata?.uid };
    };
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
        const begun = await followed.stop([...calls.channel, ...calls.dial].map(({ id }) => id));
        for (const [mode, all] of Object.entries(calls)) {
          const doubled = all.filter(({ id }) => (begun.get(id)?.length ?? 0) > 1);
          console.log(`rollout, ${mode}: ${all.length} sent, ${failedOf(all).length} failed, ${doubled.length} doubled`, failedOf(all));
          expect(failedOf(all)).toEqual([]);
          expect(doubled).toEqual([]);
          // A log that lost lines would hide a second run.
          expect(all.filter((call) => !begun.has(call.id))).toEqual([]);
        }
        for (const all of Object.values(calls)) {
          const answering = instancesOf(all.filter(({ kind }) => kind === 'answered'));
          expect(answering).toContain(before[0]);
          expect(answering.size).toBe(2);
        }
      });

      it('loses at most what is in flight where performers die at SIGTERM', async () => {
        await cluster.performer(namespace, 'rude', { AT_SIGTERM: 'die', TASK_DELAY_MS: '100' }, { drainSeconds: 5 });
        await settled('rude');
        const calls = await underLoad('rude', async () => {
          await cluster.change(namespace, 'rude', { image: newPerformerImage });
          await settled('rude');
        });
        for (const [mode, all] of Object.entries(calls)) {
          const failed = failedOf(all);
          console.log(`rollout of performers that die, ${mode}: ${all.length} sent, ${failed.length} failed`);
          // In flight at one moment, that of the end: the last of them began before the first of them was over.
          const lastBegunMs = Math.max(...failed.map(({ atMs }) => atMs));
          expect(failed.filter(({ atMs, tookMs }) => atMs + tookMs < lastBegunMs)).toEqual([]);
        }
      });

      it('that cannot succeed leaves the old pod serving, and says why', async () => {
        await cluster.performer(namespace, 'stuck');
        await settled('stuck');
        const before = await podsOf('stuck');
        const { channel, dial } = await underLoad('stuck', async () => {
          await cluster.change(namespace, 'stuck', { image: 'registry.example.com/absent:1' });
          await until('it to be said', async () => /^False (ImagePull|ErrImage|ImageUnavailable)/.test(await ready('stuck')));
          await cluster.change(namespace, 'stuck', { image: 'registry.example.com/hourglass-test-performer:0.1.0' });
          await settled('stuck');
        });
        expect(failedOf(channel)).toEqual([]);
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
          MODE: 'dial',
        });
        await caller.heard('all of them', (calls) => instancesOf(calls).size >= 3);
        const calls = await caller.stop();
        expect(failedOf(calls)).toEqual([]);
        expect(instancesOf(calls)).toEqual(new Set(await podsOf('many')));
      });
    });

    describe('a change of the port', () => {
      it('loses no task of a client that takes the new number once Ready shows the new generation, nor on a channel to the old one until the drain ends', async () => {
        await cluster.performer(namespace, 'moved', {}, { drainSeconds: 10 });
        await settled('moved');
        const [old = ''] = await podsOf('moved');
        const start = (name: string, port: number, mode: 'channel' | 'dial') =>
          cluster.startCaller(namespace, name, { TARGET: targetOf('moved', port), RATE: `${rate}`, MODE: mode });
        const kept = await start('moved-old', 8080, 'channel');
        const late = await start('moved-late', 8080, 'dial');
        await cluster.change(namespace, 'moved', { config: { grpcPort: 8081, environment: { GRPC_PORT: '8081' } } });
        await until('the newest spec to be Ready', async () => {
          const { metadata, status } = await cluster.kube.get(performers, { namespace, name: 'moved' });
          return status?.observedGeneration === metadata?.generation && (await ready('moved')) === 'True Serving';
        });
        const readyAtMs = Date.now();
        const switched = await start('moved-new', 8081, 'dial');
        // Asked for before it is looked at: the pod was there at that time at the least.
        let seenAtMs = 0;
        await until('the drain to end', async () => {
          const askedAtMs = Date.now();
          const isThere = (await podsOf('moved')).includes(old);
          if (isThere) seenAtMs = askedAtMs;
          return !isThere;
        });
        await settled('moved');
        expect(failedOf(await switched.stop())).toEqual([]);
        const before = (await kept.stop()).filter(({ atMs, tookMs }) => atMs + tookMs < seenAtMs);
        expect(failedOf(before)).toEqual([]);
        // The entry of the old number gets another name, and until its endpoints are known again kube-proxy turns new connections away.
        const away = failedOf(await late.stop()).filter(({ atMs, tookMs }) => atMs + tookMs < seenAtMs);
        console.log(`change of the port: ${away.length} new connections to the old number turned away while it changes its name`);
        expect(away.filter(({ atMs }) => atMs > readyAtMs)).toEqual([]);
        expect(before.filter(({ atMs }) => atMs > readyAtMs).length).toBeGreaterThan(0);
      });
    });

    describe('a pod that is killed', () => {
      it(
        'is replaced, and the replacement is routed to',
        async () => {
          await cluster.performer(namespace, 'killed');
          await settled('killed');
          const took: number[] = [];
          for (let run = 0; run < samples; run += 1) {
            const { name, uid } = await killedPod();
            const { endedAtMs, stop } = await timePhases(cluster, namespace, {
              'endpoint again': (change) => endpointsOf(change, 'killed').some((one) => one !== uid),
            });
            const startedMs = Date.now();
            await cluster.kubectl('delete', 'pod', '-n', namespace, name, '--grace-period=0', '--force');
            await until('an endpoint of another pod', async () => endedAtMs.has('endpoint again'));
            stop();
            took.push((endedAtMs.get('endpoint again') ?? 0) - startedMs);
            await settled('killed');
            expect((await killedPod()).uid).not.toBe(uid);
          }
          console.log(`pod killed → endpoint of another: ${renderTimes(took)}`);
        },
        60_000 + samples * 30_000,
      );
    });

    describe('all of that', () => {
      it('kept what every cluster is held to', () => {
        const { violations, evaluated } = oracles.judge();
        expect(violations).toEqual([]);
        expect(Object.keys(evaluated).filter((id) => evaluated[id] !== 0)).toEqual(
          expect.arrayContaining(['S1', 'S3', 'S6', 'W1', 'L1', 'L4']),
        );
      });
    });
  });
}
