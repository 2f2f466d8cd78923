import { serviceName } from '../../api/v1alpha1/naming.ts';
import { type Node, nodes, type ObjectKey, pods } from '../../kube/objects.ts';
import { formatTime } from '../../lib/time.ts';
import type { Answer, Instance } from '../../oracle/oracle.ts';
import type { AnyObject } from '../stored-object.ts';
import { Endpoints } from './endpoints.ts';
import { Kubelet } from './kubelet.ts';
import { NodeLifecycle, nodeReady, outOfServiceTaint } from './node-lifecycle.ts';
import { isNodeReady, NodeWorld, type NodeWorldOptions, uidOf } from './node-world.ts';
import { PodGc } from './pod-gc.ts';
import type { PodWorker } from './pod-worker.ts';
import { Scheduler } from './scheduler.ts';
import { outOfService, unschedulable, withoutTaint, withTaint } from './tolerations.ts';

export interface SimNodesOptions extends NodeWorldOptions {
  readonly count: number;
  /** What sets a node apart, by its number from 0; its allocatable resources count besides those every node has. */
  readonly describe?: (index: number) => {
    readonly labels?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
  };
}

interface Machine {
  readonly name: string;
  readonly index: number;
  kubelet: Kubelet;
  powered: boolean;
  cut: boolean;
  /** In touch with the API server: neither cut nor off, and caught up since. */
  online: boolean;
  rebooted: boolean;
  condemned: boolean;
  cancelReturn: () => void;
}

/**
 * The nodes of a cluster in memory, `node-1` and up, with the controllers that look after them and their pods: scheduler, kubelets, node
 * lifecycle, PodGC, EndpointSlices, kube-proxies. Faults come by method; those that do not apply (to a node that is gone) do nothing.
 */
export class SimNodes {
  readonly #world: NodeWorld;
  readonly #options: SimNodesOptions;
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #lifecycle: NodeLifecycle;
  readonly #endpoints: Endpoints;
  readonly #listeners = new Set<() => void>();
  readonly #sick = new Set<string>();
  #instances: readonly Instance[] | undefined = [];

  constructor(options: SimNodesOptions) {
    this.#options = options;
    const world = new NodeWorld(options);
    this.#world = world;
    this.#lifecycle = new NodeLifecycle(world);
    this.#endpoints = new Endpoints(world);
    new PodGc(world);
    const names = Array.from({ length: options.count }, (_, index) => `node-${index + 1}`);
    this.#machines = new Map(names.map((name, index) => [name, this.#build(name, index)]));
    for (const machine of this.#machines.values()) this.#register(machine);
    world.onChange(pods, (change) => {
      const node = (change.after ?? change.before)?.spec?.nodeName;
      if (typeof node === 'string') this.#machines.get(node)?.kubelet.podChanged(change);
    });
    new Scheduler(world);
  }

  names(): readonly string[] {
    return [...this.#machines.keys()];
  }

  /** Kubelet and kube-proxy lose the API server; containers run on and serve. */
  cut(node: string): void {
    const machine = this.#get(node);
    machine.cut = true;
    this.#disconnect(machine);
  }

  heal(node: string): void {
    const machine = this.#get(node);
    machine.cut = false;
    this.#reconnect(machine);
  }

  /** Containers end at once, and nobody is told. */
  powerOff(node: string): void {
    const machine = this.#get(node);
    if (!machine.powered) return;
    machine.powered = false;
    machine.rebooted = true;
    this.#disconnect(machine);
    machine.kubelet.powerOff();
  }

  /** The kubelet starts again what is still bound to it. A Node that was removed joins anew. */
  powerOn(node: string): void {
    const machine = this.#get(node);
    if (machine.powered) return;
    machine.powered = true;
    machine.condemned = false;
    this.#world.changeNode(node, (stored) => withoutTaint(stored, outOfService));
    this.#reconnect(machine);
  }

  /** The cloud ends the machine and its Node. */
  removeNode(node: string): void {
    this.powerOff(node);
    const stored = this.#world.node(node);
    if (stored !== undefined) this.#world.server.remove(nodes, stored as AnyObject);
  }

  /** A person makes sure that the machine is off, and says so once its Node is NotReady. */
  taintOutOfService(node: string): void {
    this.powerOff(node);
    this.#get(node).condemned = true;
    this.#condemn(node);
  }

  /** Cordons the node and evicts its pods, each with its grace. */
  drain(node: string): void {
    const now = formatTime(this.#world.nowMs());
    this.#world.changeNode(node, (stored) =>
      withTaint({ ...stored, spec: { ...stored.spec, unschedulable: true } }, { key: unschedulable, effect: 'NoSchedule', timeAdded: now }),
    );
    for (const pod of this.#world.podsOn(node)) {
      if (pod.metadata?.deletionTimestamp === undefined) this.#world.disrupt(uidOf(pod), 'EvictionByEvictionAPI', 'Eviction API: evicting');
    }
  }

  uncordon(node: string): void {
    this.#world.changeNode(node, (stored) => {
      const { unschedulable: _cordoned, ...spec } = withoutTaint(stored, unschedulable).spec ?? {};
      return { ...stored, spec };
    });
  }

  killContainer(podUid: string): void {
    this.#worker(podUid)?.kill();
  }

  /** The kubelet takes the pod's memory back: it stays as Failed. */
  evict(podUid: string): void {
    this.#worker(podUid)?.fail('Evicted', 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi.');
  }

