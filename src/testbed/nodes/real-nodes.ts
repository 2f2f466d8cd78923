import { execFile, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ClusterState, type ProcessRecord, readState, writeState } from '../cluster-state.ts';
import { explainDeath } from '../component-log.ts';
import { clusterPaths } from '../components.ts';
import { childrenOf, readProc } from '../proc.ts';
import { findStamp, isAlive, killNow } from '../processes.ts';
import { TestbedError } from '../testbed-error.ts';
import { readUsage, removeCgroups, thawCgroups } from './cgroups.ts';
import { launchNode, runInNetwork } from './launch.ts';
import { cgroupOf, controlPlaneAddress, ctr, kubeletDir, nodeNames } from './node-plan.ts';

/**
 * How much of a node is cut off. `network`: everything, its pods too. `control-plane`: kubelet and kube-proxy lose the API server,
 * while pods go on and are reached: what they were told last is what they do.
 */
export type NodeCut = 'network' | 'control-plane';

export interface NodeUsage {
  readonly name: string;
  readonly isOn: boolean;
  /** Of its pods, since it was switched on. */
  readonly cpuS?: number;
  readonly memoryBytes?: number;
}

/** The real nodes of one cluster. Each call throws a TestbedError for a node that is not there, or not as the call needs it. */
export interface RealNodes {
  readonly cluster: string;
  readonly names: readonly string[];
  isOn(name: string): boolean;
  /** All processes of a node by their ids on this machine, its process 1 first; none while it is off. */
  pids(name: string): readonly number[];
  /** Its kubelet by its id on this machine; undefined while there is none. */
  kubelet(name: string): number | undefined;
  /** The folder of its kubelet as this machine reaches it; undefined where that has no disk of its own. */
  disk(name: string): string | undefined;
  /** Powers the node off, as pulling its plug does: every process ends at once, its disk stays. */
  stop(name: string): Promise<void>;
  /** Powers it on again; its kubelet runs then. */
  start(name: string): Promise<void>;
  cut(name: string, what: NodeCut): void;
  isCut(name: string, what: NodeCut): boolean;
  /** Takes a cut back, every one unless told. */
  heal(name: string, what?: NodeCut): void;
  /** Command line that runs `command` in the node: in its network, with its processes and mounts. */
  enter(name: string, command: readonly string[]): string[];
  /** Command line that runs `command` in the node's network, and nowhere else of it. */
  inNetwork(name: string, command: readonly string[]): string[];
  /** Runs `command` in the node; returns what it said. */
  run(name: string, command: readonly string[]): string;
  /** Puts an image archive (OCI layout or docker save) into nodes, all that are on unless told. Returns what each said. */
  loadImage(file: string, names?: readonly string[]): Promise<string[]>;
  usage(): NodeUsage[];
}

const cutTable = 'hourglass_cut';
const startLimitMs = 30_000;

