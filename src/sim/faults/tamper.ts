import { containerName, firstPodName, labels } from '../../api/v1alpha1/naming.ts';
import { performers } from '../../api/v1alpha1/performer.ts';
import { KubeFault } from '../../kube/faults.ts';
import { type KubeObject, keyOf, type ObjectKey, pods, type Resource, services } from '../../kube/objects.ts';
import type { Json } from '../../lib/canonical-json.ts';
import { kindIdOf } from '../kind-rules.ts';
import type { Call } from '../sim-api.ts';
import type { SimWorld } from '../sim-world.ts';
import { type AnyObject, type JsonObject, objectsOf } from '../stored-object.ts';

/** The one that a draw from [0, 1) falls on. */
export function pick<T>(from: readonly T[], draw: number): T | undefined {
  return from[Math.floor(draw * from.length)];
}

/** Pods of performers, of any state. */
export function pickPod(world: SimWorld, draw: number): AnyObject | undefined {
  return pick(
    world.server.store.list(kindIdOf(pods)).filter(({ metadata }) => metadata.labels?.[labels.app] !== undefined),
    draw,
  );
}

export function ownServices(world: SimWorld): readonly AnyObject[] {
  return world.server.store.list(kindIdOf(services)).filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind === performers.kind);
}

export function ignoreFault(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof KubeFault)) throw error;
  }
}

/** As another client's write: with defaults and checks. What the API server refuses did not happen. */
export function change(world: SimWorld, resource: Resource<KubeObject>, key: ObjectKey, edit: (object: AnyObject) => AnyObject): void {
  const stored = world.server.find(resource, key);
  if (stored === undefined) return;
  ignoreFault(() => {
    const after = world.server.write(resource, stored, edit(stored));
    world.toldByUser('update', resource, key, stored, after);
  });
}

export function touch(world: SimWorld, resource: Resource<KubeObject>, key: ObjectKey): void {
  change(world, resource, key, (one) => {
    const annotations = { ...one.metadata.annotations, 'example.com/touched': String(world.operatorWrites) };
    return { ...one, metadata: { ...one.metadata, annotations } };
  });
}

/** Somebody else makes an object of that name first: a stranger's. */
export function takeName(world: SimWorld, { resource, key }: Call): void {
  const object = resource.plural === pods.plural ? podOfStrangers : { spec: { ports: [{ port: 80 }] } };
  ignoreFault(() => world.server.create(resource, { ...object, metadata: { ...key, labels: { app: 'stranger' } } } as KubeObject));
  const uid = world.server.find(resource, key)?.metadata.uid;
  world.clock.timer(45_000, () => {
    // By then the name may be ours.
    if (world.server.find(resource, key)?.metadata.uid === uid) world.removeByUser(resource, key, { gracePeriodSeconds: 0 });
  });
}

export const podOfStrangers = { spec: { containers: [{ name: 'main', image: 'stranger:1' }] } } as const;

export function relabel(world: SimWorld, pod: AnyObject, label: string, value: string | undefined): void {
  change(world, pods, keyOf(pod), (one) => {
    const { [label]: _old, ...rest } = one.metadata.labels ?? {};
    return { ...one, metadata: { ...one.metadata, labels: value === undefined ? rest : { ...rest, [label]: value } } };
  });
}

export function swapImage(world: SimWorld, pod: AnyObject): void {
  change(world, pods, keyOf(pod), (one) => {
    const containers = (one.spec?.containers ?? []) as unknown as readonly Record<string, Json>[];
    return { ...one, spec: { ...one.spec, containers: containers.map((container) => ({ ...container, image: 'swapped:1' })) } };
  });
}

/** Somebody's selector, ports beside ours, one of theirs alone, or ours under another name. */
export function editService(world: SimWorld, service: AnyObject, draw: number): void {
  const ports = objectsOf(service.spec?.ports);
  const own = ports[0] ?? {};
  const edits: readonly JsonObject[] = [
    { selector: { app: 'somebody-else' } },
    { ports: [...ports, { name: 'metrics', port: 9_100 }, { name: 'quic', port: own.port ?? 0, protocol: 'UDP' }] },
    { ports: [{ port: 80 }] },
    { ports: [{ ...own, name: 'web' }] },
  ];
  const edit = edits[Math.floor(draw * 1_000_000) % edits.length] ?? {};
  change(world, services, keyOf(service), (one) => ({ ...one, spec: { ...one.spec, ...edit } }));
}

/** The original puts its own Service in the place of what is there, each pass. */
export function asTheOriginalWrites(world: SimWorld, service: AnyObject): void {
  const name = service.metadata.ownerReferences?.[0]?.name ?? '';
  const ports = ((service.spec?.ports ?? []) as unknown as readonly Record<string, Json>[]).slice(0, 1).map((port) => ({
    name: 'grpc',
    protocol: 'TCP',
    port: port.port ?? 8080,
    targetPort: port.port ?? 8080,
  }));
  const own = { [labels.app]: 'hourglass-performer', [labels.performer]: name };
  change(world, services, keyOf(service), (one) => ({
    ...one,
    metadata: { ...one.metadata, labels: own },
    spec: { ...one.spec, selector: own, ports },
  }));
  // It knows a pod by one name only, and makes the one that it does not find.
  const { namespace = '', ownerReferences = [] } = service.metadata;
  const [owner, podKey] = [
    world.server.find(performers as Resource<KubeObject>, { namespace, name }),
    { namespace, name: firstPodName(name) },
  ];
  if (owner === undefined || owner.metadata.deletionTimestamp !== undefined || world.server.find(pods, podKey) !== undefined) return;
  const containers = [{ name: containerName, image: owner.spec?.image ?? '' }];
  ignoreFault(() =>
    world.server.create(pods, { metadata: { ...podKey, labels: own, ownerReferences }, spec: { containers } } as KubeObject),
  );
}

export function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _gone, ...rest } = object;
  return rest;
}
