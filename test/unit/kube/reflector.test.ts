import { afterEach, describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../../src/kube/faults.ts';
import { type Service, services } from '../../../src/kube/objects.ts';
import type { KubeApi, WatchEvent } from '../../../src/kube/port.ts';
import { type ReflectorOptions, startReflector } from '../../../src/kube/reflector.ts';
import { ObjectStore } from '../../../src/kube/store.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { MemoryCluster, type MemoryClusterOptions } from '../../support/memory-cluster.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

const key = (name: string) => ({ namespace: 'default', name });

/** How a server in front of the memory cluster behaves; a test may change it at any time. */
interface Server {
  watchLists: 'served' | 'refused' | 'ignored';
  /** Faults of the next calls. */
  list: KubeFaultCode[];
  watchList: KubeFaultCode[];
  watch: KubeFaultCode[];
  /** Every call fails by it while it stands. */
  down: KubeFault | undefined;
  /** Streams under way bring nothing more, without a word. */
  silent: boolean;
  /** Each stream is ended after this long. */
  streamMs: number | undefined;
}

/** A reflector of the Services of a memory cluster whose API server can be made to misbehave. */
function setUp(change: Partial<ReflectorOptions<Service>> = {}, options: Partial<MemoryClusterOptions> = {}) {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock, ...options });
  const api = cluster.api();
  const server: Server = {
    watchLists: 'served',
    list: [],
    watchList: [],
    watch: [],
    down: undefined,
    silent: false,
    streamMs: undefined,
  };
  const calls = { list: 0, watchList: 0, watch: 0 };
  const versions: string[] = [];
  const fail = (verb: 'list' | 'watchList' | 'watch'): void => {
    calls[verb] += 1;
    if (server.down !== undefined) throw server.down;
    const code = server[verb].shift();
    if (code !== undefined) throw new KubeFault(code, `${verb}: ${code}`);
  };
  const kube: { list: KubeApi['list']; watch: KubeApi['watch'] } = {
    list: async (resource, listOptions) => {
      fail('list');
      return api.list(resource, listOptions);
    },
    watch: async function* (resource, { initialEvents, ...watchOptions }) {
      fail(initialEvents === true ? 'watchList' : 'watch');
      if (initialEvents === true && server.watchLists === 'refused') throw new KubeFault('invalid', 'sendInitialEvents is forbidden');
      if (initialEvents !== true) versions.push(watchOptions.resourceVersion);
      const timeoutSeconds = server.streamMs === undefined ? watchOptions.timeoutSeconds : server.streamMs / 1_000;
      const asked = {
        ...watchOptions,
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        initialEvents: initialEvents === true && server.watchLists === 'served',
      };
      let swallows = false;
      for await (const event of api.watch(resource, asked)) {
        swallows ||= server.silent;
        if (!swallows) yield event;
      }
    },
  };
  const store = new ObjectStore<Service>();
  const stop = new AbortController();
  stops.push(stop);
  const logged: string[] = [];
  const log = (message: string, fields: Readonly<Record<string, unknown>>): void =>
    void logged.push([message, ...[fields.code ?? fields.error ?? []].flat().map(String)].join(': '));
  const start = () =>
    startReflector<Service>({ kube, clock, resource: services, store, signal: stop.signal, random: () => 0.999, log, ...change });
  const names = () => store.list().map((service) => service.metadata?.name);
  const create = (name: string, app = 'x') =>
    api.create(services, { metadata: { namespace: 'default', name, labels: { app } }, spec: { ports: [{ port: 80 }] } });
  const changes: string[] = [];
  store.onChange((before, after) => changes.push(`${before?.metadata?.name ?? '-'} → ${after?.metadata?.name ?? '-'}`));
  return { clock, cluster, api, server, calls, versions, store, stop, start, names, create, logged, changes, kube };
}

