import { describe, expect, it } from 'vitest';
import {
  coreEvents,
  type KubeObject,
  namespaces,
  type Pod,
  pods,
  type Resource,
  type Service,
  services,
} from '../../../src/kube/objects.ts';
import type { WatchEvent } from '../../../src/kube/port.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { MemoryCluster, type MemoryClusterOptions } from '../../support/memory-cluster.ts';

interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number };
  readonly status?: { readonly observedGeneration?: number; readonly ready?: boolean };
}
const widgets: Resource<Widget> = { group: 'example.org', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const key = (name: string) => ({ namespace: 'default', name });
const podOf = (name: string, change: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { ...key(name), ...change },
  spec: { containers: [{ name: 'main', image: 'example.org/x:1' }] },
});
const serviceOf = (name: string): Service => ({
  metadata: key(name),
  spec: { selector: { app: 'x' }, ports: [{ name: 'grpc', port: 8080 }] },
});

function setUp(options: Omit<MemoryClusterOptions, 'clock'> = {}) {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock, ...options });
  cluster.registerKind(widgets, {
    statusSubresource: true,
    defaultStatus: { observedGeneration: -1 },
    validate: (object) => (Number(object.spec?.size) > 9 ? 'spec.size: Invalid value: too large' : undefined),
  });
  return { clock, cluster, kube: cluster.api() };
}
const seen = (object: KubeObject) => ({ uid: object.metadata?.uid ?? '', resourceVersion: object.metadata?.resourceVersion ?? '' });
const fault = (code: string) => expect.objectContaining({ code });

describe('creating', () => {
  it('stamps uid, version, whole-second time and generation, and tells the kind', async () => {
    const { kube } = setUp();
    const widget = await kube.create(widgets, { metadata: { ...key('w'), labels: {} }, spec: { size: 1 } });
    expect(widget).toMatchObject({
      apiVersion: 'example.org/v1',
      kind: 'Widget',
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 },
    });
    expect(widget.metadata?.uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(widget.metadata?.labels).toBeUndefined();
  });

  it('is the same in two clusters of one seed and differs between seeds', async () => {
    const uids = await Promise.all(
      ['a', 'a', 'b'].map(async (seed) => (await setUp({ seed }).kube.create(widgets, { metadata: key('w') })).metadata?.uid),
    );
    expect(uids[0]).toBe(uids[1]);
    expect(uids[0]).not.toBe(uids[2]);
  });

  it('drops the status of a custom kind and gives it the default one', async () => {
    const { kube } = setUp();
    const widget = await kube.create(widgets, { metadata: key('w'), status: { ready: true } });
    expect(widget.status).toEqual({ observedGeneration: -1 });
  });

  it.each<{ name: string; code: string; create: (kube: ReturnType<MemoryCluster['api']>) => Promise<unknown> }>([
    { name: 'a name that is taken', code: 'alreadyExists', create: (kube) => kube.create(services, serviceOf('taken')) },
    { name: 'a namespace that is not there', code: 'notFound', create: (kube) => kube.create(pods, podOf('p', { namespace: 'nowhere' })) },
    {
      name: 'a kind that is not served',
      code: 'kindMissing',
      create: (kube) => kube.create({ ...widgets, plural: 'gadgets' }, { metadata: key('w') }),
    },
    { name: 'a Service name that begins with a digit', code: 'invalid', create: (kube) => kube.create(services, serviceOf('1abc')) },
    {
      name: 'what the rules of the kind refuse',
      code: 'invalid',
      create: (kube) => kube.create(widgets, { metadata: key('w'), spec: { size: 10 } }),
    },
    { name: 'a name that is no name', code: 'invalid', create: (kube) => kube.create(pods, podOf('Not_A_Name')) },
    {
      name: 'a label of 64 characters',
      code: 'invalid',
      create: (kube) => kube.create(pods, podOf('p', { labels: { app: 'x'.repeat(64) } })),
    },
    { name: 'a resourceVersion', code: 'invalid', create: (kube) => kube.create(pods, podOf('p', { resourceVersion: '5' })) },
    {
      name: 'two Service ports of one number',
      code: 'invalid',
      create: (kube) =>
        kube.create(services, {
          metadata: key('s'),
          spec: {
            ports: [
              { name: 'a', port: 80 },
              { name: 'b', port: 80 },
            ],
          },
        }),
    },
  ])('refuses $name', async ({ code, create }) => {
    const { kube } = setUp();
    await kube.create(services, serviceOf('taken'));
    await expect(create(kube)).rejects.toThrow(fault(code));
  });

  it('fills in what the API server fills in', async () => {
    const { kube } = setUp();
    const service = await kube.create(services, serviceOf('s'));
    expect(service.spec).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      clusterIP: expect.stringMatching(/^10\.96\./),
      ports: [{ name: 'grpc', port: 8080, targetPort: 8080, protocol: 'TCP' }],
    });
    const pod = await kube.create(pods, podOf('p'));
    expect(pod.status?.phase).toBe('Pending');
    expect(pod.spec?.tolerations?.map((one) => one.key)).toEqual(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']);
  });

  it('says of a variable that is a field of its pod by which version the field is named', async () => {
    const { kube } = setUp();
    const valueFrom = (fieldRef: { fieldPath: string; apiVersion?: string }) => [{ name: 'NAME', valueFrom: { fieldRef } }];
    const env = valueFrom({ fieldPath: 'metadata.name' });
    const pod = await kube.create(pods, { ...podOf('p'), spec: { containers: [{ name: 'main', image: 'example.org/x:1', env }] } });
    expect(pod.spec?.containers[0]?.env).toEqual(valueFrom({ apiVersion: 'v1', fieldPath: 'metadata.name' }));
  });

  it('hands out what nobody can change', async () => {
    const { kube } = setUp();
    const sent = serviceOf('s');
    const stored = await kube.create(services, sent);
    expect(Object.isFrozen(stored.spec?.ports?.[0])).toBe(true);
    expect(Object.isFrozen(sent.spec)).toBe(false);
  });
});

