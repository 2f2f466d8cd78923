import { type KubeObject, keyOf, type Lease, leases, type Pod, pods, type Resource } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { startReflector } from '../../src/kube/reflector.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Change, observeCluster } from '../../src/oracle/kit.ts';
import { findWrites, parseAudit, readRequests, readWrites } from '../audit.ts';
import type { Observations, OperatorPod, Renewal } from '../observations.ts';
import type { Operator } from '../subject.ts';
import { buildTrace, type Trace } from '../trace/trace.ts';
import { tailLog } from './log-tail.ts';
import { notingDeletions } from './noting-deletions.ts';

/** What is seen of a cluster from now on, but for the load; times by the clock of this process. */
export interface Recorder {
  seen(): Omit<Observations, 'calls' | 'begun' | 'hangUps' | 'writes' | 'requests'>;
  /** Reads what the audit log got since the start. It is long: once is enough for all that is in it. */
  readLog(): Logged;
  stop(): void;
}

/** What an audit log tells; undefined where there is none, or not all of it is there. */
export interface Logged {
  /** The writes in the namespace. */
  readonly writes: Observations['writes'];
  /** All that the operator asked for; undefined without one, too. */
  readonly requests: Observations['requests'];
  /** The writes, with all that was seen of the objects meanwhile. */
  readonly trace: Trace | undefined;
}

/** @param onChange told of each change as it comes */
export async function startRecorder(
  { kube, auditLog }: { readonly kube: KubeApi; readonly auditLog?: string },
  namespace: string,
  operator: Operator | undefined,
  onChange: (change: Change) => void = () => undefined,
): Promise<Recorder> {
  const stop = new AbortController();
  const { signal } = stop;
  const changes: Change[] = [];
  const renewals: Renewal[] = [];
  const operatorPods: OperatorPod[] = [];
  const gone = new Map<string, string>();
  const readAudit = auditLog === undefined ? () => undefined : tailLog(auditLog);
  const follow = async <T extends KubeObject>(
    resource: Resource<T>,
    where: { readonly namespace: string; readonly labelSelector?: string },
    take: (after: T | undefined, before: T | undefined) => void,
  ): Promise<void> => {
    const store = new ObjectStore<T>();
    store.onChange((before, after) => take(after, before));
    await startReflector({ kube, clock: systemClock, signal, random: Math.random, resource, store, ...where }).synced;
  };
  const renew = (of: string, lease: Lease | undefined): void => {
    if (lease?.spec === undefined) return;
    renewals.push({
      of,
      holder: lease.spec.holderIdentity ?? '',
      atMs: Date.now(),
      durationMs: (lease.spec.leaseDurationSeconds ?? 0) * 1_000,
    });
  };
  await observeCluster({
    kube: notingDeletions(kube, gone),
    clock: systemClock,
    signal,
    random: Math.random,
    namespace,
    onChange: (change) => {
      // The server's clock is known to a second only.
      const seen = { ...change, atMs: Date.now() };
      changes.push(seen);
      onChange(seen);
    },
  });
  const initial = changes.length;
  await follow(leases, { namespace: 'kube-node-lease' }, (after) => renew(after?.metadata?.name ?? '', after));
  if (operator?.lease !== undefined) {
    const { namespace: where, name } = operator.lease;
    await follow(leases, { namespace: where }, (after) => {
      if (after?.metadata?.name === name) renew('operator', after);
    });
  }
  if (operator !== undefined) {
    const labelSelector = Object.entries(operator.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join();
    await follow<Pod>(pods, { namespace: operator.deployment.namespace, labelSelector }, (after, before) => {
      operatorPods.push({ atMs: Date.now(), key: keyOf(after ?? before ?? {}), after });
    });
  }
  return {
    seen: () => ({ changes, renewals, operatorPods }),
    readLog: () => {
      const text = readAudit();
      if (text === undefined) return { writes: undefined, requests: undefined, trace: undefined };
      const account = operator?.account;
      const log = parseAudit(text, account);
      return {
        // Each is worked out for who asks: while a fault lasts that is for requests alone, ten times a second.
        get writes() {
          return readWrites(log, changes, namespace, account);
        },
        get requests() {
          return account === undefined ? undefined : readRequests(log, account);
        },
        get trace() {
          return buildTrace(changes, initial, gone, findWrites(log), { namespace, ...(account === undefined ? {} : { account }) });
        },
      };
    },
    stop: () => stop.abort(),
  };
}
