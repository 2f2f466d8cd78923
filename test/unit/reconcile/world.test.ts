import { describe, expect, it } from 'vitest';
import { type Performer, performers } from '../../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../../src/kube/faults.ts';
import { keyText, type Pod, type Service } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { projectPod } from '../../../src/reconcile/projections.ts';
import { createWorld, listKeys, onWorldChange, watchWorld } from '../../../src/reconcile/world.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { pod } from '../../support/snapshots.ts';

const performer = (name: string): Performer => ({ metadata: { name, namespace: 'team-a', uid: `uid-${name}`, resourceVersion: '5' } });

describe('projectPod', () => {
  it('keeps what decisions need and no environment value', () => {
    const full = {
      ...pod(),
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'performer', image: 'avs:1', env: [{ name: 'TOKEN', value: 'secret' }], ports: [{ containerPort: 8080 }] }],
      },
    } as Pod;
    const kept = projectPod(full);
    expect(JSON.stringify(kept)).not.toContain('secret');
    expect(kept).toMatchObject({
      metadata: { name: 'performer-x', ownerReferences: [{ kind: 'Performer' }] },
      spec: { nodeName: 'n1', containers: [{ name: 'performer', image: 'avs:1', ports: [{ containerPort: 8080 }] }] },
      status: { phase: 'Running', podIP: '10.244.0.7', containerStatuses: [{ started: true }] },
    });
  });

  it('keeps what is equal in many pods once, and what differs apart', () => {
    const of = (name: string, image: string) =>
      projectPod({ ...pod({ name }), spec: { containers: [{ name: 'performer', image, ports: [{ containerPort: 8080 }] }] } } as Pod);
    const [one, two, other] = [of('performer-x', 'avs:1'), of('performer-y', 'avs:1'), of('performer-z', 'avs:2')];
    expect(two.spec?.containers).toBe(one.spec?.containers);
    expect(two.status?.conditions).toBe(one.status?.conditions);
    expect(two.status?.containerStatuses).toBe(one.status?.containerStatuses);
    expect([one, other].map(({ spec }) => spec?.containers[0]?.image)).toEqual(['avs:1', 'avs:2']);
  });

  it('is what it is projected to', () => {
    expect(projectPod(projectPod(pod({ withdrawnAtMs: 0 })))).toEqual(projectPod(pod({ withdrawnAtMs: 0 })));
  });
});

describe('the keys of a world', () => {
  it('are its Performers and the names of those whose children are left', () => {
    const world = createWorld();
    world.performers.wrote(performer('a'));
    world.pods.wrote(pod());
    expect(listKeys(world).map(keyText)).toEqual(['team-a/a', 'team-a/x']);
  });
});

describe('a change', () => {
  it('of a Performer, of its child, and of a foreign object in its way wakes it; other Services wake nobody', () => {
    const world = createWorld();
    const woken: string[] = [];
    onWorldChange(world, (key) => woken.push(keyText(key)));
    world.performers.wrote(performer('x'));
    world.pods.wrote(pod());
    const service = (name: string): Service => ({ metadata: { name, namespace: 'team-a', uid: `uid-${name}`, resourceVersion: '9' } });
    world.services.wrote(service('performer-x'));
    world.services.wrote(service('web'));
    world.services.wrote(service('performer-unknown'));
    expect(woken).toEqual(['team-a/x', 'team-a/x', 'team-a/x']);
  });

  it('that takes an owner away wakes the one it had', () => {
    const world = createWorld();
    world.pods.wrote(pod());
    const woken: string[] = [];
    onWorldChange(world, (key) => woken.push(keyText(key)));
    const orphan = pod();
    world.pods.wrote({ ...orphan, metadata: { ...orphan.metadata, resourceVersion: '21', labels: {}, ownerReferences: [] } } as Pod);
    expect(woken).toContain('team-a/x');
  });
});

describe('a world of some Performers', () => {
  const owns = ({ name }: { readonly name: string }): boolean => name === 'x';
  /** Of Performer `y`, unless told. */
  const podOf = (name: string, change: Pod['metadata'] = {}): Pod => {
    const base = pod({ name });
    const ownerReferences = [
      { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', name: 'y', uid: 'uid-y', controller: true },
    ];
    return { ...base, metadata: { ...base.metadata, ownerReferences, labels: { app: 'hourglass-performer' }, ...change } } as Pod;
  };
  const service = (name: string): Service => ({ metadata: { name, namespace: 'team-a', uid: `uid-${name}`, resourceVersion: '9' } });

  it('keeps what is theirs, selected by them, or under a name of theirs, and nothing else', () => {
    const world = createWorld(owns);
    for (const name of ['x', 'y']) world.performers.wrote(performer(name));
    world.pods.wrote(pod({ name: 'performer-x-abcd-1' }));
    world.pods.wrote(podOf('selected', { labels: { app: 'hourglass-performer', 'hourglass.eigenlayer.io/performer': 'x' } }));
    world.pods.wrote(podOf('performer-x'));
    world.pods.wrote(podOf('performer-y'));
    for (const name of ['performer-x', 'performer-y', 'web']) world.services.wrote(service(name));
    const namesOf = (store: { list(): readonly { metadata?: { name?: string } }[] }): readonly string[] =>
      store.list().map(({ metadata }) => metadata?.name ?? '');
    expect(namesOf(world.performers)).toEqual(['x']);
    expect(namesOf(world.pods)).toEqual(['performer-x-abcd-1', 'selected', 'performer-x']);
    expect(namesOf(world.services)).toEqual(['performer-x']);
  });

  it('has no keys of others and wakes none, though it keeps a pod of theirs', () => {
    const world = createWorld(owns);
    const woken: string[] = [];
    onWorldChange(world, (key) => woken.push(keyText(key)));
    world.performers.wrote(performer('x'));
    world.performers.wrote(performer('y'));
    world.pods.wrote(podOf('selected', { labels: { app: 'hourglass-performer', 'hourglass.eigenlayer.io/performer': 'x' } }));
    expect(woken).toEqual(['team-a/x', 'team-a/x']);
    expect(listKeys(world).map(keyText)).toEqual(['team-a/x']);
  });
});

describe('watchWorld', () => {
  it('asks for nodes once a minute where they may not be read', async () => {
    const clock = new FakeClock();
    const cluster = new MemoryCluster({ clock });
    cluster.registerKind(performers, { statusSubresource: true });
    const api = cluster.api();
    let asked = 0;
    const refuse = (): never => {
      asked += 1;
      throw new KubeFault('forbidden', 'listing nodes: forbidden');
    };
    const kube: KubeApi = {
      list: async (resource, options) => (resource.plural === 'nodes' ? refuse() : api.list(resource, options)),
      watch: async function* (resource, options) {
        if (resource.plural === 'nodes') refuse();
        yield* api.watch(resource, options);
      },
      get: (resource, key, options) => api.get(resource, key, options),
      create: (resource, object, options) => api.create(resource, object, options),
      patch: (resource, key, patch, options) => api.patch(resource, key, patch, options),
      delete: (resource, key, options) => api.delete(resource, key, options),
      event: (event, options) => api.event(event, options),
      serverNowMs: () => api.serverNowMs(),
    };
    const stop = new AbortController();
    const reflectors = watchWorld(createWorld(), { kube, clock, namespace: undefined, signal: stop.signal, random: () => 0.5 });
    for (let second = 0; second < 600; second += 1) await clock.advance(1_000);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(25);
    stop.abort();
    await clock.advance(1_000);
    await Promise.all(reflectors.map((reflector) => reflector.done));
  });
});
