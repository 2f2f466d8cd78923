/** The gRPC port of a Performer without `config`. */
export const portWithoutConfig = 8080;

/** The gRPC port of a Performer whose `config` names none. The CRD writes it into stored objects. */
export const portWithConfig = 9090;

export const imagePullPolicy = 'IfNotPresent';

/** `observedGeneration` of a Performer no operator has seen yet: never equal to a generation, so that status readers wait. */
export const unobservedGeneration = -1;

export const replicas = 1;

/** Value of `spec.managedBy` that leaves a Performer to this operator; so does its absence. */
export const managedBy = 'hourglass.eigenlayer.io/operator';

export const strategyType = 'RollingUpdate';

/** As Deployments have it: rounded up for surge, down for unavailable, so that with one replica the new pod comes before the old one goes. */
export const maxSurge = '25%';
export const maxUnavailable = '25%';

export const minReadySeconds = 0;

/** How long a node must have been unreachable before its pods count as lost. */
export const nodeLossSeconds = 3;

export const nodeLossPolicy = 'Route';

/** How long calls on their way to a pod that left the Service are waited for. */
export const drainSeconds = 5;

/** After this long without progress a rollout says so. It goes on. */
export const progressDeadlineSeconds = 600;

export const terminationGracePeriodSeconds = 30;

/** The port a performer listens on and its Service offers. Pure. */
export function effectivePort(spec: { readonly config?: { readonly grpcPort?: number } }): number {
  return spec.config === undefined ? portWithoutConfig : (spec.config.grpcPort ?? portWithConfig);
}
