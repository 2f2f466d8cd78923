import { describe, expect, it } from 'vitest';
import { stockTimings } from '../../../../src/sim/nodes/timings.ts';
import { NodesBed, withTimings } from '../../../support/sim-nodes.ts';

/** Pods of different Performers on nodes, all ready. */
async function setUp(count: number, podCount = 3, timings = stockTimings) {
  const bed = new NodesBed(count, { timings });
  const uids = Array.from({ length: podCount }, (_, index) => bed.run(`pod-${index}`, `p${index}`));
  await bed.until(() => uids.every((uid) => bed.isReady(uid)));
  await bed.pass(2);
  const uid = uids[0] ?? '';
  return { bed, uids, uid, node: bed.nodeOf(uid) };
}
const readyOf = (bed: NodesBed, node: string) => bed.node(node)?.status?.conditions?.find(({ type }) => type === 'Ready');

describe('a node whose kubelet is cut off', () => {
  it('is Unknown after its grace, tainted, and its pods are unready, while they run on', async () => {
    const { bed, uid, node } = await setUp(4);
    bed.nodes.cut(node);
    const noticed = await bed.until(() => readyOf(bed, node)?.status === 'Unknown');
    expect(noticed).toBeGreaterThanOrEqual(40);
    expect(noticed).toBeLessThanOrEqual(55);
    expect(readyOf(bed, node)?.reason).toBe('NodeStatusUnknown');
    expect(bed.taints(node)).toEqual(['NoSchedule']);
    expect([bed.isReady(uid), bed.pod(uid)?.status?.phase, bed.running()]).toEqual([false, 'Running', expect.arrayContaining([uid])]);
    await bed.pass(1);
    expect(bed.taints(node)).toEqual(['NoSchedule', 'NoExecute']);
    expect(bed.node(node)?.spec?.taints?.every(({ timeAdded }) => timeAdded !== undefined)).toBe(true);
  });

  it('loses its pods after the 300 s they tolerate, but their objects stay until it is back', async () => {
    const { bed, uid, node } = await setUp(4);
    bed.nodes.cut(node);
    await bed.until(() => bed.taints(node).includes('NoExecute'));
    const evicted = await bed.until(() => bed.pod(uid)?.metadata?.deletionTimestamp !== undefined);
    expect(evicted).toBe(300);
    expect(bed.condition(uid, 'DisruptionTarget')?.reason).toBe('DeletionByTaintManager');
    await bed.pass(900);
    expect([bed.pod(uid)?.status?.phase, bed.running(node)]).toEqual(['Running', expect.arrayContaining([uid])]);
    bed.nodes.heal(node);
    await bed.until(() => bed.pod(uid) === undefined, 60);
    expect([bed.pod(uid), bed.running(node)]).toEqual([undefined, []]);
  });

  it('is as before when it is back in time: pods ready again since when they were, no taint, nothing evicted', async () => {
    const { bed, uid, node } = await setUp(4);
    const since = bed.condition(uid, 'Ready')?.lastTransitionTime;
    bed.nodes.cut(node);
    await bed.pass(120);
    expect(bed.isReady(uid)).toBe(false);
    bed.nodes.heal(node);
    await bed.pass(25);
    expect(bed.condition(uid, 'Ready')).toMatchObject({ status: 'True', lastTransitionTime: since });
    expect([bed.taints(node), readyOf(bed, node)?.status]).toEqual([[], 'True']);
    await bed.pass(600);
    expect(bed.pod(uid)?.metadata?.deletionTimestamp).toBeUndefined();
  });

  it('keeps its pods when it is registered anew before they must go: its taints went with the former one', async () => {
    const { bed, uid, node } = await setUp(4);
    bed.nodes.powerOff(node);
    await bed.until(() => bed.taints(node).includes('NoExecute'));
    bed.nodes.removeNode(node);
    await bed.pass(5);
    bed.nodes.powerOn(node);
    await bed.pass(600);
    expect([bed.taints(node), bed.pod(uid)?.metadata?.deletionTimestamp, bed.isReady(uid)]).toEqual([[], undefined, true]);
  });

  it('is not missed when it is back within its grace', async () => {
    const { bed, uid, node } = await setUp(2);
    const before = bed.server.store.revision;
    bed.nodes.cut(node);
    await bed.pass(20);
    bed.nodes.heal(node);
    await bed.pass(300);
    expect([bed.server.store.revision, bed.isReady(uid)]).toEqual([before, true]);
  });

  it('starts what was bound to it and stops what was deleted by force when it is back', async () => {
    const { bed, uid, node } = await setUp(1);
    bed.nodes.cut(node);
    const later = bed.run('later', 'p9');
    bed.delete(uid, 0);
    await bed.pass(30);
    expect([bed.nodeOf(later), bed.running()]).toEqual([node, expect.arrayContaining([uid])]);
    bed.nodes.heal(node);
    await bed.pass(60);
    expect([bed.running().includes(uid), bed.isReady(later)]).toEqual([false, true]);
  });
});

