import { afterEach, describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../../src/kube/faults.ts';
import { type Service, services } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { type ReflectorOptions, startReflector } from '../../../src/kube/reflector.ts';
import { ObjectStore } from '../../../src/kube/store.ts';
import { MemoryCluster, type MemoryClusterOptions } from '../../../src/sim/memory-cluster.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A reflector of the Services of a memory cluster whose next lists and watches can be made to fail. */
function setUp(change: Partial<ReflectorOptions<Service>> = {}, options: Partial<MemoryClusterOptions> = {}) {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock, ...options });
  const api = cluster.api();
  const faults: { list: KubeFaultCode[]; watch: KubeFaultCode[] } = { list: [], watch: [] };
  const calls = { list: 0, watch: 0 };
  const kube: Pick<KubeApi, 'list' | 'watch'> = {
    list: async (resource, listOptions) => {
      calls.list += 1;
      const code = faults.list.shift();
      if (code !== undefined) throw new KubeFault(code, `listing: ${code}`);
      return api.list(resource, listOptions);
    },
    watch: async function* (resource, watchOptions) {
      calls.watch += 1;
      const code = faults.watch.shift();
      if (code !== undefined) throw new KubeFault(code, `watching: ${code}`);
      yield* api.watch(resource, watchOptions);
    },
  };
  const store = new ObjectStore<Service>();
  const stop = new AbortController();
  stops.push(stop);
  const start = () =>
    startReflector<Service>({ kube, clock, resource: services, store, signal: stop.signal, random: () => 0.999, ...change });
  const names = () => store.list().map((service) => service.metadata?.name);
  const create = (name: string, app = 'x') =>
    api.create(services, { metadata: { namespace: 'default', name, labels: { app } }, spec: { ports: [{ port: 80 }] } });
  return { clock, cluster, api, faults, calls, store, stop, start, names, create };
}

