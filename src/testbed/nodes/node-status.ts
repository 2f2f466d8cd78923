import type { Node, Pod } from '../../kube/objects.ts';
import { kubectl } from '../kubectl.ts';
import { openNodeFaults } from './node-faults.ts';
import type { NodeUsage, RealNodes } from './real-nodes.ts';

export interface NodeStatus extends Omit<NodeUsage, 'name' | 'isOn'> {
  readonly node: string;
  readonly ready: string;
  readonly pods: number;
}

/** How the real nodes of a cluster stand; a cluster that does not answer has nodes of which nothing is known. */
export async function readNodeStatus(nodes: RealNodes, cluster: { readonly kubectl: readonly string[] }): Promise<readonly NodeStatus[]> {
  const ask = async <T>(kind: string): Promise<readonly T[]> => {
    const text = await kubectl(cluster, ['get', kind, '--all-namespaces', '-o', 'json'], { timeoutMs: 5_000 }).catch(() => '');
    return text === '' ? [] : (JSON.parse(text) as { items: readonly T[] }).items;
  };
  const [objects, pods] = await Promise.all([ask<Node>('nodes'), ask<Pod>('pods')]);
  const faults = Object.values(openNodeFaults(nodes));
  return nodes.usage().map(({ name, isOn, ...usage }) => {
    const conditions = objects.find(({ metadata }) => metadata?.name === name)?.status?.conditions ?? [];
    const ready = conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
    const there = isOn ? faults.flatMap(({ id, isThere }) => (isThere(name) ? [id] : [])) : ['off'];
    return {
      node: name,
      ready: there.length === 0 ? ready : `${ready} (${there.join(', ')})`,
      pods: pods.filter(({ spec }) => spec?.nodeName === name).length,
      ...usage,
    };
  });
}
