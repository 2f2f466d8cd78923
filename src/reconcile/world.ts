import { annotations, performerPodsSelector } from '../api/v1alpha1/naming.ts';
import { type Performer, performers } from '../api/v1alpha1/performer.ts';
import { type KubeObject, keyOf, keyText, type ObjectKey, type Pod, pods, type Service, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { type Reflector, startReflector } from '../kube/reflector.ts';
import { ObjectStore } from '../kube/store.ts';
import type { Clock } from '../lib/clock.ts';
import { performerOwnerOf } from './plan/owner.ts';
import { performerIndex, performersOf } from './triggers.ts';

/** What is known of the cluster: filled by lists and watches, overlaid by our own writes. */
export interface World {
  readonly performers: ObjectStore<Performer>;
  readonly pods: ObjectStore<Pod>;
  readonly services: ObjectStore<Service>;
}

export function createWorld(): World {
  return {
    performers: new ObjectStore<Performer>(),
    pods: new ObjectStore<Pod>({ indexes: { performer: performerIndex }, project: projectPod }),
    services: new ObjectStore<Service>(),
  };
}

/** Fills the world by one consistent list per kind, all three at once. */
export async function listWorld(world: World, kube: KubeApi, namespace: string | undefined, signal: AbortSignal): Promise<void> {
  const scope = { ...(namespace === undefined ? {} : { namespace }), signal };
  const [performerList, podList, serviceList] = await Promise.all([
    kube.list(performers, scope),
    kube.list(pods, { ...scope, labelSelector: performerPodsSelector }),
    kube.list(services, scope),
  ]);
  world.performers.replace(performerList);
  world.pods.replace(podList);
  world.services.replace(serviceList);
}

export interface WatchWorldOptions {
  readonly kube: KubeApi;
  readonly clock: Clock;
  readonly namespace: string | undefined;
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** The first failed list ends it, instead of being tried again. */
  readonly failFirstList?: boolean;
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Keeps the world filled until `signal` aborts. */
export function watchWorld(world: World, options: WatchWorldOptions): readonly Reflector[] {
  const { namespace, ...rest } = options;
  const scope = { ...rest, ...(namespace === undefined ? {} : { namespace }) };
  return [
    startReflector({ ...scope, resource: performers, store: world.performers }),
    startReflector({ ...scope, resource: pods, store: world.pods, labelSelector: performerPodsSelector }),
    startReflector({ ...scope, resource: services, store: world.services }),
  ];
}

/** Calls `wake` with the key of every Performer a change concerns; old and new object count, so that a dropped owner is looked at too. */
export function onWorldChange(world: World, wake: (key: ObjectKey) => void): void {
  world.performers.onChange((before, after) => {
    const object = after ?? before;
    if (object !== undefined) wake(keyOf(object));
  });
  const wakeOwners = (before: KubeObject | undefined, after: KubeObject | undefined): void => {
    for (const object of [before, after]) {
      if (object === undefined) continue;
      for (const key of performersOf(object)) {
        // Services of other people outnumber ours by far.
        if (world.performers.get(key) !== undefined || performerOwnerOf(object) !== undefined) wake(key);
      }
    }
  };
  world.pods.onChange(wakeOwners);
  world.services.onChange(wakeOwners);
}

/** Every Performer, and every name whose Performer is gone while a child of it is left. In key order. */
export function listKeys(world: World): readonly ObjectKey[] {
  const keys = new Map<string, ObjectKey>();
  for (const performer of world.performers.list()) keys.set(keyText(keyOf(performer)), keyOf(performer));
  for (const child of [...world.pods.list(), ...world.services.list()]) {
    const owner = performerOwnerOf(child);
    if (owner === undefined) continue;
    const key = { namespace: child.metadata?.namespace ?? '', name: owner.name };
    keys.set(keyText(key), key);
  }
  return [...keys.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}

/** What decisions need of a pod, a twentieth of its bytes; environment values never come into memory. Pure. */
export function projectPod(pod: Pod): Pod {
  const { metadata, spec, status } = pod;
  const withdrawnAt = metadata?.annotations?.[annotations.withdrawnAt];
  return {
    ...(pod.apiVersion === undefined ? {} : { apiVersion: pod.apiVersion }),
    ...(pod.kind === undefined ? {} : { kind: pod.kind }),
    metadata: pick(
      {
        ...metadata,
        ...(withdrawnAt === undefined ? { annotations: undefined } : { annotations: { [annotations.withdrawnAt]: withdrawnAt } }),
      },
      ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'labels', 'annotations', 'ownerReferences'],
    ),
    spec: {
      ...pick(spec ?? { containers: [] }, ['nodeName']),
      containers: (spec?.containers ?? []).map((container) => pick(container, ['name', 'image', 'ports'])),
    },
    status: {
      ...pick(status ?? {}, ['phase', 'podIP', 'reason', 'message']),
      ...(status?.conditions === undefined
        ? {}
        : {
            conditions: status.conditions
              .filter((condition) => condition.type === 'Ready' || condition.type === 'PodScheduled')
              .map((condition) => pick(condition, ['type', 'status', 'reason', 'message', 'lastTransitionTime'])),
          }),
      ...(status?.containerStatuses === undefined
        ? {}
        : {
            containerStatuses: status.containerStatuses.map((container) =>
              pick(container, ['name', 'image', 'imageID', 'ready', 'started', 'restartCount', 'state', 'lastState']),
            ),
          }),
    },
  } as Pod;
}

function pick<T extends object, K extends keyof T>(object: T, fields: readonly K[]): Pick<T, K> {
  return Object.fromEntries(fields.flatMap((field) => (object[field] === undefined ? [] : [[field, object[field]]]))) as Pick<T, K>;
}
