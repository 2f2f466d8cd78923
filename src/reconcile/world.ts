import { appLabelValue, labels, performerPodsSelector } from '../api/v1alpha1/naming.ts';
import { type Performer, performers } from '../api/v1alpha1/performer.ts';
import { isKubeFault, KubeFault } from '../kube/faults.ts';
import {
  type KubeObject,
  keyOf,
  keyText,
  type Node,
  nodes,
  type ObjectKey,
  type Pod,
  pods,
  type Service,
  services,
} from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { type Reflector, startReflector } from '../kube/reflector.ts';
import { ObjectStore } from '../kube/store.ts';
import { type Json, sameJson } from '../lib/canonical-json.ts';
import type { Clock } from '../lib/clock.ts';
import { performerOwnerOf } from './plan/owner.ts';
import { projectNode, projectPod } from './projections.ts';
import { isChildOf, performerIndex, performersOf } from './triggers.ts';

/** What is known of the cluster: filled by lists and watches, overlaid by our own writes. */
export interface World {
  readonly performers: ObjectStore<Performer>;
  readonly pods: ObjectStore<Pod>;
  readonly services: ObjectStore<Service>;
  /** Never filled where nodes may not be read; listed on first need where nothing watches them. */
  readonly nodes: ObjectStore<Node>;
  /** Pod names that no list of ours shows though somebody holds them, per key: read live until they are free. A cache, no more. */
  readonly heldNames: Map<string, Set<string>>;
  /** Whose keys are worked on here. */
  readonly owns: (key: ObjectKey) => boolean;
}

/** @param owns of which Performers it is; default: of all. What cannot matter to one of them is not kept. */
export function createWorld(owns?: (key: ObjectKey) => boolean): World {
  const isOwn = (child: KubeObject): boolean => owns === undefined || isChildOf(owns, child);
  return {
    heldNames: new Map(),
    owns: owns ?? (() => true),
    nodes: new ObjectStore<Node>({ project: projectNode }),
    performers: new ObjectStore<Performer>({ selects: (performer) => owns?.(keyOf(performer)) ?? true }),
    pods: new ObjectStore<Pod>({
      indexes: { performer: performerIndex, node: nodeIndex },
      project: projectPod,
      selects: (pod) => isSelected(pod) && isOwn(pod),
    }),
    services: new ObjectStore<Service>({ selects: isOwn }),
  };
}

/** Fills the world by one consistent list per kind, all three at once. */
export async function listWorld(world: World, kube: KubeApi, namespace: string | undefined, signal: AbortSignal): Promise<void> {
  const scope = { ...(namespace === undefined ? {} : { namespace }), signal };
  const [performerList, podList, serviceList] = await Promise.all([
    kube.list(performers, { ...scope, project: world.performers.project }),
    kube.list(pods, { ...scope, labelSelector: performerPodsSelector, project: world.pods.project }),
    kube.list(services, { ...scope, project: world.services.project }),
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

/**
 * Keeps the world filled until `signal` aborts.
 *
 * @returns the reflectors of what no decision can do without; nodes are watched beside, and lost ones are not seen where they may not be
 */
export function watchWorld(world: World, options: WatchWorldOptions): readonly Reflector[] {
  const { namespace, ...rest } = options;
  const scope = { ...rest, ...(namespace === undefined ? {} : { namespace }) };
  startReflector({ ...rest, kube: patientOf(rest.kube), failFirstList: false, resource: nodes, store: world.nodes });
  return [
    startReflector({ ...scope, resource: performers, store: world.performers }),
    startReflector({ ...scope, resource: pods, store: world.pods, labelSelector: performerPodsSelector }),
    startReflector({ ...scope, resource: services, store: world.services }),
  ];
}

/** Where nodes may not be read they are done without: asked for once a minute, in case somebody grants it. */
function patientOf(kube: KubeApi): Pick<KubeApi, 'list' | 'watch'> {
  const waits = (error: unknown): never => {
    if (!isKubeFault(error, 'forbidden')) throw error;
    throw new KubeFault(error.code, error.message, {
      ...(error.status === undefined ? {} : { status: error.status }),
      retryAfterMs: 60_000,
    });
  };
  return {
    list: (resource, options) => kube.list(resource, options).catch(waits),
    watch: async function* (resource, options) {
      try {
        yield* kube.watch(resource, options);
      } catch (error) {
        waits(error);
      }
    },
  };
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
      for (const key of performersOf(object).filter(world.owns)) {
        // Services of other people outnumber ours by far.
        if (world.performers.get(key) !== undefined || performerOwnerOf(object) !== undefined) wake(key);
      }
    }
  };
  world.pods.onChange((before, after) => {
    // Gone from our list without having been deleted: it may have lost the label the list goes by, and still be selected by the Service.
    if (before !== undefined && after === undefined && before.metadata?.deletionTimestamp === undefined) {
      for (const key of performersOf(before)) if (world.performers.get(key) !== undefined) holdName(world, key, keyOf(before).name);
    }
    wakeOwners(before, after);
  });
  world.services.onChange(wakeOwners);
  world.nodes.onChange((before, after) => {
    // Nodes report all the time; only what pods are judged by counts.
    if (sameJson(signsOf(before), signsOf(after))) return;
    const name = keyOf(after ?? before ?? {}).name;
    for (const pod of world.pods.byIndex('node', name)) wakeOwners(undefined, pod);
  });
}

/** Keeps whoever holds that pod name in view, whatever its labels. */
export function holdName(world: World, key: ObjectKey, name: string): void {
  const names = world.heldNames.get(keyText(key)) ?? new Set<string>();
  names.add(name);
  world.heldNames.set(keyText(key), names);
}

/** Whether the list of pods shows it: one without this label is seen by name only. Pure. */
export function isSelected(pod: Pod): boolean {
  return pod.metadata?.labels?.[labels.app] === appLabelValue;
}

function nodeIndex(pod: Pod): readonly string[] {
  return pod.spec?.nodeName === undefined ? [] : [pod.spec.nodeName];
}

function signsOf(node: Node | undefined): Json {
  return { taints: node?.spec?.taints ?? null, conditions: node?.status?.conditions ?? null } as unknown as Json;
}

/** Every Performer, and every name whose Performer is gone while a child of it is left. In key order. */
export function listKeys(world: World): readonly ObjectKey[] {
  const keys = new Map<string, ObjectKey>();
  for (const performer of world.performers.list()) keys.set(keyText(keyOf(performer)), keyOf(performer));
  for (const child of [...world.pods.list(), ...world.services.list()]) {
    const owner = performerOwnerOf(child);
    if (owner === undefined) continue;
    const key = { namespace: child.metadata?.namespace ?? '', name: owner.name };
    if (world.owns(key)) keys.set(keyText(key), key);
  }
  return [...keys.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}
