import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { labels } from '../../src/api/v1alpha1/naming.ts';
import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import { type Node, nodes, type Pod, pods } from '../../src/kube/objects.ts';
import { formatTime } from '../../src/lib/time.ts';
import type { TestOperator } from '../support/operator.ts';
import { crdPath } from './support/crd.ts';
import { avsAddress, conditionOf, imageOf, keyOf, operatorOn, serving, statusOf } from './support/world.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Fields of the spec, those of its groups one level down. */
function listFields(): readonly string[] {
  const crd = parse(readFileSync(crdPath('ours'), 'utf8')) as {
    readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }] };
  };
  const spec = crd.spec.versions[0].schema.openAPIV3Schema.properties?.spec?.properties ?? {};
  const groups = ['config', 'scheduling', 'hardwareRequirements', 'strategy', 'probes', 'security'];
  return Object.entries(spec).flatMap(([name, schema]) =>
    groups.includes(name) ? Object.keys(schema.properties ?? {}).map((field) => `${name}.${field}`) : [name],
  );
}

interface FieldRow {
  readonly field: string;
  readonly spec: Partial<PerformerSpecInput>;
  /** What is to be seen of a Performer with that spec, and of one without the field. */
  readonly see: (operator: TestOperator, spec: Partial<PerformerSpecInput>) => unknown;
  readonly as: unknown;
  readonly without: unknown;
}

const podOf = (operator: TestOperator): Pod => operator.pods()[0] ?? {};
const containerOf = (operator: TestOperator) => podOf(operator).spec?.containers[0];
const termsOf = (operator: TestOperator): number =>
  podOf(operator).spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.length ?? 0;
const inPod =
  (pick: (pod: Pod) => unknown) =>
  (operator: TestOperator): unknown =>
    pick(podOf(operator));
const inContainer =
  (pick: (container: NonNullable<ReturnType<typeof containerOf>>) => unknown) =>
  (operator: TestOperator): unknown =>
    pick(containerOf(operator) ?? { name: '' });

/** Changes the image, and tells what `look` sees after some time. */
const duringRollout =
  (afterMs: number, look: (operator: TestOperator) => unknown) =>
  async (operator: TestOperator): Promise<unknown> => {
    const { stop } = await operator.watch();
    operator.change('x', { image: 'avs:2' });
    for (let passedMs = 0; passedMs < afterMs; passedMs += 50) await operator.clock.advance(50);
    const seen = look(operator);
    await stop();
    return seen;
  };
const images = (operator: TestOperator): readonly string[] =>
  serving(operator)
    .map((pod) => imageOf(pod) ?? '')
    .toSorted();

/** Changes the image to one that never becomes ready, and tells what is said after some time. */
const duringRolloutThatHangs = async (operator: TestOperator): Promise<unknown> => {
  const { stop } = await operator.watch();
  operator.change('x', { image: 'avs:2' });
  for (let step = 0; step < 100; step += 1) {
    await operator.clock.advance(200);
    for (const pod of operator.pods().filter((one) => imageOf(one) === 'avs:2'))
      operator.cluster.setPodStatus(keyOf(pod.metadata?.name ?? ''), {
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [],
      });
  }
  await stop();
  return conditionOf(operator)?.reason;
};

/** Takes the pod's node out of view, and tells how many pods there are after some time. */
const afterNodeLoss =
  (afterMs: number) =>
  async (operator: TestOperator): Promise<unknown> => {
    await operator.clock.advance(60_000);
    for (const name of ['far', 'b', 'c']) await operator.cluster.api().create(nodes, { metadata: { name } });
    operator.cluster.update(pods, keyOf('performer-x'), (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'far' } }) as Pod);
    const timeAdded = formatTime(operator.clock.nowMs());
    operator.cluster.update(
      nodes,
      { namespace: '', name: 'far' },
      (node) =>
        ({
          ...node,
          spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded }] },
          status: { conditions: [{ type: 'Ready', status: 'Unknown' }] },
        }) as Node,
    );
    operator.cluster.setPodStatus(keyOf('performer-x'), { conditions: [{ type: 'Ready', status: 'False' }] });
    const { stop } = await operator.watch();
    for (let passedMs = 0; passedMs < afterMs; passedMs += 500) await operator.clock.advance(500);
    await stop();
    return operator.pods().length;
  };