describe('a reflector', () => {
  it('lists, then follows each change without another list', async () => {
    const { start, names, create, calls, cluster } = setUp();
    await create('a');
    const reflector = start();
    await reflector.synced;
    expect(names()).toEqual(['a']);
    await create('b');
    cluster.remove(services, { namespace: 'default', name: 'a' });
    await settle();
    expect(names()).toEqual(['b']);
    expect([calls.list, reflector.state().synced]).toEqual([1, true]);
  });

  it('holds what its selection holds', async () => {
    const { start, names, create, cluster } = setUp({ namespace: 'default', labelSelector: 'app=x' });
    await create('a');
    await create('b', 'y');
    await start().synced;
    cluster.update(
      services,
      { namespace: 'default', name: 'a' },
      (service) => ({ ...service, metadata: { ...service.metadata, labels: { app: 'y' } } }) as Service,
    );
    await create('c');
    await settle();
    expect(names()).toEqual(['c']);
  });

  it('goes on from the last version when the stream ends, and misses nothing', async () => {
    const { start, names, create, calls, clock, cluster } = setUp();
    const reflector = start();
    await reflector.synced;
    await clock.advance(10_000);
    cluster.endWatches();
    await create('a');
    await clock.advance(0);
    expect(names()).toEqual(['a']);
    expect([calls.list, calls.watch, reflector.state().restarts]).toEqual([1, 2, 1]);
  });

  it('goes on from a bookmark where nothing else moved it on', async () => {
    const { start, calls, clock, cluster, api } = setUp();
    await start().synced;
    await settle();
    await api.create(services, { metadata: { namespace: 'default', name: 'a' }, spec: { ports: [{ port: 80 }] } });
    cluster.createNamespace('other');
    cluster.bookmark();
    await clock.advance(10_000);
    cluster.compact();
    cluster.endWatches();
    await clock.advance(10_000);
    expect(calls.list).toBe(1);
  });

  it('lists anew when its version has expired, and takes out what went meanwhile', async () => {
    const { start, names, create, calls, clock, cluster, store } = setUp();
    await create('a');
    await start().synced;
    await clock.advance(10_000);
    const gone: (string | undefined)[] = [];
    store.onChange((before, after) => after === undefined && gone.push(before?.metadata?.name));
    cluster.endWatches(new KubeFault('unreachable', 'cut'));
    await settle();
    cluster.remove(services, { namespace: 'default', name: 'a' });
    await create('b');
    cluster.compact();
    await clock.advance(5_000);
    await clock.advance(5_000);
    expect([names(), gone, calls.list]).toEqual([['b'], ['a'], 2]);
  });

  it('does not turn a version that expires again and again into a storm of lists', async () => {
    const { start, calls, clock, faults } = setUp();
    faults.watch.push(...Array<KubeFaultCode>(200).fill('expired'));
    await start().synced;
    await clock.advance(60_000);
    expect(calls.list).toBeLessThan(10);
  });

  it('resumes a stream on which nothing came for 75 s', async () => {
    const { start, calls, clock, create, names } = setUp({}, { bookmarkMs: 10_000_000 });
    const reflector = start();
    await reflector.synced;
    await clock.advance(74_000);
    expect(calls.watch).toBe(1);
    await clock.advance(2_000);
    expect(calls.watch).toBe(2);
    expect(reflector.state().lastFault).toContain('no event and no bookmark for 75 s');
    await create('a');
    await settle();
    expect(names()).toEqual(['a']);
    expect(reflector.state().lastFault).toBeUndefined();
  });

  it('leaves a stream alone on which bookmarks come', async () => {
    const { start, calls, clock } = setUp();
    const reflector = start();
    await reflector.synced;
    await clock.advance(280_000);
    expect(calls.watch).toBe(1);
    expect(clock.monotonicMs() - reflector.state().lastActivityMs).toBeLessThan(60_000);
  });

  it('lists anew when watch after watch brings nothing though the server answers', async () => {
    const { start, calls, clock, faults } = setUp();
    await start().synced;
    await clock.advance(0);
    faults.watch.push('unavailable', 'unavailable', 'unavailable');
    await clock.advance(700_000);
    expect(calls.list).toBe(2);
  });

  it('forgets former failures once a stream has lived for a minute', async () => {
    const { start, calls, clock, cluster, faults } = setUp();
    faults.list.push(...Array<KubeFaultCode>(8).fill('unavailable'));
    start();
    await clock.advance(250_000);
    expect(calls.watch).toBe(1);
    cluster.endWatches(new KubeFault('unavailable', 'restarting'));
    await clock.advance(900);
    expect(calls.watch).toBe(2);
  });

  it('lists anew after an event that it could not take, so that its object is not lost', async () => {
    let breaks = true;
    const store = new ObjectStore<Service>({
      indexes: {
        name: (service) => {
          if (breaks && service.metadata?.name === 'a') throw new TypeError('index broke');
          return [service.metadata?.name ?? ''];
        },
      },
    });
    const { start, clock, create } = setUp({ store });
    const reflector = start();
    await reflector.synced;
    await create('a');
    await settle();
    expect(reflector.state().lastFault).toBe('index broke');
    breaks = false;
    await clock.advance(5_000);
    expect(store.byIndex('name', 'a')).toHaveLength(1);
  });

  it.each<KubeFaultCode>(['unreachable', 'forbidden', 'kindMissing', 'unreadable', 'expired'])('does not give up on %s', async (code) => {
    const { start, clock, faults, names, create } = setUp();
    await create('a');
    faults.list.push(code, code, code);
    faults.watch.push(code, code, code);
    const reflector = start();
    await settle();
    expect(reflector.state()).toMatchObject({ synced: false, lastFault: `listing: ${code}` });
    await clock.advance(300_000);
    await create('b');
    await settle();
    expect(names()).toEqual(['a', 'b']);
    expect(reflector.state().lastFault).toBeUndefined();
  });

  it('with failFirstList lets the caller see the first fault and ends', async () => {
    const { start, faults } = setUp({ failFirstList: true });
    faults.list.push('unreachable');
    const reflector = start();
    await expect(reflector.synced).rejects.toThrow(expect.objectContaining({ code: 'unreachable' }));
    await reflector.done;
  });

  it('with failFirstList keeps trying once it has listed', async () => {
    const { start, clock, faults, create, names } = setUp({ failFirstList: true });
    await start().synced;
    await settle();
    faults.watch.push('expired');
    faults.list.push('unreachable', 'unreachable');
    await create('a');
    await clock.advance(700_000);
    expect(names()).toEqual(['a']);
  });

  it.each(['before the first list', 'while watching', 'while it waits'])(
    'ends when it is told to %s, and leaves no timer',
    async (when) => {
      const { start, clock, stop, faults } = setUp();
      if (when === 'before the first list') stop.abort();
      if (when === 'while it waits') faults.list.push('unreachable');
      const reflector = start();
      await settle();
      stop.abort();
      await Promise.all([reflector.synced, reflector.done]);
      expect(clock.pending).toBe(0);
    },
  );
});
