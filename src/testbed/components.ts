import { join } from 'node:path';
import type { Ports } from './cluster-state.ts';
import { clusterCidr, fakeNodeSelector, nodeCidrMaskSize } from './fake-nodes.ts';
import type { KwokProfile } from './kwok-stages.ts';
import { apiServerPort, controlPlaneAddress, type NodeTimers, networkAddress, timersOf } from './nodes/node-plan.ts';

/** What a cluster makes in its directory. */
const files = {
  kubeconfig: 'kubeconfig',
  certificates: 'certificates',
  kubeconfigs: 'kubeconfigs',
  logs: 'logs',
  etcd: 'etcd',
  kwokConfig: 'kwok.yaml',
  auditPolicy: 'audit-policy.yaml',
  kubectlCache: 'kubectl-cache',
  corefile: 'Corefile',
  nodes: 'nodes',
  pauseImage: 'pause.tar',
} as const;

/** Names of what a cluster makes in its directory; nothing else is removed from it. */
export const clusterFiles = Object.values(files);

/** Where a cluster's files are. */
export type ClusterPaths = Readonly<Record<keyof typeof files | 'dir' | 'auditLog', string>>;

export function clusterPaths(dir: string): ClusterPaths {
  const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(dir, file)])) as Record<
    keyof typeof files,
    string
  >;
  return { ...paths, dir, auditLog: join(paths.logs, 'audit.log') };
}

const controlPlane = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type ComponentName = (typeof controlPlane)[number] | 'kwok' | 'network' | 'coredns';

/** What nodes there are: fake ones whose pods live fast or as on nodes, none at all, or real ones. */
export type ClusterProfile = KwokProfile | 'none' | 'nodes';

/** What runs in a cluster beside its real nodes. */
export function componentNames(profile: ClusterProfile): readonly ComponentName[] {
  if (profile === 'nodes') return ['network', ...controlPlane, 'coredns'];
  return profile === 'none' ? controlPlane : [...controlPlane, 'kwok'];
}

export interface ComponentSettings {
  readonly paths: ClusterPaths;
  readonly ports: Ports;
  readonly audit: AuditLevel;
  readonly fakeNodes: number;
  /** Whether etcd waits for the disk; only a bench pays for that. */
  readonly fsync?: boolean;
  /** Of real nodes, which have the control plane in their network; without them it listens on the machine's own loopback. */
  readonly timers?: NodeTimers;
  /** Paths of the binaries; empty where the component does not run. */
  readonly kwok: string;
  readonly coredns: string;
}

/** A log that is begun anew hides what was written before from whoever reads it from a place on; by default it is at 100 MB. */
const auditLogMegabytes = 100_000;

/** Whether calls are logged: who asked for what; with `bodies` also what was sent and stored, for writes that concern Performers. */
export type AuditLevel = boolean | 'bodies';

/** Every request once: enough to count calls by verb, resource, user and client. Bodies hold environment values, so nobody gets them unasked. Pure. */
export function auditPolicy(level: AuditLevel): string {
  const bodies = `  - level: RequestResponse
    omitManagedFields: true
    verbs: [create, update, patch, delete]
    resources:
      - { group: "", resources: [pods, pods/status, services, services/status, events] }
      - { group: events.k8s.io, resources: [events] }
      - { group: hourglass.eigenlayer.io, resources: [performers, performers/status] }
`;
  return `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
${level === 'bodies' ? bodies : ''}  - level: Metadata
`;
}

/** Arguments for the control-plane binary that run a component. Pure. */
export function componentArgv(name: ComponentName, settings: ComponentSettings): string[] {
  return argvOf[name](settings);
}

/** There is one of each controller, and nobody reads their metrics: two ports less to find. */
const controllerFlags = ['--leader-elect=false', '--secure-port=0', '--kube-api-qps=500', '--kube-api-burst=500'];

