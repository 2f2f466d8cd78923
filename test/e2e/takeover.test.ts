import { beforeAll, describe, expect, it } from 'vitest';
import { labels, legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { type ObjectKey, pods, services } from '../../src/kube/objects.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import { type OriginalSpec, originalPerformer, originalPod, originalService, originalStatus } from '../fixtures/original/objects.ts';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { useCluster } from '../support/cluster.ts';

const real = new RealCluster(useCluster({ profile: 'instant' }));
const nothing = { create: 0, patch: 0, delete: 0 };
const avsAddress = '0x00000000000000000000000000000000000000A1';
const specs: Readonly<Record<string, OriginalSpec>> = {
  plain: { avsAddress, image: 'avs:1' },
  configured: {
    avsAddress: 'my_first_avs',
    image: 'avs:1',
    imagePullPolicy: 'Never',
    version: 'v1',
    config: { grpcPort: 8080, environment: { B: '2', A: '1' } },
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
  },
};

/** Leaves a Performer as the Go operator does, its pod running. */
async function leave(key: ObjectKey, spec: OriginalSpec): Promise<void> {
  const { kube } = real;
  const performer = await kube.create(performers, originalPerformer(key, spec));
  const uid = performer.metadata?.uid ?? '';
  await kube.create(pods, originalPod(key, uid, spec));
  await kube.create(services, originalService(key, uid, spec));
  const status = originalStatus(key, 'Running', true, '2026-01-01T00:00:00Z') as unknown as Json;
  const resourceVersion = performer.metadata?.resourceVersion ?? '';
  await kube.patch(performers, key, { status }, { subresource: 'status', resourceVersion });
  await until('its pod to be ready', async () => {
    const pod = await kube.get(pods, { namespace: key.namespace, name: `performer-${key.name}` });
    return pod.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  });
}

const identities = async (namespace: string): Promise<unknown> =>
  (await real.pods(namespace)).map((pod) => [
    pod.metadata?.name,
    pod.metadata?.uid,
    pod.status?.containerStatuses?.map(({ restartCount }) => restartCount),
    pod.spec?.containers[0]?.readinessProbe?.periodSeconds,
  ]);

describe.each(['base', 'chart'] as const)('what the Go operator leaves on its %s CRD', (crd) => {
  const namespace = `from-${crd}`;
  beforeAll(async () => {
    await real.installCrd(crd);
    await real.namespace(namespace);
    for (const [name, spec] of Object.entries(specs)) await leave({ namespace, name }, spec);
  });

  it('OP-14 is taken over with no pod deleted or restarted, and then not written to', async () => {
    const before = await identities(namespace);
    const first = await real.once(namespace);
    expect(first).toMatchObject({ result: 'Converged', writes: { create: 0, patch: 4, delete: 0 } });
    expect(await identities(namespace)).toEqual(before);
    for (const pod of await real.pods(namespace)) expect(pod.metadata?.labels).toMatchObject({ [labels.index]: '0' });
    expect((await real.performers(namespace)).map(readyOf)).toEqual(['True Serving', 'True Serving']);
    expect(await real.once(namespace)).toMatchObject({ result: 'Converged', writes: nothing });
    expect(await real.once(namespace, '--wait', '5s')).toMatchObject({ result: 'Converged', writes: nothing });
  });

  it('OP-18 costs three writes for a new Performer and five at most for a rollout, none when settled', async () => {
    await real.ask(namespace, 'new', { drainSeconds: 1 });
    expect((await real.once(namespace, '--wait', '30s')).writes).toEqual({ create: 2, patch: 1, delete: 0 });
    expect((await real.once(namespace)).writes).toEqual(nothing);
    await real.change(namespace, 'new', { image: 'avs:2' });
    const { writes, result } = await real.once(namespace, '--wait', '30s');
    expect(result).toBe('Converged');
    expect(writes.create + writes.patch + writes.delete).toBeLessThanOrEqual(5);
    expect((await real.once(namespace)).writes).toEqual(nothing);
  });

  it('OP-14 goes when its Performer is deleted, finalizer and all', async () => {
    await real.kubectl('delete', 'performer', 'plain', '-n', namespace, '--wait=false');
    expect((await real.kube.get(performers, { namespace, name: 'plain' })).metadata?.finalizers).toEqual([legacyFinalizer]);
    await real.once(namespace, '--wait', '20s');
    await until('all of it to go', async () => {
      const left = [...(await real.performers(namespace)), ...(await real.pods(namespace)), ...(await real.services(namespace))];
      return left.every((object) => !['plain', 'performer-plain'].includes(object.metadata?.name ?? ''));
    });
  });

  it('stays as it is when our CRD is applied over it, and when the one that was saved is put back', async () => {
    const before = await identities(namespace);
    const saved = JSON.parse(await real.kubectl('get', 'crd', 'performers.hourglass.eigenlayer.io', '-o', 'json')) as { metadata: object };
    await real.installCrd('ours');
    const { writes } = await real.once(namespace);
    expect(writes).toMatchObject({ create: 0, delete: 0 });
    expect(await identities(namespace)).toEqual(before);
    expect((await real.once(namespace)).writes).toEqual(nothing);
    expect((await real.performers(namespace)).map(({ status }) => status?.observedGeneration)).toEqual(
      (await real.performers(namespace)).map(({ metadata }) => metadata?.generation),
    );
    await real.replace({ ...saved, metadata: { ...saved.metadata, resourceVersion: undefined } });
    await until('the saved one', async () => {
      const { writes: again } = await real.once(namespace);
      return again.create + again.patch + again.delete === 0;
    });
    expect(await identities(namespace)).toEqual(before);
  });
});