describe('a reflector', () => {
  it('starts by one watch-list and follows each change on the same stream', async () => {
    const { start, names, create, calls, cluster } = setUp();
    await create('a');
    const reflector = start();
    await reflector.synced;
    expect(names()).toEqual(['a']);
    await create('b');
    cluster.remove(services, key('a'));
    await settle();
    expect(names()).toEqual(['b']);
    expect(calls).toEqual({ watchList: 1, list: 0, watch: 0 });
    expect(reflector.state()).toEqual({
      synced: true,
      stale: false,
      ageMs: 0,
      lists: 1,
      relists: 0,
      restarts: 0,
      faults: 0,
      blindMs: 0,
      handlerErrors: 0,
    });
  });

  it('gathers of a watch-list only what its store takes', async () => {
    const store = new ObjectStore<Service>({ selects: ({ metadata }) => metadata?.labels?.app === 'x' });
    const gathered: number[] = [];
    const replace = store.replace.bind(store);
    store.replace = (list) => {
      gathered.push(list.items.length);
      return replace(list);
    };
    const { start, create } = setUp({ store });
    await create('a');
    for (const name of ['b', 'c']) await create(name, 'y');
    await start().synced;
    await create('d', 'y');
    await settle();
    expect(store.list().map(({ metadata }) => metadata?.name)).toEqual(['a']);
    expect(gathered).toEqual([1]);
  });

  it('lists where watch-lists are refused, and does not ask for one again', async () => {
    const { start, names, create, calls, clock, server, cluster, logged } = setUp();
    server.watchLists = 'refused';
    await create('a');
    const reflector = start();
    await reflector.synced;
    await create('b');
    await clock.advance(10_000);
    expect(names()).toEqual(['a', 'b']);
    cluster.endWatches(new KubeFault('expired', 'too old'));
    await clock.advance(10_000);
    expect(calls).toEqual({ watchList: 1, list: 2, watch: 2 });
    expect([reflector.state().faults, reflector.state().relists]).toEqual([1, 1]);
    expect(logged).toEqual([
      'services are listed, since the API server does no watch-list of them',
      'watching services failed: expired',
      'watching services again',
    ]);
  });

  it('lists where watch-lists are ignored, and does not wait for their end for ever', async () => {
    const { start, names, create, calls, clock, server } = setUp();
    server.watchLists = 'ignored';
    await create('a');
    const { synced } = start();
    await clock.advance(11_000);
    await synced;
    await create('b');
    await clock.advance(0);
    expect([names(), calls]).toEqual([['a', 'b'], { watchList: 1, list: 1, watch: 1 }]);
  });

  it('takes what is gone out of the store when a watch-list comes to its end, and tells so', async () => {
    const { start, names, create, clock, cluster, changes, server } = setUp();
    await create('a');
    await create('b');
    const reflector = start();
    await reflector.synced;
    server.down = new KubeFault('unreachable', 'cut');
    cluster.endWatches(server.down);
    await clock.advance(1_000);
    cluster.remove(services, key('a'));
    await create('c');
    cluster.compact();
    server.down = undefined;
    changes.length = 0;
    await clock.advance(2_000);
    expect([names(), changes]).toEqual([
      ['b', 'c'],
      ['- → c', 'a → -'],
    ]);
    expect(reflector.state().relists).toBe(1);
  });

  it('counts in a watch-list what changes before its end', async () => {
    const events: WatchEvent<Service>[] = [];
    const { store, stop, clock } = setUp();
    const object = (name: string, resourceVersion: string): Service => ({
      metadata: { namespace: 'default', name, uid: name, resourceVersion },
    });
    events.push({ type: 'ADDED', object: object('a', '5') }, { type: 'ADDED', object: object('b', '6') });
    events.push({ type: 'MODIFIED', object: object('b', '8') }, { type: 'DELETED', object: object('a', '9') });
    events.push({ type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true });
    const kube = {
      list: () => Promise.reject(new KubeFault('unavailable', 'no list')),
      watch: async function* () {
        for (const event of events.splice(0)) {
          expect(store.list()).toEqual([]);
          yield event;
        }
        await new Promise(() => {});
      },
    } as unknown as KubeApi;
    const reflector = startReflector<Service>({ kube, clock, resource: services, store, signal: stop.signal, random: () => 0 });
    await reflector.synced;
    expect(store.list().map((service) => `${service.metadata?.name}@${service.metadata?.resourceVersion}`)).toEqual(['b@8']);
    expect(store.resourceVersion).toBe('9');
  });

  it('holds what its selection holds', async () => {
    const { start, names, create, cluster } = setUp({ namespace: 'default', labelSelector: 'app=x' });
    await create('a');
    await create('b', 'y');
    await start().synced;
    cluster.update(services, key('a'), (service) => ({ ...service, metadata: { ...service.metadata, labels: { app: 'y' } } }) as Service);
    await create('c');
    await settle();
    expect(names()).toEqual(['c']);
  });

  it('has objects cut down before they reach the store, by list, watch-list and event', async () => {
    const bare = (service: Service): Service => ({ metadata: { ...service.metadata, labels: {} } });
    for (const watchLists of ['served', 'refused'] as const) {
      const store = new ObjectStore<Service>({ project: bare });
      const { start, create, server, clock } = setUp({ store });
      server.watchLists = watchLists;
      await create('a');
      await start().synced;
      await clock.advance(0);
      await create('b');
      await clock.advance(0);
      expect(store.list().map(({ metadata, spec }) => [metadata?.name, metadata?.labels, spec])).toEqual([
        ['a', {}, undefined],
        ['b', {}, undefined],
      ]);
    }
  });

  it('sees who took the name of a deleted object, by events and by a list', async () => {
    const { start, create, cluster, server, clock, store } = setUp();
    const uids = new Map<string | undefined, string>();
    const seen: string[] = [];
    const name = (service: Service | undefined): string => uids.get(service?.metadata?.uid) ?? '-';
    store.onChange((before, after) => seen.push(`${name(before)} → ${name(after)}`));
    uids.set((await create('a')).metadata?.uid, 'first');
    await start().synced;
    seen.length = 0;
    cluster.remove(services, key('a'));
    uids.set((await create('a')).metadata?.uid, 'second');
    await clock.advance(1_000);
    expect(seen.splice(0)).toEqual(['first → -', '- → second']);
    server.down = new KubeFault('unreachable', 'cut');
    cluster.endWatches(server.down);
    await settle();
    cluster.remove(services, key('a'));
    uids.set((await create('a')).metadata?.uid, 'third');
    cluster.compact();
    server.down = undefined;
    await clock.advance(3_000);
    expect(seen).toEqual(['second → third']);
  });

  it('with failFirstList lets the caller see the first fault and ends', async () => {
    const { start, server } = setUp({ failFirstList: true });
    server.watchList.push('unreachable');
    const reflector = start();
    await expect(reflector.synced).rejects.toThrow(expect.objectContaining({ code: 'unreachable' }));
    await reflector.done;
  });

  it('with failFirstList lists where watch-lists are refused, and keeps trying once it has listed', async () => {
    const { start, clock, server, create, names } = setUp({ failFirstList: true });
    server.watchLists = 'refused';
    await start().synced;
    await settle();
    server.watch.push('expired');
    server.list.push('unreachable', 'unreachable');
    await create('a');
    await clock.advance(700_000);
    expect(names()).toEqual(['a']);
  });

  it.each(['before the first list', 'while watching', 'while it waits', 'while two streams run'])(
    'ends when it is told to %s, and leaves no timer and no stream',
    async (when) => {
      const { start, clock, stop, server, cluster } = setUp({ random: () => 0 }, { bookmarkMs: 10_000_000 });
      if (when === 'before the first list') stop.abort();
      if (when === 'while it waits') server.down = new KubeFault('throttled', 'busy', { retryAfterMs: 9_000 });
      const reflector = start();
      await settle();
      if (when === 'while two streams run') {
        server.watch.push(...Array<KubeFaultCode>(100).fill('unavailable'));
        await clock.advance(75_100);
      }
      stop.abort();
      await Promise.all([reflector.synced, reflector.done]);
      expect([clock.pending, cluster.openWatches]).toEqual([0, 0]);
    },
  );
});

