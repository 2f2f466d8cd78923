import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { readState } from '../testbed/cluster-state.ts';
import { clusterPaths } from '../testbed/components.ts';
import { type NodeFaultId, openNodeFaults } from '../testbed/nodes/node-faults.ts';
import type { NodeStatus } from '../testbed/nodes/node-status.ts';
import type { NodeCut, RealNodes } from '../testbed/nodes/real-nodes.ts';
import { TestbedError } from '../testbed/testbed-error.ts';
import { findRegistryDir, openNodes } from './dev-faults.ts';
import { renderTable } from './output.ts';

/** Actions that are a fault of the catalogue, or its undoing, and what is said then. */
const faultActions = {
  freeze: ['freeze', 'apply', 'stands still; let it go on: bin/hourglass dev node thaw'],
  thaw: ['freeze', 'undo', 'goes on'],
  hang: ['kubelet-hang', 'apply', 'has a kubelet that stands still; let it go on: bin/hourglass dev node continue'],
  continue: ['kubelet-hang', 'undo', 'has a kubelet that goes on'],
  crash: ['kubelet-crash', 'apply', 'lost its kubelet, and starts it again'],
  fill: ['disk-full', 'apply', 'has a full disk; free it: bin/hourglass dev node free'],
  free: ['disk-full', 'undo', 'has room on its disk'],
  reboot: ['reboot', 'apply', 'is starting'],
} as const satisfies Record<string, readonly [NodeFaultId, 'apply' | 'undo', string]>;
type FaultAction = keyof typeof faultActions;
export type NodeAction = 'stop' | 'start' | 'cut' | 'heal' | FaultAction;

/** The command has this process's own input and output; its exit code is ours. */
export async function runExec(cluster: string, node: string, command: readonly string[]): Promise<void> {
  const [program = '', ...args] = (await openNodes(cluster)).enter(node, command);
  process.exitCode = spawnSync(program, args, { stdio: 'inherit' }).status ?? 1;
}

const said: Readonly<Record<Exclude<NodeAction, FaultAction>, string>> = {
  stop: 'is off; switch it on again: bin/hourglass dev node start',
  start: 'is starting',
  cut: 'is cut off; take it back: bin/hourglass dev node heal',
  heal: 'is connected',
};

export async function runNode(
  action: NodeAction,
  node: string,
  { name, from = 'network' }: { readonly name: string; readonly from?: NodeCut },
): Promise<void> {
  const nodes = await openNodes(name);
  process.stdout.write(`${node} ${await act(nodes, action, node, from)}\n`);
}

/** Returns what is said of the node then. */
async function act(nodes: RealNodes, action: NodeAction, node: string, from: NodeCut): Promise<string> {
  if (action in faultActions) {
    const [id, deed, words] = faultActions[action as FaultAction];
    await openNodeFaults(nodes)[id][deed](node);
    return words;
  }
  const plain = action as keyof typeof said;
  if (plain === 'cut') nodes.cut(node, from);
  else await nodes[plain](node);
  return said[plain];
}

export async function runLoadImage(cluster: string, files: readonly string[]): Promise<void> {
  const nodes = await openNodes(cluster);
  for (const file of files) for (const line of await nodes.loadImage(file)) process.stdout.write(`${line}\n`);
}

/** Prints a log, or the names of all there are. @throws TestbedError for one that is not there */
export function runLogs(
  component: string | undefined,
  { name, follow = false }: { readonly name: string; readonly follow?: boolean },
): void {
  const reading = readState(findRegistryDir(name));
  if (reading.kind !== 'state')
    throw new TestbedError(`cluster ${name}: it is not up; start it with \`bin/hourglass dev up --name ${name}\``);
  const { logs } = clusterPaths(reading.state.dir);
  const names = readdirSync(logs).flatMap((file) => (file.endsWith('.log') ? [file.slice(0, -4)] : []));
  if (component === undefined) {
    process.stdout.write(`${names.toSorted().join('\n')}\n`);
    return;
  }
  const path = join(logs, `${component}.log`);
  if (!existsSync(path)) throw new TestbedError(`no log of ${component} in cluster ${name}; there are: ${names.toSorted().join(', ')}`);
  const { status } = spawnSync('tail', [...(follow ? ['-F'] : []), '-n', follow ? '20' : '+1', path], { stdio: 'inherit' });
  process.exitCode = status ?? 0;
}

export function renderNodes(nodes: readonly NodeStatus[], width: number): readonly string[] {
  const rows = nodes.map(({ node, ready, pods, cpuS, memoryBytes }) => [
    node,
    ready,
    String(pods),
    cpuS === undefined ? '-' : `${cpuS.toFixed(1)} s`,
    memoryBytes === undefined ? '-' : `${Math.round(memoryBytes / 2 ** 20)} MiB`,
  ]);
  return renderTable(['NODE', 'READY', 'PODS', 'CPU OF PODS', 'MEMORY OF PODS'], rows, width);
}
