/** From the least to the most, both possible, in ms. */
export type Range = readonly [least: number, most: number];

/** How long things take on nodes and in the controllers that look after them, in ms. */
export interface NodeTimings {
  /** From a pod's creation, or a change that may make room for it, to its binding: a scheduler with an empty queue. */
  readonly scheduling: Range;
  /** From a change of a pod to its kubelet's acting on it: watch delivery and a turn of its sync loop. */
  readonly kubeletSync: Range;
  /** Sandbox and network of a pod: containerd with a CNI plugin of the usual speed. */
  readonly sandbox: Range;
  /** From the container's start to the first startup probe that passes. */
  readonly startup: Range;
  /** From there, or from the end of a readiness fault, to the readiness probe that passes: up to its period of 1 s, which performers have. */
  readonly readiness: Range;
  /** From a readiness fault to Ready=False: the probe's failure threshold of 3 with its period of 1 s. */
  readonly unreadiness: Range;
  /** From SIGTERM to a container's end, where its grace period is not shorter. */
  readonly stop: Range;
  /** From a pod's last container to the end of its object: volumes, status, the final delete. */
  readonly cleanup: Range;
  /** From a container's end to the kubelet's reaction: its relist of containers every second. */
  readonly restart: Range;
  /** The kubelet's back-off for crashes and image pulls, which doubles: 10 s up to 300 s, forgotten after 10 minutes. */
  readonly backOffMs: number;
  readonly backOffCapMs: number;
  readonly backOffResetMs: number;
  /** From the end of a cut, or power-on, to a kubelet that has its watches and posts status: reconnects back off up to 30 s, mostly less. */
  readonly catchUp: Range;
  /** Between two renewals of a node's Lease: the kubelet's quarter of 40 s. */
  readonly leaseRenewMs: number;
  /** The node controller's grace: 50 s since 1.32, 40 s before. */
  readonly nodeGraceMs: number;
  /** `--node-monitor-period`. */
  readonly nodePollMs: number;
  /** Between two nodes that get the NoExecute taint: `--node-eviction-rate` of 0.1 per second. */
  readonly nodeEvictionMs: number;
  /** PodGC's poll, and how long a missing node must be missing: both constants of the pod garbage collector. */
  readonly podGcPollMs: number;
  readonly podGcQuarantineMs: number;
  /** From a change of pods or Services to the EndpointSlice: watch delivery and the controller's queue. */
  readonly endpoints: Range;
  /** From a change of an EndpointSlice to a node's rules: kube-proxy syncs at most once a second (`minSyncPeriod`). */
  readonly kubeProxy: Range;
}

/** As in a cluster that nobody has tuned. */
export const stockTimings: NodeTimings = {
  scheduling: [3, 60],
  kubeletSync: [5, 150],
  sandbox: [300, 2_500],
  startup: [500, 4_000],
  readiness: [0, 1_000],
  unreadiness: [2_000, 3_000],
  stop: [50, 6_000],
  cleanup: [50, 1_000],
  restart: [200, 1_500],
  backOffMs: 10_000,
  backOffCapMs: 300_000,
  backOffResetMs: 600_000,
  catchUp: [500, 15_000],
  leaseRenewMs: 10_000,
  nodeGraceMs: 50_000,
  nodePollMs: 5_000,
  nodeEvictionMs: 10_000,
  podGcPollMs: 20_000,
  podGcQuarantineMs: 40_000,
  endpoints: [10, 300],
  kubeProxy: [20, 1_100],
};

/** A cluster tuned to notice lost nodes soon: shorter runs, the same order of events. */
export const fastTimings: NodeTimings = {
  ...stockTimings,
  sandbox: [100, 600],
  startup: [100, 1_000],
  stop: [20, 2_000],
  catchUp: [200, 3_000],
  leaseRenewMs: 2_000,
  nodeGraceMs: 8_000,
  nodePollMs: 1_000,
  nodeEvictionMs: 2_000,
  podGcPollMs: 4_000,
  podGcQuarantineMs: 8_000,
};