describe('a stream that ends', () => {
  it('is followed at once from the last version, and nothing is missed', async () => {
    const { start, names, create, calls, clock, cluster } = setUp();
    const reflector = start();
    await reflector.synced;
    await clock.advance(10_000);
    cluster.endWatches();
    await create('a');
    await clock.advance(0);
    expect(names()).toEqual(['a']);
    expect([calls, reflector.state().restarts]).toEqual([{ watchList: 1, list: 0, watch: 1 }, 1]);
  });

  it('is followed from a bookmark where nothing else moved it on', async () => {
    const { start, calls, clock, cluster, create, versions } = setUp();
    await start().synced;
    await create('a');
    cluster.createNamespace('other');
    cluster.bookmark();
    await clock.advance(10_000);
    cluster.compact();
    cluster.endWatches();
    await clock.advance(10_000);
    expect(calls).toEqual({ watchList: 1, list: 0, watch: 1 });
    expect(versions).toEqual([cluster.resourceVersion]);
  });

  it('is followed before the server ends it: at no moment is none open, and each change is told once', async () => {
    const { start, calls, clock, create, cluster, changes } = setUp({ random: () => 0 });
    const reflector = start();
    await reflector.synced;
    await clock.advance(279_000);
    expect([calls.watch, cluster.openWatches]).toEqual([0, 1]);
    const making = create('a');
    await clock.advance(1_500);
    await making;
    await create('b');
    await clock.advance(0);
    expect([calls.watch, cluster.openWatches]).toEqual([1, 1]);
    expect(changes).toEqual(['- → a', '- → b']);
    await clock.advance(3_600_000);
    expect(reflector.state()).toMatchObject({ stale: false, blindMs: 0, faults: 0, lists: 1, restarts: 13 });
  });

  it('goes on while the next one cannot be opened', async () => {
    const { start, clock, create, names, server, logged } = setUp({ random: () => 0.5 });
    const reflector = start();
    await reflector.synced;
    await clock.advance(420_000);
    server.watch.push(...Array<KubeFaultCode>(10).fill('unavailable'));
    await clock.advance(6_000);
    await create('a');
    await clock.advance(0);
    expect(names()).toEqual(['a']);
    expect(reflector.state()).toMatchObject({ stale: false, blindMs: 0 });
    await clock.advance(60_000);
    expect(reflector.state()).toMatchObject({ stale: false, blindMs: 0, faults: 10 });
    expect(logged).toEqual(['watching services failed: unavailable', 'watching services again']);
  });

  it('after a second, again and again, is followed at once each time, and told once', async () => {
    const { start, clock, create, names, server, logged } = setUp();
    server.streamMs = 1_000;
    const reflector = start();
    await reflector.synced;
    await clock.advance(60_000);
    await create('a');
    await clock.advance(0);
    expect(names()).toEqual(['a']);
    const state = reflector.state();
    expect(state).toMatchObject({ stale: false, lists: 1, lastFault: 'the API server ended the stream after 1000 ms' });
    expect(state.restarts).toBeGreaterThan(50);
    expect(state.blindMs).toBeLessThan(600);
    expect(logged).toEqual(['watching services failed: the API server ended the stream after 1000 ms']);
    server.streamMs = undefined;
    await clock.advance(7_000);
    expect(logged.slice(1)).toEqual(['watching services again']);
    expect(reflector.state().lastFault).toBeUndefined();
  });

  it('at once, again and again, does not become a storm of watches', async () => {
    const { start, clock, calls, server } = setUp({ random: () => 0.5 });
    server.streamMs = 1;
    server.watchLists = 'refused';
    start();
    await clock.advance(60_000);
    expect(calls.watch).toBeLessThan(100);
  });
});

