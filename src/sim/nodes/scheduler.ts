import { type Node, nodes, type Pod, pods } from '../../kube/objects.ts';
import { isEnded } from '../../oracle/words.ts';
import { type NodeWorld, uidOf, withCondition } from './node-world.ts';
import { findUntolerated } from './tolerations.ts';

/** Binds pods to a random node of those that fit, and says of the others what stands in the way, in the real scheduler's words. */
export class Scheduler {
  readonly #world: NodeWorld;
  readonly #unschedulable = new Set<string>();
  #retries = false;

  constructor(world: NodeWorld) {
    this.#world = world;
    for (const pod of world.pods()) this.#enqueue(uidOf(pod));
    world.onChange(pods, ({ before, after, object }) => {
      if (after === undefined) this.#unschedulable.delete(uidOf(object));
      if (before === undefined) this.#enqueue(uidOf(object));
      else if (after === undefined || isEnded(after as Pod)) this.#retry();
    });
    world.onChange(nodes, () => this.#retry());
  }

  #enqueue(uid: string): void {
    this.#world.after('scheduler', this.#world.timings.scheduling, () => this.#schedule(uid));
  }

  #retry(): void {
    if (this.#retries || this.#unschedulable.size === 0) return;
    this.#retries = true;
    this.#world.after('scheduler', this.#world.timings.scheduling, () => {
      this.#retries = false;
      // Each that finds no place again comes back into the set.
      const waiting = [...this.#unschedulable];
      for (const uid of waiting) this.#schedule(uid);
    });
  }

  #schedule(uid: string): void {
    const world = this.#world;
    const pod = world.pod(uid);
    this.#unschedulable.delete(uid);
    if (pod === undefined || pod.spec?.nodeName !== undefined || pod.metadata?.deletionTimestamp !== undefined) return;
    const all = world.nodes();
    const obstacles = all.map((node) => findObstacle(pod, node, world.podsOn(node.metadata?.name ?? '')));
    const nodeName = world.pick(
      'scheduler',
      all.filter((_, index) => obstacles[index] === undefined),
    )?.metadata?.name;
    if (nodeName === undefined) {
      this.#unschedulable.add(uid);
      const told = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: unschedulableMessage(obstacles) };
      world.changePod(uid, (stored) => withCondition(stored, told, world.nowMs()));
    } else {
      const bound = { type: 'PodScheduled', status: 'True' };
      world.changePod(uid, (stored) => {
        const spec = { containers: [], ...stored.spec, nodeName };
        return withCondition({ ...stored, spec }, bound, world.nowMs());
      });
    }
  }
}

function unschedulableMessage(obstacles: readonly (string | undefined)[]): string {
  if (obstacles.length === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const why of obstacles) if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1);
  const reasons = [...counts].map(([why, count]) => `${count} ${why}`).toSorted();
  const none = `0/${obstacles.length} nodes are available`;
  return `${none}: ${reasons.join(', ')}. preemption: ${none}: ${obstacles.length} Preemption is not helpful for scheduling.`;
}

/** Why a node cannot take a pod, or undefined; `there` are the pods bound to it. */
function findObstacle(pod: Pod, node: Node, there: readonly Pod[]): string | undefined {
  if (node.spec?.unschedulable === true) return 'node(s) were unschedulable';
  const taint = findUntolerated(pod, node);
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (!matchesLabels(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  const has = node.status?.allocatable ?? {};
  const living = there.filter((other) => !isEnded(other));
  if (living.length >= Number(has.pods)) return 'Too many pods';
  for (const [name, wanted] of requestsOf(pod)) {
    const used = living.reduce((sum, other) => sum + (requestsOf(other).get(name) ?? 0), 0);
    if (used + wanted > Number(has[name] ?? 0)) return `Insufficient ${name}`;
  }
  return undefined;
}

function matchesLabels(pod: Pod, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  if (Object.entries(pod.spec?.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value)) return false;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  return terms.some(({ matchExpressions = [] }) =>
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      return (value !== undefined && values.includes(value)) === (operator === 'In');
    }),
  );
}

/** What a pod asks for of what nodes only have in whole pieces, such as GPUs; CPU and memory are always enough. */
function requestsOf(pod: Pod): ReadonlyMap<string, number> {
  const limits = (pod.spec?.containers ?? []).flatMap(({ resources }) => Object.entries({ ...resources?.limits, ...resources?.requests }));
  const sums = new Map<string, number>();
  for (const [name, text] of limits) if (name.includes('/')) sums.set(name, (sums.get(name) ?? 0) + Number(text));
  return sums;
}
