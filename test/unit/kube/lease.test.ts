import { describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../../src/kube/faults.ts';
import { createLease, type LeaseElector } from '../../../src/kube/lease.ts';
import { type Lease, leases } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { type Clock, sleep } from '../../../src/lib/clock.ts';
import { formatMicroTime } from '../../../src/lib/time.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { interceptWrites } from '../../support/operator.ts';

const key = { namespace: 'default', name: 'operator' };
const never = new AbortController().signal;

function setUp() {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock });
  const elector = (identity: string, kube: KubeApi = cluster.api(), namespace = 'default') =>
    createLease({ kube, clock, key: { ...key, namespace }, identity, random: () => 0 });
  const stored = (): Lease => cluster.find(leases, key) ?? {};
  /** What a holder leaves behind that last renewed `agoMs` ago by the clock of the server. */
  const leave = async (holderIdentity: string, agoMs: number, writtenAgoMs = agoMs) => {
    const renewTime = formatMicroTime(clock.nowMs() - agoMs);
    const time = formatMicroTime(clock.nowMs() - writtenAgoMs);
    await cluster.api().create(leases, {
      metadata: { ...key, managedFields: [{ manager: 'other', time }] },
      spec: { holderIdentity, leaseDurationSeconds: 15, renewTime, acquireTime: renewTime, leaseTransitions: 3 },
    });
  };
  return { clock, cluster, elector, stored, leave };
}

function clockOf(clock: FakeClock): Clock {
  return { nowMs: () => clock.nowMs(), monotonicMs: () => clock.monotonicMs(), timer: (delayMs, run) => clock.timer(delayMs, run) };
}

/** The API with calls of one verb that fail, after or before they took effect. */
function failing(kube: KubeApi, verb: 'create' | 'patch', code: () => KubeFaultCode | undefined, effect = false): KubeApi {
  const call = async (run: () => Promise<unknown>): Promise<never> => {
    if (effect) await run();
    throw new KubeFault(code() ?? 'unavailable', `${verb} failed`);
  };
  return new Proxy(kube, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        const run = (): Promise<unknown> => Reflect.apply(method, target, args) as Promise<unknown>;
        return name === verb && code() !== undefined ? call(run) : run();
      };
    },
  });
}

