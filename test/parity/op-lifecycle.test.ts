import { describe, expect, it } from 'vitest';
import { labels, legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../src/kube/faults.ts';
import { nodes, type Pod, pods, services } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { formatTime } from '../../src/lib/time.ts';
import { interceptWrites, type TestOperator } from '../support/operator.ts';
import { crds } from './support/crd.ts';
import { conditionOf, keyOf, operatorOn, servedPerformer, serving, statusOf } from './support/world.ts';

const phases = ['Pending', 'Running', 'Upgrading', 'Terminating', 'Failed'];
const first = keyOf('performer-x');
const reasonsOf = async (run: ReturnType<TestOperator['once']>): Promise<readonly string[]> =>
  (await run).outcomes.map(({ outcome }) => outcome.reason);

describe.each(crds)('a pod that ends, with the CRD %s', (crd) => {
  it.each(['Succeeded', 'Failed', 'Unknown'])('OP-1 leaves a status that can be written when its phase is %s', async (phase) => {
    const operator = await servedPerformer({}, crd);
    operator.cluster.setPodStatus(first, { phase, conditions: [{ type: 'Ready', status: 'False' }] });
    const { outcomes } = await operator.once();
    expect(outcomes.map(({ outcome }) => outcome.kind)).not.toContain('failed');
    expect(phases).toContain(statusOf(operator).phase);
    expect(statusOf(operator).ready).toBe(false);
  });

  it('OP-1 is replaced once, and the new one serves', async () => {
    const operator = await servedPerformer({}, crd);
    operator.cluster.setPodStatus(first, { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'False' }] });
    await operator.clock.advance(60_000);
    expect(await reasonsOf(operator.once(60_000))).toEqual(['Serving']);
    expect(operator.pods()).toHaveLength(1);
    expect(statusOf(operator)).toMatchObject({ phase: 'Running', ready: true });
  });
});

describe('a pod that is gone', () => {
  it('OP-2 makes the Performer not ready in the pass that sees it', async () => {
    const operator = await servedPerformer();
    expect(statusOf(operator)).toMatchObject({ ready: true, podName: 'performer-x' });
    operator.cluster.removePod(first);
    await operator.once();
    expect(statusOf(operator)).toMatchObject({ ready: false, phase: 'Pending', readyReplicas: 0 });
    expect(statusOf(operator).readyTime).toBeUndefined();
    expect(conditionOf(operator, 'Available')?.status).toBe('False');
  });

  it('OP-2 is followed by another, whose readiness has a time of its own', async () => {
    const operator = await servedPerformer();
    const before = statusOf(operator).readyTime;
    await operator.clock.advance(60_000);
    operator.cluster.removePod(first);
    await operator.once(30_000);
    expect(statusOf(operator).ready).toBe(true);
    expect(Date.parse(statusOf(operator).readyTime ?? '')).toBeGreaterThan(Date.parse(before ?? ''));
  });
});

describe('a pod that stays Pending', () => {
  it('OP-6 is left to start for an hour; the status says what it waits for', async () => {
    const operator = operatorOn('ours', 3_600_000);
    await operator.ask('x');
    const { stop } = await operator.watch();
    await operator.clock.advance(1_000);
    const uid = operator.pods()[0]?.metadata?.uid;
    for (let minute = 0; minute < 29; minute += 1) await operator.clock.advance(60_000);
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual([uid]);
    expect(conditionOf(operator)).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    await operator.clock.advance(3_600_000);
    await stop();
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual([uid]);
    expect(conditionOf(operator)).toMatchObject({ status: 'True', reason: 'Serving' });
  });

  it('OP-6 for want of a node says so at once, and is not made anew', async () => {
    const operator = operatorOn('ours', 3_600_000);
    await operator.ask('x', { hardwareRequirements: { gpuCount: 1, gpuType: 'nvidia-a100' } });
    await operator.once();
    operator.cluster.setPodStatus(first, {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' }],
    });
    await operator.once();
    expect(conditionOf(operator)).toMatchObject({ reason: 'Unschedulable', message: expect.stringContaining('0/1 nodes are available') });
    expect(operator.pods()).toHaveLength(1);
  });
});

