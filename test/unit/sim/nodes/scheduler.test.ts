import { describe, expect, it } from 'vitest';
import { nodes } from '../../../../src/kube/objects.ts';
import type { AnyObject } from '../../../../src/sim/stored-object.ts';
import { NodesBed } from '../../../support/sim-nodes.ts';

const gpu = (count: string) => ({
  containers: [{ name: 'performer', image: 'avs:1', resources: { limits: { 'nvidia.com/gpu': count } } }],
});
const withOneGpu = { describe: (index: number) => (index === 0 ? { allocatable: { 'nvidia.com/gpu': '1' } } : {}) };

describe('the scheduler', () => {
  it('spreads pods over all nodes', async () => {
    const bed = new NodesBed(3);
    const uids = Array.from({ length: 20 }, (_, index) => bed.run(`a-${index}`));
    await bed.pass(1);
    expect([...new Set(uids.map((uid) => bed.nodeOf(uid)))].toSorted()).toEqual(['node-1', 'node-2', 'node-3']);
  });

  it('puts a pod where its extended resource is, and says why a second one has no place', async () => {
    const bed = new NodesBed(3, withOneGpu);
    const [first, second] = [bed.run('a', 'p', { spec: gpu('1') }), bed.run('b', 'q', { spec: gpu('1') })];
    await bed.pass(1);
    const [placed, waiting] = bed.nodeOf(first) === '' ? [second, first] : [first, second];
    expect(bed.nodeOf(placed)).toBe('node-1');
    expect(bed.condition(waiting, 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message:
        '0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
    });
    bed.delete(placed);
    await bed.until(() => bed.nodeOf(waiting) !== '', 60);
    expect(bed.nodeOf(waiting)).toBe('node-1');
  });

  it.each([
    ['a node selector', { nodeSelector: { zone: 'b' } }],
    [
      'an affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] }],
            },
          },
        },
      },
    ],
  ])('waits until a node matches %s', async (_, spec) => {
    const bed = new NodesBed(2);
    const uid = bed.run('a', 'p', { spec: { ...gpu('0'), ...spec } });
    await bed.pass(1);
    expect(bed.condition(uid, 'PodScheduled')?.message).toContain("2 node(s) didn't match Pod's node affinity/selector");
    const node = bed.node('node-2') as AnyObject;
    const labels = { ...node.metadata.labels, zone: 'b' };
    bed.server.overwrite(nodes, node, { ...node, metadata: { ...node.metadata, labels } });
    await bed.pass(1);
    expect(bed.nodeOf(uid)).toBe('node-2');
  });

  it('keeps off nodes whose taints a pod does not tolerate, and off cordoned ones', async () => {
    const bed = new NodesBed(2);
    bed.nodes.cut('node-1');
    bed.nodes.drain('node-2');
    await bed.pass(70);
    const uid = bed.run('a');
    await bed.pass(1);
    expect(bed.condition(uid, 'PodScheduled')?.message).toContain(
      '1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 1 node(s) were unschedulable',
    );
    bed.nodes.uncordon('node-2');
    await bed.pass(1);
    expect(bed.nodeOf(uid)).toBe('node-2');
  });

  it('still binds to a node that is gone but not yet missed', async () => {
    const bed = new NodesBed(1);
    bed.nodes.powerOff('node-1');
    const uid = bed.run('a');
    await bed.pass(30);
    expect(bed.nodeOf(uid)).toBe('node-1');
    expect(bed.container(uid)).toBeUndefined();
  });
});
