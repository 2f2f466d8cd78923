import { type Node, nodes } from '../../kube/objects.ts';
import { type NodeWorld, uidOf, withCondition } from './node-world.ts';
import { hasTaint, outOfService } from './tolerations.ts';

/** The pod garbage collector: ends pods whose node is gone, and those that terminate on a node a person took out of service (which is NotReady). */
export class PodGc {
  readonly #world: NodeWorld;

  constructor(world: NodeWorld) {
    this.#world = world;
    world.onChange(nodes, ({ before, after, object }) => {
      const name = object.metadata.name ?? '';
      if (after === undefined) this.#poll(name, world.timings.podGcQuarantineMs);
      else if (isOut(after as Node) && (before === undefined || !isOut(before as Node))) this.#poll(name, 0);
    });
  }

  /** Looks at a node's pods at the next poll after `waitMs`, and at each later one while there is something to look at. */
  #poll(name: string, waitMs: number): void {
    const pollMs = this.#world.timings.podGcPollMs;
    const look = (): void => {
      this.#collect(name);
      const node = this.#world.node(name);
      if ((node === undefined || isOut(node)) && this.#world.podsOn(name).length > 0) this.#world.server.clock.timer(pollMs, look);
    };
    this.#world.after('pod-gc', [waitMs, waitMs + pollMs], look);
  }

  #collect(name: string): void {
    const world = this.#world;
    const node = world.node(name);
    if (node !== undefined && !isOut(node)) return;
    for (const pod of world.podsOn(name)) {
      const uid = uidOf(pod);
      if (node === undefined) {
        const gone = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
        world.changePod(uid, (stored) => withCondition(stored, gone, world.nowMs()));
      } else if (pod.metadata?.deletionTimestamp === undefined) continue;
      world.changePod(uid, (stored) => ({ ...stored, status: { ...stored.status, phase: 'Failed' } }));
      world.deletePod(uid, 0);
    }
  }
}

function isOut(node: Node): boolean {
  return hasTaint(node, outOfService);
}
