import process from 'node:process';
import { isApiSqueezed, releaseApi, squeezeApi } from '../testbed/api-squeeze.ts';
import { clustersHome, registryDirOf } from '../testbed/cluster-state.ts';
import { openComponentFaults } from '../testbed/component-faults.ts';
import { getDevCluster } from '../testbed/dev-clusters.ts';
import type { DevCluster } from '../testbed/embedded-cluster.ts';
import { findContainer, isContainerStopped, signalContainer } from '../testbed/nodes/container-faults.ts';
import { openRealNodes, type RealNodes } from '../testbed/nodes/real-nodes.ts';
import { createProgress } from '../testbed/progress.ts';
import { ensureTool } from '../testbed/tools.ts';
import { CliError, exitCodes } from './exit-codes.ts';

export type ComponentAction = 'stop' | 'start' | 'hang' | 'continue';

const findControlPlane = (): Promise<string> => ensureTool('control-plane', createProgress(process.stderr));
export const findRegistryDir = (cluster: string): string => registryDirOf(clustersHome(process.env), cluster);
export const findCluster = async (cluster: string): Promise<DevCluster> =>
  getDevCluster(cluster, { controlPlane: await findControlPlane() });
export const openNodes = async (cluster: string): Promise<RealNodes> => openRealNodes(findRegistryDir(cluster), await findControlPlane());

export async function runComponent(action: ComponentAction, component: string, cluster: string): Promise<void> {
  const { stop, hang } = openComponentFaults(findRegistryDir(cluster), await findControlPlane());
  const fault = action === 'stop' || action === 'start' ? stop : hang;
  await (action === 'stop' || action === 'hang' ? fault.apply(component) : fault.undo(component));
  const is = stop.isThere(component) ? 'is stopped' : hang.isThere(component) ? 'stands still' : 'runs';
  process.stdout.write(`${component} ${is}\n`);
}

export async function runPod(action: 'hang' | 'continue', pod: string, cluster: string): Promise<void> {
  const nodes = await openNodes(cluster);
  const [namespace, name] = parsePair(pod, 'NAMESPACE/POD');
  const container = await findContainer(await findCluster(cluster), namespace, name);
  await signalContainer(nodes, container, action === 'hang' ? 'SIGSTOP' : 'SIGCONT');
  process.stdout.write(`${pod} ${isContainerStopped(nodes, container) ? 'stands still' : 'goes on'}\n`);
}

export async function runSqueeze(account: string, { name, shares }: { readonly name: string; readonly shares?: number }): Promise<void> {
  const [namespace, serviceAccount] = parsePair(account, 'NAMESPACE/SERVICEACCOUNT');
  await squeezeApi(await findCluster(name), { namespace, serviceAccount }, shares);
  process.stdout.write(`${account} is squeezed; let it go: bin/hourglass dev release\n`);
}

export async function runRelease(name: string): Promise<void> {
  const cluster = await findCluster(name);
  const was = await isApiSqueezed(cluster);
  await releaseApi(cluster);
  process.stdout.write(was ? 'nobody is squeezed any more\n' : 'nobody was squeezed\n');
}

/** @throws CliError (usage) */
export function parsePair(text: string, form: string): readonly [string, string] {
  const [first = '', second = '', more] = text.split('/');
  if (first !== '' && second !== '' && more === undefined) return [first, second];
  throw new CliError(`${JSON.stringify(text)}: give ${form}`, exitCodes.usage);
}
