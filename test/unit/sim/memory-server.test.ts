import { describe, expect, it } from 'vitest';
import { type KubeObject, leases, namespaces, type Pod, pods, type Resource, services } from '../../../src/kube/objects.ts';
import { classifyDenial } from '../../../src/reconcile/plan/denial.ts';
import { resourceQuotas } from '../../../src/sim/quota.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const widgets: Resource<KubeObject> = { group: 'example.org', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const key = { namespace: 'default', name: 'x' };
const service = { metadata: key, spec: { ports: [{ port: 80 }] } };
const pod: Pod = { metadata: key, spec: { containers: [{ name: 'main', image: 'x:1' }] } };
const widget = (spec: object = {}, metadata: object = {}): KubeObject => ({ metadata: { ...key, ...metadata }, spec }) as KubeObject;
const fault = (code: string, status?: number) => expect.objectContaining({ code, ...(status === undefined ? {} : { status }) }) as Error;

function setUp() {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock });
  cluster.registerKind(widgets, {
    statusSubresource: true,
    schema: {
      properties: {
        spec: { type: 'object', properties: { size: { type: 'integer' } } },
        status: { default: { seen: -1 }, properties: { seen: {} } },
      },
    },
  });
  return { clock, cluster, server: cluster.server };
}

describe('a PUT', () => {
  it('takes away what it does not name, and keeps what only the server sets', () => {
    const { server } = setUp();
    const first = server.create(services, { ...service, metadata: { ...key, labels: { a: 'b' } } });
    const second = server.replace(services, key, service);
    expect(second.metadata).toMatchObject({ uid: first.metadata.uid, creationTimestamp: first.metadata.creationTimestamp });
    expect(second.metadata.labels).toBeUndefined();
    expect(second.spec?.clusterIP).toBe(first.spec?.clusterIP);
  });

  it('without a version is refused for a custom kind and for a Lease', () => {
    const { server } = setUp();
    server.create(widgets, widget());
    server.create(leases, { metadata: key });
    expect(() => server.replace(widgets, key, widget({ size: 2 }))).toThrow(fault('invalid', 422));
    expect(() => server.replace(leases, key, { metadata: key })).toThrow(fault('invalid', 422));
  });

  it('conflicts when it names another version or another uid', () => {
    const { server } = setUp();
    server.create(services, service);
    expect(() => server.replace(services, key, { ...service, metadata: { ...key, resourceVersion: '1' } })).toThrow(fault('conflict', 409));
    expect(() => server.replace(services, key, { ...service, metadata: { ...key, uid: 'other' } })).toThrow(fault('conflict', 409));
  });

  it('creates a Service or a Lease that is missing, and no other kind', () => {
    const { server } = setUp();
    expect(server.replace(services, key, service).metadata.uid).toBeDefined();
    expect(() => server.replace(pods, key, pod)).toThrow(fault('notFound'));
    expect(() => server.replace(widgets, key, widget())).toThrow(fault('notFound'));
    expect(() => server.replace(leases, key, { metadata: { ...key, uid: 'gone' } })).toThrow(fault('conflict'));
  });

  it('of another name is no request', () => {
    const { server } = setUp();
    expect(() => server.replace(services, { ...key, name: 'y' }, service)).toThrow(fault('invalid', 400));
  });
});

it('takes a patch without a version, whatever is stored', () => {
  const { server } = setUp();
  server.create(widgets, widget({ size: 1, odd: true }));
  expect(server.patch(widgets, key, { spec: { size: 2, odd: true } }, {}).spec).toEqual({ size: 2 });
});

it('carries labels along with the status of a pod, not with that of a custom kind', () => {
  const { server } = setUp();
  server.create(pods, pod);
  server.create(widgets, widget());
  const patch = { metadata: { labels: { a: 'b' } }, status: { seen: 1 } };
  expect(server.patch(pods, key, patch, { subresource: 'status' }).metadata.labels).toEqual({ a: 'b' });
  expect(server.patch(widgets, key, patch, { subresource: 'status' })).toMatchObject({ status: { seen: 1 } });
  expect(server.get(widgets, key).metadata.labels).toBeUndefined();
});