describe('taking a Lease', () => {
  it('makes one where there is none', async () => {
    const { elector, stored } = setUp();
    expect(await elector('a').tryAcquire(never)).toEqual({ held: true });
    const now = '2026-01-01T00:00:00.000000Z';
    expect(stored().spec).toEqual({ holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: now, acquireTime: now, leaseTransitions: 0 });
  });

  it('leaves a living holder alone, whatever its clock says', async () => {
    const { clock, elector, leave } = setUp();
    await leave('other', 5_000);
    expect(await elector('a').tryAcquire(never)).toEqual({ held: false, holder: 'other' });
    await clock.advance(5_000);
    expect(await elector('b').tryAcquire(never)).toEqual({ held: false, holder: 'other' });
  });

  it('takes what ran out by the time of the server and stays as it is for a renewal', async () => {
    const { clock, elector, stored, leave } = setUp();
    await leave('other', 17_000);
    const attempt = elector('a').tryAcquire(never);
    await clock.advance(2_999);
    expect(stored().spec?.holderIdentity).toBe('other');
    await clock.advance(1);
    expect(await attempt).toEqual({ held: true });
    expect(stored().spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 4 });
    expect(clock.pending).toBe(0);
  });

  it('leaves a holder alone that renews, though by the time of the server it is long dead', async () => {
    const { clock, cluster, elector, leave } = setUp();
    await leave('other', 300_000);
    const attempt = elector('a').tryAcquire(never);
    await clock.advance(2_000);
    cluster.update(leases, key, (lease) => ({ ...lease, spec: { ...lease.spec, renewTime: '2025-12-31T23:55:02.000000Z' } }));
    await clock.advance(1_000);
    expect(await attempt).toEqual({ held: false, holder: 'other' });
  });

  it('grants a second more, since the time of the server has whole seconds', async () => {
    const { elector, leave } = setUp();
    await leave('other', 15_500);
    expect(await elector('a').tryAcquire(never)).toEqual({ held: false, holder: 'other' });
  });

  it('does not rob a holder whose clock is behind, nor waits for a dead one whose clock is ahead', async () => {
    const { elector, leave } = setUp();
    await leave('other', 60_000, 2_000);
    expect(await elector('a').tryAcquire(never)).toEqual({ held: false, holder: 'other' });
    const dead = setUp();
    await dead.leave('other', -300_000, 20_000);
    const attempt = dead.elector('a').tryAcquire(never);
    await dead.clock.advance(3_000);
    expect(await attempt).toEqual({ held: true });
  });

  it('takes what did not change for its duration by our own clock, though its times lie ahead', async () => {
    const { clock, elector, stored, leave } = setUp();
    await leave('other', -3_600_000);
    const lease = elector('a');
    expect(await lease.tryAcquire(never)).toEqual({ held: false, holder: 'other' });
    await clock.advance(12_000);
    expect(await lease.tryAcquire(never)).toEqual({ held: false, holder: 'other' });
    await clock.advance(1_000);
    const attempt = lease.tryAcquire(never);
    await clock.advance(2_000);
    expect(stored().spec?.holderIdentity).toBe('other');
    await clock.advance(1);
    expect(await attempt).toEqual({ held: true });
  });

  it.each([
    { name: 'its own', holder: 'a', transitions: 3 },
    { name: 'a released one', holder: '', transitions: 4 },
  ])('takes over $name at once', async ({ holder, transitions }) => {
    const { elector, stored, leave } = setUp();
    await leave(holder, 0);
    expect(await elector('a').tryAcquire(never)).toEqual({ held: true });
    expect(stored().spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: transitions });
  });

  it('lets one of two have it that see it free at once', async () => {
    const { elector } = setUp();
    const results = await Promise.all([elector('a').tryAcquire(never), elector('b').tryAcquire(never)]);
    expect(results.filter((result) => result.held)).toHaveLength(1);
    expect(results.find((result) => !result.held)).toMatchObject({ holder: expect.stringMatching(/^[ab]$/) });
  });

  it('looks again when it cannot know whether its write was stored', async () => {
    const { cluster, elector, stored } = setUp();
    const kube = failing(cluster.api(), 'create', () => 'unknownOutcome', true);
    expect(await elector('a', kube).tryAcquire(never)).toEqual({ held: true });
    expect(stored().spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  });

  it('says when Leases are forbidden or their namespace is missing', async () => {
    const { cluster, elector } = setUp();
    const kube = failing(cluster.api(), 'create', () => 'forbidden');
    expect(await elector('a', kube).tryAcquire(never)).toEqual({ held: false, unavailable: 'forbidden', message: 'create failed' });
    expect(await elector('a', undefined, 'nowhere').tryAcquire(never)).toEqual({
      held: false,
      unavailable: 'namespaceMissing',
      message: 'creating Lease nowhere/operator: namespace nowhere does not exist; create it or name another one',
    });
  });
});

