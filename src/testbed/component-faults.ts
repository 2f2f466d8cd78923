import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { type ClusterState, type ProcessRecord, readState, writeState } from './cluster-state.ts';
import { clusterPaths, componentNames } from './components.ts';
import { readProc } from './proc.ts';
import { holdProcess, isAlive, isStopped, killNow, startComponent } from './processes.ts';
import { TestbedError } from './testbed-error.ts';

/**
 * Something that befalls a component beside the nodes: `etcd`, `kube-apiserver`, … As with faults of nodes, what is there is read from the
 * machine, and to do or undo it twice changes nothing. Each throws a TestbedError for a component that the cluster does not have.
 */
export interface ComponentFault {
  readonly apply: (component: string) => Promise<void>;
  /** The process goes on, or a new one is there; it serves a few seconds later. */
  readonly undo: (component: string) => Promise<void>;
  readonly isThere: (component: string) => boolean;
}

/** How a component that was stopped is started again. */
const planPath = (registryDir: string, component: string): string => join(registryDir, `stopped-${component}.json`);

/** Whether somebody stopped a component, and it is to stay so until it is started. */
export function isStoppedComponent(registryDir: string, component: string): boolean {
  return existsSync(planPath(registryDir, component));
}

/** `stop`: its process is killed. `hang`: it stands still (SIGSTOP), with its connections open. */
export function openComponentFaults(registryDir: string, controlPlane: string): Readonly<Record<'stop' | 'hang', ComponentFault>> {
  const read = (): ClusterState => {
    const reading = readState(registryDir);
    if (reading.kind === 'state') return reading.state;
    throw new TestbedError(
      `cluster ${basename(registryDir)}: it is not up; start it with \`bin/hourglass dev up --name ${basename(registryDir)}\``,
    );
  };
  /** Its process as it was recorded; undefined where that has ended. */
  const find = (component: string): ProcessRecord | undefined => {
    const { profile, processes, name } = read();
    const known = componentNames(profile).filter((one) => one !== 'network');
    if (!known.some((one) => one === component)) throw new TestbedError(`component ${component}: cluster ${name} has ${known.join(', ')}`);
    const record = processes[component] ?? undefined;
    return record !== undefined && isAlive(record) ? record : undefined;
  };
  const get = (component: string): ProcessRecord => {
    const record = find(component);
    if (record !== undefined) return record;
    throw new TestbedError(`component ${component}: it does not run; start it with \`bin/hourglass dev component start ${component}\``);
  };
  return {
    stop: {
      apply: async (component) => {
        const record = find(component);
        if (record === undefined && isStoppedComponent(registryDir, component)) return;
        const { pid } = get(component);
        const [program = '', ...argv] = readProc(`${pid}/cmdline`).split('\0').slice(0, -1);
        // The control-plane binary starts other programs in its own place.
        const plan = program === controlPlane ? argv : ['exec', program, ...argv];
        writeFileSync(planPath(registryDir, component), JSON.stringify(plan), { mode: 0o600 });
        await killNow([get(component)]);
      },
      undo: async (component) => {
        if (find(component) !== undefined || !isStoppedComponent(registryDir, component)) return;
        const path = planPath(registryDir, component);
        const state = read();
        const { detach, owner, processes } = state;
        const { network } = processes;
        const start = {
          binary: controlPlane,
          argv: JSON.parse(readFileSync(path, 'utf8')) as string[],
          ...(network == null ? {} : { networkPid: network.pid }),
          cwd: state.dir,
          logPath: join(clusterPaths(state.dir).logs, `${component}.log`),
          registryDir,
          // Who keeps the cluster takes it along. Another one need not live as long as the cluster, with which it then ends by its mark.
          dieWithParent: !detach && owner.pid === process.pid,
        };
        void startComponent(start, (record) =>
          writeState(registryDir, { ...read(), processes: { ...read().processes, [component]: record } }),
        );
        rmSync(path);
      },
      isThere: (component) => find(component) === undefined && isStoppedComponent(registryDir, component),
    },
    hang: {
      apply: async (component) => holdProcess(get(component).pid),
      undo: async (component) => {
        const record = find(component);
        if (record !== undefined) process.kill(record.pid, 'SIGCONT');
      },
      isThere: (component) => isStopped(find(component)?.pid ?? 0),
    },
  };
}
