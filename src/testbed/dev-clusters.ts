import { existsSync } from 'node:fs';
import { env } from 'node:process';
import { type ClusterState, clustersHome, listClusters, type Ports, readState, registryDirOf } from './cluster-state.ts';
import { clusterPaths } from './components.ts';
import {
  type ClusterTools,
  describeCluster,
  type EmbeddedCluster,
  type EmbeddedClusterOptions,
  startEmbeddedCluster,
} from './embedded-cluster.ts';
import { findResidentBytes, isAlive } from './processes.ts';
import type { ProgressReporter } from './progress.ts';
import { findProcesses, removeCluster } from './remove-cluster.ts';
import { TestbedError } from './testbed-error.ts';

export type DevCluster = Pick<EmbeddedCluster, 'name' | 'dir' | 'kubeconfig' | 'pids' | 'ports' | 'kubectl'>;
export type DevUp =
  /** It was up already, as asked for. */
  { readonly kind: 'found'; readonly cluster: DevCluster } | { readonly kind: 'started'; readonly cluster: EmbeddedCluster };

/**
 * Brings a cluster of the user up. One that runs already is left as it is; what an earlier, broken start left behind is removed first.
 *
 * @throws TestbedError, also when the cluster that runs differs from the one that is asked for, or another command is starting it
 */
export async function devUp(options: EmbeddedClusterOptions & { readonly name: string }): Promise<DevUp> {
  const home = options.home ?? clustersHome(env);
  const registryDir = registryDirOf(home, options.name);
  if (existsSync(registryDir)) {
    const found = findRunning(registryDir, options);
    if (found !== undefined) return { kind: 'found', cluster: found };
    options.report.warn(`cluster ${options.name}: removing what an earlier start left behind`);
    await removeCluster(registryDir);
  }
  return { kind: 'started', cluster: await startEmbeddedCluster({ ...options, home }) };
}

function findRunning(registryDir: string, options: EmbeddedClusterOptions & { readonly name: string }): DevCluster | undefined {
  const reading = readState(registryDir);
  if (reading.kind !== 'state') return undefined;
  const { state } = reading;
  const down = `remove it with \`bin/hourglass dev down --name ${options.name}\``;
  if (state.phase === 'starting' && isAlive(state.owner)) {
    throw new TestbedError(`cluster ${options.name}: the command with pid ${state.owner.pid} is starting it; wait for it, or ${down}`);
  }
  if (state.phase !== 'ready' || state.ports === undefined || deadComponents(state).length > 0) return undefined;
  if (state.profile !== options.profile) {
    throw new TestbedError(
      `cluster ${options.name}: it runs with profile ${state.profile}, not ${options.profile}; ${down}, or choose another --name`,
    );
  }
  if (!options.detach || !state.detach) {
    throw new TestbedError(
      `cluster ${options.name}: it runs already (kept by ${state.detach ? 'nobody' : `pid ${state.owner.pid}`}); ${down}, or choose another --name`,
    );
  }
  return describeCluster(state, state.ports, options.tools);
}

/** Removes clusters by name, or all; says what was removed and what was not there. */
export async function devDown(options: {
  readonly names: readonly string[] | 'all';
  readonly home?: string;
  readonly report: ProgressReporter;
}): Promise<string[]> {
  const home = options.home ?? clustersHome(env);
  const names = options.names === 'all' ? listClusters(home) : options.names;
  if (names.length === 0) return [`no clusters in ${home}: nothing to remove`];
  const lines: string[] = [];
  for (const name of names) {
    const registryDir = registryDirOf(home, name);
    if (!existsSync(registryDir)) {
      lines.push(`no cluster ${name} in ${home}: nothing to remove`);
      continue;
    }
    options.report.step(`removing cluster ${name}`);
    const removed = await removeCluster(registryDir);
    options.report.done(`cluster ${name} is removed`);
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
export function devStatus(home: string = clustersHome(env)): ClusterStatus[] {
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
  const dead = deadComponents(state);
  if (state.phase === 'failed') return { state: 'failed', message: `its start failed; logs: ${clusterPaths(state.dir).logs}` };
  if (state.phase === 'starting') {
    return isAlive(state.owner)
      ? { state: 'starting', message: `by pid ${state.owner.pid}` }
      : { state: 'broken', message: 'its start was interrupted' };
  }
  if (dead.length > 0) return { state: 'broken', message: `not running: ${dead.join(', ')}; logs: ${clusterPaths(state.dir).logs}` };
  return { state: 'ready', message: state.detach ? '' : `kept by pid ${state.owner.pid}` };
}

/** Processes that were recorded, or were going to be, and do not run. */
function deadComponents(state: ClusterState): string[] {
  return Object.entries(state.processes).flatMap(([name, record]) => (record === null || !isAlive(record) ? [name] : []));
}

/** The cluster with this name, for commands that use one. @throws TestbedError if it is not up */
export function getDevCluster(name: string, tools: ClusterTools, home: string = clustersHome(env)): DevCluster {
  const reading = readState(registryDirOf(home, name));
  if (reading.kind !== 'state' || reading.state.ports === undefined || judge(reading.state).state !== 'ready') {
    throw new TestbedError(`cluster ${name}: it is not up; start it with \`bin/hourglass dev up --name ${name}\``);
  }
  return describeCluster(reading.state, reading.state.ports, tools);
}
