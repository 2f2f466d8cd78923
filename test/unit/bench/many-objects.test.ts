import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManyObjects } from '../../../scripts/scale/api-server.ts';
import { ObjectTexts } from '../../../scripts/scale/object-texts.ts';
import { nameOf, type Settled } from '../../../scripts/scale/settled.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { pods, services } from '../../../src/kube/objects.ts';
import { createKubeApi, type KubeClient } from '../../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../../src/kube-client/load-config.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const uid = (first: string): string => `${first.repeat(8)}-1111-4111-8111-${first.repeat(12)}`;
const child = (kind: string, own: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind,
    metadata: {
      name: `performer-${nameOf(0)}`,
      namespace: 'scale',
      uid: uid(own),
      resourceVersion: '7',
      ownerReferences: [
        { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', name: nameOf(0), uid: uid('a'), controller: true },
      ],
    },
    spec: {},
  });
const settled: Settled = {
  performers: JSON.stringify({
    apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
    kind: 'Performer',
    metadata: { name: nameOf(0), namespace: 'scale', uid: uid('a'), generation: 1, resourceVersion: '7' },
    spec: { avsAddress: `0x${'a1'.repeat(20)}`, image: 'avs:1' },
  }),
  pods: child('Pod', 'b'),
  services: child('Service', 'c'),
};

describe('an API server of many objects, to the real client', () => {
  const wrote: string[] = [];
  const server = new ManyObjects(new ObjectTexts(settled, 1_200), (what, index) => wrote.push(`${what} ${index}`));
  let kube: KubeClient;
  let close: () => void;
  beforeAll(async () => {
    const listening = await server.listen();
    close = () => listening.close();
    const readFile = async (): Promise<Buffer> => Buffer.from(listening.kubeconfig);
    const config = await loadClusterConfig({ kubeconfig: '/kubeconfig', env: {}, readFile, homeDir: '/' });
    kube = createKubeApi(config, { clock: systemClock, userAgent: 'many-objects-test' });
  });
  afterAll(() => {
    kube.close();
    close();
  });

  it('lists them page by page, each with a name and a uid of its own, and children that belong to it', async () => {
    const [performerList, podList] = [await kube.list(performers), await kube.list(pods)];
    expect(performerList.items).toHaveLength(1_200);
    expect(new Set([...performerList.items, ...podList.items].map(({ metadata }) => metadata?.uid)).size).toBe(2_400);
    const { metadata } = podList.items[700] ?? {};
    expect(metadata?.name).toBe(`performer-${nameOf(700)}`);
    expect(metadata?.ownerReferences?.[0]).toMatchObject({ name: nameOf(700), uid: performerList.items[700]?.metadata?.uid });
  });

  it('finds one by its selector, and nothing where there is nothing', async () => {
    const labelSelector = `hourglass.eigenlayer.io/performer=${nameOf(3)}`;
    expect((await kube.list(pods, { labelSelector })).items.map(({ metadata }) => metadata?.name)).toEqual([`performer-${nameOf(3)}`]);
    await expect(kube.get(services, { namespace: 'scale', name: `performer-${nameOf(1_200)}` })).rejects.toMatchObject({
      code: 'notFound',
    });
  });

  it('sends all and then what changes, and writes down who writes about it', async () => {
    const seen: string[] = [];
    for await (const event of kube.watch(performers, { resourceVersion: '', initialEvents: true })) {
      if (event.type === 'BOOKMARK') {
        expect(event.initialEventsEnd).toBe(true);
        server.change(5, 'avs:2');
        continue;
      }
      seen.push(event.type);
      if (event.type !== 'MODIFIED') continue;
      expect(event.object.spec).toMatchObject({ image: 'avs:2' });
      const { namespace = '', name = '', resourceVersion = '' } = event.object.metadata ?? {};
      const patched = await kube.patch(
        performers,
        { namespace, name },
        { status: { ready: true } },
        { subresource: 'status', resourceVersion },
      );
      expect(patched.status?.ready).toBe(true);
      break;
    }
    expect(seen).toHaveLength(1_201);
    expect(wrote).toEqual(['patch performers 5']);
  });
});
