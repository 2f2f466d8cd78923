import { join } from 'node:path';
import type { ClusterPaths } from '../components.ts';
import { clusterCidr } from '../fake-nodes.ts';
import { buildCniConfig, buildContainerdConfig, buildKubeletConfig } from './node-configs.ts';

/** How fast a lost node is noticed: `stock` is Kubernetes' own pace, `fast` a fifth of it, for tests. */
export type NodeTimers = 'fast' | 'stock';

/** The network that nodes are plugged into: 10.10.0.0/24, in it the control plane at .1 and node `nI` at .(10+I). */
export const controlPlaneAddress = '10.10.0.1';
export const networkAddress = `${controlPlaneAddress}/24`;
/** Where the API server listens in that network. */
export const apiServerPort = 6443;
export const clusterDnsAddress = '10.96.0.10';
export const maxRealNodes = 20;

/** How the API server reaches the control plane's timers; in seconds, as its flags and the kubelet's fields take them. */
export const timersOf: Readonly<
  Record<
    NodeTimers,
    {
      readonly statusUpdateS: number;
      readonly leaseS: number;
      readonly graceS: number;
      readonly monitorS: number;
      readonly pressureS?: number;
    }
  >
> = {
  fast: { statusUpdateS: 2, leaseS: 8, graceS: 8, monitorS: 1, pressureS: 10 },
  // The defaults of Kubernetes 1.35.
  stock: { statusUpdateS: 10, leaseS: 40, graceS: 50, monitorS: 5 },
};

export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index + 1}`);
}

/** The cgroup of a node's pods, in each hierarchy; the cluster's name keeps two clusters apart. */
export function cgroupOf(cluster: string, node: string): string {
  return `hourglass-${cluster}-${node}`;
}

/** Whether a cgroup is of a node of the cluster. Pure. */
export function isCgroupOf(cluster: string, name: string): boolean {
  const prefix = cgroupOf(cluster, 'n');
  return name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));
}

/** What is asked of the nodes of a cluster. */
export interface RealNodesPlan {
  readonly count: number;
  readonly timers: NodeTimers;
  /** Program of the daemon of Chaos Mesh, which then runs on each. */
  readonly chaosDaemon?: string | undefined;
}

export interface NodeSettings {
  readonly cluster: string;
  readonly name: string;
  readonly paths: ClusterPaths;
  /** Of the control-plane binary. */
  readonly controlPlane: string;
  /** Process id of the network that the node is plugged into. */
  readonly networkPid: number;
  readonly nodes: RealNodesPlan;
  /** What the node has beside, once its containerd runs: for Chaos Mesh. */
  readonly beside?: NodeParts;
}

/** Files by path below the node's folder, and processes. */
export interface NodeParts {
  readonly files: Readonly<Record<string, string>>;
  readonly processes: readonly NodeProcess[];
}

/** A process of a machine made of namespaces, as `control-plane node` reads it: started again when it ends, unless `once`. */
export interface NodeProcess {
  readonly name: string;
  readonly argv: readonly string[];
  readonly log: string;
  /** Socket that the next process waits for. */
  readonly provides?: string;
  readonly once?: true;
}

/** A machine made of namespaces, as `control-plane node` reads it, and the files that it needs, by path below its folder. */
export interface MachinePlan {
  readonly files: Readonly<Record<string, string>>;
  readonly spec: {
    readonly name: string;
    readonly network: string;
    readonly address: string;
    readonly gateway: string;
    readonly routes: readonly string[];
    readonly volatile: readonly string[];
    readonly processes: readonly NodeProcess[];
  };
}

/** Where a node keeps what a machine keeps on its disk. */
export function nodeDir(paths: ClusterPaths, name: string): string {
  return join(paths.nodes, name);
}

export const pauseImage = 'hourglass.test/pause:1';
export const containerdSocket = '/run/containerd/containerd.sock';

/** Command that talks to the node's containerd, run in the node. */
export const ctr: readonly string[] = ['ctr', '--address', containerdSocket, '--namespace', 'k8s.io'];

const ordinal = (name: string): number => Number(name.slice(1));
export const addressOf = (name: string): string => `10.10.0.${10 + ordinal(name)}`;
const podRangeOf = (name: string): string => `10.244.${ordinal(name)}.0/24`;

/** Routes to the pods of the other nodes, as arguments of `ip route add`. */
export function podRoutes(nodes: number, but?: string): string[] {
  return nodeNames(nodes)
    .filter((name) => name !== but)
    .map((name) => `${podRangeOf(name)} via ${addressOf(name)}`);
}

/** The log of one of a node's processes. */
export function nodeLog(paths: ClusterPaths, name: string, component: string): string {
  return join(paths.logs, `${name}-${component}.log`);
}

/** The folder of a node's kubelet. */
export function kubeletDir(paths: ClusterPaths, name: string): string {
  return join(nodeDir(paths, name), 'kubelet');
}

/** A node: containerd, kube-proxy and kubelet. Pure. */
export function planNode({ cluster, name, paths, controlPlane, networkPid, nodes, beside }: NodeSettings): MachinePlan {
  const { count, timers } = nodes;
  const socket = containerdSocket;
  const dir = nodeDir(paths, name);
  const log = (component: string): string => nodeLog(paths, name, component);
  const kubeconfig = join(paths.kubeconfigs, name);
  return {
    files: {
      ...beside?.files,
      'containerd.toml': buildContainerdConfig({ root: join(dir, 'containerd'), cniConfDir: join(dir, 'cni'), pauseImage, socket }),
      'cni/10-pods.conflist': buildCniConfig({ podRange: podRangeOf(name), dataDir: '/run/cni' }),
      'kubelet.yaml': buildKubeletConfig({
        address: addressOf(name),
        clientCa: join(paths.certificates, 'ca.crt'),
        cgroup: cgroupOf(cluster, name),
        dir,
        socket,
        clusterDns: clusterDnsAddress,
        timers: timersOf[timers],
      }),
    },
    spec: {
      name,
      network: `/proc/${networkPid}/ns/net`,
      address: `${addressOf(name)}/24`,
      gateway: controlPlaneAddress,
      routes: podRoutes(count, name),
      volatile: ['/run'],
      processes: [
        { name: 'containerd', argv: ['containerd', '--config', join(dir, 'containerd.toml')], log: log('containerd'), provides: socket },
        { name: 'images', argv: [...ctr, 'images', 'import', paths.pauseImage], log: log('containerd'), once: true },
        ...(beside?.processes ?? []),
        {
          name: 'kube-proxy',
          argv: [
            controlPlane,
            'kube-proxy',
            `--kubeconfig=${join(paths.kubeconfigs, 'kube-proxy')}`,
            '--proxy-mode=nftables',
            `--hostname-override=${name}`,
            `--cluster-cidr=${clusterCidr}`,
            // A namespace that is not the machine's first may not change these limits.
            '--conntrack-max-per-core=0',
            '--conntrack-min=0',
          ],
          log: log('kube-proxy'),
        },
        {
          name: 'kubelet',
          argv: [
            controlPlane,
            'kubelet',
            `--config=${join(dir, 'kubelet.yaml')}`,
            `--kubeconfig=${kubeconfig}`,
            `--hostname-override=${name}`,
            `--node-ip=${addressOf(name)}`,
            `--root-dir=${kubeletDir(paths, name)}`,
            `--cert-dir=${join(dir, 'kubelet-certificates')}`,
          ],
          log: log('kubelet'),
        },
      ],
    },
  };
}
