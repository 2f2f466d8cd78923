import { describe, expect, it } from 'vitest';
import { labels, legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../src/kube/faults.ts';
import { type Pod, pods, type Service, services } from '../../src/kube/objects.ts';
import { interceptWrites, type TestOperator } from '../support/operator.ts';
import { conditionOf, imageOf, keyOf, operatorOn, servedPerformer, serving, statusOf } from './support/world.ts';

const first = keyOf('performer-x');
const nothing = { create: 0, patch: 0, delete: 0 };
const waitingContainer = (reason: string, message: string, restartCount = 0): object => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [
    {
      name: 'performer',
      image: 'avs:1',
      imageID: '',
      ready: false,
      started: false,
      restartCount,
      state: { waiting: { reason, message } },
    },
  ],
});

describe('a Performer that is deleted', () => {
  it('FM-17 with a finalizer nobody removes loses its children all the same, and is never given one by us', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(performers, keyOf('x'), (stored) => ({
      ...stored,
      metadata: { ...stored.metadata, finalizers: ['else.where/forgotten'] },
    }));
    operator.cluster.remove(performers, keyOf('x'));
    await operator.once(30_000);
    expect([...operator.pods(), ...operator.services()]).toEqual([]);
    expect(statusOf(operator)).toMatchObject({ phase: 'Terminating', ready: false });
    expect(operator.cluster.find(performers, keyOf('x'))?.metadata?.finalizers).toEqual(['else.where/forgotten']);
    expect((await operator.once()).writes).toEqual(nothing);
  });

  it('FM-17 that carries only the finalizer of old is let go', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(performers, keyOf('x'), (stored) => ({
      ...stored,
      metadata: { ...stored.metadata, finalizers: [legacyFinalizer] },
    }));
    operator.cluster.remove(performers, keyOf('x'));
    await operator.once(30_000);
    expect(operator.cluster.find(performers, keyOf('x'))).toBeUndefined();
  });
});

describe('a refused pod', () => {
  const denials = [
    { id: 'FM-19', says: 'exceeded quota: none, requested: pods=1, used: pods=1, limited: pods=1', reason: 'QuotaExceeded' },
    { id: 'FM-19', says: 'minimum cpu usage per Container is 100m, but request is 10m', reason: 'LimitExceeded' },
    { id: 'FM-20', says: 'violates PodSecurity "restricted:latest": runAsNonRoot != true', reason: 'PodSecurityViolation' },
    { id: 'FM-20', says: 'failed calling webhook "policy.example": connection refused', reason: 'WebhookDenied' },
    { id: 'FM-18', says: 'namespace default because it is being terminated', reason: 'NamespaceTerminating' },
  ];
  type Denial = (typeof denials)[number];
  const of = (id: string): readonly Denial[] => denials.filter((denial) => denial.id === id);
  const isAskedForLessAndLess = async ({ says, reason }: Denial): Promise<void> => {
    const operator = operatorOn();
    await operator.ask('x');
    let refuses = true;
    let tries = 0;
    const kube = interceptWrites(operator.cluster.api(), {
      before: (verb, plural) => {
        if (!refuses || verb !== 'create' || plural !== 'pods') return;
        tries += 1;
        throw new KubeFault('forbidden', says, { status: 403 });
      },
    });
    const { stop, writes } = await operator.watch(kube);
    await operator.clock.advance(60_000);
    const early = tries;
    expect(conditionOf(operator)).toMatchObject({ status: 'False', reason });
    const told = writes.patch;
    for (let minute = 0; minute < 30; minute += 1) await operator.clock.advance(60_000);
    expect(tries - early).toBeLessThan(60);
    expect(writes.patch).toBe(told);
    refuses = false;
    await operator.clock.advance(1_200_000);
    await stop();
    expect(conditionOf(operator)?.reason).toBe('Serving');
  };

  it.each(of('FM-18'))('FM-18 by a namespace that is going is asked for ever less often: $reason', isAskedForLessAndLess);
  it.each(of('FM-19'))('FM-19 is asked for ever less often, and comes up when there is room: $reason', isAskedForLessAndLess);
  it.each(of('FM-20'))('FM-20 is asked for ever less often, and comes up when nothing refuses it: $reason', isAskedForLessAndLess);
});

