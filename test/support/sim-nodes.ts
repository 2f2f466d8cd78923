import {
  type EndpointSlice,
  endpointSlices,
  type KubeObject,
  type Node,
  namespaces,
  nodes,
  type Pod,
  pods,
  type Resource,
  type Service,
  services,
} from '../../src/kube/objects.ts';
import { createChances } from '../../src/sim/chance.ts';
import { kindIdOf } from '../../src/sim/kind-rules.ts';
import { MemoryServer } from '../../src/sim/memory-server.ts';
import { SimNodes, type SimNodesOptions } from '../../src/sim/nodes/sim-nodes.ts';
import { type NodeTimings, stockTimings } from '../../src/sim/nodes/timings.ts';
import { podRules } from '../../src/sim/pod-rules.ts';
import { serviceRules } from '../../src/sim/service-rules.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';

/** Nodes in virtual time, with the few calls a test of them makes. */
export class NodesBed {
  readonly clock = new VirtualClock();
  readonly server = new MemoryServer(this.clock, 'nodes');
  readonly nodes: SimNodes;

  constructor(count: number, { seed = 1, timings = stockTimings, ...more }: Partial<SimNodesOptions> & { seed?: number } = {}) {
    const plain = { statusSubresource: true, countsGeneration: false };
    this.server.register(namespaces, plain);
    this.server.register(nodes, { ...plain, initialStatus: (node) => node.status });
    this.server.register(pods, podRules);
    this.server.register(services, serviceRules());
    this.server.create(namespaces, { metadata: { name: 'default' } });
    this.nodes = new SimNodes({ server: this.server, chance: createChances(seed), timings, count, ...more });
  }

  /** A pod in service of the Performer, and its Service if there is none yet. @returns its uid */
  run(name: string, performer = 'p', change: { tag?: string; spec?: object; annotations?: Record<string, string> } = {}): string {
    const { tag = '1', spec = {}, annotations = {} } = change;
    const labels = { 'hourglass.eigenlayer.io/performer': performer, 'app.kubernetes.io/instance': performer };
    const key = { namespace: 'default', name: `performer-${performer}` };
    if (this.server.find(services, key) === undefined) {
      const selector = { 'hourglass.eigenlayer.io/performer': performer };
      const service: Service = { metadata: key, spec: { selector, ports: [{ name: 'grpc', port: 8080 }] } };
      this.server.create(services, service);
    }
    const container = {
      name: 'performer',
      image: `avs:${tag}`,
      startupProbe: { periodSeconds: 1, failureThreshold: 60 },
      readinessProbe: {},
    };
    const pod: Pod = { metadata: { namespace: 'default', name, labels, annotations }, spec: { containers: [container], ...spec } };
    return this.server.create(pods, pod).metadata.uid ?? '';
  }

  async pass(seconds: number): Promise<void> {
    await this.clock.runUntil(this.clock.monotonicMs() + seconds * 1_000);
  }

  /** Lets time pass until something holds. @returns seconds it took; NaN when it never did */
  async until(holds: () => boolean, limitSeconds = 600): Promise<number> {
    const fromMs = this.clock.monotonicMs();
    if (!holds()) await this.clock.runUntil(fromMs + limitSeconds * 1_000, holds);
    return holds() ? (this.clock.monotonicMs() - fromMs) / 1_000 : Number.NaN;
  }

  pod(uid: string): Pod | undefined {
    return this.server.store.findByUid(uid) as Pod | undefined;
  }

  node(name: string): Node | undefined {
    return this.server.find(nodes, { namespace: '', name });
  }

  delete(uid: string, gracePeriodSeconds?: number): void {
    const stored = this.server.store.findByUid(uid);
    if (stored !== undefined) this.server.remove(pods, stored, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
  }

  isReady(uid: string): boolean {
    return this.condition(uid, 'Ready')?.status === 'True';
  }

  condition(uid: string, type: string) {
    return this.pod(uid)?.status?.conditions?.find((one) => one.type === type);
  }

  container(uid: string) {
    return this.pod(uid)?.status?.containerStatuses?.[0];
  }

  nodeOf(uid: string): string {
    return this.pod(uid)?.spec?.nodeName ?? '';
  }

  /** Effects of the taints of a node with that key. */
  taints(node: string, key = 'node.kubernetes.io/unreachable'): string[] {
    return (this.node(node)?.spec?.taints ?? []).filter((taint) => taint.key === key).map(({ effect }) => effect);
  }

  /** uids of the pods that run on a node, or on any. */
  running(node?: string): string[] {
    return this.nodes
      .instances()
      .filter((one) => node === undefined || one.node === node)
      .map(({ podUid }) => podUid);
  }

  endpoints(performer = 'p'): NonNullable<EndpointSlice['endpoints']> {
    const slices = this.list(endpointSlices).filter(
      (slice) => slice.metadata?.labels?.['kubernetes.io/service-name'] === `performer-${performer}`,
    );
    return slices.flatMap((slice) => slice.endpoints ?? []);
  }

  list<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return this.server.store.list(kindIdOf(resource)) as unknown as T[];
  }
}

export const withTimings = (change: Partial<NodeTimings>): NodeTimings => ({ ...stockTimings, ...change });