describe('many nodes cut off at once', () => {
  it('get the NoExecute taint one after another', async () => {
    const { bed } = await setUp(9);
    for (const node of ['node-1', 'node-2', 'node-3']) bed.nodes.cut(node);
    await bed.until(() => bed.nodes.names().filter((name) => bed.taints(name).length > 0).length === 3);
    const gaps: number[] = [];
    for (let count = 1; count <= 3; count += 1)
      gaps.push(await bed.until(() => bed.nodes.names().filter((name) => bed.taints(name).includes('NoExecute')).length === count));
    expect(gaps.slice(1).reduce((sum, gap) => sum + gap, 0)).toBeGreaterThan(5);
  });

  it.each([
    { count: 9, cut: 5, tainted: 0 },
    { count: 9, cut: 4, tainted: 4 },
    { count: 3, cut: 2, tainted: 2 },
  ])('keep their pods where they are 55 % or more, and more than two: $cut of $count', async ({ count, cut, tainted }) => {
    const { bed } = await setUp(count, 1, withTimings({ leaseRenewMs: 0 }));
    const names = bed.nodes.names().slice(0, cut);
    for (const node of names) bed.nodes.cut(node);
    await bed.pass(180);
    expect(names.filter((name) => bed.taints(name).includes('NoSchedule'))).toEqual(names);
    expect(names.filter((name) => bed.taints(name).includes('NoExecute')).length).toBe(tainted);
  });

  it('lose the NoExecute taint when no node is left, and get it when one is back', async () => {
    const { bed, uids } = await setUp(3);
    for (const node of bed.nodes.names()) bed.nodes.cut(node);
    await bed.pass(70);
    expect(bed.nodes.names().flatMap((name) => bed.taints(name))).toEqual(['NoSchedule', 'NoSchedule', 'NoSchedule']);
    await bed.pass(400);
    expect(uids.filter((uid) => bed.pod(uid)?.metadata?.deletionTimestamp !== undefined)).toEqual([]);
    bed.nodes.heal('node-1');
    await bed.pass(40);
    expect([bed.taints('node-1'), bed.taints('node-2'), bed.taints('node-3')]).toEqual([
      [],
      ['NoSchedule', 'NoExecute'],
      ['NoSchedule', 'NoExecute'],
    ]);
  });
});

describe('a node that loses power', () => {
  it('stops its containers at once and starts them anew when it is back', async () => {
    const { bed, uid, node } = await setUp(2);
    const address = bed.pod(uid)?.status?.podIP;
    bed.nodes.powerOff(node);
    expect([bed.running(node), bed.isReady(uid)]).toEqual([[], true]);
    await bed.pass(120);
    expect([bed.isReady(uid), bed.pod(uid)?.status?.phase]).toEqual([false, 'Running']);
    bed.nodes.powerOn(node);
    await bed.until(() => bed.container(uid)?.state?.waiting !== undefined);
    expect(bed.pod(uid)?.status?.podIP).toBeUndefined();
    await bed.pass(15);
    expect(bed.running(node)).toContain(uid);
    expect(bed.container(uid)).toMatchObject({ ready: true, restartCount: 1, lastState: { terminated: { exitCode: 255 } } });
    expect(bed.pod(uid)?.status?.podIP).not.toBe(address);
  });

  it('ends pods that were deleted meanwhile when it is back', async () => {
    const { bed, uid, node } = await setUp(2);
    bed.nodes.powerOff(node);
    bed.delete(uid);
    await bed.pass(200);
    expect(bed.pod(uid)).toBeDefined();
    bed.nodes.powerOn(node);
    await bed.pass(30);
    expect([bed.pod(uid), bed.running().includes(uid)]).toEqual([undefined, false]);
  });
});

it('is back only with both its power and its network', async () => {
  const { bed, node } = await setUp(2);
  bed.nodes.powerOff(node);
  bed.nodes.heal(node);
  await bed.pass(120);
  expect(readyOf(bed, node)?.status).toBe('Unknown');
  bed.nodes.cut(node);
  bed.nodes.powerOn(node);
  await bed.pass(60);
  expect(readyOf(bed, node)?.status).toBe('Unknown');
  bed.nodes.heal(node);
  await bed.pass(16);
  expect(readyOf(bed, node)?.status).toBe('True');
});

describe('a node that is drained', () => {
  it('takes no pods and evicts its own with their grace until it is uncordoned', async () => {
    const { bed, uid, node } = await setUp(1);
    bed.nodes.drain(node);
    expect(bed.condition(uid, 'DisruptionTarget')?.reason).toBe('EvictionByEvictionAPI');
    expect(bed.pod(uid)?.metadata?.deletionGracePeriodSeconds).toBe(30);
    const next = bed.run('next', 'p0');
    await bed.pass(60);
    expect([bed.pod(uid), bed.nodeOf(next)]).toEqual([undefined, '']);
    bed.nodes.uncordon(node);
    await bed.until(() => bed.isReady(next), 60);
    expect(bed.nodeOf(next)).toBe(node);
  });
});
