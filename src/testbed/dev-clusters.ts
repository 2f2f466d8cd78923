import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { type ClusterState, clustersHome, listClusters, type Ports, readState, registryDirOf } from './cluster-state.ts';
import { clusterPaths } from './components.ts';
import {
  type ClusterTools,
  type DevCluster,
  describeCluster,
  type EmbeddedCluster,
  type EmbeddedClusterOptions,
  startEmbeddedCluster,
} from './embedded-cluster.ts';
import { findResidentBytes, isAlive } from './processes.ts';
import type { ProgressReporter } from './progress.ts';
import { findProcesses, removeCluster } from './remove-cluster.ts';
import { TestbedError } from './testbed-error.ts';

/** `found`: it was up already, as asked for. */
export type DevUp =
  | { readonly kind: 'found'; readonly cluster: DevCluster }
  | { readonly kind: 'started'; readonly cluster: EmbeddedCluster };
type NamedOptions = EmbeddedClusterOptions & { readonly name: string };

/**
 * Brings a cluster of the user up. One that runs already is left as it is; what an earlier, broken start left behind is removed first.
 *
 * @throws TestbedError, also when the cluster that runs differs from the one that is asked for, or another command is starting it
 */
export async function devUp(options: NamedOptions): Promise<DevUp> {
  const registryDir = registryDirOf(clustersHome(env), options.name);
  if (existsSync(registryDir)) {
    const found = findRunning(registryDir, options);
    if (found !== undefined) return { kind: 'found', cluster: found };
    options.report.warn(`cluster ${options.name}: removing what an earlier start left behind`);
    await removeCluster(registryDir);
  }
  return { kind: 'started', cluster: await startEmbeddedCluster(options) };
}

function findRunning(registryDir: string, { name, profile, realNodes, detach, tools }: NamedOptions): DevCluster | undefined {
  const reading = readState(registryDir);
  if (reading.kind !== 'state') return undefined;
  const { state } = reading;
  const down = `remove it with \`bin/hourglass dev down --name ${name}\``;
  const refuse = (why: string, remedy = `${down}, or choose another --name`): TestbedError =>
    new TestbedError(`cluster ${name}: ${why}; ${remedy}`);
  if (state.phase === 'starting' && isAlive(state.owner))
    throw refuse(`the command with pid ${state.owner.pid} is starting it`, `wait for it, or ${down}`);
  if (state.phase !== 'ready' || state.ports === undefined || deadComponents(state).length > 0) return undefined;
  if (state.profile !== profile) throw refuse(`it runs with profile ${state.profile}, not ${profile}`);
  const { nodes } = state;
  if (nodes !== undefined && realNodes !== undefined && (nodes.count !== realNodes.count || nodes.timers !== realNodes.timers))
    throw refuse(`it runs with ${nodes.count} nodes and ${nodes.timers} timers, not ${realNodes.count} and ${realNodes.timers}`);
  if (nodes !== undefined && tools.chaos !== undefined && nodes.chaosDaemon === undefined) throw refuse('it runs without Chaos Mesh');
  if (!detach || !state.detach) throw refuse(`it runs already (kept by ${state.detach ? 'nobody' : `pid ${state.owner.pid}`})`);
  return describeCluster(state, state.ports, tools);
}

/** Removes clusters by name, or all; says what was removed and what was not there. */
export async function devDown(wanted: readonly string[] | 'all', report: ProgressReporter): Promise<string[]> {
  const home = clustersHome(env);
  const names = wanted === 'all' ? listClusters(home) : wanted;
  if (names.length === 0) return [`no clusters in ${home}: nothing to remove`];
  const lines: string[] = [];
  for (const name of names) {
    const registryDir = registryDirOf(home, name);
    // Whoever removed the folder by hand left the processes running: they are marked.
    if (!existsSync(registryDir) && findProcesses(registryDir).length === 0) {
      lines.push(`no cluster ${name} in ${home}: nothing to remove`);
      continue;
    }
    report.step(`removing cluster ${name}`);
    const removed = await removeCluster(registryDir);
    report.done(`cluster ${name} is removed`);
    lines.push(...removed.map((line) => `${name}: ${line}`));
  }
  return lines;
}

export interface ClusterStatus {
  readonly name: string;
  /** `broken`: it was up, or half up, and processes are missing; `failed`: its start failed, the logs are kept. */
  readonly state: 'ready' | 'starting' | 'failed' | 'broken';
  readonly message: string;
  readonly dir: string;
  readonly profile?: ClusterState['profile'];
  readonly createdAt?: string;
  readonly kubeconfig?: string;
  readonly ports?: Ports;
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly residentBytes?: number }[];
}

/** What is known of every cluster of this user. */
export function devStatus(): ClusterStatus[] {
  const home = clustersHome(env);
  return listClusters(home).map((name) => readStatus(name, registryDirOf(home, name)));
}

function readStatus(name: string, registryDir: string): ClusterStatus {
  const processes = findProcesses(registryDir).map(({ name: component, record }) => {
    const residentBytes = findResidentBytes(record.pid);
    return { name: component, pid: record.pid, ...(residentBytes === undefined ? {} : { residentBytes }) };
  });
  const reading = readState(registryDir);
  if (reading.kind !== 'state') {
    const message = reading.kind === 'missing' ? 'its start ended before it was recorded' : `its state is unreadable: ${reading.reason}`;
    return { name, state: 'broken', message, dir: registryDir, processes };
  }
  const { state } = reading;
  return {
    name,
    ...judge(state),
    dir: state.dir,
    profile: state.profile,
    createdAt: state.createdAt,
    kubeconfig: clusterPaths(state.dir).kubeconfig,
    ...(state.ports === undefined ? {} : { ports: state.ports }),
    processes,
  };
}

function judge(state: ClusterState): Pick<ClusterStatus, 'state' | 'message'> {
  const { logs } = clusterPaths(state.dir);
  if (state.phase === 'failed') return { state: 'failed', message: `its start failed; logs: ${logs}` };
  if (state.phase === 'starting' && isAlive(state.owner)) return { state: 'starting', message: `by pid ${state.owner.pid}` };
  if (state.phase === 'starting') return { state: 'broken', message: 'its start was interrupted' };
  const dead = deadComponents(state);
  if (dead.length > 0) return { state: 'broken', message: `not running: ${dead.join(', ')}; logs: ${logs}` };
  return { state: 'ready', message: state.detach ? '' : `kept by pid ${state.owner.pid}` };
}

/** Processes that were recorded, or were going to be, and do not run. */
function deadComponents(state: ClusterState): string[] {
  return Object.entries(state.processes).flatMap(([name, record]) => (record === null || !isAlive(record) ? [name] : []));
}

/** The cluster with this name, for commands that use one. @throws TestbedError if it is not up */
export function getDevCluster(name: string, tools: ClusterTools): DevCluster {
  const reading = readState(registryDirOf(clustersHome(env), name));
  if (reading.kind !== 'state' || reading.state.ports === undefined || judge(reading.state).state !== 'ready') {
    throw new TestbedError(`cluster ${name}: it is not up; start it with \`bin/hourglass dev up --name ${name}\``);
  }
  return describeCluster(reading.state, reading.state.ports, tools);
}
