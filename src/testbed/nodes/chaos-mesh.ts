import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterPaths } from '../components.ts';
import { type KubectlOptions, kubectl, untilEstablished } from '../kubectl.ts';
import type { ProgressReporter } from '../progress.ts';
import { ensureTool } from '../tools.ts';
import {
  addressOf,
  containerdSocket,
  controlPlaneAddress,
  kubeletDir,
  type MachinePlan,
  type NodeParts,
  nodeDir,
  nodeLog,
  nodeNames,
  pauseImage,
  podRoutes,
  type RealNodesPlan,
} from './node-plan.ts';

/** Programs of Chaos Mesh; its CRDs lie beside its controller. */
export interface ChaosTools {
  readonly controller: string;
  readonly daemon: string;
}

/** @throws TestbedError when they cannot be built */
export async function findChaosTools(report: ProgressReporter): Promise<ChaosTools> {
  return { controller: await ensureTool('chaos-controller-manager', report), daemon: await ensureTool('chaos-daemon', report) };
}

/**
 * The machine of the controller. It has one of its own: beside the API server its calls to the nodes would come from the API server's
 * address, and a cut of that address would cut the way back, too.
 */
export const chaosMachine = 'chaos';
const chaosAddress = '10.10.0.2';
export const chaosNamespace = 'chaos-mesh';
const daemonPort = 31_767;
const daemonHttpPort = 31_766;
const metricsPort = 10_080;
/** The agent that has power over the nodes: on the loopback of the controller's machine, so that nobody else reaches it and no cut does. */
export const chaosAgent = { name: 'chaos-agent', address: '127.0.0.1', port: 31_768 } as const;

/** Where a PhysicalMachineChaos finds a node: `address` of the experiment, and of the PhysicalMachine of the node's name. Pure. */
export function agentUrlOf(node: string): string {
  return `http://${chaosAgent.address}:${chaosAgent.port}/${node}`;
}

/** The daemon runs programs in a pod's namespaces through `/usr/local/bin/nsexec`, which its image has; this does the same with nsenter. */
const nsexec = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -n) kinds="$kinds --net=$2"; shift 2 ;;
    -m) kinds="$kinds --mount=$2"; shift 2 ;;
    -p) kinds="$kinds --pid=$2"; shift 2 ;;
    -i) kinds="$kinds --ipc=$2"; shift 2 ;;
    -l) shift ;;
    --) shift; break ;;
    *) break ;;
  esac
