import { appLabelValue, firstPodName, labels, serviceName } from '../api/v1alpha1/naming.ts';
import { type Performer, parsePerformerSpec, performers } from '../api/v1alpha1/performer.ts';
import { findObject } from '../kube/find.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey, type Pod, pods, type Resource, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import type { ObjectStore } from '../kube/store.ts';
import { parseTime } from '../lib/time.ts';
import type { ReconcileDeps } from './deps.ts';
import { computeRevision } from './plan/revision.ts';
import { rulesOf } from './plan/rules.ts';
import type { PerformerView, Snapshot } from './plan/snapshot.ts';
import { projectPod } from './projections.ts';
import { holdName, isSelected } from './world.ts';

/** Everything one pass may know about its key, as one value. Reads the world; live only what no list of ours can show. */
export async function observe(key: ObjectKey, deps: ReconcileDeps, lastPass: boolean, signal: AbortSignal): Promise<Snapshot> {
  const { world, kube } = deps;
  const seen = new Map<string, Pod>();
  const add = (pod: Pod | undefined): void => {
    if (pod !== undefined) seen.set(pod.metadata?.name ?? '', pod);
  };
  for (const pod of world.pods.byIndex('performer', keyText(key))) add(pod);
  add(world.pods.get({ namespace: key.namespace, name: firstPodName(key.name) }));
  const found = world.performers.get(key);
  const performer = found === undefined ? undefined : viewPerformer(found);
  const lastPod = performer?.status?.podName ?? '';
  // Before others are made: the pod that served last may have lost the label our list goes by.
  if (lastPod !== '' && ![...seen.values()].some(isInService)) holdName(world, key, lastPod);
  for (const pod of await readHeldNames(key, deps, signal)) add(pod);
  const service = { namespace: key.namespace, name: serviceName(key.name) };
  const all = [...seen.values()];
  const nodes = performer === undefined ? undefined : await deps.optional.readNodes(all, world, kube, signal);
  const routed = performer !== undefined && isCuttingOver(all, performer) ? await deps.optional.readRouted(key, kube, signal) : undefined;
  if (performer === undefined) deps.writers.forget(key);
  const serviceWriter = await deps.writers.findRival(key, service, kube, signal);
  const denied = deps.writers.findDenial(key, kube.serverNowMs());
  const statusTruce = deps.writers.findStatusTruce(key, kube.serverNowMs());
  const unkept = deps.writers.findUnkept(kube.serverNowMs());
  return {
    key,
    nowMs: kube.serverNowMs(),
    performer,
    pods: all,
    service: world.services.get(service),
    ...(nodes === undefined ? {} : { nodes }),
    ...(routed === undefined ? {} : { routed }),
    lastPass,
    ...(serviceWriter === undefined ? {} : { serviceWriter }),
    ...(statusTruce === undefined ? {} : { statusDisputed: statusTruce }),
    ...(unkept === undefined ? {} : { statusUnkept: unkept }),
    ...(denied === undefined ? {} : { denied }),
  };
}

/** Whether a ready pod of the newest spec may take over from others: only then it matters whom the Service sends calls to. Pure. */
export function isCuttingOver(all: readonly Pod[], performer: PerformerView): boolean {
  const inService = all.filter(isInService);
  const isNew = (pod: Pod): boolean => pod.metadata?.labels?.[labels.revision] === performer.revision;
  const isReady = (pod: Pod): boolean => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  return inService.some((pod) => isNew(pod) && isReady(pod)) && inService.some((pod) => !isNew(pod));
}

function isInService(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp === undefined && pod.metadata?.labels?.[labels.performer] !== undefined;
}