describe('keeping a Lease', () => {
  const keep = async (lease: LeaseElector) => {
    const stop = new AbortController();
    const lost = { times: 0 };
    expect(await lease.tryAcquire(never)).toEqual({ held: true });
    const onLost = (): void => {
      lost.times += 1;
    };
    return { stop, lost, kept: lease.keep(stop.signal, onLost) };
  };

  it('renews it every two seconds until it is told to stop, and leaves no timer', async () => {
    const { clock, elector, stored } = setUp();
    const { stop, lost, kept } = await keep(elector('a'));
    await clock.advance(61_000);
    expect(stored().spec).toMatchObject({
      renewTime: '2026-01-01T00:01:00.000000Z',
      acquireTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    expect(await elector('b').tryAcquire(never)).toEqual({ held: false, holder: 'a' });
    stop.abort();
    await kept;
    expect([lost.times, clock.pending]).toEqual([0, 0]);
  });

  it('loses it after ten seconds without a renewal, before anyone else may take it', async () => {
    const { clock, cluster, elector } = setUp();
    let down = false;
    const { lost, kept } = await keep(
      elector(
        'a',
        failing(cluster.api(), 'patch', () => (down ? 'unreachable' : undefined)),
      ),
    );
    await clock.advance(4_000);
    down = true;
    await clock.advance(9_000);
    expect(lost.times).toBe(0);
    await clock.advance(3_000);
    await kept;
    expect(lost.times).toBe(1);
    expect(await elector('b').tryAcquire(never)).toEqual({ held: false, holder: 'a' });
  });

  it('counts from the start of the last renewal, since others may have seen it that early', async () => {
    const { clock, cluster, elector } = setUp();
    const api = cluster.api();
    let renewals = 0;
    const patch: KubeApi['patch'] = async (resource, object, change, options) => {
      renewals += 1;
      if (renewals > 1) throw new KubeFault('unreachable', 'down');
      await sleep(clock, 4_000);
      return api.patch(resource, object, change, options);
    };
    const kube = { get: api.get.bind(api), create: api.create.bind(api), serverNowMs: () => api.serverNowMs(), patch };
    const { lost, kept } = await keep(elector('a', kube as KubeApi));
    await clock.advance(11_900);
    expect(lost.times).toBe(0);
    await clock.advance(200);
    await kept;
    expect(lost.times).toBe(1);
  });

  it('is held until ten seconds after the last renewal, whether or not a timer has told by then', async () => {
    const { clock, cluster, elector } = setUp();
    let down = false;
    const lease = elector(
      'a',
      failing(cluster.api(), 'patch', () => (down ? 'unreachable' : undefined)),
    );
    expect(lease.isHeld()).toBe(false);
    await lease.tryAcquire(never);
    expect(lease.isHeld()).toBe(true);
    down = true;
    // Nobody keeps it: a process that was stopped for a while finds its timers late.
    await clock.advance(9_999);
    expect(lease.isHeld()).toBe(true);
    await clock.advance(1);
    expect(lease.isHeld()).toBe(false);
    await lease.release();
    expect(clock.pending).toBe(0);
  });

  it('says once that renewing fails, not at each try', async () => {
    const { clock, cluster } = setUp();
    const said: string[] = [];
    let down = false;
    const kube = failing(cluster.api(), 'patch', () => (down ? 'unavailable' : undefined));
    const lease = createLease({ kube, clock, key, identity: 'a', random: () => 0, log: (message) => said.push(message) });
    const { stop, kept } = await keep(lease);
    for (const isDown of [true, false, true, false]) {
      down = isDown;
      await clock.advance(7_000);
    }
    stop.abort();
    await kept;
    expect(said).toEqual(['renewing the Lease failed', 'renewing the Lease failed']);
  });

  it.each([300_000, -300_000])('changes nothing when the wall clock jumps by %i ms', async (jumpMs) => {
    const { clock, cluster, stored } = setUp();
    let offsetMs = 0;
    const jumpy = { ...clockOf(clock), nowMs: () => clock.nowMs() + offsetMs };
    const api = cluster.api();
    const lease = createLease({ kube: api, clock: jumpy, key, identity: 'a', random: () => 0 });
    const other = createLease({ kube: api, clock: jumpy, key, identity: 'b', random: () => 0 });
    const { stop, lost, kept } = await keep(lease);
    expect(await other.tryAcquire(never)).toMatchObject({ held: false });
    for (const jump of [jumpMs, 0, jumpMs]) {
      offsetMs = jump;
      await clock.advance(7_000);
      expect(await other.tryAcquire(never)).toEqual({ held: false, holder: 'a' });
      expect(lease.isHeld()).toBe(true);
    }
    stop.abort();
    await kept;
    expect([lost.times, stored().spec?.holderIdentity]).toEqual([0, 'a']);
  });

  it('survives a short outage', async () => {
    const { clock, cluster, elector } = setUp();
    let down = false;
    const { stop, lost, kept } = await keep(
      elector(
        'a',
        failing(cluster.api(), 'patch', () => (down ? 'unavailable' : undefined)),
      ),
    );
    down = true;
    await clock.advance(7_000);
    down = false;
    await clock.advance(20_000);
    stop.abort();
    await kept;
    expect(lost.times).toBe(0);
  });

  it('loses it at once to another holder', async () => {
    const { clock, cluster, elector } = setUp();
    const { lost, kept } = await keep(elector('a'));
    cluster.update(leases, key, (lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'b' } }));
    await clock.advance(2_000);
    await kept;
    expect(lost.times).toBe(1);
  });

  it('keeps it when a stranger only put a label on it', async () => {
    const { clock, cluster, elector, stored } = setUp();
    const { stop, lost, kept } = await keep(elector('a'));
    cluster.update(leases, key, (lease) => ({ ...lease, metadata: { ...lease.metadata, labels: { seen: 'yes' } } }));
    await clock.advance(2_000);
    stop.abort();
    await kept;
    expect([lost.times, stored().spec?.renewTime]).toEqual([0, '2026-01-01T00:00:02.000000Z']);
  });

  it('keeps one that others of its identity write all the time, each try on what they wrote', async () => {
    const { clock, cluster } = setUp();
    let tries = 0;
    const before = (verb: string): void => {
      if (verb !== 'patch') return;
      tries += 1;
      // Of four tries in a row three come too late.
      if (tries % 4 !== 0) cluster.update(leases, key, (lease) => ({ ...lease, spec: { ...lease.spec, leaseTransitions: tries } }));
    };
    const kube = interceptWrites(cluster.api(), { before });
    const said: string[] = [];
    const { stop, lost, kept } = await keep(
      createLease({ kube, clock, key, identity: 'a', random: () => 0, log: (text) => said.push(text) }),
    );
    await clock.advance(60_000);
    expect([lost.times, said]).toEqual([0, []]);
    expect(tries).toBe(4 * 30);
    stop.abort();
    await kept;
  });

  it('loses one that was deleted', async () => {
    const { clock, cluster, elector } = setUp();
    const { lost, kept } = await keep(elector('a'));
    cluster.remove(leases, key);
    await clock.advance(2_000);
    await kept;
    expect(lost.times).toBe(1);
  });
});

