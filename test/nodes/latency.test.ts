import { beforeAll, describe, expect, it } from 'vitest';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Change, observeCluster } from '../../src/oracle/kit.ts';
import { readyOf, until } from '../parity/support/real-cluster.ts';
import { NodesCluster } from './support/nodes-cluster.ts';

const cluster = new NodesCluster();
const namespace = 'latency';
/** More for the figures of docs/results/nodes.md. */
const samples = Number(process.env.HOURGLASS_SAMPLES ?? '2');

beforeAll(async () => {
  await cluster.namespace(namespace);
  await cluster.install('watch');
});

/** Steps from the request to the first answer, in order, by one observer's clock; the pod's name begins every key. */
const phases: Readonly<Record<string, (change: Change, pod: string) => boolean>> = {
  'pod created': ({ kind, key, after }, pod) => kind === 'pods' && key.name === pod && after !== undefined,
  scheduled: (change, pod) => podOf(change, pod)?.spec?.nodeName !== undefined,
  'container started': (change, pod) => podOf(change, pod)?.status?.containerStatuses?.[0]?.state?.running !== undefined,
  'pod ready': (change, pod) => isTrue(podOf(change, pod)?.status?.conditions, 'Ready'),
  'endpoint ready': ({ kind, after }, pod) =>
    kind === 'endpointSlices' &&
    ((after as Change<'endpointSlices'>['after'])?.endpoints ?? []).some(
      ({ conditions, targetRef }) => conditions?.ready === true && targetRef?.name === pod,
    ),
  'Performer Ready': ({ kind, key, after }, pod) =>
    kind === 'performers' && `performer-${key.name}` === pod && readyOf(after as Change<'performers'>['after']) === 'True Serving',
};

const podOf = ({ kind, key, after }: Change, pod: string): Change<'pods'>['after'] =>
  kind === 'pods' && key.name === pod ? (after as Change<'pods'>['after']) : undefined;
const isTrue = (conditions: readonly { readonly type: string; readonly status: string }[] | undefined, type: string): boolean =>
  conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;

describe('from the request to the first answered task', () => {
  it('goes through every step, whose times are printed', async () => {
    const seen = new Map<string, number[]>();
    const note = (phase: string, tookMs: number): void => void seen.set(phase, [...(seen.get(phase) ?? []), tookMs]);
    let current: { readonly pod: string; readonly startedMs: number; readonly left: Set<string> } | undefined;
    const stop = new AbortController();
    const onChange = (change: Change): void => {
      if (current === undefined) return;
      for (const phase of current.left) {
        if (phases[phase]?.(change, current.pod) !== true) continue;
        current.left.delete(phase);
        note(phase, Date.now() - current.startedMs);
      }
    };
    await observeCluster({ kube: cluster.kube, clock: systemClock, signal: stop.signal, random: Math.random, namespace, onChange });
    for (let sample = 0; sample < samples; sample += 1) {
      const name = `p${sample}`;
      // The caller knocks from before on, by name; what is not there yet fails at once.
      const target = `performer-${name}.${namespace}.svc.cluster.local:8080`;
      const caller = await cluster.startCaller(namespace, `caller-${name}`, {
        TARGET: target,
        MODE: 'dial',
        RATE: '20',
        DEADLINE_MS: '500',
        CONNECT_MS: '0',
      });
      const startedMs = Date.now();
      current = { pod: `performer-${name}`, startedMs, left: new Set(Object.keys(phases)) };
      await cluster.performer(namespace, name);
      note('acknowledged', Date.now() - startedMs);
      await until(`${name} to serve`, async () => readyOf(await cluster.kube.get(performers, { namespace, name })) === 'True Serving');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const answered = (await caller.stop()).filter(({ kind }) => kind === 'answered').map(({ atMs, tookMs }) => atMs + tookMs);
      note('first answer', Math.min(...answered) - startedMs);
      await cluster.kubectl('delete', 'performer', name, '-n', namespace);
    }
    stop.abort();
    for (const phase of ['acknowledged', ...Object.keys(phases), 'first answer']) {
      const sorted = (seen.get(phase) ?? []).toSorted((a, b) => a - b);
      console.log(`${phase.padEnd(18)} p50 ${sorted[sorted.length >> 1]} ms, max ${sorted.at(-1)} ms, n ${sorted.length}`);
      expect(sorted).toHaveLength(samples);
    }
  });
});
