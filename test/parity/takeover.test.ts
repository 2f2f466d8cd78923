import { describe, expect, it } from 'vitest';
import { annotations, labels, legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { pods } from '../../src/kube/objects.ts';
import type { OriginalSpec } from '../fixtures/original/objects.ts';
import { crds } from './support/crd.ts';
import { avsAddress, imageOf, keyOf, leaveByOriginal, operatorOn, statusOf, total } from './support/world.ts';

const specs: Readonly<Record<string, OriginalSpec>> = {
  plain: { avsAddress, image: 'avs:1' },
  configured: {
    avsAddress: '0xABC_def',
    image: 'avs:1',
    imagePullPolicy: 'Never',
    version: 'v1',
    config: { grpcPort: 8080, environment: { B: '2', A: '1' } },
    resources: {},
  },
  gpu: {
    avsAddress: 'my-first-avs',
    image: 'avs:2',
    config: { grpcPort: 9090, args: ['--fast'] },
    scheduling: { nodeSelector: { zone: 'a' } },
    hardwareRequirements: { gpuCount: 1, gpuType: 'nvidia-a100' },
  },
};

describe.each(crds)('a cluster the Go operator left, with the CRD %s', (crd) => {
  const takeOver = async () => {
    const operator = operatorOn(crd);
    for (const [name, spec] of Object.entries(specs)) await leaveByOriginal(operator, name, spec);
    const before = operator.pods();
    await operator.clock.advance(3_600_000);
    return { operator, before, first: await operator.once() };
  };

  it('is taken over without a pod deleted, restarted or made', async () => {
    const { operator, before, first } = await takeOver();
    expect(first.writes).toMatchObject({ create: 0, delete: 0 });
    expect(first.outcomes.map(({ outcome }) => outcome.kind)).toEqual(['settled', 'settled', 'settled']);
    expect(operator.pods().map((pod) => ({ uid: pod.metadata?.uid, spec: pod.spec, status: pod.status }))).toEqual(
      before.map((pod) => ({ uid: pod.metadata?.uid, spec: pod.spec, status: pod.status })),
    );
    for (const pod of operator.pods()) {
      expect(pod.metadata?.labels).toMatchObject({ [labels.index]: '0', [labels.revision]: expect.stringMatching(/./) });
    }
  });

  it('is not written to any more from the second run on', async () => {
    const { operator } = await takeOver();
    for (const _again of [2, 3]) {
      await operator.clock.advance(60_000);
      expect((await operator.once(10_000)).writes).toEqual({ create: 0, patch: 0, delete: 0 });
    }
  });

  it('costs two writes a Performer: marks on its pod, and its status', async () => {
    const { first } = await takeOver();
    expect(total(first.writes)).toBeLessThanOrEqual(2 * Object.keys(specs).length);
  });

  it('keeps the legacy status, and says Ready', async () => {
    const { operator } = await takeOver();
    for (const name of Object.keys(specs)) {
      expect(statusOf(operator, name)).toMatchObject({
        phase: 'Running',
        ready: true,
        readyTime: '2026-01-01T00:00:01Z',
        podName: `performer-${name}`,
        serviceName: `performer-${name}`,
        grpcEndpoint: `performer-${name}.default.svc.cluster.local`,
      });
      expect(statusOf(operator, name).conditions?.at(-1)).toMatchObject({ type: 'Ready', status: 'True' });
    }
  });

  it('lets go of a deleted Performer: its finalizer, its pod and its Service', async () => {
    const { operator } = await takeOver();
    operator.cluster.remove(performers, keyOf('plain'));
    expect(operator.cluster.find(performers, keyOf('plain'))?.metadata?.finalizers).toEqual([legacyFinalizer]);
    await operator.once(60_000);
    expect(operator.cluster.find(performers, keyOf('plain'))).toBeUndefined();
    expect(operator.pods().map((pod) => pod.metadata?.name)).toEqual(['performer-configured', 'performer-gpu']);
    expect(operator.services().map((service) => service.metadata?.name)).toEqual(['performer-configured', 'performer-gpu']);
  });

  it('gets the new pods at the next change of the user, the old one serving until then', async () => {
    const { operator } = await takeOver();
    operator.change('plain', { image: 'avs:9' });
    await operator.once(60_000);
    const [pod, ...others] = operator.pods().filter((one) => one.metadata?.labels?.[labels.instance] === 'plain');
    expect(others).toEqual([]);
    expect(pod?.metadata?.name).toMatch(/^performer-plain-[0-9a-f]{4}-1$/);
    expect(imageOf(pod ?? {})).toBe('avs:9');
  });

  it('rolls a pod whose image is not that of the spec, and no other', async () => {
    const operator = operatorOn(crd);
    for (const [name, spec] of Object.entries(specs)) await leaveByOriginal(operator, name, spec);
    const untouched = operator.pods().filter((pod) => pod.metadata?.name !== 'performer-plain');
    operator.change('plain', { image: 'avs:2' });
    const { outcomes } = await operator.once(60_000);
    expect(outcomes.map(({ outcome }) => outcome.kind)).toEqual(['settled', 'settled', 'settled']);
    const after = operator.pods();
    expect(after.filter((pod) => untouched.some((one) => one.metadata?.uid === pod.metadata?.uid))).toHaveLength(2);
    expect(after.find((pod) => pod.metadata?.labels?.[labels.instance] === 'plain')?.metadata?.name).not.toBe('performer-plain');
    expect(after.every((pod) => pod.metadata?.annotations?.[annotations.withdrawnAt] === undefined)).toBe(true);
  });
});

describe('objects orphaned by their Performer', () => {
  it('are adopted by one of the same name without a restart', async () => {
    const operator = operatorOn();
    const pod = await leaveByOriginal(operator, 'plain', specs.plain ?? { avsAddress, image: 'avs:1' });
    await operator.once();
    operator.cluster.update(performers, keyOf('plain'), (stored) => ({ ...stored, metadata: { ...stored.metadata, finalizers: [] } }));
    operator.cluster.remove(performers, keyOf('plain'), { propagationPolicy: 'Orphan' });
    await operator.clock.advance(1_000);
    expect(operator.pods()[0]?.metadata?.ownerReferences ?? []).toEqual([]);
    await operator.ask('plain');
    const { outcomes, writes } = await operator.once(10_000);
    expect(outcomes.map(({ outcome }) => outcome.kind)).toEqual(['settled']);
    expect(writes).toMatchObject({ create: 0, delete: 0 });
    const uid = operator.cluster.find(performers, keyOf('plain'))?.metadata?.uid;
    expect(operator.pods().map(({ metadata }) => [metadata?.uid, metadata?.ownerReferences?.map((owner) => owner.uid)])).toEqual([
      [pod.metadata?.uid, [uid]],
    ]);
    expect(operator.services()[0]?.metadata?.ownerReferences?.map((owner) => owner.uid)).toEqual([uid]);
    expect(operator.cluster.find(pods, keyOf('performer-plain'))?.spec?.containers[0]?.readinessProbe?.periodSeconds).toBe(15);
  });
});
