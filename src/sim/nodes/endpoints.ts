import {
  type EndpointSlice,
  endpointSlices,
  keyOf,
  keyText,
  namespaces,
  type ObjectKey,
  type Pod,
  pods,
  type Service,
  services,
} from '../../kube/objects.ts';
import { hashHex } from '../../lib/hash.ts';
import { isEnded } from '../../oracle/words.ts';
import type { AnyObject } from '../stored-object.ts';
import { type NodeWorld, uidOf } from './node-world.ts';

export type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

/** One state of a Service's endpoints, and when each node's kube-proxy would have it: drawn when it is first asked for. */
interface Version {
  readonly atMs: number;
  readonly endpoints: readonly Endpoint[];
  readonly lagMs: Map<string, number>;
}

interface Proxy {
  /** Since when it has had its watches without a break. */
  sinceMs: number;
  online: boolean;
  /** By Service: how many of its versions have come to pass here. */
  readonly applied: Map<string, number>;
}

/** The EndpointSlice controller, one slice per Service, and what each node's kube-proxy has heard of it. */
export class Endpoints {
  readonly #world: NodeWorld;
  readonly #services = new Map<string, Service>();
  readonly #due = new Set<string>();
  readonly #versions = new Map<string, Version[]>();
  readonly #proxies = new Map<string, Proxy>();

  constructor(world: NodeWorld) {
    this.#world = world;
    const { server } = world;
    if (!server.resources().includes(endpointSlices)) server.register(endpointSlices, { statusSubresource: false, countsGeneration: true });
    world.onChange(services, ({ after, object }) => {
      if (after === undefined) this.#services.delete(uidOf(object));
      else this.#services.set(uidOf(object), after as Service);
      this.#touch(object as Service);
    });
    world.onChange(pods, (change) => {
      const [before, after] = [change.before, change.after] as (Pod | undefined)[];
      if (routeOf(before) === routeOf(after)) return;
      for (const service of this.#services.values()) if (selects(service, before) || selects(service, after)) this.#touch(service);
    });
    // A slice of another hand counts like our own: kube-proxies see what is stored.
    world.onChange(endpointSlices, ({ after, object }) => {
      const service = object.metadata.labels?.['kubernetes.io/service-name'];
      if (service === undefined) return;
      const key = keyText({ namespace: object.metadata.namespace ?? '', name: service });
      const versions = this.#versions.get(key) ?? [];
      this.#versions.set(key, versions);
      versions.push({ atMs: world.nowMs(), endpoints: (after as EndpointSlice | undefined)?.endpoints ?? [], lagMs: new Map() });
    });
  }

  /** A node's kube-proxy has its watches, from now on. */
  connect(node: string): void {
    const applied = this.#proxies.get(node)?.applied ?? new Map<string, number>();
    this.#proxies.set(node, { sinceMs: this.#proxies.has(node) ? this.#world.nowMs() : 0, online: true, applied });
  }

  /** Whether its rules are no older than any node's may be. */
  isCurrent(node: string): boolean {
    const proxy = this.#proxies.get(node);
    return proxy?.online === true && this.#world.nowMs() >= proxy.sinceMs + this.#world.timings.kubeProxy[1];
  }

  /** Its rules stay as they are. */
  disconnect(node: string): void {
    for (const key of this.#versions.keys()) this.#endpointsAt(node, key);
    const proxy = this.#proxies.get(node);
    if (proxy !== undefined) proxy.online = false;
  }

  /** Where the rules of a node send a call of that Service: one of its ready endpoints, or where there is none, of those that still serve while they end. */
  pick(node: string, service: ObjectKey): Endpoint | undefined {
    const known = this.#endpointsAt(node, keyText(service));
    const ready = known.filter(({ conditions }) => conditions?.ready === true);
    const serving = known.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
    return this.#world.pick('kube-proxy', ready.length > 0 ? ready : serving);
  }

  #endpointsAt(node: string, key: string): readonly Endpoint[] {
    const versions = this.#versions.get(key) ?? [];
    const proxy = this.#proxies.get(node);
    const applied = proxy?.applied.get(key) ?? 0;
    let count = applied;
    if (proxy?.online === true) {
      for (let next = versions.length; next > applied && count === applied; next -= 1) {
        const { atMs, lagMs } = versions[next - 1] as Version;
        const lag = lagMs.get(node) ?? this.#world.draw('kube-proxy', this.#world.timings.kubeProxy);
        lagMs.set(node, lag);
        if (Math.max(atMs, proxy.sinceMs) + lag <= this.#world.nowMs()) count = next;
      }
      proxy.applied.set(key, count);
    }
    return versions[count - 1]?.endpoints ?? [];
  }

  #touch(service: Service): void {
    const uid = uidOf(service);
    if (this.#due.has(uid)) return;
    this.#due.add(uid);
    this.#world.after('endpoints', this.#world.timings.endpoints, () => {
      this.#due.delete(uid);
      const stored = this.#world.server.store.findByUid(uid);
      if (stored !== undefined && stored.metadata.deletionTimestamp === undefined) this.#publish(stored as Service);
    });
  }

  #publish(service: Service): void {
    const { server } = this.#world;
    const selected = this.#world.pods().filter((pod) => selects(service, pod) && pod.status?.podIP && !isEnded(pod));
    const endpoints = selected.map(endpointOf);
    const { namespace, name } = keyOf(service);
    const key = { namespace, name: `${name}-${hashHex(uidOf(service)).slice(0, 5)}` };
    const slice = { addressType: 'IPv4', endpoints, ports: portsOf(service, selected[0]) };
    const stored = server.find(endpointSlices, key);
    const home = server.find(namespaces, { namespace: '', name: namespace });
    if (stored !== undefined) server.overwrite(endpointSlices, stored, { ...stored, ...slice } as AnyObject);
    else if (home?.metadata.deletionTimestamp === undefined) {
      const controller = { apiVersion: 'v1', kind: 'Service', name, uid: uidOf(service), controller: true, blockOwnerDeletion: true };
      const labels = { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' };
      server.create(endpointSlices, { metadata: { ...key, labels, ownerReferences: [controller] }, ...slice } as EndpointSlice);
    }
  }
}

/** All of a pod that its endpoints depend on. */
function routeOf(pod: Pod | undefined): string {
  return pod === undefined ? '' : JSON.stringify([pod.metadata?.labels, endpointOf(pod), isEnded(pod)]);
}

function selects(service: Service, pod: Pod | undefined): boolean {
  const wanted = Object.entries(service.spec?.selector ?? {});
  if (pod === undefined || wanted.length === 0 || pod.metadata?.namespace !== service.metadata?.namespace) return false;
  return wanted.every(([key, value]) => pod.metadata?.labels?.[key] === value);
}

function endpointOf(pod: Pod): Endpoint {
  const serving = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: serving && !terminating, serving, terminating },
    nodeName: pod.spec?.nodeName ?? '',
    targetRef: { kind: 'Pod', ...keyOf(pod), uid: uidOf(pod) },
  };
}

function portsOf(service: Service, pod: Pod | undefined): EndpointSlice['ports'] {
  const named = pod?.spec?.containers?.flatMap(({ ports = [] }) => ports) ?? [];
  return (service.spec?.ports ?? []).map(({ name = '', protocol = 'TCP', targetPort, port }) => {
    const target: unknown = targetPort;
    const number = typeof target === 'number' ? target : (named.find((one) => one.name === target)?.containerPort ?? port);
    return { name, protocol, port: number };
  });
}