describe('a version that has expired', () => {
  it('leads to a new list at once, which takes out what went meanwhile', async () => {
    const { start, names, create, calls, clock, cluster, changes } = setUp();
    await create('a');
    const reflector = start();
    await reflector.synced;
    await clock.advance(10_000);
    changes.length = 0;
    cluster.endWatches(new KubeFault('unreachable', 'cut'));
    await settle();
    cluster.remove(services, key('a'));
    await create('b');
    cluster.compact();
    await clock.advance(500);
    expect([names(), changes, calls]).toEqual([['b'], ['- → b', 'a → -'], { watchList: 2, list: 0, watch: 1 }]);
    expect(reflector.state().blindMs).toBeLessThanOrEqual(500);
  });

  it('again and again does not become a storm of lists', async () => {
    const { start, calls, clock, server } = setUp();
    server.watchLists = 'refused';
    server.watch.push(...Array<KubeFaultCode>(200).fill('expired'));
    await start().synced;
    await clock.advance(60_000);
    expect(calls.list).toBeLessThan(10);
  });
});

describe('a stream that is silent', () => {
  it('for 75 s is followed by another one, and is closed only when that is open', async () => {
    const { start, calls, clock, create, names, server, cluster } = setUp();
    const reflector = start();
    await reflector.synced;
    server.silent = true;
    await clock.advance(60_500);
    server.silent = false;
    await create('a');
    await clock.advance(14_400);
    expect([calls.watch, names()]).toEqual([0, []]);
    server.watch.push('unavailable', 'unavailable');
    await clock.advance(200);
    expect(reflector.state()).toMatchObject({ stale: true, lastFault: 'watch: unavailable' });
    expect(reflector.state().ageMs).toBeGreaterThanOrEqual(75_000);
    expect(cluster.openWatches).toBe(1);
    await clock.advance(1_500);
    expect(names()).toEqual(['a']);
    expect([calls.watch, cluster.openWatches]).toEqual([3, 1]);
    expect(reflector.state()).toMatchObject({ stale: false, ageMs: 0 });
    expect(reflector.state().blindMs).toBeLessThan(1_500);
  });

  it('is left alone while bookmarks come', async () => {
    const { start, calls, clock } = setUp();
    const reflector = start();
    await reflector.synced;
    await clock.advance(280_000);
    expect([calls.watch, reflector.state().ageMs]).toEqual([0, 0]);
  });

  it('is left alone on a server that never sends bookmarks, after one look', async () => {
    const { start, calls, clock, server } = setUp({ random: () => 0 }, { bookmarkMs: 1e9 });
    server.watchLists = 'refused';
    const reflector = start();
    await reflector.synced;
    await clock.advance(76_000);
    expect(calls.watch).toBe(2);
    await clock.advance(270_000);
    expect(calls.watch).toBe(2);
    expect(reflector.state()).toMatchObject({ stale: false });
    expect(reflector.state().ageMs).toBeGreaterThan(300_000);
    await clock.advance(3_600_000);
    expect(reflector.state()).toMatchObject({ stale: false, faults: 1, lists: 1 });
  });

  it('again and again from the same version leads to a list', async () => {
    const { start, calls, clock, server } = setUp();
    await start().synced;
    server.silent = true;
    await clock.advance(75_000 * 4 + 1_000);
    expect(calls).toMatchObject({ watch: 3, watchList: 2 });
  });
});

