import { describe, expect, it } from 'vitest';
import { fastTimings } from '../../../../src/sim/nodes/timings.ts';
import { NodesBed } from '../../../support/sim-nodes.ts';

const performer = { namespace: 'default', name: 'p' };

describe('a pod', () => {
  it('is placed, comes up and gets ready, one step after the other', async () => {
    const bed = new NodesBed(3);
    const uid = bed.run('a');
    const seen: string[] = [];
    bed.server.store.onChange(({ kindId }) => {
      if (kindId !== 'pods') return;
      const one = bed.container(uid);
      const state = Object.keys(one?.state ?? {})[0];
      const words = [bed.pod(uid)?.status?.phase, bed.nodeOf(uid) && 'bound', state, one?.started && 'started', one?.ready && 'ready'];
      seen.push(words.filter(Boolean).join(' '));
    });
    await bed.until(() => bed.isReady(uid));
    expect([...new Set(seen)]).toEqual([
      'Pending bound',
      'Pending bound waiting',
      'Running bound running',
      'Running bound running started',
      'Running bound running started ready',
    ]);
    expect(bed.nodes.instances()).toEqual([{ podUid: uid, key: performer, node: bed.nodeOf(uid) }]);
  });

  it('that is deleted runs on for a part of its grace, then its object goes', async () => {
    const bed = new NodesBed(1);
    const uid = bed.run('a');
    await bed.until(() => bed.isReady(uid));
    bed.delete(uid, 10);
    expect(bed.running()).toEqual([uid]);
    const stopped = await bed.until(() => bed.running().length === 0);
    expect(bed.pod(uid)?.metadata?.deletionTimestamp).toBeDefined();
    expect(stopped).toBeLessThanOrEqual(10.2);
    expect(await bed.until(() => bed.pod(uid) === undefined)).toBeLessThanOrEqual(2);
  });
});

/** Pods and all kinds of faults for ten minutes. @returns everything that was written, as text */
async function storm(seed: number): Promise<string> {
  const bed = new NodesBed(9, { seed, timings: fastTimings });
  const written: string[] = [];
  bed.server.store.onChange(({ object }) => written.push(`${bed.clock.monotonicMs()} ${JSON.stringify(object)}`));
  bed.nodes.onInstances(() => written.push(`${bed.clock.monotonicMs()} ${bed.running().join()}`));
  const uids = Array.from({ length: 40 }, (_, index) =>
    bed.run(`pod-${index}`, `p${index % 20}`, { tag: index % 13 === 0 ? 'crashes' : '1' }),
  );
  const [a = '', b = '', c = '', d = '', e = ''] = bed.nodes.names();
  const faults: [on: readonly string[], fault: (name: string) => void][] = [
    [[a], (name) => bed.nodes.cut(name)],
    [[b], (name) => bed.nodes.powerOff(name)],
    [[c], (name) => bed.nodes.drain(name)],
    [[d], (name) => bed.nodes.removeNode(name)],
    [[e], (name) => bed.nodes.taintOutOfService(name)],
    [uids.slice(0, 5), (uid) => bed.nodes.killContainer(uid)],
    [uids.slice(5, 8), (uid) => bed.nodes.setReady(uid, false)],
    [uids.slice(8, 10), (uid) => bed.nodes.evict(uid)],
    [uids.slice(10, 13), (uid) => bed.nodes.preempt(uid)],
    [uids.slice(20, 25), (uid) => bed.delete(uid)],
  ];
  for (const [on, fault] of faults) {
    await bed.pass(20);
    for (const name of on) fault(name);
  }
  bed.nodes.healAll();
  await bed.pass(400);
  return written.join('\n');
}

describe('the nodes of a seed', () => {
  it('do the same each time, and something else for another seed', async () => {
    const [first, again, other] = [await storm(1), await storm(1), await storm(2)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('are all well some time after everything was healed', async () => {
    const bed = new NodesBed(4);
    const uids = Array.from({ length: 12 }, (_, index) => bed.run(`pod-${index}`, `p${index}`));
    await bed.pass(30);
    bed.nodes.cut('node-1');
    bed.nodes.powerOff('node-2');
    bed.nodes.removeNode('node-3');
    bed.nodes.taintOutOfService('node-4');
    for (const uid of uids) bed.nodes.setReady(uid, false);
    await bed.pass(60);
    bed.nodes.healAll();
    await bed.pass(60);
    for (const name of bed.nodes.names()) {
      expect(bed.node(name)?.spec?.taints ?? []).toEqual([]);
      expect(bed.node(name)?.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    }
    const left = uids.filter((uid) => bed.pod(uid) !== undefined);
    expect(left.length).toBeGreaterThan(0);
    expect(left.filter((uid) => !bed.isReady(uid))).toEqual([]);
    expect(bed.running().toSorted()).toEqual(left.toSorted());
  });
});
