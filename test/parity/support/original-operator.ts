import { legacyFinalizer } from '../../../src/api/v1alpha1/naming.ts';
import { type Performer, type PerformerStatus, performers } from '../../../src/api/v1alpha1/performer.ts';
import { FlightLimit } from '../../../src/controller/flight-limit.ts';
import type { Outcome } from '../../../src/controller/outcome.ts';
import { runWatch } from '../../../src/controller/watch.ts';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import { countWrites, type WriteCounts } from '../../../src/kube/counting.ts';
import { isKubeFault } from '../../../src/kube/faults.ts';
import { findObject } from '../../../src/kube/find.ts';
import { type ObjectKey, type Pod, pods, services } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import type { Json } from '../../../src/lib/canonical-json.ts';
import { formatTime, parseTime } from '../../../src/lib/time.ts';
import { createWorld, listKeys, onWorldChange, watchWorld } from '../../../src/reconcile/world.ts';
import { type OriginalSpec, originalPod, originalService, originalServiceSpec, originalStatus } from '../../fixtures/original/objects.ts';
import type { TestOperator } from '../../support/operator.ts';

const requeueMs = 120_000;
const pendingLimitMs = 300_000;
/** Members of status its types know; a PUT of the whole status drops every other. */
const knownStatus = ['phase', 'ready', 'podName', 'serviceName', 'grpcEndpoint', 'conditions', 'lastUpgrade', 'readyTime'] as const;

export interface RunningOriginal {
  readonly writes: WriteCounts;
  readonly podsCreated: () => number;
  stop(): Promise<void>;
}

/** A stand-in for the Go operator as documented: one worker, level by name and image, whole Services and statuses put back each pass. */
export async function runOriginal(operator: TestOperator): Promise<RunningOriginal> {
  const { clock } = operator;
  let podsCreated = 0;
  const counted = countWrites(operator.cluster.api(), (verb, resource) => {
    if (verb === 'create' && resource.plural === pods.plural) podsCreated += 1;
  });
  const world = createWorld();
  const queue = new WorkQueue(clock);
  const stop = new AbortController();
  const random = (): number => 0.5;
  const reflectors = watchWorld(world, { kube: counted.kube, clock, namespace: undefined, signal: stop.signal, random });
  await operator.letPass(Promise.all(reflectors.map((reflector) => reflector.synced)));
  onWorldChange(world, (key) => queue.add(key));
  const running = runWatch({
    queue,
    reconcile: (key) => pass(key, counted.kube),
    limit: new FlightLimit(1),
    clock,
    random,
    keys: () => listKeys(world),
    signal: stop.signal,
    drainMs: 1_000,
  });
  return {
    writes: counted.counts,
    podsCreated: () => podsCreated,
    stop: async () => {
      stop.abort();
      await operator.letPass(Promise.all([running, ...reflectors.map((reflector) => reflector.done)]));
    },
  };
}

async function pass(key: ObjectKey, kube: KubeApi): Promise<Outcome> {
  try {
    await reconcile(key, kube);
  } catch (error) {
    if (!isKubeFault(error)) throw error;
    return { kind: 'failed', reason: error.code, message: error.message, retry: 'backoff' };
  }
  return { kind: 'settled', reason: 'Reconciled', message: '', again: false, unsaid: false, requeueAfterMs: requeueMs };
}

async function reconcile(key: ObjectKey, kube: KubeApi): Promise<void> {
  const performer = await findObject(kube, performers, key, {});
  if (performer === undefined) return;
  const finalizers = performer.metadata?.finalizers ?? [];
  const resourceVersion = performer.metadata?.resourceVersion ?? '';
  const has = finalizers.includes(legacyFinalizer);
  if (performer.metadata?.deletionTimestamp !== undefined) {
    if (has)
      await kube.patch(
        performers,
        key,
        { metadata: { finalizers: finalizers.filter((one) => one !== legacyFinalizer) } },
        { resourceVersion },
      );
    return;
  }
  // Adding it wakes it again; that pass goes on.
  if (!has) {
    await kube.patch(performers, key, { metadata: { finalizers: [...finalizers, legacyFinalizer] } }, { resourceVersion });
    return;
  }
  const spec = performer.spec as OriginalSpec;
  await reconcilePod(key, performer, spec, kube);
  await putService(key, performer, spec, kube);
  await putStatus(key, performer, kube);
}

async function reconcilePod(key: ObjectKey, performer: Performer, spec: OriginalSpec, kube: KubeApi): Promise<void> {
  const name = { namespace: key.namespace, name: `performer-${key.name}` };
  const pod = await findObject(kube, pods, name, {});
  if (pod === undefined) {
    await kube.create(pods, originalPod(key, performer.metadata?.uid ?? '', spec));
  } else if (mustGo(pod, spec, kube.serverNowMs())) {
    const { uid = '', resourceVersion = '' } = pod.metadata ?? {};
    await kube.delete(pods, name, { uid, resourceVersion });
  }
}

function mustGo(pod: Pod, spec: OriginalSpec, nowMs: number): boolean {
  const isLate = pod.status?.phase === 'Pending' && nowMs - (parseTime(pod.metadata?.creationTimestamp) ?? nowMs) > pendingLimitMs;
  return pod.spec?.containers[0]?.image !== spec.image || isLate;
}

async function putService(key: ObjectKey, performer: Performer, spec: OriginalSpec, kube: KubeApi): Promise<void> {
  const name = { namespace: key.namespace, name: `performer-${key.name}` };
  const service = await findObject(kube, services, name, {});
  if (service === undefined) {
    await kube.create(services, originalService(key, performer.metadata?.uid ?? '', spec));
    return;
  }
  const { selector = {}, ...rest } = originalServiceSpec(key, spec);
  const strangers = Object.keys(service.spec?.selector ?? {}).filter((label) => !(label in selector));
  const patch = { spec: { ...rest, selector: { ...Object.fromEntries(strangers.map((label) => [label, null])), ...selector } } };
  await kube.patch(services, name, patch as unknown as Json, { resourceVersion: service.metadata?.resourceVersion ?? '' });
}

async function putStatus(key: ObjectKey, performer: Performer, kube: KubeApi): Promise<void> {
  const pod = await findObject(kube, pods, { namespace: key.namespace, name: `performer-${key.name}` }, {});
  const before: PerformerStatus = performer.status ?? {};
  const ready =
    pod?.status?.phase === 'Running' && (pod.status.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
  const readyTime = before.readyTime ?? (ready ? formatTime(kube.serverNowMs()) : undefined);
  const phase = pod === undefined ? 'Pending' : (pod.status?.phase ?? 'Pending');
  // Without a pod `ready` stays what it was.
  const said = originalStatus(key, phase, pod === undefined ? (before.ready ?? false) : ready, readyTime);
  const dropped = Object.keys(before).filter((field) => !knownStatus.some((known) => known === field));
  const status = { ...Object.fromEntries(dropped.map((field) => [field, null])), ...said };
  await kube.patch(performers, key, { status } as unknown as Json, {
    subresource: 'status',
    resourceVersion: performer.metadata?.resourceVersion ?? '',
  });
}