const argvOf: Readonly<Record<ComponentName, (settings: ComponentSettings) => string[]>> = {
  etcd: ({ paths, ports, fsync = false }) => {
    const file = (name: string): string => join(paths.certificates, name);
    const client = `https://127.0.0.1:${ports.etcd}`;
    const peer = `https://127.0.0.1:${ports.etcdPeer}`;
    return [
      'etcd',
      `--data-dir=${paths.etcd}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      '--name=testbed',
      `--initial-cluster=testbed=${peer}`,
      // Other users of the machine reach the port, so both ports ask for a certificate.
      '--client-cert-auth',
      `--trusted-ca-file=${file('ca.crt')}`,
      `--cert-file=${file('etcd.crt')}`,
      `--key-file=${file('etcd.key')}`,
      '--peer-client-cert-auth',
      `--peer-trusted-ca-file=${file('ca.crt')}`,
      `--peer-cert-file=${file('etcd.crt')}`,
      `--peer-key-file=${file('etcd.key')}`,
      // A crash of the machine may cost the data of a cluster that is thrown away anyway.
      ...(fsync ? [] : ['--unsafe-no-fsync']),
      '--quota-backend-bytes=8589934592',
      '--log-level=warn',
    ];
  },
  'kube-apiserver': ({ paths, ports, audit, timers }) => {
    const file = (name: string): string => join(paths.certificates, name);
    return [
      'kube-apiserver',
      `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
      `--etcd-cafile=${file('ca.crt')}`,
      `--etcd-certfile=${file('api-server.crt')}`,
      `--etcd-keyfile=${file('api-server.key')}`,
      ...(timers === undefined
        ? [
            '--bind-address=127.0.0.1',
            '--advertise-address=127.0.0.1',
            // A loopback address is refused as an endpoint; no pod could reach it either.
            '--endpoint-reconciler-type=none',
            `--secure-port=${ports.apiServer}`,
          ]
        : [
            '--bind-address=0.0.0.0',
            `--advertise-address=${controlPlaneAddress}`,
            `--secure-port=${apiServerPort}`,
            '--kubelet-preferred-address-types=InternalIP',
          ]),
      `--tls-cert-file=${file('serving.crt')}`,
      `--tls-private-key-file=${file('serving.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      `--service-account-key-file=${file('service-account.pub')}`,
      `--service-account-signing-key-file=${file('service-account.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=Node,RBAC',
      '--allow-privileged',
      '--etcd-compaction-interval=1m',
      '--event-ttl=10m',
      `--kubelet-client-certificate=${file('api-server.crt')}`,
      `--kubelet-client-key=${file('api-server.key')}`,
      ...(audit
        ? [`--audit-policy-file=${paths.auditPolicy}`, `--audit-log-path=${paths.auditLog}`, `--audit-log-maxsize=${auditLogMegabytes}`]
        : []),
    ];
  },
  'kube-controller-manager': ({ paths, fakeNodes, timers }) => [
    'kube-controller-manager',
    `--kubeconfig=${join(paths.kubeconfigs, 'controller-manager')}`,
    `--service-account-private-key-file=${join(paths.certificates, 'service-account.key')}`,
    `--root-ca-file=${join(paths.certificates, 'ca.crt')}`,
    '--use-service-account-credentials',
    `--cluster-cidr=${clusterCidr}`,
    ...(timers === undefined
      ? ['--allocate-node-cidrs', `--node-cidr-mask-size=${nodeCidrMaskSize(fakeNodes)}`]
      : [`--node-monitor-grace-period=${timersOf[timers].graceS}s`, `--node-monitor-period=${timersOf[timers].monitorS}s`]),
    ...controllerFlags,
  ],
  'kube-scheduler': ({ paths }) => ['kube-scheduler', `--kubeconfig=${join(paths.kubeconfigs, 'scheduler')}`, ...controllerFlags],
  kwok: ({ paths, kwok }) => [
    'exec', // the control-plane binary becomes KWOK, and ends with its parent when it has to
    kwok,
    `--kubeconfig=${join(paths.kubeconfigs, 'kwok')}`,
    `--config=${paths.kwokConfig}`,
    '--manage-all-nodes=false',
    `--manage-nodes-with-annotation-selector=${fakeNodeSelector}`,
    `--cidr=${clusterCidr}`,
    '--node-lease-duration-seconds=40',
  ],
  network: ({ ports }) => ['network', `127.0.0.1:${ports.apiServer}`, `${controlPlaneAddress}:${apiServerPort}`, networkAddress],
  coredns: ({ paths, coredns }) => ['exec', coredns, '-conf', paths.corefile],
};

/** CoreDNS as a cluster has it: names of Services and of pods behind headless ones; nothing of the world outside. Pure. */
export function buildCorefile(paths: ClusterPaths): string {
  return `.:53 {
  bind ${controlPlaneAddress}
  ready ${controlPlaneAddress}:8181
  errors
  cache 5 {
    disable denial
  }
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${join(paths.kubeconfigs, 'coredns')}
    ttl 5
  }
}
`;
}