describe('patching', () => {
  it('counts the generation for a changed spec alone', async () => {
    const { kube } = setUp();
    const first = await kube.create(widgets, { metadata: key('w'), spec: { size: 1 } });
    const labelled = await kube.patch(widgets, key('w'), { metadata: { labels: { a: 'b' } } }, seen(first));
    const resized = await kube.patch(widgets, key('w'), { spec: { size: 2 } }, seen(labelled));
    expect([labelled.metadata?.generation, resized.metadata?.generation]).toEqual([1, 2]);
  });

  it('keeps spec and status apart', async () => {
    const { kube } = setUp();
    const first = await kube.create(widgets, { metadata: key('w'), spec: { size: 1 } });
    const main = await kube.patch(widgets, key('w'), { spec: { size: 2 }, status: { ready: true } }, seen(first));
    expect(main).toMatchObject({ spec: { size: 2 }, status: { observedGeneration: -1 } });
    const status = await kube.patch(
      widgets,
      key('w'),
      { spec: { size: 3 }, status: { ready: true } },
      { ...seen(main), subresource: 'status' },
    );
    expect(status).toMatchObject({ spec: { size: 2 }, status: { observedGeneration: -1, ready: true }, metadata: { generation: 2 } });
  });

  it('writes nothing when nothing differs', async () => {
    const { cluster, kube } = setUp();
    const first = await kube.create(services, serviceOf('s'));
    const version = cluster.resourceVersion;
    const again = await kube.patch(services, key('s'), { spec: { selector: { app: 'x' } } }, seen(first));
    expect(again).toEqual(first);
    expect(cluster.resourceVersion).toBe(version);
  });

  it('keeps what only the server may set', async () => {
    const { kube } = setUp();
    const first = await kube.create(widgets, { metadata: key('w') });
    const patched = await kube.patch(widgets, key('w'), { metadata: { creationTimestamp: null, generation: 7 } }, seen(first));
    expect(patched.metadata).toEqual({ ...first.metadata, resourceVersion: patched.metadata?.resourceVersion });
  });

  it.each<{ name: string; patch: { [key: string]: object }; code: string; version?: string }>([
    { name: 'a version that is not the stored one', patch: { spec: {} }, version: '1', code: 'conflict' },
    { name: 'another uid', patch: { metadata: { uid: 'other' } }, code: 'invalid' },
    { name: 'a change of a fixed field of a pod', patch: { spec: { nodeName: 'elsewhere' } }, code: 'invalid' },
    { name: 'another name', patch: { metadata: { name: 'other' } }, code: 'invalid' },
    { name: 'a mark of deletion', patch: { metadata: { deletionTimestamp: '2020-01-01T00:00:00Z' } as object }, code: 'invalid' },
    { name: 'a finalizer without a domain', patch: { metadata: { finalizers: ['plain'] } as object }, code: 'invalid' },
  ])('refuses $name', async ({ patch, version, code }) => {
    const { kube } = setUp();
    const pod = await kube.create(pods, podOf('p'));
    const options = { resourceVersion: version ?? seen(pod).resourceVersion };
    await expect(kube.patch(pods, key('p'), patch as never, options)).rejects.toThrow(fault(code));
  });

  it('replaces the ports of a Service as a whole, defaults filled in, the address kept', async () => {
    const { kube } = setUp();
    const first = await kube.create(services, serviceOf('s'));
    const patched = await kube.patch(services, key('s'), { spec: { ports: [{ name: 'http', port: 80 }] } }, seen(first));
    expect(patched.spec?.ports).toEqual([{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }]);
    expect(patched.spec?.clusterIP).toBe(first.spec?.clusterIP);
  });
});

