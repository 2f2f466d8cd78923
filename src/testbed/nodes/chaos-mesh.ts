import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterPaths } from '../components.ts';
import { type KubectlOptions, kubectl, untilEstablished } from '../kubectl.ts';
import type { ProgressReporter } from '../progress.ts';
import { ensureTool } from '../tools.ts';
import {
  addressOf,
  controlPlaneAddress,
  type MachinePlan,
  nodeDir,
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

/** The daemon runs programs in a pod's namespaces through `/usr/local/bin/nsexec`, which its image has; this does the same with nsenter. */
export const nsexec = `#!/bin/sh
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

/** The daemon on a node, with a folder of its own in the place where it looks for `nsexec`. Pure. */
export function buildChaosDaemonArgv(daemon: string, nsexecPath: string, socket: string): string[] {
  const flags = [
    '--runtime=containerd',
    `--runtime-socket-path=${socket}`,
    '--containerd-ns=k8s.io',
    `--grpc-port=${daemonPort}`,
    `--http-port=${daemonHttpPort}`,
  ];
  const script = ['set -e', 'mount -t tmpfs none /usr/local/bin', 'install -m 755 "$1" /usr/local/bin/nsexec', 'shift', 'exec "$@"'].join(
    '\n',
  );
  return ['unshare', '--mount', '--propagation=private', 'sh', '-c', script, 'chaos-daemon', nsexecPath, daemon, ...flags];
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

/** How the controller finds the daemons, which are no pods here. Pure. */
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
  await run(['apply', '--server-side', '-f', '-'], { input: objects });
  await run(untilEstablished('crd', '--all'));
  // Its webhook server asks for a certificate, though nothing here calls webhooks.
  const machine = nodeDir(paths, chaosMachine);
  mkdirSync(machine, { recursive: true, mode: 0o700 });
  for (const kind of ['crt', 'key']) copyFileSync(join(paths.certificates, `serving.${kind}`), join(machine, `tls.${kind}`));
}

/** Addresses that answer once controller and daemons are there. Pure. */
export function chaosProbes(count: number): readonly (readonly [address: string, port: number])[] {
  return [[chaosAddress, metricsPort], ...nodeNames(count).map((name) => [addressOf(name), daemonPort] as const)];
}