describe('trouble', () => {
  it.each<KubeFaultCode>(['unreachable', 'forbidden', 'kindMissing', 'unreadable', 'expired', 'unauthorized', 'throttled', 'unavailable'])(
    'of the code %s is never given up on',
    async (code) => {
      const { start, clock, server, names, create } = setUp();
      await create('a');
      server.watchList.push(code, code, code);
      server.watch.push(code, code, code);
      const reflector = start();
      await settle();
      expect(reflector.state()).toMatchObject({ synced: false, stale: true, lastFault: `watchList: ${code}` });
      await clock.advance(300_000);
      await create('b');
      await settle();
      expect(names()).toEqual(['a', 'b']);
      expect(reflector.state().lastFault).toBeUndefined();
    },
  );

  it.each<{ name: string; code: KubeFaultCode; withinMs: number }>([
    { name: 'an API server that cannot be reached', code: 'unreachable', withinMs: 5_000 },
    { name: 'a kind whose CRD is away', code: 'kindMissing', withinMs: 5_000 },
    { name: 'access that was revoked', code: 'forbidden', withinMs: 10_000 },
    { name: 'credentials that are not accepted', code: 'unauthorized', withinMs: 10_000 },
    { name: 'answers that cannot be read', code: 'unreadable', withinMs: 10_000 },
    { name: 'an API server that fails', code: 'unavailable', withinMs: 10_000 },
  ])('$name is told once, shown, and over $withinMs ms after its cause', async ({ code, withinMs }) => {
    const { start, clock, server, cluster, create, names, logged } = setUp();
    const reflector = start();
    await reflector.synced;
    await clock.advance(10_000);
    server.down = new KubeFault(code, `down: ${code}`);
    cluster.endWatches(server.down);
    await create('a');
    await clock.advance(900_000);
    const { faults } = reflector.state();
    expect(faults).toBeGreaterThan(20);
    expect(reflector.state()).toMatchObject({ synced: true, stale: true, ageMs: 900_000, blindMs: 900_000, lastFault: `down: ${code}` });
    expect(logged).toEqual([`watching services failed: ${code}`]);
    server.down = undefined;
    await clock.advance(withinMs);
    expect(names()).toEqual(['a']);
    expect(reflector.state()).toMatchObject({ stale: false, ageMs: 0 });
    await clock.advance(5_000);
    expect(logged.slice(1)).toEqual(['watching services again']);
    expect(reflector.state().lastFault).toBeUndefined();
    expect(reflector.state().blindMs).toBeLessThanOrEqual(900_000 + withinMs);
  });

  it('that comes and goes costs a small part of its own time', async () => {
    let draw = 0;
    const { start, clock, server, cluster } = setUp({ random: () => (draw = (draw + 0.37) % 1) });
    const reflector = start();
    await reflector.synced;
    for (let times = 0; times < 100; times += 1) {
      server.down = new KubeFault(times % 2 === 0 ? 'unreachable' : 'unavailable', 'down');
      cluster.endWatches(server.down);
      await clock.advance(4_000);
      server.down = undefined;
      await clock.advance(16_000);
    }
    const { blindMs, lists } = reflector.state();
    expect(lists).toBe(1);
    // Of it: 20 %.
    expect((blindMs - 100 * 4_000) / (100 * 20_000)).toBeLessThan(0.01);
  });

  it('that breaks each stream after two seconds is answered as fast for the hundredth time as for the first', async () => {
    const { start, clock, cluster } = setUp();
    const reflector = start();
    await reflector.synced;
    for (let times = 0; times < 300; times += 1) {
      await clock.advance(2_000);
      cluster.endWatches(new KubeFault('unreachable', 'cut'));
    }
    expect(reflector.state().blindMs / 300).toBeLessThanOrEqual(300);
  });

  it('of a kind that was away ends in what is there when it is back', async () => {
    const { start, clock, server, cluster, create, names, changes } = setUp();
    await create('a');
    const reflector = start();
    await reflector.synced;
    await clock.advance(60_000);
    changes.length = 0;
    server.down = new KubeFault('kindMissing', 'no such kind');
    cluster.endWatches();
    await clock.advance(30_000);
    cluster.remove(services, key('a'));
    await create('b');
    server.down = undefined;
    await clock.advance(5_000);
    expect([names(), changes]).toEqual([['b'], ['- → b', 'a → -']]);
    expect(reflector.state().relists).toBe(1);
  });

  it('of a version that the server cannot serve leads to a list, of a server that fails it does not', async () => {
    const { start, calls, clock, server, cluster } = setUp();
    await start().synced;
    await clock.advance(10_000);
    server.watch.push('unreadable', 'unreadable', 'unreadable');
    cluster.endWatches();
    await clock.advance(10_000);
    expect(calls).toEqual({ watchList: 2, list: 0, watch: 3 });
    server.watch.push(...Array<KubeFaultCode>(9).fill('unavailable'));
    cluster.endWatches();
    await clock.advance(10_000);
    expect(calls).toEqual({ watchList: 2, list: 0, watch: 13 });
  });

  it('with a list older than what was seen changes nothing until a list is current', async () => {
    const { start, clock, server, cluster, create, names, calls, kube, api } = setUp();
    server.watchLists = 'refused';
    const { resourceVersion } = await api.list(services);
    await create('a');
    let lags = false;
    const { list } = kube;
    kube.list = async (resource, options) => (lags ? { items: [], resourceVersion } : list(resource, options));
    const reflector = start();
    await reflector.synced;
    await clock.advance(10_000);
    lags = true;
    cluster.endWatches(new KubeFault('expired', 'too old'));
    await clock.advance(0);
    expect([names(), reflector.state().lastFault]).toEqual([['a'], 'a list of services is older than what was seen before it']);
    lags = false;
    await clock.advance(1_000);
    expect([names(), reflector.state().stale, calls.list]).toEqual([['a'], false, 2]);
  });

  it('of a bug while an event is taken leads to a list, so that its object is not lost', async () => {
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
    expect(reflector.state()).toMatchObject({ lastFault: 'index broke', faults: 1 });
    breaks = false;
    await clock.advance(5_000);
    expect(store.byIndex('name', 'a')).toHaveLength(1);
  });

  it('in a listener is counted and told once, and ends no stream', async () => {
    const { start, create, names, store, logged, calls, clock } = setUp();
    store.onChange(() => {
      throw new TypeError('listener broke');
    });
    const reflector = start();
    await reflector.synced;
    await create('a');
    await create('b');
    await clock.advance(0);
    expect(names()).toEqual(['a', 'b']);
    expect([reflector.state().handlerErrors, reflector.state().faults, calls.watch]).toEqual([2, 0, 0]);
    expect(logged).toEqual(['a listener to services threw: TypeError: listener broke']);
  });

  it('with the local clock changes nothing: only the monotonic one counts', async () => {
    const steady = new FakeClock();
    let jumpMs = 0;
    const clock = {
      nowMs: () => steady.nowMs() + jumpMs,
      monotonicMs: () => steady.monotonicMs(),
      timer: (delayMs: number, run: () => void) => steady.timer(delayMs, run),
    };
    const cluster = new MemoryCluster({ clock: steady });
    const store = new ObjectStore<Service>();
    const stop = new AbortController();
    stops.push(stop);
    const kube = cluster.api();
    const reflector = startReflector<Service>({ kube, clock, resource: services, store, signal: stop.signal, random: () => 0.5 });
    await reflector.synced;
    for (const jump of [300_000, -300_000, 300_000]) {
      jumpMs = jump;
      await steady.advance(100_000);
    }
    expect(reflector.state()).toMatchObject({ stale: false, ageMs: 0, faults: 0, restarts: 0, blindMs: 0 });
  });
});