  /** A pod of higher priority takes its place: by the scheduler, which deletes it, or by the kubelet for a critical pod, which fails it. */
  preempt(podUid: string): void {
    if (this.#world.hits('preemption', 0.5)) this.#worker(podUid)?.fail('Preempting', 'Preempted in order to admit critical pod');
    else if (this.#world.pod(podUid)?.metadata?.deletionTimestamp === undefined)
      this.#world.disrupt(podUid, 'PreemptionByScheduler', 'default-scheduler: preempting to accommodate a higher priority pod');
  }

  /** Whether the pod's container answers, its probes included. */
  setReady(podUid: string, ready: boolean): void {
    if (ready) this.#sick.delete(podUid);
    else this.#sick.add(podUid);
    this.#worker(podUid)?.setSick(!ready);
  }

  /** What runs of Performers, whatever the API server believes. */
  instances(): readonly Instance[] {
    this.#instances ??= [...this.#machines.values()].flatMap(({ name, kubelet }) =>
      kubelet.workers.flatMap(({ running, uid, performer }) =>
        running && performer !== undefined ? [{ podUid: uid, key: performer, node: name }] : [],
      ),
    );
    return this.#instances;
  }

  /** Calls in the instant of each change; the returned function ends that. */
  onInstances(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** One call of a client on `from` through the Service of that Performer, by what the node's kube-proxy knows. */
  call(key: ObjectKey, from: string): Answer {
    const client = this.#get(from);
    const endpoint = this.#endpoints.pick(from, { namespace: key.namespace, name: serviceName(key.name) });
    const target = this.#machines.get(endpoint?.nodeName ?? '');
    const worker = target?.kubelet.worker(endpoint?.targetRef?.uid ?? '');
    const answers = client.powered && worker?.answers === true;
    // A kube-proxy that has just come back is still one of the inside.
    const insideCut = !client.powered || !this.#endpoints.isCurrent(from) || (target?.powered === true && !target.online);
    const routed = endpoint !== undefined;
    return { atMs: this.#world.nowMs(), key, from, podUid: answers ? worker.uid : undefined, routed, insideCut };
  }

  /** Ends every fault. */
  healAll(): void {
    for (const { name } of this.#machines.values()) {
      this.powerOn(name);
      this.heal(name);
      this.uncordon(name);
    }
    for (const uid of this.#sick) this.setReady(uid, true);
  }

  #get(node: string): Machine {
    const machine = this.#machines.get(node);
    if (machine === undefined) throw new RangeError(`there is no node ${node}`);
    return machine;
  }

  #worker(podUid: string): PodWorker | undefined {
    for (const { kubelet, powered } of this.#machines.values()) {
      const worker = powered ? kubelet.worker(podUid) : undefined;
      if (worker !== undefined) return worker;
    }
    return undefined;
  }

  #build(name: string, index: number): Machine {
    const kubelet = this.#buildKubelet(name, index);
    const state = { powered: true, cut: false, online: true, rebooted: false, condemned: false };
    return { name, index, kubelet, ...state, cancelReturn: () => undefined };
  }

  #buildKubelet(name: string, index: number): Kubelet {
    return new Kubelet(this.#world, name, `192.0.2.${index + 1}`, () => {
      this.#instances = undefined;
      for (const listener of this.#listeners) listener();
    });
  }

  /** The machine joins the cluster as a Node of its own. */
  #register({ name, index, kubelet }: Machine): void {
    const { labels, allocatable } = this.#options.describe?.(index) ?? {};
    const now = formatTime(this.#world.nowMs());
    const condition = (type: string, status: string, reason: string) => ({ type, status, reason, lastTransitionTime: now });
    const resources = { cpu: '16', memory: '64Gi', pods: '110', ...allocatable };
    const node: Node = {
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...labels } },
      status: {
        conditions: [
          condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
          condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
          { ...nodeReady, lastTransitionTime: now },
        ],
        addresses: [{ type: 'InternalIP', address: kubelet.hostIP }],
        capacity: resources,
        allocatable: resources,
      },
    };
    this.#world.server.create(nodes, node);
    this.#endpoints.connect(name);
  }

  #disconnect(machine: Machine): void {
    machine.cancelReturn();
    if (!machine.online) return;
    machine.online = false;
    machine.kubelet.disconnect();
    this.#endpoints.disconnect(machine.name);
    this.#lifecycle.silence(machine.name);
  }

  #reconnect(machine: Machine): void {
    if (!machine.powered || machine.cut || machine.online) return;
    machine.cancelReturn();
    machine.cancelReturn = this.#world.after('kubelet', this.#world.timings.catchUp, () => {
      machine.online = true;
      const isNew = this.#world.node(machine.name) === undefined;
      if (isNew) {
        machine.kubelet = this.#buildKubelet(machine.name, machine.index);
        this.#register(machine);
      }
      this.#lifecycle.hear(machine.name);
      this.#endpoints.connect(machine.name);
      if (machine.rebooted && !isNew) machine.kubelet.boot();
      machine.rebooted = false;
      machine.kubelet.connect();
    });
  }

  #condemn(node: string): void {
    const stored = this.#world.node(node);
    if (stored === undefined || !this.#get(node).condemned) return;
    if (isNodeReady(stored)) this.#world.server.clock.timer(this.#world.timings.nodePollMs, () => this.#condemn(node));
    else this.#world.changeNode(node, (seen) => withTaint(seen, outOfServiceTaint(this.#world.nowMs())));
  }
}
