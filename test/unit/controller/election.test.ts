import { describe, expect, it } from 'vitest';
import { Election } from '../../../src/controller/election.ts';
import { FlightLimit } from '../../../src/controller/flight-limit.ts';
import { runWatch } from '../../../src/controller/watch.ts';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import { KubeFault, type KubeFaultCode } from '../../../src/kube/faults.ts';
import { createLease, type LeaseAttempt, type LeaseElector } from '../../../src/kube/lease.ts';
import { leases } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { type Clock, sleep } from '../../../src/lib/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const key = { namespace: 'default', name: 'operator' };

function setUp() {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock });
  /** Who wrote, and when. A process writes every 100 ms while its pass runs and `mayWrite` and the pass's signal let it. */
  const writes: { readonly who: string; readonly atMs: number }[] = [];

  /** One process: an election, and the real loop under it with one key whose pass never ends. */
  const process = (who: string) => {
    const state: { fault: KubeFaultCode | undefined; frozen: boolean; offsetMs: number } = { fault: undefined, frozen: false, offsetMs: 0 };
    /** A process that was killed or stopped runs no timer; its clock goes on. */
    const own: Clock = {
      nowMs: () => clock.nowMs() + state.offsetMs,
      monotonicMs: () => clock.monotonicMs(),
      timer: (delayMs, run) => clock.timer(delayMs, () => (state.frozen ? late.push(run) : run())),
    };
    const late: (() => void)[] = [];
    const kube = new Proxy(cluster.api(), {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        if (name === 'serverNowMs') return () => target.serverNowMs();
        return async (...args: unknown[]) => {
          if (state.fault !== undefined) throw new KubeFault(state.fault, `${String(name)} Lease: ${state.fault}`);
          return Reflect.apply(method, target, args) as unknown;
        };
      },
    }) as KubeApi;
    const said: string[] = [];
    const lease = createLease({ kube, clock: own, key, identity: who, random: () => 0.5 });
    const election = new Election({ lease, clock: own, log: (message) => said.push(message) });
    const stop = new AbortController();
    let isOver = false;
    const running = election
      .run(stop.signal, (stopped, lost) =>
        runWatch({
          queue: new WorkQueue(own),
          limit: new FlightLimit(1),
          clock: own,
          random: () => 0.5,
          keys: () => [{ namespace: 'ns', name: 'x' }],
          signal: stopped,
          lost,
          drainMs: 1_000,
          reconcile: async (_key, { signal }) => {
            while (election.mayWrite() && !signal.aborted) {
              writes.push({ who, atMs: clock.monotonicMs() });
              await sleep(own, 100, signal);
            }
            return { kind: 'waiting', reason: 'Starting', message: '', again: false, unsaid: false, requeueAfterMs: 100 };
          },
        }),
      )
      .then(() => {
        isOver = true;
      });
    return {
      state,
      said,
      stop,
      election,
      running,
      isOver: () => isOver,
      thaw: () => {
        state.frozen = false;
        for (const run of late.splice(0)) run();
      },
    };
  };
  const lastWriteMs = (who: string): number => writes.findLast((write) => write.who === who)?.atMs ?? 0;
  const firstWriteMs = (who: string): number => writes.find((write) => write.who === who)?.atMs ?? Number.POSITIVE_INFINITY;
  const holder = (): string => cluster.find(leases, key)?.spec?.holderIdentity ?? '';
  return { clock, cluster, process, writes, lastWriteMs, firstWriteMs, holder };
}

