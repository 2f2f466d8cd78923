import { type KubeObject, type Node, nodes, type Pod, pods, type Resource } from '../../kube/objects.ts';
import { formatTime } from '../../lib/time.ts';
import type { Chance } from '../chance.ts';
import { kindIdOf } from '../kind-rules.ts';
import type { MemoryServer } from '../memory-server.ts';
import type { Change } from '../memory-store.ts';
import type { AnyObject } from '../stored-object.ts';
import type { NodeTimings, Range } from './timings.ts';

export interface NodeWorldOptions {
  readonly server: MemoryServer;
  readonly chance: (purpose: string) => Chance;
  readonly timings: NodeTimings;
}

/** What a node, or its lack, does to a pod that nobody asked to go. */
type DisruptionReason =
  | 'DeletionByPodGC'
  | 'DeletionByTaintManager'
  | 'EvictionByEvictionAPI'
  | 'PreemptionByScheduler'
  | 'TerminationByKubelet';

/** The cluster as its scheduler, kubelets and controllers use it. A reaction to a change always waits for a timer: listeners see changes in their order. */
export class NodeWorld {
  readonly server: MemoryServer;
  readonly timings: NodeTimings;
  readonly #chance: (purpose: string) => Chance;
  readonly #pods = new Map<string, Pod>();
  #addresses = 0;

  constructor({ server, chance, timings }: NodeWorldOptions) {
    this.server = server;
    this.timings = timings;
    this.#chance = chance;
    for (const pod of server.store.list(kindIdOf(pods))) this.#pods.set(uidOf(pod), pod as Pod);
    this.onChange(pods, ({ after, object }) => {
      if (after === undefined) this.#pods.delete(uidOf(object));
      else this.#pods.set(uidOf(after), after as Pod);
    });
  }

  nowMs(): number {
    return this.server.clock.nowMs();
  }

  draw(purpose: string, [least, most]: Range): number {
    return this.#chance(purpose).int(least, most);
  }

  hits(purpose: string, probability: number): boolean {
    return this.#chance(purpose).hits(probability);
  }

  pick<T>(purpose: string, from: readonly T[]): T | undefined {
    return from.length === 0 ? undefined : this.#chance(purpose).pick(from);
  }

  /** Runs something after a time drawn for that purpose; the returned function cancels it. */
  after(purpose: string, range: Range, run: () => void): () => void {
    return this.server.clock.timer(this.draw(purpose, range), run);
  }

  onChange(resource: Resource<KubeObject>, listener: (change: Change) => void): void {
    const kindId = kindIdOf(resource);
    this.server.store.onChange((change) => {
      if (change.kindId === kindId) listener(change);
    });
  }

  /** In the order of their creation. */
  pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  podsOn(node: string): readonly Pod[] {
    return this.pods().filter((pod) => pod.spec?.nodeName === node);
  }

  pod(uid: string): Pod | undefined {
    return this.#pods.get(uid);
  }

  nodes(): readonly Node[] {
    return this.server.store.list(kindIdOf(nodes));
  }

  node(name: string): Node | undefined {
    return this.server.find(nodes, { namespace: '', name });
  }

  changePod(uid: string, change: (pod: Pod) => Pod): void {
    const pod = this.pod(uid);
    if (pod !== undefined) this.server.overwrite(pods, pod as AnyObject, change(pod) as AnyObject);
  }

  changeNode(name: string, change: (node: Node) => Node): void {
    const node = this.node(name);
    if (node !== undefined) this.server.overwrite(nodes, node as AnyObject, change(node) as AnyObject);
  }

  /** @param gracePeriodSeconds the pod's own where there is none; 0 ends it at once */
  deletePod(uid: string, gracePeriodSeconds?: number): void {
    const pod = this.pod(uid);
    if (pod !== undefined) this.server.remove(pods, pod as AnyObject, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
  }

  /** Says why a pod goes, then deletes it with its grace. */
  disrupt(uid: string, reason: DisruptionReason, message: string): void {
    this.changePod(uid, (pod) => withCondition(pod, { type: 'DisruptionTarget', status: 'True', reason, message }, this.nowMs()));
    this.deletePod(uid);
  }

  /** An address that no pod had before. */
  nextAddress(): string {
    this.#addresses += 1;
    return `10.244.${Math.floor(this.#addresses / 250) % 250}.${(this.#addresses % 250) + 1}`;
  }
}

export function uidOf(object: KubeObject): string {
  return object.metadata?.uid ?? '';
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Conditioned extends KubeObject {
  readonly status?: { readonly conditions?: readonly (Condition & { readonly lastTransitionTime?: string })[] };
}

/** The object with one condition set; its time moves only with its status. Pure. */
export function withCondition<T extends Conditioned>(object: T, condition: Condition, nowMs: number): T {
  const conditions = object.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === condition.type);
  const isSame = before?.status === condition.status && before.lastTransitionTime !== undefined;
  const set = { ...condition, lastTransitionTime: isSame ? before.lastTransitionTime : formatTime(nowMs) };
  const others = before === undefined ? [...conditions, set] : conditions.map((one) => (one === before ? set : one));
  return { ...object, status: { ...object.status, conditions: others } };
}

export function isNodeReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