describe('deleting', () => {
  it('needs the uid and the version that were seen', async () => {
    const { kube } = setUp();
    const service = await kube.create(services, serviceOf('s'));
    await expect(kube.delete(services, key('s'), { ...seen(service), uid: 'other' })).rejects.toThrow(fault('conflict'));
    await expect(kube.delete(services, key('s'), { ...seen(service), resourceVersion: '1' })).rejects.toThrow(fault('conflict'));
    expect(await kube.delete(services, key('s'), seen(service))).toBeUndefined();
    await expect(kube.delete(services, key('s'), seen(service))).rejects.toThrow(fault('notFound'));
  });

  it('takes a pod without a node at once and leaves one on a node its grace period', async () => {
    const { cluster, kube } = setUp();
    const idle = await kube.create(pods, podOf('idle'));
    expect(await kube.delete(pods, key('idle'), seen(idle))).toBeUndefined();

    await kube.create(pods, podOf('busy'));
    const placed = cluster.update(pods, key('busy'), (pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'n' } }) as Pod);
    const going = await kube.delete(pods, key('busy'), { ...seen(placed), gracePeriodSeconds: 20 });
    expect(going?.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 20 });
    cluster.removePod(key('busy'));
    expect(cluster.find(pods, key('busy'))).toBeUndefined();
  });

  it('waits for finalizers, and the last one that goes takes the object along', async () => {
    const { cluster, kube } = setUp();
    const widget = await kube.create(widgets, { metadata: { ...key('w'), finalizers: ['example.org/hold'] } });
    const held = await kube.delete(widgets, key('w'), seen(widget));
    expect(held?.metadata?.deletionTimestamp).toBeDefined();
    const more = { metadata: { finalizers: ['example.org/hold', 'example.org/more'] } };
    await expect(kube.patch(widgets, key('w'), more, seen(held ?? {}))).rejects.toThrow(fault('invalid'));
    await kube.patch(widgets, key('w'), { metadata: { finalizers: null } }, seen(held ?? {}));
    expect(cluster.objects(widgets)).toEqual([]);
  });
});

describe('the garbage collector', () => {
  const owned = (owner: Widget, name: string): Service => {
    const { uid, name: ownerName } = owner.metadata ?? {};
    const reference = {
      apiVersion: 'example.org/v1',
      kind: 'Widget',
      name: ownerName ?? '',
      uid: uid ?? '',
      controller: true,
      blockOwnerDeletion: true,
    };
    const service = serviceOf(name);
    return { ...service, metadata: { ...service.metadata, ownerReferences: [reference] } };
  };

  it.each([
    { policy: 'Background', ownerStays: false, childStays: false },
    { policy: 'Foreground', ownerStays: true, childStays: false },
    { policy: 'Orphan', ownerStays: true, childStays: true },
  ] as const)('ends a deletion with $policy', async ({ policy, ownerStays, childStays }) => {
    const { clock, cluster, kube } = setUp();
    const owner = await kube.create(widgets, { metadata: key('w') });
    await kube.create(services, owned(owner, 's'));
    const answer = await kube.delete(widgets, key('w'), { ...seen(owner), propagationPolicy: policy });
    expect(answer !== undefined).toBe(ownerStays);
    expect(cluster.objects(services)).toHaveLength(1);
    await clock.advance(100);
    expect(cluster.objects(widgets)).toEqual([]);
    expect(cluster.objects(services).map((service) => service.metadata?.ownerReferences)).toEqual(childStays ? [undefined] : []);
  });

  it('takes an object whose owner is a former one of that name', async () => {
    const { clock, cluster, kube } = setUp();
    const owner = await kube.create(widgets, { metadata: key('w') });
    await kube.create(services, owned({ ...owner, metadata: { ...owner.metadata, uid: 'former' } } as Widget, 's'));
    await clock.advance(100);
    expect(cluster.objects(services)).toEqual([]);
  });

  it('empties a namespace that goes', async () => {
    const { clock, cluster, kube } = setUp();
    cluster.createNamespace('team-a');
    await kube.create(services, { ...serviceOf('s'), metadata: { namespace: 'team-a', name: 's' } });
    cluster.remove(namespaces, { namespace: '', name: 'team-a' });
    await expect(kube.create(pods, podOf('p', { namespace: 'team-a' }))).rejects.toThrow(fault('forbidden'));
    await clock.advance(100);
    expect(cluster.objects(services)).toEqual([]);
    expect(cluster.objects(namespaces).map((namespace) => namespace.metadata?.name)).toEqual(['default']);
  });
});

