/** The gRPC port of a Performer without `config`. */
export const portWithoutConfig = 8080;

/** The gRPC port of a Performer whose `config` names none. The CRD writes it into stored objects. */
export const portWithConfig = 9090;

export const imagePullPolicy = 'IfNotPresent';

/** `observedGeneration` of a Performer no operator has seen yet: never equal to a generation, so that status readers wait. */
export const unobservedGeneration = -1;

/** How long calls on their way to a pod that left the Service are waited for. */
export const drainSeconds = 5;

/** After this long without progress a rollout says so. It goes on. */
export const progressDeadlineSeconds = 600;

export const terminationGracePeriodSeconds = 30;

/** The port a performer listens on and its Service offers. Pure. */
export function effectivePort(spec: { readonly config?: { readonly grpcPort?: number } }): number {
  return spec.config === undefined ? portWithoutConfig : (spec.config.grpcPort ?? portWithConfig);
}
