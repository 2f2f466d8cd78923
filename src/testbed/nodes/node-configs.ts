import { join } from 'node:path';
import { stringify } from 'yaml';

export interface ContainerdSettings {
  /** Images and snapshots: the node's disk. */
  readonly root: string;
  readonly cniConfDir: string;
  readonly pauseImage: string;
  readonly socket: string;
}

/** Configuration of containerd 1.6 (version 2 of the format). Pure. */
export function buildContainerdConfig({ root, cniConfDir, pauseImage, socket }: ContainerdSettings): string {
  return `version = 2
root = ${JSON.stringify(root)}
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = ${JSON.stringify(socket)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${JSON.stringify(pauseImage)}
  disable_tcp_service = true
  # Without CAP_SYS_RESOURCE a process may not make itself likelier to survive, and runc would end over it.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${JSON.stringify(cniConfDir)}
`;
}

/** Pods of a node share a bridge of its own, with an address each from the node's range; a pod reaches itself through its Service. Pure. */
export function buildCniConfig({ podRange, dataDir }: { readonly podRange: string; readonly dataDir: string }): string {
  const ipam = { type: 'host-local', dataDir, ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] };
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      { type: 'bridge', bridge: 'pods0', isGateway: true, ipMasq: false, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

export interface KubeletSettings {
  readonly address: string;
  readonly clientCa: string;
  readonly cgroup: string;
  readonly dir: string;
  readonly socket: string;
  readonly clusterDns: string;
  readonly timers: { readonly statusUpdateS: number; readonly leaseS: number; readonly pressureS?: number };
}

/** Pure. */
export function buildKubeletConfig({ address, clientCa, cgroup, dir, socket, clusterDns, timers }: KubeletSettings): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: clientCa } },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${socket}`,
    clusterDNS: [clusterDns],
    clusterDomain: 'cluster.local',
    resolvConf: '/dev/null',
    podLogsDir: join(dir, 'pod-logs'),
    volumePluginDir: join(dir, 'volume-plugins'),
    serializeImagePulls: false,
    // The disk is the machine's, and others fill it: nothing is thrown out before it is really full.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'nodefs.inodesFree': '1%', 'imagefs.available': '1%' },
    // How long a node is said to be under pressure after it is not.
    ...(timers.pressureS === undefined ? {} : { evictionPressureTransitionPeriod: `${timers.pressureS}s` }),
    nodeStatusUpdateFrequency: `${timers.statusUpdateS}s`,
    nodeLeaseDurationSeconds: timers.leaseS,
  });
}