describe('watching', () => {
  const watchInto = (events: string[], stream: AsyncIterable<WatchEvent<Service>>) =>
    (async () => {
      for await (const event of stream)
        events.push(event.type === 'BOOKMARK' ? 'BOOKMARK' : `${event.type} ${event.object.metadata?.name}`);
      events.push('END');
    })().catch((error: { code: string }) => events.push(error.code));

  it('goes on from the version of a list and sees each change once', async () => {
    const { cluster, kube } = setUp();
    await kube.create(services, serviceOf('before'));
    const { resourceVersion } = await kube.list(services);
    const first = await kube.create(services, serviceOf('s'));
    const events: string[] = [];
    const ended = watchInto(events, kube.watch(services, { resourceVersion }));
    await settle();
    await kube.create(pods, podOf('p'));
    const second = await kube.patch(services, key('s'), { spec: { selector: { app: 'y' } } }, seen(first));
    await kube.delete(services, key('s'), seen(second));
    cluster.bookmark();
    await settle();
    cluster.endWatches();
    await ended;
    expect(events).toEqual(['ADDED s', 'MODIFIED s', 'DELETED s', 'BOOKMARK', 'END']);
  });

  it('with a selector sees objects come and go as they match', async () => {
    const { cluster, kube } = setUp();
    const plain = await kube.create(services, serviceOf('s'));
    const events: string[] = [];
    const ended = watchInto(events, kube.watch(services, { resourceVersion: cluster.resourceVersion, labelSelector: 'in=yes' }));
    await settle();
    const inside = await kube.patch(services, key('s'), { metadata: { labels: { in: 'yes' } } }, seen(plain));
    const out = await kube.patch(services, key('s'), { metadata: { labels: { in: null } } }, seen(inside));
    await kube.delete(services, key('s'), seen(out));
    cluster.endWatches();
    await ended;
    expect(events).toEqual(['ADDED s', 'DELETED s', 'END']);
  });

  it('tells the end of the first objects where it was asked for them', async () => {
    const { cluster, kube } = setUp();
    await kube.create(services, serviceOf('s'));
    const events: string[] = [];
    const ended = watchInto(events, kube.watch(services, { resourceVersion: '', initialEvents: true }));
    await settle();
    await kube.create(services, serviceOf('t'));
    await settle();
    cluster.endWatches();
    await ended;
    expect(events).toEqual(['ADDED s', 'BOOKMARK', 'ADDED t', 'END']);
  });

  it('from a version that was compacted fails with expired', async () => {
    const { cluster, kube } = setUp();
    const { resourceVersion } = await kube.list(services);
    await kube.create(services, serviceOf('s'));
    cluster.compact();
    const events: string[] = [];
    await watchInto(events, kube.watch(services, { resourceVersion }));
    expect(events).toEqual(['expired']);
  });

  it('ends after its time with a bookmark each minute, and leaves no timer', async () => {
    const { clock, cluster, kube } = setUp();
    const events: string[] = [];
    const ended = watchInto(events, kube.watch(services, { resourceVersion: cluster.resourceVersion, timeoutSeconds: 130 }));
    await clock.advance(130_000);
    await ended;
    expect(events).toEqual(['BOOKMARK', 'BOOKMARK', 'END']);
    expect([clock.pending, cluster.openWatches]).toEqual([0, 0]);
  });

  it('ends with aborted when its caller aborts', async () => {
    const { cluster, kube } = setUp();
    const abort = new AbortController();
    const events: string[] = [];
    const ended = watchInto(events, kube.watch(services, { resourceVersion: cluster.resourceVersion, signal: abort.signal }));
    await settle();
    abort.abort();
    await ended;
    expect(events).toEqual(['aborted']);
  });
});

it('keeps one Event of a name', async () => {
  const { cluster, kube } = setUp();
  const regarding = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'p', uid: 'u' };
  const record = { regarding, name: 'p.1', type: 'Normal', reason: 'Created', message: 'first', action: 'Create' } as const;
  await kube.event(record);
  await kube.event({ ...record, message: 'second' });
  expect(cluster.objects(coreEvents).map((event) => event.message)).toEqual(['first']);
});
