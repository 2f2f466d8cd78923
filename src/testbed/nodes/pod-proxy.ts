import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadClusterConfig } from '../../kube-client/load-config.ts';
import { type ClusterState, readState } from '../cluster-state.ts';
import { clusterPaths } from '../components.ts';
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from '../fault-proxy/fault-proxy.ts';
import { targetOf } from '../fault-proxy/upstream.ts';
import { kubectl } from '../kubectl.ts';
import { TestbedError } from '../testbed-error.ts';
import { controlPlaneAddress } from './node-plan.ts';

/**
 * Starts a fault proxy that pods reach: it listens beside the API server in the cluster's network, and shows the API server's certificate.
 * Pods come with tokens of their own, which it passes on.
 *
 * @throws TestbedError when the cluster has no real nodes
 */
export async function startPodProxy(
  registryDir: string,
  options: Omit<FaultProxyOptions, 'target' | 'place' | 'identity'>,
): Promise<FaultProxy> {
  const state = getState(registryDir);
  const { kubeconfig, certificates } = clusterPaths(state.dir);
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
  const read = (name: string): string => readFileSync(join(certificates, name), 'utf8');
  return await startFaultProxy({
    ...options,
    target: await targetOf(config),
    place: { pid: state.processes.network?.pid ?? 0, address: controlPlaneAddress },
    identity: { authority: read('ca.crt'), certificate: read('serving.crt'), privateKey: read('serving.key') },
  });
}

function getState(registryDir: string): ClusterState {
  const reading = readState(registryDir);
  if (reading.kind === 'state' && reading.state.nodes !== undefined) return reading.state;
  throw new TestbedError(`a proxy for pods needs real nodes: start a cluster with \`bin/hourglass dev up --real --name NAME\``);
}

/** What a pod's environment says of the API server, to reach it through the proxy. Pure. */
export function podEnvironment({ url }: Pick<FaultProxy, 'url'>): Readonly<Record<string, string>> {
  const { hostname, port } = new URL(url);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, KUBERNETES_SERVICE_PORT_HTTPS: port };
}

/** A Deployment, e.g. of an operator. */
export interface DeploymentName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Has the pods of a Deployment reach the API server through a proxy, or directly again where there is none. They are rolled out anew, and
 * all are there when it returns. Directed twice, nothing changes.
 *
 * @throws TestbedError when they are not there in time
 */
export async function directPods(
  cluster: Parameters<typeof kubectl>[0],
  { namespace, name }: DeploymentName,
  proxy?: Pick<FaultProxy, 'url'>,
): Promise<void> {
  const environment = podEnvironment(proxy ?? { url: 'https://none:1' });
  const words = Object.entries(environment).map(([key, value]) => (proxy === undefined ? `${key}-` : `${key}=${value}`));
  await kubectl(cluster, ['set', 'env', '-n', namespace, `deployment/${name}`, ...words]);
  await kubectl(cluster, ['rollout', 'status', '-n', namespace, `deployment/${name}`, '--timeout=120s'], { timeoutMs: 130_000 });
}