describe('a pod on a node that is lost', () => {
  const lose = async (operator: TestOperator): Promise<void> => {
    const { cluster, clock } = operator;
    await cluster.api().create(nodes, { metadata: { name: 'dead' } });
    cluster.update(nodes, { namespace: '', name: 'dead' }, (node) => ({
      ...node,
      spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: formatTime(clock.nowMs()) }] },
      status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } as never,
    }));
    cluster.update(pods, first, (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'dead' } }) as Pod);
    cluster.setPodStatus(first, { conditions: [{ type: 'Ready', status: 'False' }] });
  };

  it('OP-7 is taken out of the Service and replaced, by name in the status', async () => {
    const operator = await servedPerformer();
    await operator.clock.advance(60_000);
    await lose(operator);
    await operator.once();
    expect(conditionOf(operator, 'NodeLost')?.message).toContain('performer-x is on node dead');
    await operator.clock.advance(5_000);
    await operator.once(30_000);
    expect(serving(operator).map((pod) => pod.metadata?.name)).toEqual([expect.stringMatching(/^performer-x-[0-9a-f]{4}-1$/)]);
    expect(operator.cluster.find(pods, first)?.metadata?.labels).not.toHaveProperty(labels.performer);
    expect(statusOf(operator)).toMatchObject({ ready: true, phase: 'Running' });
  });

  it('OP-7 that hangs in Terminating is replaced and not deleted by force', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(pods, first, (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'gone' } }) as Pod);
    operator.cluster.remove(pods, first);
    await operator.once(30_000);
    expect(serving(operator)).toHaveLength(1);
    const corpse = operator.cluster.find(pods, first);
    expect(corpse?.metadata?.deletionTimestamp).toBeDefined();
    expect(corpse?.metadata?.deletionGracePeriodSeconds).toBe(30);
  });
});

describe('a foreign pod under the name', () => {
  it('OP-8 is neither adopted, reported nor deleted; once it is gone the Performer comes up', async () => {
    const operator = operatorOn();
    const foreign = await operator.cluster.api().create(pods, {
      metadata: { name: 'performer-x', namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'web:1' }] },
    });
    await operator.ask('x');
    const { stop } = await operator.watch();
    await operator.clock.advance(60_000);
    expect(operator.pods().map((pod) => [pod.metadata?.uid, pod.metadata?.labels])).toEqual([[foreign.metadata?.uid, { app: 'web' }]]);
    expect(conditionOf(operator)).toMatchObject({ reason: 'NameConflict', message: expect.stringContaining('performer-x') });
    expect(statusOf(operator)).toMatchObject({ ready: false });
    operator.cluster.removePod(first);
    await operator.clock.advance(60_000);
    await stop();
    expect(statusOf(operator)).toMatchObject({ ready: true });
    expect(serving(operator)).toHaveLength(1);
  });
});

describe('a Performer that is deleted', () => {
  it('OP-14 goes at once while no operator runs, since it carries no finalizer of ours', async () => {
    const operator = await servedPerformer();
    expect(operator.cluster.find(performers, keyOf('x'))?.metadata?.finalizers).toBeUndefined();
    operator.cluster.remove(performers, keyOf('x'));
    expect(operator.cluster.find(performers, keyOf('x'))).toBeUndefined();
    await operator.clock.advance(10_000);
    expect([...operator.pods(), ...operator.services()]).toEqual([]);
  });

  it('OP-14 gives up the finalizer of old when an operator comes back, pod and Service first', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(performers, keyOf('x'), (stored) => ({
      ...stored,
      metadata: { ...stored.metadata, finalizers: [legacyFinalizer, 'else.where/keeps'] },
    }));
    operator.cluster.remove(performers, keyOf('x'));
    await operator.once(30_000);
    expect(operator.cluster.find(performers, keyOf('x'))?.metadata?.finalizers).toEqual(['else.where/keeps']);
    expect([...operator.pods(), ...operator.services()]).toEqual([]);
    expect(statusOf(operator)).toMatchObject({ ready: false, phase: 'Terminating' });
  });

  it('OP-14 with its children orphaned leaves them running', async () => {
    const operator = await servedPerformer();
    const uid = operator.pods()[0]?.metadata?.uid;
    operator.cluster.remove(performers, keyOf('x'), { propagationPolicy: 'Orphan' });
    await operator.once(30_000);
    expect(operator.pods().map((pod) => pod.metadata?.uid)).toEqual([uid]);
    expect(operator.services()).toHaveLength(1);
  });
});