describe('Election', () => {
  it('lets a standby lead within 3 s of a stop of the leader', async () => {
    const { clock, process, lastWriteMs, firstWriteMs, holder } = setUp();
    const a = process('a');
    await clock.advance(1_300);
    const b = process('b');
    await clock.advance(6_000);
    expect([a.election.role, b.election.role, b.election.mayWrite()]).toEqual(['leader', 'standby', false]);
    const stoppedMs = clock.monotonicMs();
    a.stop.abort();
    await clock.advance(6_000);
    expect(a.isOver()).toBe(true);
    expect(firstWriteMs('b') - stoppedMs).toBeLessThanOrEqual(3_000 + 1_000);
    expect(firstWriteMs('b') - lastWriteMs('a')).toBeGreaterThan(0);
    expect(firstWriteMs('b') - lastWriteMs('a')).toBeLessThanOrEqual(3_000);
    b.stop.abort();
    await clock.advance(2_000);
    await b.running;
    expect([holder(), clock.pending]).toEqual(['', 0]);
    expect(b.said).toEqual(['standing by', 'leading']);
  });

  it.each([700, 1_450, 2_199])(
    'lets a standby lead within 17 s of the death of the leader, with a second to spare (started at %i ms)',
    async (startMs) => {
      for (const killedMs of [2_201, 3_000, 4_300, 4_401, 5_500, 6_601]) {
        const { clock, process, lastWriteMs, firstWriteMs } = setUp();
        const a = process('a');
        await clock.advance(startMs);
        process('b');
        await clock.advance(killedMs - startMs);
        a.state.frozen = true;
        const diedMs = clock.monotonicMs();
        await clock.advance(20_000);
        expect(firstWriteMs('b') - diedMs).toBeLessThanOrEqual(16_000);
        // No sooner than the dead one, had it lived, would have stopped by itself.
        expect(firstWriteMs('b') - lastWriteMs('a')).toBeGreaterThan(10_000);
      }
    },
  );

  it('lets a restarted process of the same name go on at once', async () => {
    const { clock, process, firstWriteMs, writes } = setUp();
    const former = process('a');
    await clock.advance(5_000);
    former.state.frozen = true;
    const before = writes.length;
    const restarted = process('a');
    await clock.advance(200);
    expect(writes.length).toBeGreaterThan(before);
    expect(restarted.said).toEqual(['leading']);
    expect(firstWriteMs('a')).toBeLessThan(2_000);
  });

  it('writes nothing more once the Lease is lost, also in the midst of a pass, and leads again later', async () => {
    const { clock, cluster, process, lastWriteMs, writes } = setUp();
    const a = process('a');
    await clock.advance(5_000);
    const take = (holderIdentity: string): void => {
      cluster.update(leases, key, (lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity } }));
    };
    take('thief');
    await clock.advance(3_000);
    expect([a.election.role, a.election.mayWrite()]).toEqual(['standby', false]);
    const lastMs = lastWriteMs('a');
    await clock.advance(10_000);
    expect(lastWriteMs('a')).toBe(lastMs);
    const before = writes.length;
    take('');
    await clock.advance(3_000);
    expect(writes.length).toBeGreaterThan(before);
    expect(a.said).toEqual(['leading', 'standing by', 'leading']);
  });

  it('writes nothing when it wakes up from a sleep that outlasted the Lease, before any timer told it', async () => {
    const { clock, process, writes } = setUp();
    const a = process('a');
    await clock.advance(5_000);
    a.state.frozen = true;
    await clock.advance(12_000);
    process('b');
    await clock.advance(20_000);
    const before = writes.filter(({ who }) => who === 'a').length;
    a.thaw();
    await clock.advance(3_000);
    expect(writes.filter(({ who }) => who === 'a')).toHaveLength(before);
    expect(a.election.role).toBe('standby');
  });

  it('stops writing ten seconds after the API server went away, and waits for it', async () => {
    const { clock, process, lastWriteMs, writes } = setUp();
    const a = process('a');
    await clock.advance(5_000);
    a.state.fault = 'unreachable';
    const downMs = clock.monotonicMs();
    await clock.advance(40_000);
    expect(lastWriteMs('a') - downMs).toBeLessThanOrEqual(10_000);
    const before = writes.length;
    a.state.fault = undefined;
    await clock.advance(2_500);
    expect(writes.length).toBeGreaterThan(before);
    expect(a.said).toEqual(['leading', 'asking for the Lease failed', 'leading']);
  });

  it('runs without a Lease where none can be had, says so once, and takes part again when Leases are allowed', async () => {
    const { clock, process, writes, holder } = setUp();
    const a = process('a');
    a.state.fault = 'forbidden';
    await clock.advance(60_000);
    expect([a.election.role, a.election.mayWrite(), a.said]).toEqual(['unelected', true, ['running without a Lease']]);
    const b = process('b');
    await clock.advance(1_000);
    expect(b.election.role).toBe('leader');
    a.state.fault = undefined;
    await clock.advance(12_000);
    expect([a.election.role, a.election.mayWrite(), holder()]).toEqual(['standby', false, 'b']);
    const before = writes.filter(({ who }) => who === 'a').length;
    await clock.advance(10_000);
    expect(writes.filter(({ who }) => who === 'a')).toHaveLength(before);
    expect(a.said).toEqual(['running without a Lease', 'standing by']);
  });

  it('writes nothing more, also in the midst of a pass, once others lead where it ran without a Lease', async () => {
    const clock = new FakeClock();
    const claims: LeaseAttempt[] = [
      { held: false, unavailable: 'forbidden', message: 'no' },
      { held: false, holder: 'b' },
    ];
    const lease: LeaseElector = {
      tryAcquire: () => Promise.resolve(claims.shift() ?? { held: false, holder: 'b' }),
      isHeld: () => false,
      keep: () => Promise.resolve(),
      release: () => Promise.resolve(),
    };
    const stop = new AbortController();
    const election = new Election({ lease, clock, log: () => {} });
    const mayWrite: boolean[] = [];
    const running = election.run(stop.signal, async () => {
      await sleep(clock, 1_000);
      mayWrite.push(election.mayWrite());
      await sleep(clock, 14_000);
      mayWrite.push(election.mayWrite());
    });
    await clock.advance(16_000);
    expect(mayWrite).toEqual([true, false]);
    stop.abort();
    await clock.advance(20_000);
    await running;
  });

  it('gives back a Lease that it got while it was asked to stop', async () => {
    const { clock, process, holder } = setUp();
    const a = process('a');
    a.stop.abort();
    await clock.advance(2_000);
    await a.running;
    expect([holder(), clock.pending]).toEqual(['', 0]);
  });

  it.each([300_000, -300_000])('goes on as if nothing had happened when the wall clock jumps by %i ms', async (jumpMs) => {
    const { clock, process, writes } = setUp();
    const a = process('a');
    await clock.advance(1_000);
    const b = process('b');
    await clock.advance(5_000);
    for (const offsets of [
      [jumpMs, 0],
      [jumpMs, jumpMs],
      [0, jumpMs],
    ]) {
      [a.state.offsetMs, b.state.offsetMs] = [offsets[0] ?? 0, offsets[1] ?? 0];
      await clock.advance(20_000);
    }
    expect([a.election.role, b.election.role, a.said, b.said]).toEqual(['leader', 'standby', ['leading'], ['standing by']]);
    expect(writes.filter(({ who }) => who === 'b')).toEqual([]);
  });
});
