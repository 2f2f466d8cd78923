import { hostname } from 'node:os';
import { drainSeconds, progressDeadlineSeconds } from '../api/v1alpha1/defaults.ts';
import { leaseName } from '../api/v1alpha1/naming.ts';
import type { Reconcile } from '../controller/outcome.ts';
import { createLease, type LeaseElector } from '../kube/lease.ts';
import type { ObjectKey } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { systemClock } from '../lib/clock.ts';
import type { ReconcileDeps } from '../reconcile/deps.ts';
import type { Plan } from '../reconcile/plan/actions.ts';
import type { Settings } from '../reconcile/plan/snapshot.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import type { World } from '../reconcile/world.ts';
import type { Connection } from './connect.ts';
import type { Log } from './log.ts';
import type { WriterOptions } from './options.ts';

export const settings: Settings = {
  drainMs: drainSeconds * 1_000,
  progressDeadlineMs: progressDeadlineSeconds * 1_000,
  quietMs: 2_000,
};

/** Where the Lease lives outside a cluster. */
const defaultLeaseNamespace = 'hourglass-system';

export interface OperatorParts {
  readonly kube: KubeApi;
  readonly world: World;
  readonly mayWrite: () => boolean;
  readonly log: Log;
  readonly onPlan?: (key: ObjectKey, plan: Plan) => void;
}

/** The reconcile function with its ports filled in: the same one for `once` and for `watch`. */
export function createReconcile(parts: OperatorParts): Reconcile {
  const deps: ReconcileDeps = { ...parts, settings, heldNames: new Map() };
  return (key, context) => reconcile(key, deps, context);
}

export function openLease(connection: Connection, options: WriterOptions, log: Log): LeaseElector {
  const namespace = options.leaseNamespace ?? connection.podNamespace ?? defaultLeaseNamespace;
  return createLease({
    kube: connection.kube,
    clock: systemClock,
    key: { namespace, name: leaseName },
    identity: leaseIdentity(connection, options),
    random: Math.random,
    log,
  });
}

export interface HeldLease {
  readonly isHeld: () => boolean;
  /** Ends the renewals, and gives the Lease back unless it was lost. */
  release(): Promise<void>;
}

/** Keeps a Lease that was acquired. */
export function holdLease(lease: LeaseElector, onLost: () => void): HeldLease {
  let lost = false;
  const stop = new AbortController();
  const kept = lease.keep(stop.signal, () => {
    lost = true;
    onLost();
  });
  return {
    isHeld: () => !lost,
    release: async () => {
      stop.abort();
      await kept;
      if (!lost) await lease.release();
    },
  };
}

/** In a cluster the pod's name, which is its host name. */
function leaseIdentity(connection: Connection, options: WriterOptions): string {
  return options.leaseIdentity ?? (connection.podNamespace === undefined ? `${hostname()}-${process.pid}` : hostname());
}

/** Aborts at SIGTERM or SIGINT; a second signal ends the process as usual. */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => controller.abort(new Error(signal)));
  return controller.signal;
}