describe('a pod in trouble', () => {
  const lookAgain = async (operator: TestOperator, minutes: number): Promise<void> => {
    const { stop } = await operator.watch();
    for (let minute = 0; minute < minutes; minute += 1) await operator.clock.advance(60_000);
    await stop();
  };

  it('FM-21 whose image cannot be pulled is not made anew', async () => {
    const operator = operatorOn('ours', 36_000_000);
    await operator.ask('x');
    await operator.once();
    operator.cluster.setPodStatus(first, {
      ...waitingContainer('ErrImageNeverPull', 'Container image "avs:1" is not present'),
      phase: 'Pending',
    } as never);
    const uid = operator.pods()[0]?.metadata?.uid;
    await lookAgain(operator, 60);
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual([uid]);
    expect(['ImagePullFailed', 'ProgressDeadlineExceeded']).toContain(conditionOf(operator)?.reason);
    expect(conditionOf(operator)?.message).toContain('avs:1');
  });

  it('FM-22 that crashes again and again is left to its kubelet', async () => {
    const operator = await servedPerformer();
    operator.cluster.setPodStatus(first, waitingContainer('CrashLoopBackOff', 'back-off 5m0s restarting failed container', 12) as never);
    const uid = operator.pods()[0]?.metadata?.uid;
    await lookAgain(operator, 60);
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual([uid]);
    expect(conditionOf(operator, 'Degraded')?.status).toBe('True');
    expect(statusOf(operator)).toMatchObject({ ready: false });
  });

  it('FM-22 of a new revision leaves the former one serving', async () => {
    const operator = await servedPerformer();
    operator.change('x', { image: 'avs:2' });
    await operator.once();
    const fresh = operator.pods().find((pod) => imageOf(pod) === 'avs:2')?.metadata?.name ?? '';
    await operator.clock.advance(1_000);
    operator.cluster.setPodStatus(keyOf(fresh), waitingContainer('CrashLoopBackOff', 'back-off', 4) as never);
    await lookAgain(operator, 5);
    expect(serving(operator).map(imageOf)).toEqual(['avs:1']);
    expect(conditionOf(operator)?.reason).toBe('CrashLooping');
  });

  it.each([
    { cause: { reason: 'Evicted', message: 'The node was low on resource: memory.' }, says: 'Evicted' },
    { cause: { reason: 'Preempting', message: 'Preempted in order to admit critical pod' }, says: 'Preempted' },
    { cause: { reason: 'NodeAffinity', message: 'Pod was rejected' }, says: 'PodFailed' },
  ])('FM-23 that was thrown out ($says) is followed by one other, and no more often than the back-off allows', async ({ cause }) => {
    const operator = await servedPerformer();
    await operator.clock.advance(60_000);
    operator.cluster.setPodStatus(first, { phase: 'Failed', conditions: [{ type: 'Ready', status: 'False' }], ...cause });
    await operator.once(60_000);
    expect(serving(operator).map((pod) => pod.metadata?.name)).toEqual([expect.stringMatching(/-1$/)]);
    expect(operator.pods()).toHaveLength(1);
  });

  it('FM-23 that every node rejects at once is made again ever less often', async () => {
    const operator = operatorOn('ours', 36_000_000);
    await operator.ask('x');
    const { stop, writes } = await operator.watch();
    for (let second = 0; second < 1_800; second += 1) {
      await operator.clock.advance(1_000);
      for (const pod of operator.pods().filter((one) => one.status?.phase === 'Pending' && one.metadata?.deletionTimestamp === undefined))
        operator.cluster.setPodStatus(keyOf(pod.metadata?.name ?? ''), {
          phase: 'Failed',
          reason: 'OutOfcpu',
          message: 'Node did not have enough resource',
        });
      for (const pod of operator.pods().filter((one) => one.metadata?.deletionTimestamp !== undefined))
        operator.cluster.removePod(keyOf(pod.metadata?.name ?? ''));
    }
    await stop();
    expect(writes.create).toBeLessThan(15);
    expect(conditionOf(operator)?.message).toContain('Node did not have enough resource');
  });
});