describe('releasing a Lease', () => {
  it('takes no longer than five seconds when the API server hangs', async () => {
    const { clock, cluster } = setUp();
    const api = cluster.api();
    const hang: KubeApi['patch'] = (_resource, _key, _patch, options) =>
      new Promise((_resolve, reject) => {
        options.signal?.addEventListener('abort', () => reject(new KubeFault('aborted', 'aborted')));
      });
    const kube = { get: api.get.bind(api), create: api.create.bind(api), serverNowMs: () => api.serverNowMs(), patch: hang };
    const lease = createLease({ kube: kube as KubeApi, clock, key, identity: 'a', random: () => 0 });
    await lease.tryAcquire(never);
    let isOver = false;
    void lease.release().then(() => {
      isOver = true;
    });
    await clock.advance(5_000);
    expect([isOver, clock.pending]).toEqual([true, 0]);
  });

  it('lets the next one have it at once', async () => {
    const { elector, stored } = setUp();
    const lease = elector('a');
    await lease.tryAcquire(never);
    await lease.release();
    expect(stored().spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
    expect(await elector('b').tryAcquire(never)).toEqual({ held: true });
    expect(stored().spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1, leaseDurationSeconds: 15 });
  });

  it('leaves alone what another one has taken, or what was never held', async () => {
    const { cluster, elector, stored } = setUp();
    const lease = elector('a');
    await lease.tryAcquire(never);
    cluster.update(leases, key, (object) => ({ ...object, spec: { ...object.spec, holderIdentity: 'b' } }));
    await lease.release();
    await elector('c').release();
    expect(stored().spec?.holderIdentity).toBe('b');
  });

  it('reads it again where it was touched meanwhile, and never fails', async () => {
    const { cluster, elector, stored } = setUp();
    const lease = elector('a');
    await lease.tryAcquire(never);
    cluster.update(leases, key, (object) => ({ ...object, metadata: { ...object.metadata, labels: { seen: 'yes' } } }));
    await lease.release();
    expect(stored().spec?.holderIdentity).toBe('');

    const cutOff = elector(
      'b',
      failing(cluster.api(), 'patch', () => (stored().spec?.holderIdentity === 'b' ? 'unreachable' : undefined)),
    );
    await cutOff.tryAcquire(never);
    await cutOff.release();
    expect(stored().spec?.holderIdentity).toBe('b');
  });
});
