import { hostname } from 'node:os';
import type { Outcome, Reconcile } from '../controller/outcome.ts';
import { countWrites } from '../kube/counting.ts';
import type { ObjectKey } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { systemClock } from '../lib/clock.ts';
import { createOperatorLease } from '../operator/lease.ts';
import type { OperatorOptions } from '../operator/options.ts';
import { createDeps } from '../reconcile/deps.ts';
import type { Plan } from '../reconcile/plan/actions.ts';
import type { Settings } from '../reconcile/plan/snapshot.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import type { World } from '../reconcile/world.ts';
import type { EventRecorder } from '../telemetry/events.ts';
import type { Log, Logger } from '../telemetry/logger.ts';
import type { Passes } from '../telemetry/passes.ts';
import type { Connection } from './connect.ts';
import type { SettingsOptions, WriterOptions } from './options.ts';

/** What the options say about every Performer. */
export function readSettings(options: SettingsOptions): Settings {
  return { quietMs: 2_000, clusterDomain: options.clusterDomain, securityProfile: options.securityProfile };
}

/** Where the Lease lives outside a cluster. */
const defaultLeaseNamespace = 'hourglass-system';

export interface OperatorParts {
  readonly kube: KubeApi;
  readonly world: World;
  readonly settings: Settings;
  readonly mayWrite: () => boolean;
  readonly log: Logger;
  readonly passes: Passes;
  /** Takes the Events of all passes. */
  readonly events: EventRecorder;
  readonly onPlan?: (key: ObjectKey, plan: Plan) => void;
}

/** The reconcile function with its ports filled in: the same one for `once` and for `watch`. */
export function createReconcile({ passes, events, log, ...parts }: OperatorParts): Reconcile {
  // What was written stands in the line of the pass; all else that a pass says is about what is missing.
  const deps = createDeps({ ...parts, log: (message, fields) => log[message === 'writing' ? 'debug' : 'warn'](message, fields) });
  return async (key, context) => {
    const pass = passes.begin(key);
    let outcome: Outcome = { kind: 'failed', reason: 'Bug', message: 'the pass threw', retry: 'never' };
    try {
      const { kube } = countWrites(parts.kube, pass.wrote);
      outcome = await reconcile(key, { ...deps, kube: { ...kube, event: events.event } }, context);
      return outcome;
    } catch (error) {
      outcome = { ...outcome, message: error instanceof Error ? error.message : String(error) };
      throw error;
    } finally {
      pass.end(outcome);
    }
  };
}

/** What options and connection say of a run, whichever way it goes. */
export function operatorOptionsOf(
  connection: Connection,
  options: WriterOptions,
  log: Log,
): Pick<OperatorOptions, 'clock' | 'random' | 'namespace' | 'shard' | 'workers' | 'lease'> {
  const { kube, podNamespace } = connection;
  const common = { clock: systemClock, random: Math.random, shard: options.shard };
  // In a cluster the pod's name, which is its host name.
  const identity = options.leaseIdentity ?? (podNamespace === undefined ? `${hostname()}-${process.pid}` : hostname());
  const namespace = options.leaseNamespace ?? podNamespace ?? defaultLeaseNamespace;
  const lease = options.leaderElect ? createOperatorLease({ ...common, kube, namespace, identity, log }) : undefined;
  return { ...common, namespace: connection.namespace, workers: options.workers, lease };
}

/** Aborts at SIGTERM, SIGINT and those named; a second signal ends the process as usual. */
export function abortOnSignals(...more: readonly NodeJS.Signals[]): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', ...more] as const)
    process.once(signal, () => controller.abort(new Error(`interrupted by ${signal}`)));
  return controller.signal;
}
