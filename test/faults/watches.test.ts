import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../src/kube/faults.ts';
import { type Reflector, startReflector } from '../../src/kube/reflector.ts';
import { compareResourceVersions } from '../../src/kube/resource-version.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import type { KubeClient } from '../../src/kube-client/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { FaultProxy } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { type Fault, faultText } from '../../src/testbed/fault-proxy/faults.ts';
import { createFastClock } from '../support/fast-clock.ts';
import { type ConfigMap, clientOf, configMaps, namespace, nextName, useFaultyCluster } from './setup.ts';

const cluster = useFaultyCluster();
const patienceMs = 15_000;
/** Changes that are made while a fault lasts. */
const changes = 12;

interface Row {
  readonly fault: Fault;
  /** `stream`: strikes the watch that is open. `rule`: strikes the next occasions while changes are made. */
  readonly by: 'injection' | 'rule';
  /** How much faster the reflector's clock runs: its limits are too long for a test. */
  readonly speed?: number;
  /** Whether the store must be filled anew for it. */
  readonly relists: 'never' | 'once' | 'maybe';
}

describe.each(['h2', 'http/1.1'] as const)('a reflector over %s', (protocol) => {
  let proxy: FaultProxy;
  let kube: KubeClient;
  let reflector: Reflector;
  const end = new Map<FaultProxy, AbortController>();

  beforeEach(async () => {
    proxy = await cluster.startProxy({ protocol });
    end.set(proxy, new AbortController());
  });
  afterEach(async () => {
    end.get(proxy)?.abort();
    await reflector.done;
    kube.close();
    await proxy.close();
  });

  it.each<Row & { text: string }>(
    (
      [
        { fault: { name: 'delay' }, by: 'rule', relists: 'never' },
        { fault: { name: 'reset', variant: 'connection' }, by: 'injection', relists: 'never' },
        { fault: { name: 'reset', variant: 'stream' }, by: 'injection', relists: 'never' },
        { fault: { name: 'half-open', variant: 'connection' }, by: 'injection', speed: 10, relists: 'maybe' },
        { fault: { name: 'half-open', variant: 'stream' }, by: 'injection', speed: 40, relists: 'maybe' },
        { fault: { name: 'silent-stream' }, by: 'injection', speed: 40, relists: 'maybe' },
        { fault: { name: 'truncated-body', variant: 'cut' }, by: 'rule', relists: 'never' },
        { fault: { name: 'truncated-body', variant: 'end' }, by: 'rule', relists: 'never' },
        { fault: { name: 'expired', variant: 'event' }, by: 'injection', relists: 'once' },
        { fault: { name: 'goaway', variant: 'graceful' }, by: 'injection', relists: 'never' },
        { fault: { name: 'goaway', variant: 'abrupt' }, by: 'injection', relists: 'never' },
        { fault: { name: 'slow-bytes', ms: 5 }, by: 'rule', relists: 'never' },
        { fault: { name: 'duplicate-event' }, by: 'rule', relists: 'never' },
        { fault: { name: 'late-event', variant: 'lag' }, by: 'rule', relists: 'never' },
        { fault: { name: 'late-event', variant: 'replay' }, by: 'rule', relists: 'never' },
        { fault: { name: 'bad-json' }, by: 'rule', relists: 'never' },
        { fault: { name: 'close-stream-after', ms: 50 }, by: 'injection', relists: 'never' },
        { fault: { name: 'refuse' }, by: 'injection', relists: 'never' },
      ] satisfies Row[]
    ).map((row) => ({ ...row, text: faultText(row.fault) })),
  )('loses nothing, and moves nothing back, through $text', async (row) => {
    const seen = await follow(row);
    const stop = strike(row);
    const touched = await churn();
    await expect.poll(() => proxy.stats().faults[row.fault.name] ?? 0, { timeout: patienceMs }).toBeGreaterThan(0);
    stop();
    proxy.setRules([]);
    await untilCurrent(seen);
    // Also after the fault: the stream that runs now is a live one.
    touched.push(...(await churn()));
    await untilCurrent(seen);
    expect(touched.filter((name) => !seen.woken.has(name))).toEqual([]);
    expect(seen.movedBack).toEqual([]);
    expect(proxy.stats().faults[row.fault.name]).toBeGreaterThan(0);
    if (row.relists !== 'maybe') expect(reflector.state().relists).toBe(row.relists === 'never' ? 0 : 1);
  });

  it.each<{ fault: Fault; match: 'list' | 'watch'; text: string }>(
    (
      [
        { fault: { name: 'expired', variant: 'status' }, match: 'watch' },
        { fault: { name: 'throttle' }, match: 'watch' },
        { fault: { name: 'error-before', variant: '503' }, match: 'watch' },
        { fault: { name: 'error-after', variant: '500' }, match: 'watch' },
        { fault: { name: 'error-after', variant: 'reset' }, match: 'watch' },
        { fault: { name: 'goaway', variant: 'refusing' }, match: 'watch' },
        { fault: { name: 'reset', variant: 'connection' }, match: 'watch' },
        { fault: { name: 'expired', variant: 'event' }, match: 'watch' },
      ] satisfies { fault: Fault; match: 'list' | 'watch' }[]
    ).map((row) => ({ ...row, text: faultText(row.fault) })),
  )('opens its watch again when that is answered by $text', async ({ fault }) => {
    const seen = await follow({});
    // The watch ends, and the next two do not come about.
    proxy.setRules([{ fault, match: { watch: true }, times: 2 }]);
    proxy.inject({ name: 'close-stream-after', ms: 1 });
    const touched = await churn();
    await untilCurrent(seen);
    expect(touched.filter((name) => !seen.woken.has(name))).toEqual([]);
    expect(seen.movedBack).toEqual([]);
    expect(proxy.stats().faults[fault.name]).toBe(2);
  });

  it.each<{ fault: Fault; nth?: number; ends: 'ok' | KubeFaultCode; text: string }>(
    (
      [
        { fault: { name: 'truncated-body', variant: 'cut' }, nth: 2, ends: 'unreachable' },
        { fault: { name: 'truncated-body', variant: 'end' }, nth: 2, ends: 'unreachable' },
        { fault: { name: 'bad-json' }, nth: 2, ends: 'unreadable' },
        { fault: { name: 'expired', variant: 'event' }, ends: 'expired' },
        { fault: { name: 'expired', variant: 'status' }, ends: 'expired' },
        { fault: { name: 'close-stream-after', ms: 200 }, ends: 'ok' },
        // Cut into pieces anywhere, an event is whole all the same.
        { fault: { name: 'slow-bytes', ms: 1 }, ends: 'ok' },
      ] satisfies { fault: Fault; nth?: number; ends: 'ok' | KubeFaultCode }[]
    ).map((row) => ({ ...row, text: `${faultText(row.fault)}: ${row.ends}` })),
  )('hears how a watch ended, by $text', async ({ fault, nth, ends }) => {
    await follow({});
    end.get(proxy)?.abort();
    await expect.poll(() => proxy.stats().openStreams).toBe(0);
    const { resourceVersion } = await cluster.direct().list(configMaps, { namespace });
    await churn();
    proxy.setRules([
      { fault, match: { watch: true, ...(nth === undefined ? {} : { nth }) } },
      { fault: { name: 'close-stream-after', ms: 1_500 } },
    ]);
    let outcome: string = 'ok';
    try {
      for await (const event of kube.watch(configMaps, { namespace, resourceVersion }))
        expect(event.type).toMatch(/ADDED|MODIFIED|DELETED|BOOKMARK/);
    } catch (error) {
      if (!(error instanceof KubeFault)) throw error;
      outcome = error.code;
    }
    expect(outcome).toBe(ends);
  });

  it('keeps a watch whose connection was told to go away, and opens the next one elsewhere', async () => {
    const seen = await follow({});
    proxy.inject({ name: 'goaway', variant: 'graceful' });
    // HTTP/1.1 has no word for it: the stream ends with its connection, and is resumed.
    const restarts = protocol === 'h2' ? 0 : 1;
    const { resourceVersion } = await cluster.direct().list(configMaps, { namespace });
    const touched = await churn();
    for await (const event of kube.watch(configMaps, { namespace, resourceVersion })) {
      expect(event).toMatchObject({ type: 'ADDED' });
      break;
    }
    await untilCurrent(seen);
    expect(touched.filter((name) => !seen.woken.has(name))).toEqual([]);
    expect(reflector.state()).toMatchObject({ restarts, relists: 0 });
  });

  it('fills its store though the server is not there at first, refuses, and shows a wrong certificate', async () => {
    await churn();
    proxy.setRules([
      { fault: { name: 'wrong-certificate' }, times: 1 },
      { fault: { name: 'error-before' }, times: 2 },
      { fault: { name: 'bad-json' }, times: 1 },
    ]);
    const seen = await follow({ speed: 10 });
    await untilCurrent(seen);
    expect(proxy.stats().faults).toMatchObject({ 'wrong-certificate': 1, 'error-before': 2, 'bad-json': 1 });
  });

  interface Seen {
    readonly store: ObjectStore<ConfigMap>;
    readonly woken: Set<string>;
    readonly movedBack: string[];
  }

  const follow = async (row: Pick<Row, 'speed'>): Promise<Seen> => {
    const clock = row.speed === undefined ? systemClock : createFastClock(row.speed);
    kube = clientOf(proxy, clock);
    const store = new ObjectStore<ConfigMap>();
    const woken = new Set<string>();
    const movedBack: string[] = [];
    const newest = new Map<string, string>();
    store.onChange((before, after) => {
      const { name = '', uid = '', resourceVersion = '' } = (after ?? before)?.metadata ?? {};
      woken.add(name);
      if (after === undefined) newest.set(uid, 'gone');
      else if (newest.get(uid) === 'gone') movedBack.push(`${name} came back`);
      else {
        const order = compareResourceVersions(resourceVersion, newest.get(uid) ?? '');
        if (order < 0) movedBack.push(`${name} moved back`);
        if (order === 0) movedBack.push(`${name} was told twice`);
        newest.set(uid, resourceVersion);
      }
    });
    const signal = end.get(proxy)?.signal ?? AbortSignal.abort();
    reflector = startReflector({ kube, clock, resource: configMaps, namespace, store, signal, random: () => 0.5 });
    await reflector.synced;
    return { store, woken, movedBack };
  };

  /** @returns ends the fault */
  const strike = ({ fault, by }: Row): (() => void) => {
    if (by === 'injection') return proxy.inject(fault);
    // The fifth event is the last about an object that stays: what is lost with it comes by no other.
    const spoils = fault.name === 'bad-json' || fault.name === 'truncated-body';
    proxy.setRules([{ fault, match: { watch: true, ...(spoils ? { nth: 5 } : {}) }, times: 3 }]);
    // What strikes requests alone needs a new one.
    if (fault.name === 'delay') proxy.inject({ name: 'close-stream-after', ms: 1 });
    return () => {};
  };

  /** Creates, changes and deletes past the proxy. @returns the names that were touched */
  const churn = async (): Promise<string[]> => {
    const direct = cluster.direct();
    const touched: string[] = [];
    for (let index = 0; index < changes; index += 1) {
      const key = { namespace, name: nextName('object') };
      touched.push(key.name);
      const made = await direct.create(configMaps, { metadata: key, data: { step: '1' } });
      const { resourceVersion = '' } = made.metadata ?? {};
      const changed = await direct.patch(configMaps, key, { data: { step: '2' } }, { resourceVersion });
      if (index % 3 !== 0) continue;
      // Once it was seen: what came and went while nobody looked is no event to lose.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { uid = '', resourceVersion: version = '' } = changed.metadata ?? {};
      await direct.delete(configMaps, key, { uid, resourceVersion: version });
      touched.pop();
    }
    return touched;
  };

  const untilCurrent = async ({ store }: Seen): Promise<void> => {
    const versionsOf = (objects: readonly ConfigMap[]): string[] =>
      objects.map(({ metadata }) => `${metadata?.name}@${metadata?.resourceVersion}`).toSorted();
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const truth = versionsOf((await cluster.direct().list(configMaps, { namespace })).items);
      const view = versionsOf(store.list());
      if (JSON.stringify(view) === JSON.stringify(truth)) return;
      if (performance.now() > deadlineMs) {
        expect({ view, state: reflector.state() }).toEqual({ view: truth });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
});
