import type { Reconcile } from '../controller/outcome.ts';
import { isInShard, type Shard } from '../controller/shard.ts';
import type { LeaseElector } from '../kube/lease.ts';
import type { ObjectKey } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import type { Clock } from '../lib/clock.ts';
import type { Plan } from '../reconcile/plan/actions.ts';
import type { World } from '../reconcile/world.ts';

/** What a pass works on. */
export interface ReconcileParts {
  readonly world: World;
  /** Asked before each write. */
  readonly mayWrite: () => boolean;
  readonly onPlan?: (key: ObjectKey, plan: Plan) => void;
}

/** What both ways to run are made of. */
export interface OperatorOptions {
  /** What is read live. */
  readonly kube: KubeApi;
  /** What caches are filled from; default: the same. */
  readonly cacheKube?: KubeApi;
  readonly clock: Clock;
  /** Draws from [0, 1). */
  readonly random: () => number;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** Looks after the Performers of this shard alone; undefined: after all. */
  readonly shard?: Shard | undefined;
  /** Passes at once, at most. */
  readonly workers: number;
  /** Undefined: runs without one. */
  readonly lease: LeaseElector | undefined;
  /** No new pass starts after it aborts. */
  readonly signal: AbortSignal;
  readonly createReconcile: (parts: ReconcileParts) => Reconcile;
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** Whose keys a run works on; undefined: all. Pure. */
export function ownedBy({ shard }: Pick<OperatorOptions, 'shard'>): ((key: ObjectKey) => boolean) | undefined {
  return shard === undefined ? undefined : (key) => isInShard(key, shard);
}
