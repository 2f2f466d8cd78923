import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { env, execPath } from 'node:process';
import { type ClusterApi, openClusterApi, waitUntil } from './cluster-api.ts';
import { checkClusterDir, writeClusterFiles, writeKubeconfigs } from './cluster-files.ts';
import {
  type ClusterState,
  claimState,
  clustersHome,
  listClusters,
  type Ports,
  type ProcessRecord,
  readState,
  registryDirOf,
  writeState,
} from './cluster-state.ts';
import { isStoppedComponent } from './component-faults.ts';
import { explainDeath, explainNodes } from './component-log.ts';
import {
  type AuditLevel,
  type ClusterPaths,
  type ClusterProfile,
  type ComponentName,
  clusterPaths,
  componentArgv,
  componentNames,
} from './components.ts';
import { maxFakeNodes } from './fake-nodes.ts';
import { findFreePorts } from './free-ports.ts';
import { removeCgroups } from './nodes/cgroups.ts';
import { type ChaosTools, chaosAgent, chaosMachine, chaosProbes, installChaosMesh } from './nodes/chaos-mesh.ts';
import { type Launch, launchChaosMachine, launchNode, runInNetwork, writePauseImage } from './nodes/launch.ts';
import { controlPlaneAddress, isCgroupOf, maxRealNodes, type NodeTimers, nodeNames, podRoutes } from './nodes/node-plan.ts';
import { childrenOf } from './proc.ts';
import { isAlive, ownRecord, startComponent } from './processes.ts';
import type { ProgressReporter } from './progress.ts';
import { endProcesses, removeCluster } from './remove-cluster.ts';
import { TestbedError, toTestbedError } from './testbed-error.ts';
import { findInCheckout } from './tools.ts';

/** Paths of the binaries a cluster is made of. */
export interface ClusterTools {
  readonly controlPlane: string;
  /** Where there are fake nodes. */
  readonly kwok?: string;
  /** Where there are real nodes. */
  readonly coredns?: string;
  readonly pause?: string;
  /** Where real nodes have Chaos Mesh. */
  readonly chaos?: ChaosTools;
}

export interface EmbeddedClusterOptions {
  /** Where its files go: a new or empty directory; by default its folder in the registry. */
  readonly dir?: string;
  /** How fast pods live; `none` starts no KWOK and makes no nodes; `nodes` has real ones, for root on Linux. */
  readonly profile: ClusterProfile;
  readonly tools: ClusterTools;
  readonly report: ProgressReporter;
  /** Whether the cluster outlives this process. */
  readonly detach: boolean;
  /** Logs every API call to `auditLog`. */
  readonly audit?: AuditLevel;
  /** Whether etcd waits for the disk, as in production. */
  readonly fsync?: boolean;
  /** Fake nodes, 4 unless told; each holds thousands of pods. */
  readonly fakeNodes?: number;
  /** Of profile `nodes`: 3 with fast timers unless told. */
  readonly realNodes?: { readonly count: number; readonly timers: NodeTimers };
  readonly name?: string;
  /** Ends the start; everything that was made is removed again. */
  readonly signal?: AbortSignal;
  /** Whether this process may be ended by `dev down`: it must then remove its cluster on SIGTERM. */
  readonly stoppable?: boolean;
  /** Folder with one folder per cluster. */
  readonly home?: string;
  /** Ports of 127.0.0.1 to try; asked again when one was taken meanwhile. */
  readonly choosePorts?: (count: number) => Promise<number[]>;
}

/** What a user needs to use a cluster. */
export interface DevCluster {
  readonly name: string;
  readonly dir: string;
  readonly kubeconfig: string;
  readonly pids: Readonly<Record<string, number>>;
  readonly ports: Ports;
  /** kubectl for this cluster; arguments follow. */
  readonly kubectl: readonly string[];
}

export interface EmbeddedCluster extends DevCluster {
  readonly auditLog?: string;
  /** Resolves with the trouble when a process of the cluster ends that nobody asked to end. */
  readonly broken: Promise<TestbedError>;
  /** Ends the processes and removes the files; the lines say what was removed. A second call finds nothing to do. */
  stop(): Promise<string[]>;
}

const portAttempts = 4;
/** Locally administered. */
const bridgeMac = '02:00:0a:0a:00:01';
const apiTimeoutMs = 90_000;
const restTimeoutMs = 60_000;
const defaults = {
  fakeNodes: 4,
  realNodes: { count: 3, timers: 'fast' as NodeTimers },
  audit: false as AuditLevel,
  fsync: false,
  stoppable: false,
  choosePorts: findFreePorts,
};