describe('an object of somebody else under our name', () => {
  it('FM-24 be it a Service, is left alone and named, and its end is seen', async () => {
    const operator = operatorOn();
    const foreign = await operator.cluster.api().create(services, {
      metadata: { name: 'performer-x', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    });
    await operator.ask('x');
    const { stop } = await operator.watch();
    await operator.clock.advance(60_000);
    expect(operator.services().map((service) => [service.metadata?.uid, service.spec?.selector])).toEqual([
      [foreign.metadata?.uid, { app: 'web' }],
    ]);
    expect(conditionOf(operator)).toMatchObject({
      reason: 'NameConflict',
      message: expect.stringContaining('Service default/performer-x'),
    });
    operator.cluster.remove(services, first);
    await operator.clock.advance(60_000);
    await stop();
    expect(conditionOf(operator)?.reason).toBe('Serving');
  });

  it('FM-24 that the Service selects is told of', async () => {
    const operator = await servedPerformer();
    await operator.cluster.api().create(pods, {
      metadata: {
        name: 'stranger',
        namespace: 'default',
        labels: { app: 'hourglass-performer', [labels.performer]: 'x' },
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }],
      },
      spec: { containers: [{ name: 'web', image: 'web:1' }] },
    });
    await operator.once(10_000);
    expect(conditionOf(operator, 'ForeignPod')?.message).toContain('stranger');
    expect(operator.cluster.find(pods, keyOf('stranger'))?.metadata?.deletionTimestamp).toBeUndefined();
  });
});

describe('fields that cannot be changed in place', () => {
  it('FM-25 of a pod come with another pod; addresses and node ports of the Service stay', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(
      services,
      first,
      (service) =>
        ({
          ...service,
          spec: { ...service.spec, type: 'NodePort', ports: service.spec?.ports?.map((port) => ({ ...port, nodePort: 30_080 })) },
        }) as Service,
    );
    const before = operator.services()[0]?.spec;
    operator.change('x', { config: { grpcPort: 9000 }, scheduling: { nodeSelector: {} } });
    const { outcomes } = await operator.once(60_000);
    expect(outcomes.map(({ outcome }) => outcome.reason)).toEqual(['Serving']);
    expect(operator.services()[0]?.spec).toMatchObject({
      clusterIP: before?.clusterIP,
      ports: [{ name: 'grpc', port: 9000, nodePort: 30_080 }],
    });
  });
});

describe('edits of what we made', () => {
  it('FM-26 by injectors and defaulting are no drift', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(
      pods,
      first,
      (pod) =>
        ({
          ...pod,
          metadata: {
            ...pod.metadata,
            labels: { ...pod.metadata?.labels, mesh: 'on' },
            annotations: { 'mesh.example/status': 'injected' },
          },
          spec: {
            ...pod.spec,
            containers: [...(pod.spec?.containers ?? []), { name: 'proxy', image: 'mesh:1', ports: [{ containerPort: 15_000 }] }],
          },
        }) as Pod,
    );
    const { writes, stop } = await operator.watch();
    await operator.clock.advance(600_000);
    await stop();
    expect(writes).toEqual(nothing);
    expect(operator.services()[0]?.spec?.ports?.map((port) => port.port)).toEqual([8080]);
  });

  it('FM-26 of the Service are put right once, and left alone when somebody insists', async () => {
    const operator = await servedPerformer();
    const { writes, stop } = await operator.watch();
    for (let times = 0; times < 200; times += 1) {
      operator.cluster.update(
        services,
        first,
        (service) => ({ ...service, spec: { ...service.spec, selector: { mine: 'yes' } } }) as Service,
      );
      await operator.clock.advance(3_000);
    }
    await stop();
    expect(writes.patch).toBeLessThan(30);
    expect(conditionOf(operator, 'ForeignWriter')?.message).toContain('keeps putting back Service performer-x');
  });

  it('FM-26 of the number of replicas, by an autoscaler, scale', async () => {
    const operator = await servedPerformer();
    operator.change('x', { replicas: 3 });
    await operator.once(30_000);
    expect(statusOf(operator)).toMatchObject({ replicas: 3, readyReplicas: 3 });
    operator.change('x', { replicas: 1 });
    await operator.once(60_000);
    expect(operator.pods().map((pod) => pod.metadata?.name)).toEqual(['performer-x']);
  });
});
