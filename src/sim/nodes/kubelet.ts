import type { Pod } from '../../kube/objects.ts';
import { isEnded } from '../../oracle/words.ts';
import type { Change } from '../memory-store.ts';
import { behaviorOf, imageOf } from './behavior.ts';
import { type NodeWorld, uidOf } from './node-world.ts';
import { PodWorker } from './pod-worker.ts';

/** The kubelet of one node: a worker for each pod bound to it. Without the API server the workers go on, and it hears and tells nothing. */
export class Kubelet {
  readonly world: NodeWorld;
  readonly name: string;
  readonly hostIP: string;
  readonly changed: () => void;
  readonly #workers = new Map<string, PodWorker>();
  #online = true;

  constructor(world: NodeWorld, name: string, hostIP: string, changed: () => void) {
    this.world = world;
    this.name = name;
    this.hostIP = hostIP;
    this.changed = changed;
  }

  get workers(): readonly PodWorker[] {
    return [...this.#workers.values()];
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  /** A pod that is or was bound here came, changed or went. */
  podChanged({ before, after, object }: Change): void {
    if (!this.#online || (before !== undefined && after !== undefined && !isNews(before as Pod, after as Pod))) return;
    this.world.after('kubelet', this.world.timings.kubeletSync, () => this.#sync(uidOf(object)));
  }

  disconnect(): void {
    this.#online = false;
  }

  /** Catches up: everything that happened to its pods meanwhile, and everything that the API server does not know of them. */
  connect(): void {
    this.#online = true;
    const uids = new Set([...this.#workers.keys(), ...this.world.podsOn(this.name).map(uidOf)]);
    for (const uid of uids) {
      const worker = this.#workers.get(uid);
      if (worker !== undefined) this.report(worker);
      this.#sync(uid);
    }
  }

  powerOff(): void {
    for (const worker of this.#workers.values()) worker.crash();
    this.changed();
  }

  /** Starts what was here before the power went; to be called with the API server in reach. */
  boot(): void {
    this.#online = true;
    for (const worker of this.workers) {
      const pod = this.world.pod(worker.uid);
      if (pod === undefined) this.#workers.delete(worker.uid);
      else worker.reboot(pod);
    }
  }

  report(worker: PodWorker): void {
    if (this.#online) this.world.changePod(worker.uid, (pod) => ({ ...pod, status: worker.statusOver(pod) }));
  }

  stopped(worker: PodWorker): void {
    if (!this.#online) return;
    this.world.after('kubelet', this.world.timings.cleanup, () => {
      const pod = this.world.pod(worker.uid);
      if (!this.#online) return;
      if (pod?.metadata?.deletionTimestamp !== undefined) this.world.deletePod(worker.uid, 0);
      if (this.world.pod(worker.uid) === undefined) this.#workers.delete(worker.uid);
    });
  }

  #sync(uid: string): void {
    const pod = this.world.pod(uid);
    const worker = this.#workers.get(uid);
    if (!this.#online) return;
    if (pod === undefined) {
      worker?.stop(30);
    } else if (worker === undefined) {
      if (pod.metadata?.deletionTimestamp !== undefined) this.world.deletePod(uid, 0);
      else if (!isEnded(pod)) this.#admit(pod);
    } else if (pod.metadata?.deletionTimestamp !== undefined) {
      worker.stop(pod.metadata.deletionGracePeriodSeconds ?? 0);
    } else {
      worker.update(pod);
    }
  }

  #admit(pod: Pod): void {
    const worker = new PodWorker(this, pod);
    this.#workers.set(worker.uid, worker);
    worker.begin();
  }
}

/** Most changes of a pod are the kubelet's own reports. */
function isNews(before: Pod, after: Pod): boolean {
  return (
    before.spec?.nodeName !== after.spec?.nodeName ||
    before.metadata?.deletionTimestamp !== after.metadata?.deletionTimestamp ||
    before.metadata?.deletionGracePeriodSeconds !== after.metadata?.deletionGracePeriodSeconds ||
    imageOf(before) !== imageOf(after) ||
    behaviorOf(before) !== behaviorOf(after)
  );
}