/**
 * Starts etcd, API server, controller-manager, scheduler and KWOK on 127.0.0.1 and returns when pods can be created and would be scheduled.
 * Every process is announced in the cluster's state before it is made. A start that fails ends its processes and keeps the logs for the user.
 *
 * @throws TestbedError naming what stood in the way, for a dead component with the last lines of its log
 */
export async function startEmbeddedCluster(given: EmbeddedClusterOptions): Promise<EmbeddedCluster> {
  const options = { ...defaults, ...given };
  const { fakeNodes, realNodes, profile, detach, stoppable, tools } = options;
  const { home = clustersHome(env), name = `cluster-${ownRecord().pid}-${Math.random().toString(36).slice(2, 8)}` } = options;
  const registryDir = registryDirOf(home, name);
  if (!Number.isInteger(fakeNodes) || fakeNodes < 1 || fakeNodes > maxFakeNodes)
    throw new TestbedError(`number of nodes: use 1 to ${maxFakeNodes}`);
  if (profile === 'nodes' && (!Number.isInteger(realNodes.count) || realNodes.count < 1 || realNodes.count > maxRealNodes))
    throw new TestbedError(`number of real nodes: use 1 to ${maxRealNodes}`);
  await sweepAbandoned(home);

  const dir = options.dir === undefined ? registryDir : resolve(options.dir);
  const state: ClusterState = {
    version: 1,
    name,
    dir,
    dirMade: dir === registryDir || checkClusterDir(dir),
    profile,
    ...(profile === 'nodes' ? { nodes: { ...realNodes, chaosDaemon: tools.chaos?.daemon } } : {}),
    detach,
    phase: 'starting',
    createdAt: new Date().toISOString(),
    owner: { ...ownRecord(), stoppable },
    processes: Object.fromEntries(
      [
        ...componentNames(profile),
        ...(profile === 'nodes' ? nodeNames(realNodes.count) : []),
        ...(profile === 'nodes' && tools.chaos !== undefined ? [chaosMachine, chaosAgent.name] : []),
      ].map((one) => [one, null]),
    ),
  };
  if (!claimState(registryDir, state)) {
    throw new TestbedError(
      `cluster ${name}: it exists already in ${registryDir}; remove it with \`bin/hourglass dev down --name ${name}\`, or choose another --name`,
    );
  }
  const start = new ClusterStart(options, registryDir, state);
  try {
    return await start.run();
  } catch (error) {
    await start.cleanUp();
    throw toTestbedError(`starting cluster ${name}`, error);
  }
}

/** Clusters that should have ended with a process that was killed: their processes are gone, their folders are not. */
async function sweepAbandoned(home: string): Promise<void> {
  for (const registryDir of listClusters(home).map((name) => registryDirOf(home, name))) {
    const reading = readState(registryDir);
    if (reading.kind !== 'state' || reading.state.detach || reading.state.phase === 'failed' || isAlive(reading.state.owner)) continue;
    await removeCluster(registryDir);
  }
}

type StartOptions = EmbeddedClusterOptions & Required<Pick<EmbeddedClusterOptions, keyof typeof defaults>>;

class ClusterStart {
  readonly #options: StartOptions;
  readonly #registryDir: string;
  readonly #paths: ClusterPaths;
  readonly #broken = Promise.withResolvers<TestbedError>();
  #state: ClusterState;
  #stopping = false;
  /** The death of a component whose port another process has. */
  #lostPort: TestbedError | undefined;
  /** Aborts with the death of a component. */
  #attempt = new AbortController();

  constructor(options: StartOptions, registryDir: string, state: ClusterState) {
    this.#options = options;
    this.#registryDir = registryDir;
    this.#state = state;
    this.#paths = clusterPaths(state.dir);
  }