const rows: readonly FieldRow[] = [
  {
    field: 'avsAddress',
    spec: { avsAddress: '0xB' },
    see: inPod((pod) => pod.metadata?.labels?.[labels.avs]),
    as: '0xb',
    without: avsAddress,
  },
  { field: 'image', spec: { image: 'avs:9' }, see: inContainer(({ image }) => image), as: 'avs:9', without: 'avs:1' },
  {
    field: 'imagePullPolicy',
    spec: { imagePullPolicy: 'Never' },
    see: inContainer(({ imagePullPolicy }) => imagePullPolicy),
    as: 'Never',
    without: 'IfNotPresent',
  },
  { field: 'version', spec: { version: '2' }, see: inPod((pod) => pod.metadata?.labels?.[labels.version]), as: '2', without: undefined },
  {
    field: 'config.grpcPort',
    spec: { config: { grpcPort: 9_000 } },
    see: (operator) => operator.services()[0]?.spec?.ports?.map(({ port }) => port),
    as: [9_000],
    without: [8_080],
  },
  {
    field: 'config.environment',
    spec: { config: { environment: { A: '1' } } },
    see: inContainer(({ env }) => env),
    as: [{ name: 'A', value: '1' }],
    without: undefined,
  },
  {
    field: 'config.environmentFrom',
    spec: { config: { environmentFrom: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] } },
    see: inContainer(({ env }) => env),
    as: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
    without: undefined,
  },
  {
    field: 'config.env',
    spec: { config: { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] } },
    see: inContainer(({ env }) => env?.map(({ name }) => name)),
    as: ['A'],
    without: undefined,
  },
  { field: 'config.args', spec: { config: { args: ['-v'] } }, see: inContainer(({ args }) => args), as: ['-v'], without: undefined },
  {
    field: 'config.command',
    spec: { config: { command: ['avs'] } },
    see: inContainer(({ command }) => command),
    as: ['avs'],
    without: undefined,
  },
  {
    field: 'config.serviceAccountName',
    spec: { config: { serviceAccountName: 'a' } },
    see: inPod((pod) => pod.spec?.serviceAccountName),
    as: 'a',
    without: 'default',
  },
  {
    field: 'resources',
    spec: { resources: { limits: { cpu: '1' } } },
    see: inContainer(({ resources }) => resources),
    as: { limits: { cpu: '1' } },
    without: {},
  },
  {
    field: 'scheduling.nodeSelector',
    spec: { scheduling: { nodeSelector: { a: 'b' } } },
    see: inPod((pod) => pod.spec?.nodeSelector),
    as: { a: 'b' },
    without: undefined,
  },
  {
    field: 'scheduling.tolerations',
    spec: { scheduling: { tolerations: [{ key: 'a', operator: 'Exists' }] } },
    see: inPod((pod) => pod.spec?.tolerations?.[0]?.key),
    as: 'a',
    without: 'node.kubernetes.io/not-ready',
  },
  {
    field: 'scheduling.affinity',
    spec: {
      scheduling: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
            },
          },
        },
      },
    },
    see: termsOf,
    as: 1,
    without: 0,
  },
  {
    field: 'scheduling.runtimeClass',
    spec: { scheduling: { runtimeClass: 'r' } },
    see: inPod((pod) => pod.spec?.runtimeClassName),
    as: 'r',
    without: undefined,
  },
  {
    field: 'scheduling.priorityClassName',
    spec: { scheduling: { priorityClassName: 'p' } },
    see: inPod((pod) => pod.spec?.priorityClassName),
    as: 'p',
    without: undefined,
  },
  {
    field: 'hardwareRequirements.gpuType',
    spec: { hardwareRequirements: { gpuCount: 1, gpuType: 'nvidia-l4' } },
    see: (operator) => termsOf(operator) > 0,
    as: true,
    without: false,
  },
  {
    field: 'hardwareRequirements.gpuCount',
    spec: { hardwareRequirements: { gpuCount: 2 } },
    see: inContainer(({ resources }) => resources?.limits?.['nvidia.com/gpu']),
    as: '2',
    without: undefined,
  },
  {
    field: 'hardwareRequirements.teeRequired',
    spec: { hardwareRequirements: { teeRequired: true, teeType: 'sgx' } },
    see: (operator) => termsOf(operator) > 0,
    as: true,
    without: false,
  },
  {
    field: 'hardwareRequirements.teeType',
    spec: { hardwareRequirements: { teeRequired: true, teeType: 'tdx' } },
    see: inPod((pod) => pod.spec?.runtimeClassName),
    as: 'kata-qemu-tdx',
    without: undefined,
  },
  {
    field: 'hardwareRequirements.customLabels',
    spec: { hardwareRequirements: { customLabels: { a: 'b' } } },
    see: inPod((pod) => pod.spec?.nodeSelector),
    as: { a: 'b' },
    without: undefined,
  },
  {
    field: 'imagePullSecrets',
    spec: { imagePullSecrets: [{ name: 's' }] },
    see: inPod((pod) => pod.spec?.imagePullSecrets),
    as: [{ name: 's' }],
    without: undefined,
  },
  {
    field: 'replicas',
    spec: { replicas: 3 },
    see: (operator) => [operator.pods().length, statusOf(operator).readyReplicas],
    as: [3, 3],
    without: [1, 1],
  },
  {
    field: 'strategy.type',
    spec: { strategy: { type: 'Recreate' } },
    see: duringRollout(4_000, images),
    as: [],
    without: ['avs:2'],
  },
  {
    field: 'strategy.rollingUpdate',
    spec: { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
    see: duringRollout(250, images),
    as: [],
    without: ['avs:1'],
  },
  {
    field: 'minReadySeconds',
    spec: { minReadySeconds: 30 },
    see: duringRollout(15_000, images),
    as: ['avs:1', 'avs:2'],
    without: ['avs:2'],
  },
  {
    field: 'progressDeadlineSeconds',
    spec: { progressDeadlineSeconds: 5 },
    see: duringRolloutThatHangs,
    as: 'ProgressDeadlineExceeded',
    without: 'RolloutInProgress',
  },
  {
    field: 'drainSeconds',
    spec: { drainSeconds: 60 },
    see: duringRollout(15_000, (operator) => operator.pods().length),
    as: 2,
    without: 1,
  },
  {
    field: 'terminationGracePeriodSeconds',
    spec: { terminationGracePeriodSeconds: 7 },
    see: inPod((pod) => pod.spec?.terminationGracePeriodSeconds),
    as: 7,
    without: 30,
  },
  { field: 'nodeLossPolicy', spec: { nodeLossPolicy: 'Strict' }, see: afterNodeLoss(10_000), as: 1, without: 2 },
  { field: 'nodeLossSeconds', spec: { nodeLossSeconds: 60 }, see: afterNodeLoss(10_000), as: 1, without: 2 },
  {
    field: 'probes.startup',
    spec: { probes: { startup: { failureThreshold: 9 } } },
    see: inContainer(({ startupProbe }) => startupProbe?.failureThreshold),
    as: 9,
    without: 300,
  },
  {
    field: 'probes.readiness',
    spec: { probes: { readiness: { periodSeconds: 15 } } },
    see: inContainer(({ readinessProbe }) => readinessProbe?.periodSeconds),
    as: 15,
    without: 1,
  },
  {
    field: 'probes.liveness',
    spec: { probes: { liveness: { initialDelaySeconds: 30 } } },
    see: inContainer(({ livenessProbe }) => livenessProbe?.initialDelaySeconds),
    as: 30,
    without: undefined,
  },
  {
    field: 'security.profile',
    spec: { security: { profile: 'restricted' } },
    see: inPod((pod) => pod.spec?.securityContext?.runAsNonRoot),
    as: true,
    without: undefined,
  },
  {
    field: 'paused',
    spec: { paused: true },
    see: async (operator, spec) => {
      await operator.ask('y');
      await operator.once(30_000);
      operator.change('y', { ...spec, image: 'avs:2' });
      await operator.once(30_000);
      return serving(operator, 'y').map(imageOf);
    },
    as: ['avs:1'],
    without: ['avs:2'],
  },
];

describe('a field of the spec', () => {
  it.each(rows)('is to be seen in pod, Service, status or what happens: $field', async ({ spec, see, as, without }) => {
    const seen = async (change: Partial<PerformerSpecInput>): Promise<unknown> => {
      const operator = operatorOn();
      await operator.ask('x', change);
      await operator.once(120_000);
      return see(operator, change);
    };
    expect(await seen(spec)).toEqual(as);
    expect(await seen({})).toEqual(without);
    expect(as).not.toEqual(without);
  });

  it('leaves a Performer alone altogether: managedBy', async () => {
    const operator = operatorOn();
    await operator.ask('x', { managedBy: 'example.com/other' });
    expect((await operator.once(10_000)).writes).toEqual({ create: 0, patch: 0, delete: 0 });
    expect(operator.status('x')).toEqual({ observedGeneration: -1 });
  });

  it('has its row here', () => {
    expect([...rows.map(({ field }) => field), 'managedBy'].toSorted()).toEqual([...listFields()].toSorted());
  });
});
