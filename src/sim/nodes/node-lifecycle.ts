import { type Node, nodes, type Pod, pods } from '../../kube/objects.ts';
import { formatTime } from '../../lib/time.ts';
import { isNodeReady, type NodeWorld, uidOf, withCondition } from './node-world.ts';
import { hasTaint, outOfService, stayMs, unreachable, withoutTaint, withTaint } from './tolerations.ts';

/** From this share of nodes that are not ready on, of more than two, evictions stop; the controller's default for clusters of up to 50 nodes. */
const unhealthyShare = 0.55;
/** The controller looks at all nodes before it hands out taints. */
const taintDelayMs = 100;

export const nodeReady = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };

/** The node lifecycle controller with its taint evictions: what becomes of nodes whose kubelets fall silent, and of the pods on them. */
export class NodeLifecycle {
  readonly #world: NodeWorld;
  /** All nodes are looked at in the same instants. */
  readonly #pollPhaseMs: number;
  /** Nodes whose kubelets are not heard, by name; the functions stop what is planned for them. */
  readonly #silent = new Map<string, () => void>();
  readonly #evictions = new Map<string, () => void>();
  #nextTaintAtMs = 0;
  #cancelTaints: () => void = () => undefined;

  constructor(world: NodeWorld) {
    this.#world = world;
    this.#pollPhaseMs = world.draw('node-lifecycle', [0, world.timings.nodePollMs - 1]);
    world.onChange(nodes, ({ before, after }) => {
      const isNews = before === undefined || noExecuteOf(before as Node) !== noExecuteOf(after as Node | undefined);
      if (after !== undefined && isNews) this.#reviewNode(after as Node);
      if (after === undefined) this.#planTaints();
    });
    world.onChange(pods, ({ before, after, object }) => {
      if (after === undefined) this.#cancelEviction(uidOf(object));
      else if (before?.spec?.nodeName === undefined && typeof after.spec?.nodeName === 'string') this.#reviewPod(after as Pod);
    });
  }

  /** The kubelet of a node does not renew its Lease any more. */
  silence(name: string): void {
    const { leaseRenewMs, nodeGraceMs } = this.#world.timings;
    const lastRenewalMs = this.#world.nowMs() - this.#world.draw('node-lifecycle', [0, leaseRenewMs]);
    const noticedMs = this.#nextPollMs(lastRenewalMs) + nodeGraceMs;
    this.#silent.get(name)?.();
    this.#silent.set(
      name,
      this.#at(noticedMs, () => this.#lose(name)),
    );
  }

  /** Its kubelet posts status again. */
  hear(name: string): void {
    this.#silent.get(name)?.();
    this.#silent.delete(name);
    this.#world.changeNode(name, (node) => withCondition(node, nodeReady, this.#world.nowMs()));
    this.#world.changeNode(name, (node) => withoutTaint(node, unreachable, 'NoSchedule'));
    this.#at(this.#nextPollMs(this.#world.nowMs()), () => {
      if (!this.#silent.has(name)) this.#world.changeNode(name, (node) => withoutTaint(node, unreachable));
      this.#planTaints();
    });
  }

  #lose(name: string): void {
    const world = this.#world;
    const lost = { status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
    const types = world.node(name)?.status?.conditions?.map(({ type }) => type) ?? [];
    world.changeNode(name, (node) => types.reduce((changed, type) => withCondition(changed, { type, ...lost }, world.nowMs()), node));
    world.changeNode(name, (node) => withTaint(node, { key: unreachable, effect: 'NoSchedule', timeAdded: formatTime(world.nowMs()) }));
    for (const pod of world.podsOn(name)) {
      const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
      if (ready?.status === 'True')
        world.changePod(uidOf(pod), (stored) => withCondition(stored, { ...ready, status: 'False' }, world.nowMs()));
    }
    this.#planTaints();
  }

  /** NoExecute taints come one after another; none while most nodes are lost, and where all are, those that stand go. */
  #planTaints(): void {
    const world = this.#world;
    this.#cancelTaints();
    const atMs = Math.max(world.nowMs() + taintDelayMs, this.#nextTaintAtMs);
    this.#cancelTaints = this.#at(atMs, () => {
      const all = world.nodes();
      const lost = all.filter((node) => !isNodeReady(node));
      if (lost.length === all.length) {
        for (const { metadata } of all) world.changeNode(metadata?.name ?? '', (node) => withoutTaint(node, unreachable, 'NoExecute'));
        return;
      }
      if (lost.length > 2 && lost.length / all.length >= unhealthyShare) return;
      const next = lost.find((node) => !hasTaint(node, unreachable, 'NoExecute'))?.metadata?.name;
      if (next === undefined) return;
      const taint = { key: unreachable, effect: 'NoExecute', timeAdded: formatTime(world.nowMs()) };
      world.changeNode(next, (node) => withTaint(node, taint));
      this.#nextTaintAtMs = world.nowMs() + world.timings.nodeEvictionMs;
      this.#planTaints();
    });
  }

  #reviewNode(node: Node): void {
    for (const pod of this.#world.podsOn(node.metadata?.name ?? '')) this.#reviewPod(pod, node);
  }

  /** Plans when a pod must leave its node, or that it may stay. */
  #reviewPod(pod: Pod, node = this.#world.node(pod.spec?.nodeName ?? '')): void {
    const uid = uidOf(pod);
    const leftMs = node === undefined ? Number.POSITIVE_INFINITY : stayMs(pod, node);
    this.#cancelEviction(uid);
    if (leftMs !== Number.POSITIVE_INFINITY)
      this.#evictions.set(
        uid,
        this.#world.server.clock.timer(leftMs, () => this.#evict(uid)),
      );
  }

  #evict(uid: string): void {
    this.#evictions.delete(uid);
    if (this.#world.pod(uid)?.metadata?.deletionTimestamp !== undefined) return;
    this.#world.disrupt(uid, 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint');
  }

  #cancelEviction(uid: string): void {
    this.#evictions.get(uid)?.();
    this.#evictions.delete(uid);
  }

  #nextPollMs(fromMs: number): number {
    const { nodePollMs } = this.#world.timings;
    return Math.ceil((fromMs - this.#pollPhaseMs) / nodePollMs) * nodePollMs + this.#pollPhaseMs;
  }

  #at(atMs: number, run: () => void): () => void {
    return this.#world.server.clock.timer(atMs - this.#world.nowMs(), run);
  }
}

function noExecuteOf(node: Node | undefined): string {
  const taints = node?.spec?.taints?.filter(({ effect }) => effect === 'NoExecute') ?? [];
  return taints.map(({ key }) => key).join();
}

/** A person's word that the machine of a node is off. */
export function outOfServiceTaint(nowMs: number): { key: string; value: string; effect: string; timeAdded: string } {
  return { key: outOfService, value: 'nodeshutdown', effect: 'NoExecute', timeAdded: formatTime(nowMs) };
}
