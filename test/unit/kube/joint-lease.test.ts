import { describe, expect, it } from 'vitest';
import { joinLeases } from '../../../src/kube/joint-lease.ts';
import { createLease, type LeaseElector } from '../../../src/kube/lease.ts';
import { type Lease, leases } from '../../../src/kube/objects.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';

const never = new AbortController().signal;
const keyOf = (name: string, namespace = 'default') => ({ namespace, name });

function setUp() {
  const clock = new FakeClock();
  const cluster = new MemoryCluster({ clock });
  const said: string[] = [];
  const log = (message: string): void => void said.push(message);
  const lease = (name: string, identity: string, namespace?: string, random = 0): LeaseElector =>
    createLease({ kube: cluster.api(), clock, key: keyOf(name, namespace), identity, random: () => random, log });
  const joint = (own: string, identity: string, group = 'group', random = 0): LeaseElector =>
    joinLeases(lease(own, identity, undefined, random), lease('shared', group, undefined, random));
  const holderOf = (name: string): string | undefined =>
    (cluster.find(leases, keyOf(name)) as Lease | undefined)?.spec?.holderIdentity ?? undefined;
  return { clock, cluster, lease, joint, holderOf, said };
}

/** Keeps it until it is told to stop. */
function keep(lease: LeaseElector) {
  const stop = new AbortController();
  let lost = 0;
  const kept = lease.keep(stop.signal, () => {
    lost += 1;
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await kept;
  };
  return { end, kept, lost: () => lost };
}

describe('two Leases as one', () => {
  it('are held together, the shared one by all of its identity', async () => {
    const { clock, joint, holderOf } = setUp();
    const [a, b] = [joint('a', 'pod-a'), joint('b', 'pod-b')];
    expect(a.isHeld()).toBe(false);
    expect(await a.tryAcquire(never)).toEqual({ held: true });
    expect(await b.tryAcquire(never)).toEqual({ held: true });
    expect(['a', 'b', 'shared'].map(holderOf)).toEqual(['pod-a', 'pod-b', 'group']);
    const running = [keep(a), keep(b)];
    await clock.advance(60_000);
    expect([a, b].map((lease) => lease.isHeld())).toEqual([true, true]);
    for (const { end } of running) await end();
    expect(clock.pending).toBe(0);
  });

  it('are kept by many in the same moments, though each finds what the others wrote', async () => {
    const { clock, joint, said } = setUp();
    const members = Array.from({ length: 20 }, (_, at) => joint(`own-${at}`, `pod-${at}`));
    for (const member of members) expect(await member.tryAcquire(never)).toEqual({ held: true });
    const running = members.map(keep);
    await clock.advance(300_000);
    expect(members.every((member) => member.isHeld())).toBe(true);
    expect(said).toEqual([]);
    for (const { end } of running) await end();
  });

  it('are neither of them held where the shared one is of another identity', async () => {
    const { joint, lease, holderOf } = setUp();
    await lease('shared', 'other').tryAcquire(never);
    const a = joint('a', 'pod-a');
    expect(await a.tryAcquire(never)).toEqual({ held: false, holder: 'other' });
    expect(a.isHeld()).toBe(false);
    expect(holderOf('a')).toBe('');
  });

  it('leave the shared one alone where the own one is held', async () => {
    const { joint, lease, holderOf } = setUp();
    await lease('a', 'pod-1').tryAcquire(never);
    expect(await joint('a', 'pod-2').tryAcquire(never)).toEqual({ held: false, holder: 'pod-1' });
    expect(holderOf('shared')).toBeUndefined();
  });

  it.each(['a', 'shared'])('are lost with one of them, once: %s', async (name) => {
    const { clock, cluster, joint } = setUp();
    const a = joint('a', 'pod-a');
    await a.tryAcquire(never);
    const running = keep(a);
    cluster.update(leases, keyOf(name), (lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } }));
    await clock.advance(3_000);
    await running.kept;
    expect(running.lost()).toBe(1);
    expect(a.isHeld()).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('are lost once though both are in one moment', async () => {
    const { lease } = setUp();
    const losing: LeaseElector = { ...lease('a', 'pod-a'), keep: async (_signal, onLost) => onLost() };
    const running = keep(joinLeases(losing, losing));
    await running.kept;
    expect(running.lost()).toBe(1);
  });

  it('give the own one back and the shared one never: it runs out after the last who held it', async () => {
    const { clock, joint, lease, holderOf } = setUp();
    const [a, b] = [joint('a', 'pod-a'), joint('b', 'pod-b')];
    await a.tryAcquire(never);
    await b.tryAcquire(never);
    const stays = keep(b);
    await a.release();
    expect(['a', 'shared'].map(holderOf)).toEqual(['', 'group']);
    const other = lease('shared', 'other');
    const tries = async (seconds: number): Promise<readonly boolean[]> => {
      const held: boolean[] = [];
      for (let second = 0; second < seconds; second += 2) {
        const attempt = other.tryAcquire(never);
        await clock.advance(2_000);
        held.push((await attempt).held);
      }
      return held;
    };
    expect(await tries(60)).not.toContain(true);
    await stays.end();
    await b.release();
    expect(await tries(12)).not.toContain(true);
    expect(await tries(8)).toContain(true);
  });

  it('are not held where no Lease can be had, for then nothing keeps the groups apart', async () => {
    const { lease } = setUp();
    const a = joinLeases(lease('a', 'pod-a', 'missing'), lease('shared', 'group', 'missing'));
    await expect(a.tryAcquire(never)).rejects.toThrow('namespace missing does not exist');
    expect(a.isHeld()).toBe(false);
  });
});
