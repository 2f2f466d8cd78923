import { describe, expect, it } from 'vitest';
import { labels } from '../../src/api/v1alpha1/naming.ts';
import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import { type Pod, pods } from '../../src/kube/objects.ts';
import type { TestOperator } from '../support/operator.ts';
import { conditionOf, imageOf, keyOf, servedPerformer, serving, statusOf } from './support/world.ts';

/** Runs `act` under a watch, and notes how few pods served meanwhile. */
async function fewestServing(operator: TestOperator, act: (pass: (ms: number) => Promise<void>) => Promise<void>): Promise<number> {
  let fewest = serving(operator).length;
  const { stop } = await operator.watch();
  await act(async (ms) => {
    for (let passed = 0; passed < ms; passed += 50) {
      await operator.clock.advance(50);
      fewest = Math.min(fewest, serving(operator).length);
    }
  });
  await stop();
  return fewest;
}

/** Makes pods of this image fail as a kubelet does that cannot pull it. */
const failPull = (operator: TestOperator, image: string): void => {
  for (const pod of operator.pods().filter((one) => imageOf(one) === image)) {
    operator.cluster.setPodStatus(
      { namespace: 'default', name: pod.metadata?.name ?? '' },
      {
        phase: 'Pending',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          {
            name: 'performer',
            image,
            imageID: '',
            ready: false,
            started: false,
            restartCount: 0,
            state: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` } },
          },
        ] as never,
      },
    );
  }
};

describe('a new image', () => {
  it('OP-3 is rolled out without a moment in which no pod serves', async () => {
    const operator = await servedPerformer();
    const fewest = await fewestServing(operator, async (pass) => {
      operator.change('x', { image: 'avs:2' });
      await pass(20_000);
    });
    expect(fewest).toBe(1);
    expect(operator.pods().map(imageOf)).toEqual(['avs:2']);
    expect(statusOf(operator)).toMatchObject({ phase: 'Running', ready: true, lastUpgrade: expect.any(String) });
  });

  it('OP-3 that cannot be pulled leaves the former pod serving, says why, and ends when the former image is put back', async () => {
    const operator = await servedPerformer();
    const uid = operator.pods()[0]?.metadata?.uid;
    const fewest = await fewestServing(operator, async (pass) => {
      operator.change('x', { image: 'avs:typo' });
      await pass(1_000);
      for (let tries = 0; tries < 20; tries += 1) {
        failPull(operator, 'avs:typo');
        await pass(500);
      }
      expect(conditionOf(operator)).toMatchObject({
        status: 'False',
        reason: 'ImagePullFailed',
        message: expect.stringContaining('avs:typo'),
      });
      expect(statusOf(operator)).toMatchObject({ ready: true, podName: 'performer-x' });
      expect(operator.pods()).toHaveLength(2);
      operator.change('x', { image: 'avs:1' });
      await pass(5_000);
    });
    expect(fewest).toBe(1);
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual([uid]);
    expect(conditionOf(operator)).toMatchObject({ status: 'True', reason: 'Serving' });
  });

  it('OP-3 is said to be under way, with the phase Upgrading', async () => {
    const operator = await servedPerformer({ minReadySeconds: 20 });
    await fewestServing(operator, async (pass) => {
      operator.change('x', { image: 'avs:2' });
      await pass(10_000);
      expect(statusOf(operator)).toMatchObject({ phase: 'Upgrading', ready: true });
      expect(conditionOf(operator)?.reason).toBe('RolloutInProgress');
    });
  });
});

const pick = (pod: Pod): NonNullable<Pod['spec']>['containers'][number] => pod.spec?.containers[0] ?? { name: '' };
/** Each field whose change the original did not see, with what shows that the new pod has it. */
const unseen: readonly {
  readonly field: string;
  readonly change: Partial<PerformerSpecInput>;
  readonly shows: (pod: Pod) => unknown;
  readonly as: unknown;
}[] = [
  {
    field: 'config.environment',
    change: { config: { environment: { A: '2' } } },
    shows: (pod) => pick(pod).env,
    as: [{ name: 'A', value: '2' }],
  },
  { field: 'config.args', change: { config: { args: ['--fast'] } }, shows: (pod) => pick(pod).args, as: ['--fast'] },
  { field: 'config.command', change: { config: { command: ['serve'] } }, shows: (pod) => pick(pod).command, as: ['serve'] },
  { field: 'config.grpcPort', change: { config: { grpcPort: 9091 } }, shows: (pod) => pick(pod).ports?.[0]?.containerPort, as: 9091 },
  {
    field: 'config.serviceAccountName',
    change: { config: { serviceAccountName: 'web' } },
    shows: (pod) => pod.spec?.serviceAccountName,
    as: 'web',
  },
  {
    field: 'resources',
    change: { resources: { limits: { cpu: '1' } } },
    shows: (pod) => pick(pod).resources,
    as: { limits: { cpu: '1' } },
  },
  {
    field: 'scheduling',
    change: { scheduling: { nodeSelector: { zone: 'b' } } },
    shows: (pod) => pod.spec?.nodeSelector,
    as: { zone: 'b' },
  },
  {
    field: 'hardwareRequirements',
    change: { hardwareRequirements: { customLabels: { disk: 'fast' } } },
    shows: (pod) => pod.spec?.nodeSelector,
    as: { disk: 'fast' },
  },
  { field: 'imagePullPolicy', change: { imagePullPolicy: 'Always' }, shows: (pod) => pick(pod).imagePullPolicy, as: 'Always' },
  {
    field: 'imagePullSecrets',
    change: { imagePullSecrets: [{ name: 'key' }] },
    shows: (pod) => pod.spec?.imagePullSecrets,
    as: [{ name: 'key' }],
  },
  { field: 'version', change: { version: '2.0.0' }, shows: (pod) => pod.metadata?.labels?.[labels.version], as: '2.0.0' },
];

describe('a changed field', () => {
  it.each(unseen)('OP-4 rolls out like an image: $field', async ({ change, shows, as }) => {
    const operator = await servedPerformer({ config: { environment: { A: '1' } } });
    const fewest = await fewestServing(operator, async (pass) => {
      operator.change('x', change);
      await pass(20_000);
    });
    expect(fewest).toBe(1);
    expect(operator.pods().map((pod) => pod.metadata?.name)).toEqual([expect.stringMatching(/-1$/)]);
    expect(operator.pods().map(shows)).toEqual([as]);
  });
});

describe('a pod edited by hand', () => {
  it('OP-4 is replaced when its image was swapped, within a minute of its creation where it is as young as that', async () => {
    const operator = await servedPerformer();
    const { stop } = await operator.watch();
    operator.cluster.update(pods, keyOf('performer-x'), (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, generation: 2 },
      spec: { ...pod.spec, containers: [{ ...pick(pod), image: 'evil:1' }] },
    }));
    await operator.clock.advance(60_000);
    await stop();
    expect(operator.pods().map(imageOf)).toEqual(['avs:1']);
    expect(operator.pods()[0]?.metadata?.name).not.toBe('performer-x');
  });

  it('OP-4 gets back the marks others find it by', async () => {
    const operator = await servedPerformer();
    const uid = operator.pods()[0]?.metadata?.uid;
    operator.cluster.update(pods, keyOf('performer-x'), (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, [labels.instance]: 'other' } },
    }));
    await operator.once(60_000);
    expect(operator.pods().map(({ metadata }) => [metadata?.uid, metadata?.labels?.[labels.instance]])).toEqual([[uid, 'x']]);
  });

  it('OP-4 out of the Service by a removed label is drained and replaced', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(pods, keyOf('performer-x'), (pod) => {
      const { [labels.performer]: _gone, ...kept } = pod.metadata?.labels ?? {};
      return { ...pod, metadata: { ...pod.metadata, labels: kept } };
    });
    await operator.once(60_000);
    expect(serving(operator).map((pod) => pod.metadata?.name)).toEqual([expect.stringMatching(/-1$/)]);
    expect(operator.pods()).toHaveLength(1);
  });
});

describe('a changed port', () => {
  it('OP-5 is offered at once beside the former one, which goes with the last pod that listens there', async () => {
    const operator = await servedPerformer({ config: { grpcPort: 8080 } });
    const offered = (): unknown =>
      operator.services()[0]?.spec?.ports?.map(({ name, port, targetPort }) => `${name} ${port} ${targetPort}`);
    const fewest = await fewestServing(operator, async (pass) => {
      operator.change('x', { config: { grpcPort: 9090 } });
      await pass(200);
      expect(offered()).toEqual(['grpc 9090 grpc', 'grpc-8080 8080 grpc']);
      await pass(1_000);
      operator.change('x', { config: { grpcPort: 9091 } });
      await pass(200);
      expect(offered()).toEqual(['grpc 9091 grpc', 'grpc-8080 8080 grpc', 'grpc-9090 9090 grpc']);
      await pass(30_000);
    });
    expect(fewest).toBe(1);
    expect(offered()).toEqual(['grpc 9091 grpc']);
    expect(operator.pods().map((pod) => pick(pod).ports)).toEqual([[{ name: 'grpc', containerPort: 9091, protocol: 'TCP' }]]);
  });
});
