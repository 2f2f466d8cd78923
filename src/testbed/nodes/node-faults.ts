import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdProcess, isStopped } from '../processes.ts';
import { TestbedError } from '../testbed-error.ts';
import { freezeCgroup, isFrozen, thawCgroups } from './cgroups.ts';
import { cgroupOf } from './node-plan.ts';
import type { RealNodes } from './real-nodes.ts';

/**
 * Something that befalls a node. What is there is read from the machine, so any process can undo what another has done. To do what is done
 * already changes nothing, nor does undoing what is not there. Both throw a TestbedError when they cannot do what they say.
 */
export interface NodeFault {
  readonly id: NodeFaultId;
  /** The name of its undoing. */
  readonly undoId: string;
  readonly says: string;
  readonly apply: (node: string) => Promise<void>;
  readonly undo: (node: string) => Promise<void>;
  readonly isThere: (node: string) => boolean;
}

/** Everything that can befall a node, by stable name. */
export const nodeFaultKinds = {
  'power-off': { undoId: 'power-on', says: 'every process of the node ends at once, its disk stays' },
  reboot: { undoId: 'power-on', says: 'off, and on again' },
  'kubelet-crash': { undoId: 'kubelet-start', says: 'its kubelet is killed; the node starts it again a second later' },
  'kubelet-hang': { undoId: 'kubelet-continue', says: 'its kubelet stands still, with its connections open; pods go on' },
  freeze: { undoId: 'thaw', says: 'every process of the node and its pods stands still; its kernel still takes connections' },
  'link-down': { undoId: 'link-up', says: 'its whole network is gone, that of its pods too' },
  'api-cut': { undoId: 'api-heal', says: 'kubelet and kube-proxy lose the API server; pods go on and are reached' },
  'disk-full': { undoId: 'disk-free', says: "its kubelet's disk is full but for half a percent" },
} as const satisfies Record<string, Pick<NodeFault, 'undoId' | 'says'>>;
export type NodeFaultId = keyof typeof nodeFaultKinds;
export const nodeFaultIds = Object.keys(nodeFaultKinds) as readonly NodeFaultId[];

type Deeds = Pick<NodeFault, 'apply' | 'undo' | 'isThere'>;
const restartLimitMs = 10_000;

/** The catalogue for the nodes of one cluster. */
export function openNodeFaults(nodes: RealNodes): Readonly<Record<NodeFaultId, NodeFault>> {
  const start = async (node: string): Promise<void> => {
    if (!nodes.isOn(node)) await nodes.start(node);
  };
  const stop = async (node: string): Promise<void> => {
    if (nodes.isOn(node)) await nodes.stop(node);
  };
  const getKubelet = (node: string): number => {
    const pid = nodes.kubelet(node);
    if (pid !== undefined) return pid;
    throw new TestbedError(`node ${node}: no kubelet runs on it, it may be off; see \`bin/hourglass dev status\``);
  };
  const untilKubelet = async (node: string, isGood: (pid: number | undefined) => boolean): Promise<void> => {
    for (const endMs = performance.now() + restartLimitMs; !isGood(nodes.kubelet(node)); await sleep(50))
      if (performance.now() > endMs)
        throw new TestbedError(`node ${node}: its kubelet is not as it should be after ${restartLimitMs / 1_000} s`);
  };
  const cut = (what: 'network' | 'control-plane'): Deeds => ({
    apply: async (node) => {
      if (!nodes.isCut(node, what)) nodes.cut(node, what);
    },
    undo: async (node) => {
      if (nodes.isCut(node, what)) nodes.heal(node, what);
    },
    isThere: (node) => nodes.isCut(node, what),
  });
  /** What fills the disk; undefined for a node that is off. */
  const filler = (node: string): string | undefined => {
    const disk = nodes.isOn(node) ? nodes.disk(node) : undefined;
    return disk === undefined ? undefined : join(disk, 'filler');
  };
  const isFull = (node: string): boolean => existsSync(filler(node) ?? '');

  const deeds: Readonly<Record<NodeFaultId, Deeds>> = {
    'power-off': { apply: stop, undo: start, isThere: (node) => !nodes.isOn(node) },
    reboot: {
      apply: async (node) => {
        await stop(node);
        await start(node);
      },
      undo: start,
      isThere: (node) => !nodes.isOn(node),
    },
    'kubelet-crash': {
      apply: async (node) => {
        const pid = getKubelet(node);
        process.kill(pid, 'SIGKILL');
        await untilKubelet(node, (now) => now !== pid);
      },
      undo: async (node) => {
        if (nodes.isOn(node)) await untilKubelet(node, (now) => now !== undefined);
      },
      isThere: (node) => nodes.isOn(node) && nodes.kubelet(node) === undefined,
    },
    'kubelet-hang': {
      apply: async (node) => holdProcess(getKubelet(node)),
      undo: async (node) => {
        const pid = nodes.kubelet(node);
        if (pid !== undefined) process.kill(pid, 'SIGCONT');
      },
      isThere: (node) => isStopped(nodes.kubelet(node) ?? 0),
    },
    freeze: {
      apply: async (node) => {
        getKubelet(node);
        await freezeCgroup(cgroupOf(nodes.cluster, node), () => nodes.pids(node));
      },
      undo: async (node) => {
        if (nodes.isOn(node)) thawCgroups((name) => name === cgroupOf(nodes.cluster, node));
      },
      isThere: (node) => isFrozen(cgroupOf(nodes.cluster, node)),
    },
    'link-down': cut('network'),
    'api-cut': cut('control-plane'),
    'disk-full': {
      apply: async (node) => {
        if (isFull(node)) return;
        const disk = nodes.disk(node);
        if (disk === undefined)
          throw new TestbedError(
            `node ${node}: its kubelet writes to this machine's own disk; start the cluster with --chaos, which gives it one`,
          );
        const { bavail, blocks, bsize } = statfsSync(disk);
        writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, Math.floor(bavail - blocks / 200)) * bsize));
      },
      undo: async (node) => {
        if (isFull(node)) rmSync(filler(node) ?? '');
      },
      isThere: isFull,
    },
  };
  return Object.fromEntries(nodeFaultIds.map((id) => [id, { id, ...nodeFaultKinds[id], ...deeds[id] }])) as Record<NodeFaultId, NodeFault>;
}
