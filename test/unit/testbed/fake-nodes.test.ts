import { describe, expect, it } from 'vitest';
import { buildFakeNode, nodeCidrMaskSize } from '../../../src/testbed/fake-nodes.ts';

describe('fake nodes', () => {
  it.each([
    { nodes: 1, maskSize: 20 },
    { nodes: 4, maskSize: 20 },
    { nodes: 16, maskSize: 20 },
    { nodes: 17, maskSize: 21 },
    { nodes: 256, maskSize: 24 },
  ])('share the pod range: $nodes nodes get /$maskSize each', ({ nodes, maskSize }) => {
    expect(nodeCidrMaskSize(nodes)).toBe(maskSize);
    const ranges = Array.from({ length: nodes }, (_, index) => buildFakeNode(index, nodes) as { spec: { podCIDR: string } }).map(
      (node) => node.spec.podCIDR,
    );
    expect(new Set(ranges).size).toBe(nodes);
    expect(ranges.every((range) => /^10\.244\.\d{1,3}\.0\/\d+$/.test(range))).toBe(true);
  });
});
