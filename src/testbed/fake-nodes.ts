import { parse } from 'yaml';
import { fillKwokFile } from './kwok-stages.ts';

/** Pod addresses of the cluster: 10.244.0.0/16. */
export const clusterCidr = '10.244.0.0/16';
/** KWOK plays the kubelet of nodes with this annotation and of no others. */
export const fakeNodeSelector = 'kwok.x-k8s.io/node=fake';
export const maxFakeNodes = 256;

/** Length of each node's share of the pod range: large shares for few nodes, so that thousands of pods fit. Pure. */
export function nodeCidrMaskSize(nodes: number): number {
  return Math.max(20, 16 + Math.ceil(Math.log2(Math.max(nodes, 1))));
}

/** A Node object that only exists on paper; `index` counts from 0. */
export function buildFakeNode(index: number, nodes: number): object {
  const maskSize = nodeCidrMaskSize(nodes);
  const firstAddress = index * 2 ** (32 - maskSize);
  const values = {
    name: `fake-${index}`,
    podCidr: `10.244.${Math.floor(firstAddress / 256)}.${firstAddress % 256}/${maskSize}`,
    address: `10.245.0.${index % 256}`,
    pods: String(Math.min(5_000, 2 ** (32 - maskSize) - 16)),
  };
  return parse(fillKwokFile('node.yaml', values)) as object;
}