it('stores the default status of a custom kind with the first write, even one that changes nothing', () => {
  const { server } = setUp();
  const first = server.create(widgets, widget());
  const second = server.patch(widgets, key, {}, {});
  expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
  expect(server.patch(widgets, key, {}, {})).toBe(second);
});

it('makes the deadline of a pod shorter, never longer', () => {
  const { server } = setUp();
  server.create(pods, pod);
  server.patch(pods, key, { spec: { activeDeadlineSeconds: 50 } }, {});
  expect(() => server.patch(pods, key, { spec: { activeDeadlineSeconds: 100 } }, {})).toThrow(fault('invalid', 422));
  expect(() => server.patch(pods, key, { spec: { activeDeadlineSeconds: null } }, {})).toThrow(fault('invalid', 422));
});

it('takes dependents that do not block an owner deleted in the foreground while it still waits', async () => {
  const { clock, server } = setUp();
  const owner = server.create(widgets, widget({}, { finalizers: ['a.b/c'] }));
  const { apiVersion, kind, metadata } = owner;
  const reference = { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', blockOwnerDeletion: false };
  server.create(services, { ...service, metadata: { ...key, ownerReferences: [reference] } });
  server.delete(widgets, key, { propagationPolicy: 'Foreground' });
  await clock.advance(100);
  expect(server.find(services, key)).toBeUndefined();
  expect(server.get(widgets, key).metadata.finalizers).toEqual(['a.b/c']);
});

describe('admission', () => {
  it('refuses what a quota has no room for, in words the operator reads', () => {
    const { server } = setUp();
    server.create(resourceQuotas, { metadata: { ...key, name: 'q' }, spec: { hard: { pods: '1' } } } as KubeObject);
    server.create(pods, pod);
    const more = (): unknown => server.create(pods, { ...pod, metadata: { ...key, name: 'y' } });
    expect(more).toThrow(fault('forbidden', 403));
    expect(more).toThrow(/exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/);
  });

  it('asks pods for what their namespace enforces, again when an image changes', () => {
    const { server } = setUp();
    server.create(pods, pod);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    server.patch(namespaces, { namespace: '', name: 'default' }, { metadata: { labels } }, {});
    expect(() => server.create(pods, { ...pod, metadata: { ...key, name: 'y' } })).toThrow(/violates PodSecurity "restricted:latest"/);
    expect(server.patch(pods, key, { metadata: { labels: { a: 'b' } } }, {}).metadata.labels).toEqual({ a: 'b' });
    expect(() => server.patch(pods, key, { spec: { containers: [{ name: 'main', image: 'x:2' }] } }, {})).toThrow(fault('forbidden', 403));
  });
});

describe('a namespace that goes', () => {
  it('takes nothing new, says so, and goes when its pods and then the rest have gone', async () => {
    const { clock, cluster, server } = setUp();
    cluster.createNamespace('team-a');
    const inside = { namespace: 'team-a', name: 'x' };
    server.create(pods, { metadata: inside, spec: { nodeName: 'n', containers: [{ name: 'main', image: 'x' }] } } as Pod);
    server.create(services, { ...service, metadata: inside });
    server.delete(namespaces, { namespace: '', name: 'team-a' }, {});
    await clock.advance(100);
    expect(server.get(namespaces, { namespace: '', name: 'team-a' }).status).toEqual({ phase: 'Terminating' });
    expect(server.get(pods, inside).metadata.deletionGracePeriodSeconds).toBe(30);
    expect(server.get(services, inside).metadata.deletionTimestamp).toBeUndefined();
    let refusal = '';
    try {
      server.create(leases, { metadata: inside });
    } catch (error) {
      expect(error).toEqual(fault('forbidden', 403));
      refusal = (error as Error).message;
    }
    expect(classifyDenial(refusal)).toBe('NamespaceTerminating');
    cluster.removePod(inside);
    await clock.advance(100);
    expect(cluster.objects(services)).toEqual([]);
    expect(cluster.objects(namespaces).map(({ metadata }) => metadata?.name)).toEqual(['default']);
  });
});
