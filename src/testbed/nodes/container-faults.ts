import { setTimeout as sleep } from 'node:timers/promises';
import { kubectl } from '../kubectl.ts';
import { TestbedError } from '../testbed-error.ts';
import { ctr } from './node-plan.ts';
import type { RealNodes } from './real-nodes.ts';

/** A container on a node, by its id with or without `containerd://`. */
export interface ContainerAt {
  readonly node: string;
  readonly containerId: string;
}

const idOf = ({ containerId }: ContainerAt): string => containerId.replace(/^containerd:\/\//, '');

/** The first container of a pod. @throws TestbedError when there is no such pod, or none of its containers has been started */
export async function findContainer(cluster: Parameters<typeof kubectl>[0], namespace: string, pod: string): Promise<ContainerAt> {
  const path = 'jsonpath={.spec.nodeName} {.status.containerStatuses[0].containerID}';
  const [node = '', containerId = ''] = (await kubectl(cluster, ['get', 'pod', '-n', namespace, pod, '-o', path])).split(' ');
  if (containerId === '') throw new TestbedError(`pod ${namespace}/${pod}: no container of it has been started; see kubectl describe pod`);
  return { node, containerId };
}

/** Sends a signal to process 1 of a container, by its node's containerd; one that is to stand still does when this resolves. @throws TestbedError when there is no such container */
export async function signalContainer(
  nodes: RealNodes,
  container: ContainerAt,
  signal: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL',
): Promise<void> {
  nodes.run(container.node, [...ctr, 'tasks', 'kill', '--signal', signal, idOf(container)]);
  for (let tries = 0; signal === 'SIGSTOP' && tries < 100 && !isContainerStopped(nodes, container); tries += 1) await sleep(20);
}

/** Whether process 1 of a container stands still. @throws TestbedError when there is no such container */
export function isContainerStopped(nodes: RealNodes, container: ContainerAt): boolean {
  const tasks = nodes.run(container.node, [...ctr, 'tasks', 'ls']).split('\n');
  const [, pid] = tasks.map((line) => line.split(/\s+/)).find(([id]) => id === idOf(container)) ?? [];
  if (pid === undefined) throw new TestbedError(`container ${idOf(container)}: node ${container.node} runs none of that id`);
  // As the node numbers its processes.
  return /\) T /.test(nodes.run(container.node, ['cat', `/proc/${pid}/stat`]));
}