/** @throws TestbedError when the cluster is not there or has no real nodes */
export function openRealNodes(registryDir: string, controlPlane: string): RealNodes {
  const cluster = basename(registryDir);
  const read = (): ClusterState & { readonly nodes: NonNullable<ClusterState['nodes']> } => {
    const reading = readState(registryDir);
    if (reading.kind !== 'state')
      throw new TestbedError(`cluster ${cluster}: it is not up; start it with \`bin/hourglass dev up --real --name ${cluster}\``);
    const { nodes } = reading.state;
    if (nodes === undefined)
      throw new TestbedError(
        `cluster ${cluster}: its nodes are fake; start one with real nodes: \`bin/hourglass dev up --real --name NAME\``,
      );
    return { ...reading.state, nodes };
  };
  const names = nodeNames(read().nodes.count);
  /** The process that is the node's power supply; undefined while it is off. */
  const powerOf = (name: string): ProcessRecord | undefined => {
    if (!names.includes(name)) throw new TestbedError(`node ${name}: cluster ${cluster} has ${names.join(', ')}`);
    const record = read().processes[name] ?? undefined;
    return record !== undefined && isAlive(record) ? record : undefined;
  };
  const initOf = (name: string): number => {
    const power = powerOf(name);
    if (power === undefined) throw offError(name);
    const init = childrenOf(power.pid)[0];
    if (init === undefined) throw new TestbedError(`node ${name}: it is just starting; try again`);
    return init;
  };
  const offError = (name: string): TestbedError =>
    new TestbedError(`node ${name}: it is off; switch it on with \`bin/hourglass dev node start ${name} --name ${cluster}\``);
  const record = (name: string, process: ProcessRecord | undefined): void => {
    const { [name]: _, ...others } = read().processes;
    writeState(registryDir, { ...read(), processes: process === undefined ? others : { ...others, [name]: process } });
  };
  const pids = (name: string): number[] => {
    const power = powerOf(name);
    const all = power === undefined ? [] : childrenOf(power.pid);
    // It grows with the children of those that are in it.
    for (const pid of all) all.push(...childrenOf(pid));
    return all;
  };
  const kubelet = (name: string): number | undefined =>
    childrenOf(pids(name)[0] ?? 0).find((pid) => readProc(`${pid}/cmdline`).includes('\0kubelet\0'));
  const networkPid = (): number => read().processes.network?.pid ?? 0;
  const enter = (name: string, command: readonly string[]): string[] => [
    'nsenter',
    `--target=${initOf(name)}`,
    '--net',
    '--mount',
    '--pid',
    '--uts',
    '--ipc',
    '--',
    ...command,
  ];
  const run = (command: readonly string[]): string => {
    const [program = '', ...args] = command;
    const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
    if (status === 0) return stdout;
    throw new TestbedError(`${command.join(' ')}: ${error?.message ?? stderr.trim()}`);
  };
  return {
    cluster,
    names,
    isOn: (name) => powerOf(name) !== undefined,
    pids,
    kubelet,
    disk: (name) => {
      const folder = `/proc/${initOf(name)}/root${kubeletDir(clusterPaths(read().dir), name)}`;
      return statSync(folder).dev === statSync(dirname(folder)).dev ? undefined : folder;
    },
    stop: async (name) => {
      const power = powerOf(name);
      if (power === undefined) throw offError(name);
      const inits = childrenOf(power.pid).map((pid) => ({ pid, stamp: findStamp(pid) ?? '' }));
      thawCgroups((group) => group === cgroupOf(cluster, name));
      await killNow([power, ...inits]);
      record(name, undefined);
      // Its cable goes with its network namespace, which the kernel takes down in its own time.
      spawnSync('nsenter', [`--net=/proc/${networkPid()}/ns/net`, 'ip', 'link', 'delete', name]);
      await removeCgroups((group) => group === cgroupOf(cluster, name));
    },
    start: async (name) => {
      if (powerOf(name) !== undefined) throw new TestbedError(`node ${name}: it is on already`);
      const { dir, nodes, detach } = read();
      const launch = { cluster, name, paths: clusterPaths(dir), controlPlane, networkPid: networkPid(), nodes, registryDir };
      let end: string | undefined;
      void launchNode({ ...launch, dieWithParent: !detach }, (power) => record(name, power)).then((how) => {
        end = how;
      });
      const startedMs = performance.now();
      while (kubelet(name) === undefined) {
        const how = end ?? (performance.now() - startedMs > startLimitMs ? `no kubelet after ${startLimitMs / 1_000} s` : undefined);
        if (how !== undefined) {
          if (powerOf(name) === undefined) record(name, undefined);
          throw new TestbedError(explainDeath(`node ${name}`, how, join(clusterPaths(dir).logs, `${name}.log`)).message);
        }
        await sleep(50);
      }
    },
    cut: (name, what) => {
      if (what === 'network') {
        initOf(name);
        runInNetwork(networkPid(), ['ip', 'link', 'set', name, 'down']);
        return;
      }
      const rules = `table inet ${cutTable} {
        chain in { type filter hook input priority -300; ip saddr ${controlPlaneAddress} drop; }
        chain out { type filter hook output priority -300; ip daddr ${controlPlaneAddress} drop; }
      }`;
      run(enter(name, ['nft', rules]));
    },
    isCut: (name, what) => {
      if (powerOf(name) === undefined) return false;
      if (what === 'network') return !/[<,]UP[,>]/.test(runInNetwork(networkPid(), ['ip', '-brief', 'link', 'show', 'dev', name]));
      return run(enter(name, ['nft', 'list', 'tables'])).includes(cutTable);
    },
    heal: (name, what) => {
      initOf(name);
      if (what !== 'control-plane') runInNetwork(networkPid(), ['ip', 'link', 'set', name, 'up']);
      if (what !== 'network') run(enter(name, ['nft', `add table inet ${cutTable}; delete table inet ${cutTable}`]));
    },
    enter,
    inNetwork: (name, command) => ['nsenter', `--target=${initOf(name)}`, '--net', '--', ...command],
    run: (name, command) => run(enter(name, command)),
    loadImage: async (file, wanted = names.filter((name) => powerOf(name) !== undefined)) => {
      const path = resolve(file);
      if (!existsSync(path)) throw new TestbedError(`image ${file}: there is no such file; \`npm run image\` makes the project's own`);
      const load = async (name: string): Promise<string> => {
        const [program = '', ...args] = enter(name, [...ctr, 'images', 'import', path]);
        const { stdout } = await promisify(execFile)(program, args, { timeout: 120_000 }).catch((error: Error & { stderr?: string }) => {
          throw new TestbedError(`image ${file} on node ${name}: ${error.stderr?.trim() || error.message}`);
        });
        return `${name}: ${stdout.trim().split('\n').at(-1) ?? ''}`;
      };
      return await Promise.all(wanted.map(load));
    },
    usage: () => names.map((name) => ({ name, isOn: powerOf(name) !== undefined, ...readUsage(cgroupOf(cluster, name)) })),
  };
}
