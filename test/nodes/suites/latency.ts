import { beforeAll, describe, expect, it } from 'vitest';
import { keyOf, type Pod } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/oracle/kit.ts';
import { readyOf, until } from '../../parity/support/real-cluster.ts';
import type { NodesCluster } from '../support/nodes-cluster.ts';
import { isPodReady, objectOf, type PhaseEnd, renderTimes, timePhases } from '../support/phases.ts';

/** More for the figures of docs/results/nodes.md. */
const samples = Number(process.env.HOURGLASS_SAMPLES ?? '2');
const ofThePod = ['pod created', 'scheduled', 'container started', 'pod ready'];

/** Steps from the request to the first answer. */
function phasesOf(name: string): Readonly<Record<string, PhaseEnd>> {
  const podOf = (change: Change): Pod | undefined => {
    const pod = objectOf('pods', change);
    return pod !== undefined && keyOf(pod).name === `performer-${name}` ? pod : undefined;
  };
  return {
    'pod created': (change) => podOf(change) !== undefined,
    scheduled: (change) => podOf(change)?.spec?.nodeName !== undefined,
    'container started': (change) => podOf(change)?.status?.containerStatuses?.[0]?.state?.running !== undefined,
    'pod ready': (change) => isPodReady(podOf(change)),
    'endpoint ready': (change) =>
      (objectOf('endpointSlices', change)?.endpoints ?? []).some(
        ({ conditions, targetRef }) => conditions?.ready === true && targetRef?.name === `performer-${name}`,
      ),
    'Performer Ready': (change) => change.key.name === name && readyOf(objectOf('performers', change)) === 'True Serving',
  };
}

/** How long it takes from the request to the first answer. */
export function describeLatency(cluster: NodesCluster): void {
  describe('from the request to the first answered task', () => {
    const namespace = 'latency';

    beforeAll(async () => {
      await cluster.namespace(namespace);
      await cluster.install('watch');
    });

    it(
      'goes through every step, whose times are printed',
      async () => {
        const seen = new Map<string, number[]>();
        for (let sample = 0; sample < samples; sample += 1) {
          const name = `p${sample}`;
          // The caller knocks from before on, by name; what is not there yet fails at once.
          const caller = await cluster.startCaller(namespace, `caller-${name}`, {
            TARGET: `performer-${name}.${namespace}.svc.cluster.local:8080`,
            MODE: 'dial',
            RATE: '20',
            DEADLINE_MS: '500',
            CONNECT_MS: '0',
          });
          const { endedAtMs, stop } = await timePhases(cluster, namespace, phasesOf(name));
          const startedMs = Date.now();
          await cluster.performer(namespace, name);
          const acknowledgedMs = Date.now();
          await until(`every step of ${name}`, async () => endedAtMs.size === Object.keys(phasesOf(name)).length);
          await caller.heard('an answer', (calls) => calls.some(({ kind }) => kind === 'answered'));
          stop();
          const answered = (await caller.stop()).filter(({ kind }) => kind === 'answered').map(({ atMs, tookMs }) => atMs + tookMs);
          const ends = [['acknowledged', acknowledgedMs], ...endedAtMs, ['first answer', Math.min(...answered)]] as const;
          for (const [phase, atMs] of ends) seen.set(phase, [...(seen.get(phase) ?? []), atMs - startedMs]);
          expect([...endedAtMs.keys()].filter((phase) => ofThePod.includes(phase))).toEqual(ofThePod);
          expect(Math.min(...answered)).toBeGreaterThan(endedAtMs.get('container started') ?? Number.NaN);
          await cluster.kubectl('delete', 'performer', name, '-n', namespace);
        }
        for (const [phase, timesMs] of seen) console.log(`${phase.padEnd(18)} ${renderTimes(timesMs)}`);
      },
      60_000 + samples * 30_000,
    );
  });
}
