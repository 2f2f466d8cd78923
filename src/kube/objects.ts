import type {
  CoreV1Event,
  V1EndpointSlice,
  V1Lease,
  V1Namespace,
  V1Node,
  V1ObjectMeta,
  V1OwnerReference,
  V1Pod,
  V1Service,
} from '@kubernetes/client-node';

/**
 * A client-node model as the JSON that travels: times are RFC 3339 strings, everything is readonly.
 * Only types are taken from client-node; nothing of it is loaded at run time.
 */
export type PlainJson<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly PlainJson<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: PlainJson<T[Key]> }
      : T;

export type ObjectMeta = PlainJson<V1ObjectMeta>;
export type OwnerReference = PlainJson<V1OwnerReference>;
export type Pod = PlainJson<V1Pod>;
export type Service = PlainJson<V1Service>;
export type Node = PlainJson<V1Node>;
export type Namespace = PlainJson<V1Namespace>;
export type Lease = PlainJson<V1Lease>;
export type EndpointSlice = PlainJson<V1EndpointSlice>;
export type CoreEvent = PlainJson<CoreV1Event>;

/** What every object has that can be stored. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
}

/** Where an object lives. `namespace` is '' for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** A kind the API serves. The type parameter says which objects its calls carry; it exists for the compiler only. */
export interface Resource<T extends KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly __object?: T;
}

export const pods: Resource<Pod> = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
export const services: Resource<Service> = { group: '', version: 'v1', kind: 'Service', plural: 'services', namespaced: true };
export const nodes: Resource<Node> = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };
export const namespaces: Resource<Namespace> = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
export const coreEvents: Resource<CoreEvent> = { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true };
export const endpointSlices: Resource<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
};
export const leases: Resource<Lease> = { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', namespaced: true };

/** `group/version`, or the version alone for the core group: what `apiVersion` holds. Pure. */
export function apiVersionOf(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `namespace/name`, or the name alone for cluster-scoped objects: for messages and as a map key. Pure. */
export function keyText(key: ObjectKey): string {
  return key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

/** The key of a stored object. */
export function keyOf(object: KubeObject): ObjectKey {
  return { namespace: object.metadata?.namespace ?? '', name: object.metadata?.name ?? '' };
}

/** The owner that controls the object, if any. Pure. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}