/** The Performer as the plan knows it. Pure. */
export function viewPerformer(performer: Performer): PerformerView {
  const metadata = performer.metadata;
  const parsed = parsePerformerSpec(performer.spec);
  const { managedBy } = (performer.spec ?? {}) as { readonly managedBy?: unknown };
  return {
    uid: metadata?.uid ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    generation: metadata?.generation ?? 0,
    createdAtMs: parseTime(metadata?.creationTimestamp) ?? 0,
    deleting: metadata?.deletionTimestamp !== undefined,
    finalizers: metadata?.finalizers ?? [],
    ...(typeof managedBy === 'string' ? { managedBy } : {}),
    parsed,
    revision: parsed.valid ? computeRevision(parsed.spec) : '',
    status: performer.status,
  };
}

/** Names that "already exists" taught us about: whoever holds them stays in view until it is gone. */
async function readHeldNames(key: ObjectKey, deps: ReconcileDeps, signal: AbortSignal): Promise<readonly Pod[]> {
  const names = deps.world.heldNames.get(keyText(key));
  if (names === undefined) return [];
  const found: Pod[] = [];
  for (const name of names) {
    const pod = await findObject(deps.kube, pods, { namespace: key.namespace, name }, { signal });
    const isListed = pod !== undefined && deps.world.pods.get({ namespace: key.namespace, name })?.metadata?.uid === pod.metadata?.uid;
    if (pod === undefined || isListed) names.delete(name);
    else found.push(projectPod(pod));
  }
  if (names.size === 0) deps.world.heldNames.delete(keyText(key));
  return found;
}

/** After a conflict the view is known to be old: what the next pass reads comes from the API server itself. */
export async function refresh(key: ObjectKey, deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  const { world, kube } = deps;
  await refreshObject(world.performers, kube, performers, key, signal);
  await refreshObject(world.services, kube, services, { namespace: key.namespace, name: serviceName(key.name) }, signal);
  const listed = new Set<string>();
  for (const pod of await listPods(key, countsOut(parsePerformerSpec(world.performers.get(key)?.spec)), kube, signal)) {
    listed.add(keyText(keyOf(pod)));
    world.pods.wrote(pod);
    // One that our lists do not select (it lost the label they go by) stays in view by name.
    if (!isSelected(pod)) holdName(world, key, keyOf(pod).name);
  }
  for (const pod of world.pods.byIndex('performer', keyText(key))) {
    // One that is withdrawn, or lost its labels, no list finds.
    if (!listed.has(keyText(keyOf(pod)))) await refreshObject(world.pods, kube, pods, keyOf(pod), signal);
  }
}

/** Whether pods hold their places also once they are out of the Service, until they run no more for certain. Pure. */
export function countsOut(parsed: PerformerView['parsed'] | undefined): boolean {
  if (parsed?.valid !== true) return false;
  const { recreate, strictNodeLoss } = rulesOf(parsed.spec);
  return recreate || strictNodeLoss;
}

/** The pods the Service selects, and where they count those that were taken out of it, straight from the API server. */
export async function listPods(key: ObjectKey, withOut: boolean, kube: KubeApi, signal: AbortSignal): Promise<readonly Pod[]> {
  const { namespace, name } = key;
  // Of what stays on a pod that is taken out, others find it by the instance.
  const selectors = [`${labels.performer}=${name}`, ...(withOut ? [`${labels.app}=${appLabelValue},${labels.instance}=${name}`] : [])];
  const found = new Map<string, Pod>();
  for (const labelSelector of selectors) {
    const { items } = await kube.list(pods, { namespace, labelSelector, signal });
    for (const pod of items) found.set(pod.metadata?.name ?? '', projectPod(pod));
  }
  return [...found.values()];
}

async function refreshObject<T extends KubeObject>(
  store: ObjectStore<T>,
  kube: KubeApi,
  resource: Resource<T>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<void> {
  // Of before the call: one that an event brings while the answer is on its way is younger than the answer.
  const uid = store.get(key)?.metadata?.uid;
  const live = await findObject(kube, resource, key, { signal });
  if (live !== undefined) store.wrote(live);
  else if (uid !== undefined) store.deleted(key, uid);
}
