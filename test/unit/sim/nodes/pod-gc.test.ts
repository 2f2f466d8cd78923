import { describe, expect, it } from 'vitest';
import { NodesBed } from '../../../support/sim-nodes.ts';

async function setUp() {
  const bed = new NodesBed(3);
  const uid = bed.run('a');
  await bed.until(() => bed.isReady(uid));
  return { bed, uid, node: bed.nodeOf(uid) };
}

describe('the pod garbage collector', () => {
  it('ends the pods of a node that was removed, after its quarantine', async () => {
    const { bed, uid, node } = await setUp();
    const phases: unknown[] = [];
    bed.server.store.onChange(({ before, after }) => {
      if (before?.metadata.uid === uid && after !== undefined) phases.push(after.status?.phase);
    });
    bed.nodes.removeNode(node);
    expect([bed.node(node), bed.running()]).toEqual([undefined, []]);
    const gone = await bed.until(() => bed.pod(uid) === undefined);
    expect(gone).toBeGreaterThanOrEqual(40);
    expect(gone).toBeLessThanOrEqual(60);
    expect(phases.at(-1)).toBe('Failed');
  });

  it('ends terminating pods of a node that is NotReady and out of service, and only those', async () => {
    const { bed, uid, node } = await setUp();
    bed.nodes.taintOutOfService(node);
    await bed.pass(30);
    expect([bed.taints(node, 'node.kubernetes.io/out-of-service'), bed.pod(uid)?.metadata?.deletionTimestamp]).toEqual([[], undefined]);
    await bed.until(() => bed.taints(node, 'node.kubernetes.io/out-of-service').length > 0, 60);
    expect(await bed.until(() => bed.pod(uid) === undefined)).toBeLessThanOrEqual(40);
  });

  it('leaves a pod that tolerates the taint of such a node', async () => {
    const bed = new NodesBed(2);
    const uid = bed.run('a', 'p', { spec: { tolerations: [{ operator: 'Exists' }] } });
    await bed.until(() => bed.isReady(uid));
    bed.nodes.taintOutOfService(bed.nodeOf(uid));
    await bed.pass(300);
    expect(bed.pod(uid)).toMatchObject({ status: { phase: 'Running' } });
  });

  it('comes too late where a new machine of that name has taken the pods over', async () => {
    const { bed, uid, node } = await setUp();
    bed.nodes.removeNode(node);
    bed.nodes.powerOn(node);
    await bed.pass(300);
    expect([bed.isReady(uid), bed.running(node)]).toEqual([true, [uid]]);
  });

  it('leaves a terminating pod on a lost node alone', async () => {
    const { bed, uid, node } = await setUp();
    bed.nodes.powerOff(node);
    bed.delete(uid);
    await bed.pass(1_200);
    expect(bed.pod(uid)).toBeDefined();
  });

  it('has nothing left to do once a machine of that name has joined anew', async () => {
    const { bed, node } = await setUp();
    bed.nodes.removeNode(node);
    await bed.pass(90);
    bed.nodes.powerOn(node);
    await bed.pass(20);
    expect(bed.node(node)?.spec?.taints).toBeUndefined();
    const uids = Array.from({ length: 12 }, (_, index) => bed.run(`b-${index}`));
    await bed.pass(60);
    expect(uids.every((uid) => bed.isReady(uid))).toBe(true);
    expect(bed.running(node).length).toBeGreaterThan(0);
  });
});