  async run(): Promise<EmbeddedCluster> {
    const { report, profile, choosePorts, audit, tools } = this.#options;
    const { name, processes } = this.#state;
    report.step(`starting cluster ${name}`);
    const certificates = await writeClusterFiles(this.#paths, profile, Date.now(), audit, this.#nodeNames());
    for (let attempt = 1; ; attempt += 1) {
      const [apiServer = 0, etcd = 0, etcdPeer = 0] = await choosePorts(3);
      const ports = { apiServer, etcd, etcdPeer };
      this.#record({ ports, processes });
      this.#attempt = new AbortController();
      writeKubeconfigs(this.#paths, name, apiServer, certificates);
      const api = openClusterApi(apiServer, certificates.authority, certificates.clients.admin);
      try {
        await this.#startComponents(api, ports);
        this.#record({ phase: 'ready' });
        report.done(`cluster ${name} is ready`);
        return {
          ...describeCluster(this.#state, ports, tools),
          ...(audit ? { auditLog: this.#paths.auditLog } : {}),
          broken: this.#broken.promise,
          stop: () => {
            this.#stopping = true;
            return removeCluster(this.#registryDir);
          },
        };
      } catch (error) {
        if (error !== this.#lostPort || attempt === portAttempts) throw error;
        report.update('a port was taken meanwhile: trying others');
        await this.#endAttempt();
      } finally {
        api.close();
      }
    }
  }

  /** After a failed start: its logs stay, if there are any and the user did not interrupt it. */
  async cleanUp(): Promise<void> {
    this.#stopping = true;
    const hasLogs = Object.values(this.#state.processes).some((record) => record !== null);
    if (this.#options.signal?.aborted === true || !hasLogs) {
      await removeCluster(this.#registryDir);
      return;
    }
    await this.#endAttempt();
    try {
      this.#record({ phase: 'failed' });
    } catch {
      // The disk may be full; the state that is there is enough to remove the cluster.
    }
  }

  async #startComponents(api: ClusterApi, ports: Ports): Promise<void> {
    const { report, profile, fakeNodes, realNodes, signal, tools } = this.#options;
    const stop = AbortSignal.any([...(signal === undefined ? [] : [signal]), this.#attempt.signal]);
    const isReal = profile === 'nodes';
    if (isReal) await this.#startNetwork(ports, stop);
    report.update('etcd and API server');
    this.#start('etcd', ports);
    this.#start('kube-apiserver', ports);
    await waitUntil('waiting for the API server', () => api.isReady(), apiTimeoutMs, stop);
    report.update('controller-manager and scheduler');
    this.#start('kube-controller-manager', ports);
    this.#start('kube-scheduler', ports);
    if (isReal) {
      this.#start('coredns', ports);
      for (const name of this.#nodeNames()) this.#startNode(name);
      await api.createClusterDns();
    } else if (profile !== 'none') {
      this.#start('kwok', ports);
      await api.createFakeNodes(fakeNodes);
    }
    await waitUntil('waiting for the default service account', () => api.hasDefaultServiceAccount(), restTimeoutMs, stop);
    if (profile === 'none') return;
    const count = isReal ? realNodes.count : fakeNodes;
    report.update(`${count} nodes`);
    try {
      await waitUntil(`waiting for ${count} nodes to be Ready`, () => api.areNodesReady(count), restTimeoutMs, stop);
    } catch (error) {
      if (!isReal || stop.aborted || !(error instanceof TestbedError)) throw error;
      throw new TestbedError([error.message, ...explainNodes(await api.tellNodes(), this.#nodeNames(), this.#paths.logs)].join('\n'));
    }
    if (!isReal || tools.chaos === undefined) return;
    report.update('Chaos Mesh');
    await this.#startChaosMesh(tools.chaos, ports, stop);
  }

  #start(component: ComponentName, ports: Ports): void {
    const { tools, audit, fakeNodes, fsync, profile, realNodes } = this.#options;
    const nodes = profile === 'nodes' ? { timers: realNodes.timers } : {};
    const settings = { paths: this.#paths, ports, audit, fakeNodes, fsync, kwok: tools.kwok ?? '', coredns: tools.coredns ?? '', ...nodes };
    const networkPid = component === 'network' ? undefined : this.#state.processes.network?.pid;
    this.#startProcess(component, componentArgv(component, settings), networkPid);
  }

  /** Runs the control-plane binary under a name, in the network of another process where one is given. */
  #startProcess(name: string, argv: readonly string[], networkPid: number | undefined): void {
    const { tools, detach } = this.#options;
    const logPath = join(this.#paths.logs, `${name}.log`);
    const network = networkPid === undefined ? {} : { networkPid };
    const place = { cwd: this.#paths.dir, logPath, registryDir: this.#registryDir, dieWithParent: !detach };
    this.#watch(name, startComponent({ binary: tools.controlPlane, argv, ...network, ...place }, this.#recorder(name)), logPath);
  }

  /** The network, with the ways to the pods of every node; the control plane is started in it. */
  async #startNetwork(ports: Ports, stop: AbortSignal): Promise<void> {
    const { tools, realNodes } = this.#options;
    await writePauseImage(this.#paths.pauseImage, tools.pause ?? '');
    this.#start('network', ports);
    const pid = this.#networkPid();
    // It has its address before it is up, and only then the way to its neighbours by which the others lead.
    const hasBridge = async (): Promise<boolean> => runInNetwork(pid, ['ip', 'route', 'show', 'dev', 'br0']).includes(controlPlaneAddress);
    await waitUntil('making the network', () => hasBridge().catch(() => false), restTimeoutMs, stop);
    // By itself it has that of one of its nodes, and takes another's when that one goes: for seconds nobody would reach the control plane.
    runInNetwork(pid, ['ip', 'link', 'set', 'br0', 'address', bridgeMac]);
    for (const route of podRoutes(realNodes.count)) runInNetwork(pid, ['ip', 'route', 'add', ...route.split(' ')]);
  }

  #startNode(name: string): void {
    this.#watch(name, launchNode({ ...this.#launch(), name }, this.#recorder(name)), join(this.#paths.logs, `${name}.log`));
  }

  /** Controller on a machine of its own; the daemons come with the nodes. */
  async #startChaosMesh(chaos: ChaosTools, ports: Ports, stop: AbortSignal): Promise<void> {
    const { realNodes, tools } = this.#options;
    const { count } = realNodes;
    await installChaosMesh(describeCluster(this.#state, ports, tools), { paths: this.#paths, tools: chaos, count });
    const ended = launchChaosMachine({ ...this.#launch(), program: chaos.controller }, this.#recorder(chaosMachine));
    this.#watch(chaosMachine, ended, join(this.#paths.logs, 'chaos-controller-manager.log'));
    const untilAnswers = async (pid: number, address: string, port: number): Promise<void> => {
      const answers = async (): Promise<boolean> => runInNetwork(pid, ['bash', '-c', `</dev/tcp/${address}/${port}`]) === '';
      await waitUntil(`waiting for Chaos Mesh at ${address}`, () => answers().catch(() => false), restTimeoutMs, stop);
    };
    for (const [address, port] of chaosProbes(count)) await untilAnswers(this.#networkPid(), address, port);
    const [machine = 0] = childrenOf(this.#state.processes[chaosMachine]?.pid ?? 0);
    this.#startProcess(
      chaosAgent.name,
      ['exec', execPath, findInCheckout('chaos/agent/main.ts'), this.#registryDir, tools.controlPlane],
      machine,
    );
    await untilAnswers(machine, chaosAgent.address, chaosAgent.port);
  }

  #networkPid(): number {
    return this.#state.processes.network?.pid ?? 0;
  }

  #launch(): Launch {
    const { tools, detach, realNodes } = this.#options;
    return {
      cluster: this.#state.name,
      paths: this.#paths,
      controlPlane: tools.controlPlane,
      networkPid: this.#networkPid(),
      nodes: { ...realNodes, chaosDaemon: tools.chaos?.daemon },
      registryDir: this.#registryDir,
      dieWithParent: !detach,
    };
  }

  #recorder(name: string): (record: ProcessRecord) => void {
    return (record) => this.#record({ processes: { ...this.#state.processes, [name]: record } });
  }

  #nodeNames(): string[] {
    return nodeNames(this.#state.nodes?.count ?? 0);
  }

  #watch(component: string, ended: Promise<string>, logPath: string): void {
    const attempt = this.#attempt;
    void ended.then((how) => {
      if (this.#stopping || attempt.signal.aborted) return;
      const { cause, message } = explainDeath(component, how, logPath);
      const death = new TestbedError(message);
      if (cause === 'PortInUse') this.#lostPort = death;
      attempt.abort(death);
      // While the cluster starts, `run` judges the death; later a node may be switched off, a component stopped.
      const isWanted = this.#nodeNames().includes(component) || isStoppedComponent(this.#registryDir, component);
      if (this.#state.phase === 'ready' && !isWanted) this.#broken.resolve(death);
    });
  }

  /** The data goes, too: a full disk should not stay full because of us. */
  async #endAttempt(): Promise<void> {
    await endProcesses(this.#registryDir);
    rmSync(this.#paths.etcd, { recursive: true, force: true });
    await removeCgroups((group) => isCgroupOf(this.#state.name, group));
  }

  #record(change: Partial<ClusterState>): void {
    this.#state = { ...this.#state, ...change };
    writeState(this.#registryDir, this.#state);
  }
}

/** A cluster that was started, now or earlier, from its state. Pure. */
export function describeCluster({ name, dir, processes }: ClusterState, ports: Ports, tools: ClusterTools): DevCluster {
  const { kubeconfig, kubectlCache } = clusterPaths(dir);
  const pids = Object.fromEntries(
    Object.entries(processes).flatMap(([component, record]) => (record === null ? [] : [[component, record.pid]])),
  );
  const kubectl = [tools.controlPlane, 'kubectl', `--kubeconfig=${kubeconfig}`, `--cache-dir=${kubectlCache}`];
  return { name, dir, kubeconfig, pids, ports, kubectl };
}