done
exec nsenter $kinds -- "$@"
`;

const diskMiB = 64;
/** A disk for the kubelet alone, kept with the node's folder; where the kernel has no loop devices, one that a reboot empties. */
const mountDisk = `set -e
[ -e "$1" ] || { truncate -s ${diskMiB}M "$1.new"; mkfs.ext4 -q "$1.new"; mv "$1.new" "$1"; }
mkdir -p "$2"
mount -o loop "$1" "$2" || mount -t tmpfs -o size=${diskMiB}m disk "$2"`;
/** In a mount namespace of its own, with a folder in the place where the daemon looks for `nsexec`. */
const startDaemon = `set -e
mount -t tmpfs none /usr/local/bin
install -m 755 "$1" /usr/local/bin/nsexec
shift
exec "$@"`;

/** What a node has for Chaos Mesh: the daemon, and a kubelet whose disk can be filled. Pure. */
export function planChaosParts(paths: ClusterPaths, name: string, daemon: string): NodeParts {
  const at = (file: string): string => join(nodeDir(paths, name), file);
  const flags = [
    '--runtime=containerd',
    `--runtime-socket-path=${containerdSocket}`,
    '--containerd-ns=k8s.io',
    `--grpc-port=${daemonPort}`,
    `--http-port=${daemonHttpPort}`,
  ];
  const own = ['unshare', '--mount', '--propagation=private'];
  const log = nodeLog(paths, name, 'chaos-daemon');
  return {
    files: { nsexec },
    processes: [
      { name: 'disk', argv: ['sh', '-c', mountDisk, 'disk', at('disk.img'), kubeletDir(paths, name)], log, once: true },
      { name: 'chaos-daemon', argv: [...own, 'sh', '-c', startDaemon, 'chaos-daemon', at('nsexec'), daemon, ...flags], log },
    ],
  };
}

/** The machine that runs nothing but the controller. Pure. */
export function planChaosMachine(settings: {
  readonly paths: ClusterPaths;
  readonly networkPid: number;
  readonly nodes: RealNodesPlan;
  readonly program: string;
}): MachinePlan {
  const { paths, networkPid, nodes, program } = settings;
  const environment = {
    NAMESPACE: chaosNamespace,
    CERTS_DIR: nodeDir(paths, chaosMachine),
    WEBHOOK_HOST: chaosAddress,
    METRICS_HOST: chaosAddress,
    METRICS_PORT: metricsPort,
    CHAOS_DAEMON_SERVICE_PORT: daemonPort,
    ENABLE_LEADER_ELECTION: false,
    SECURITY_MODE: false,
    CHAOSD_SECURITY_MODE: false,
    ALLOW_HOST_NETWORK_TESTING: true,
    POD_FAILURE_PAUSE_IMAGE: pauseImage,
    KUBECONFIG: join(paths.kubeconfigs, chaosNamespace),
  };
  const argv = ['env', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), program];
  return {
    files: {},
    spec: {
      name: chaosMachine,
      network: `/proc/${networkPid}/ns/net`,
      address: `${chaosAddress}/24`,
      gateway: controlPlaneAddress,
      routes: podRoutes(nodes.count),
      volatile: [],
      processes: [{ name: 'chaos-controller-manager', argv, log: join(paths.logs, 'chaos-controller-manager.log') }],
    },
  };
}

/** How the controller finds the daemons, which are no pods here, and the nodes as machines. Pure. */
function buildChaosObjects(count: number): readonly object[] {
  const labels = { 'kubernetes.io/service-name': 'chaos-daemon' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: chaosNamespace } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'chaos-daemon-testbed', namespace: chaosNamespace, labels },
      addressType: 'IPv4',
      endpoints: nodeNames(count).map((name) => ({ addresses: [addressOf(name)], nodeName: name, conditions: { ready: true } })),
      ports: [{ name: 'grpc', port: daemonPort, protocol: 'TCP' }],
    },
    ...nodeNames(count).map((name) => ({
      apiVersion: 'chaos-mesh.org/v1alpha1',
      kind: 'PhysicalMachine',
      metadata: { name, namespace: chaosNamespace, labels: { 'kubernetes.io/hostname': name } },
      spec: { address: agentUrlOf(name) },
    })),
  ];
}

/** Installs the CRDs and what leads to the daemons; they are served when it returns. @throws TestbedError */
export async function installChaosMesh(
  cluster: { readonly kubectl: readonly string[] },
  { paths, tools, count }: { readonly paths: ClusterPaths; readonly tools: ChaosTools; readonly count: number },
): Promise<void> {
  const run = (args: readonly string[], options: KubectlOptions = {}): Promise<string> =>
    kubectl(cluster, args, { timeoutMs: 60_000, ...options });
  const objects = buildChaosObjects(count)
    .map((object) => stringify(object))
    .join('---\n');
  await run(['apply', '--server-side', '-f', join(dirname(tools.controller), 'crd.yaml')]);
  await run(untilEstablished('crd', '--all'));
  await run(['apply', '--server-side', '-f', '-'], { input: objects });
  // Its webhook server asks for a certificate, though nothing here calls webhooks.
  const machine = nodeDir(paths, chaosMachine);
  mkdirSync(machine, { recursive: true, mode: 0o700 });
  for (const kind of ['crt', 'key']) copyFileSync(join(paths.certificates, `serving.${kind}`), join(machine, `tls.${kind}`));
}

/** Addresses that answer once controller and daemons are there. Pure. */
export function chaosProbes(count: number): readonly (readonly [address: string, port: number])[] {
  return [[chaosAddress, metricsPort], ...nodeNames(count).map((name) => [addressOf(name), daemonPort] as const)];
}
