import { type KubeObject, keyOf, type Lease, leases, type Pod, pods, type Resource } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { startReflector } from '../../src/kube/reflector.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Change, observeCluster } from '../../src/oracle/kit.ts';
import { parseAudit, readRequests, readWrites } from '../audit.ts';
import type { Observations, OperatorPod, Renewal } from '../observations.ts';
import type { Operator } from '../subject.ts';
import { buildTrace, type Trace } from '../trace/trace.ts';
import { tailLog } from './log-tail.ts';
import { notingDeletions } from './noting-deletions.ts';

/** What is seen of a cluster from now on, but for the load; times by the clock of this process. */
export interface Recorder {
  seen(): Omit<Observations, 'calls' | 'begun' | 'hangUps' | 'writes' | 'requests'>;
  /** The writes in the namespace since the start, from the audit log; undefined where there is none, or not all of it is there. */
  writes(): Observations['writes'];
  /** The same, with all that was seen of the objects meanwhile. */
  trace(): Trace | undefined;
  /** All that the operator asked for since the start; undefined as `writes` is, or without an operator. */
  requests(): Observations['requests'];
  stop(): void;
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
    writes: () => {
      const text = readAudit();
      return text === undefined ? undefined : readWrites(text, changes, namespace, operator?.account);
    },
    trace: () => {
      const text = readAudit();
      if (text === undefined) return undefined;
      const account = operator === undefined ? {} : { account: operator.account };
      return buildTrace(changes, initial, gone, parseAudit(text), { namespace, ...account });
    },
    requests: () => {
      const text = readAudit();
      return text === undefined || operator === undefined ? undefined : readRequests(text, operator.account);
    },
    stop: () => stop.abort(),
  };
}
