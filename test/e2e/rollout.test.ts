import { describe, expect, it } from 'vitest';
import { RealCluster, readyOf, until } from '../parity/support/real-cluster.ts';
import { useCluster } from '../support/cluster.ts';

const real = new RealCluster(useCluster({ profile: 'node-like' }));
const namespace = 'many';
const names = Array.from({ length: 50 }, (_, index) => `p-${index}`);

const changeAll = async (image: string): Promise<void> => {
  // One process for all: fifty would be what the machine is busy with.
  const items = (await real.performers(namespace)).map(({ apiVersion, kind, metadata, spec }) => ({
    apiVersion,
    kind,
    metadata: { name: metadata?.name, namespace },
    spec: { ...(spec as object), image },
  }));
  await real.apply({ apiVersion: 'v1', kind: 'List', items });
};
const served = async (image: string): Promise<boolean> => {
  const [performers, pods] = [await real.performers(namespace), await real.pods(namespace)];
  return (
    performers.every((performer) => readyOf(performer) === 'True Serving') &&
    pods.length === names.length &&
    pods.every((pod) => pod.spec?.containers[0]?.image === image)
  );
};
const uids = async (): Promise<ReadonlySet<string | undefined>> =>
  new Set((await real.pods(namespace)).filter((pod) => pod.spec?.containers[0]?.image === 'avs:2').map((pod) => pod.metadata?.uid));

describe('a rollout of fifty Performers on nodes that take their time', () => {
  it('OP-3 leaves no Service without a ready endpoint at any moment', async () => {
    await real.installCrd('ours');
    await real.namespace(namespace);
    for (const name of names) await real.ask(namespace, name, { drainSeconds: 1 });
    await real.whileWatching(namespace, async () => {
      await until('all to serve', () => served('avs:1'));
      const prober = await real.probe(namespace);
      await until('their endpoints', async () => [...prober.ready().values()].filter((count) => count > 0).length === names.length);
      const before = prober.events();
      await changeAll('avs:2');
      await until('the rollout', () => served('avs:2'), 100_000);
      await prober.stop();
      expect(prober.events() - before).toBeGreaterThanOrEqual(2 * names.length);
      expect(prober.gaps).toEqual([]);
    });
  });

  it('OP-3 to an image that cannot be pulled leaves the old pods serving, and says why within 15 s; the former image put back ends it in one pass', async () => {
    const before = await uids();
    expect(before.size).toBe(names.length);
    const prober = await real.probe(namespace);
    await real.whileWatching(namespace, async () => {
      await until('the watch to have nothing to do', () => served('avs:2'));
      await changeAll('avs:pull-fails');
      await until(
        'every status to say why',
        async () => (await real.performers(namespace)).every((performer) => readyOf(performer) === 'False ImagePullFailed'),
        15_000,
      );
      for (const { status } of await real.performers(namespace)) {
        expect(status).toMatchObject({ ready: true, phase: 'Upgrading', readyReplicas: 1, updatedReplicas: 1 });
        expect(status?.conditions?.at(-1)?.message).toContain('avs:pull-fails');
      }
    });
    await changeAll('avs:2');
    const report = await real.once(namespace, '--wait', '30s');
    await prober.stop();
    expect(report).toMatchObject({ result: 'Converged', writes: { create: 0, patch: names.length, delete: names.length } });
    expect(prober.gaps).toEqual([]);
    expect(await uids()).toEqual(before);
    expect(await served('avs:2')).toBe(true);
  });
});
