import * as defaults from '../../api/v1alpha1/defaults.ts';
import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';

/** Server times have whole seconds, so a wait that decides is this much longer. */
export const secondMs = 1_000;

/** How pods come and go under a spec, in the numbers the planner counts with. */
export interface Rules {
  readonly replicas: number;
  /** Pods beyond `replicas` that may stand during a rollout. */
  readonly maxSurge: number;
  /** Pods short of `replicas` that may be missing during a rollout. */
  readonly maxUnavailable: number;
  /** All old pods are gone before a new one is made. */
  readonly recreate: boolean;
  readonly paused: boolean;
  /** A pod on a lost node is replaced only once it is proven that it does not run. */
  readonly strictNodeLoss: boolean;
  readonly nodeLossMs: number;
  /** Its pods may be put on a node that is out of sight already. */
  readonly toleratesLoss: boolean;
  readonly minReadyMs: number;
  readonly drainMs: number;
  readonly progressDeadlineMs: number;
}

/** The rules a spec asks for; shares of the replicas are rounded as Deployments do: surge up, unavailable down, never both to nothing. Pure. */
export function rulesOf(spec: PerformerSpec): Rules {
  const replicas = spec.replicas ?? defaults.replicas;
  const rolling = spec.strategy?.rollingUpdate;
  const maxSurge = toCount(rolling?.maxSurge ?? defaults.maxSurge, replicas, Math.ceil);
  const maxUnavailable = toCount(rolling?.maxUnavailable ?? defaults.maxUnavailable, replicas, Math.floor);
  return {
    replicas,
    maxSurge,
    maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, replicas),
    recreate: (spec.strategy?.type ?? defaults.strategyType) === 'Recreate',
    paused: spec.paused ?? false,
    strictNodeLoss: (spec.nodeLossPolicy ?? defaults.nodeLossPolicy) === 'Strict',
    nodeLossMs: (spec.nodeLossSeconds ?? defaults.nodeLossSeconds) * 1_000,
    toleratesLoss: spec.scheduling?.tolerations?.some(({ key = '' }) => key === '' || key.startsWith('node.kubernetes.io/')) ?? false,
    minReadyMs: (spec.minReadySeconds ?? defaults.minReadySeconds) * 1_000,
    drainMs: (spec.drainSeconds ?? defaults.drainSeconds) * 1_000,
    progressDeadlineMs: (spec.progressDeadlineSeconds ?? defaults.progressDeadlineSeconds) * 1_000,
  };
}

function toCount(value: number | string, replicas: number, round: (count: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * replicas) / 100);
}