describe('a pod the API server refuses', () => {
  const denials = [
    { says: 'exceeded quota: none, requested: pods=1', reason: 'QuotaExceeded' },
    { says: 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation', reason: 'PodSecurityViolation' },
    { says: 'admission webhook "policy.example" denied the request: no', reason: 'WebhookDenied' },
    { says: 'maximum cpu usage per Container is 1', reason: 'LimitExceeded' },
    { says: 'error looking up service account default/web: serviceaccount "web" not found', reason: 'ReferenceMissing' },
  ];
  it.each(denials)('OP-16 stands in status and as an Event: $reason', async ({ says, reason }) => {
    const operator = operatorOn();
    await operator.ask('x');
    const kube = interceptWrites(operator.cluster.api(), {
      before: (verb, plural) => {
        if (verb === 'create' && plural === 'pods')
          throw new KubeFault('forbidden', `creating Pod default/performer-x: ${says}`, { status: 403 });
      },
    });
    await operator.once(0, kube);
    expect(conditionOf(operator)).toMatchObject({ status: 'False', reason, message: expect.stringContaining(says) });
    expect(statusOf(operator)).toMatchObject({ phase: 'Pending', ready: false });
    await operator.clock.advance(600_000);
    expect(await reasonsOf(operator.once(30_000))).toEqual(['Serving']);
  });

  it.each([
    { what: 'its pod', kinds: ['pods'], services: 3 },
    { what: 'its pod and its Service', kinds: ['pods', 'services'], services: 2 },
  ])('OP-16 is said when $what is refused, and keeps no other Performer from coming up', async ({ kinds, services: made }) => {
    const operator = operatorOn();
    for (const name of ['a', 'b', 'c']) await operator.ask(name);
    const kube = interceptWrites(operator.cluster.api(), {});
    const refusing: KubeApi = {
      ...kube,
      create: async (resource, object, options) => {
        if (object.metadata?.name === 'performer-b' && kinds.includes(resource.plural))
          throw new KubeFault('forbidden', 'creating Pod default/performer-b: exceeded quota');
        return kube.create(resource, object, options);
      },
    };
    await operator.once(20_000, refusing);
    expect(['a', 'b', 'c'].map((name) => conditionOf(operator, 'Ready', name)?.reason)).toEqual(['Serving', 'QuotaExceeded', 'Serving']);
    expect(operator.services()).toHaveLength(made);
  });
});

describe('a Service', () => {
  it('OP-17 keeps what others set on it, through a repair and through ten settled minutes without a write', async () => {
    const operator = await servedPerformer();
    operator.cluster.update(services, first, (service) => ({
      ...service,
      metadata: { ...service.metadata, annotations: { 'mesh.example/on': 'yes' } },
      spec: {
        ...service.spec,
        type: 'NodePort',
        sessionAffinity: 'ClientIP',
        internalTrafficPolicy: 'Local',
        selector: { wrong: 'one' },
        ports: [
          { name: 'grpc', port: 8080, targetPort: 8081, nodePort: 30_080, protocol: 'TCP' },
          { name: 'metrics', port: 9100, targetPort: 9100, protocol: 'TCP' },
        ],
      } as never,
    }));
    await operator.once(30_000);
    const [service] = operator.services();
    expect(service?.spec).toMatchObject({
      type: 'NodePort',
      sessionAffinity: 'ClientIP',
      internalTrafficPolicy: 'Local',
      selector: { [labels.performer]: 'x' },
      ports: [
        { name: 'grpc', port: 8080, targetPort: 'grpc', nodePort: 30_080 },
        { name: 'metrics', port: 9100 },
      ],
    });
    expect(Object.keys(service?.spec?.selector ?? {})).toEqual([labels.performer]);
    expect(service?.metadata?.annotations).toEqual({ 'mesh.example/on': 'yes' });
    const { writes, stop } = await operator.watch();
    await operator.clock.advance(600_000);
    await stop();
    expect(writes).toEqual({ create: 0, patch: 0, delete: 0 });
  });

  it('OP-17 carries labels by which it is found, and comes back when it is deleted', async () => {
    const operator = await servedPerformer();
    expect(operator.services()[0]?.metadata?.labels).toEqual({ app: 'hourglass-performer', [labels.instance]: 'x' });
    operator.cluster.remove(services, first);
    await operator.once(30_000);
    expect(operator.services()).toHaveLength(1);
  });
});

describe('many Performers', () => {
  it('OP-18 take three writes each, and are worked on side by side', async () => {
    const operator = operatorOn();
    const names = Array.from({ length: 40 }, (_, index) => `p-${index}`);
    for (const name of names) await operator.ask(name);
    const { writes, stop } = await operator.watch();
    const startMs = operator.clock.nowMs();
    await operator.letPass(
      (async () => {
        while (names.some((name) => operator.status(name)?.ready !== true)) await new Promise((resolve) => setImmediate(resolve));
      })(),
    );
    expect(operator.clock.nowMs() - startMs).toBeLessThan(5_000);
    await operator.clock.advance(300_000);
    await stop();
    expect(writes).toEqual({ create: 80, patch: 40, delete: 0 });
  });
});
