import { keyOf, nodes, type ObjectKey, pods } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';
import { formatTime } from '../lib/time.ts';
import { kindIdOf } from './kind-rules.ts';
import type { MemoryServer } from './memory-server.ts';
import type { MemoryStore } from './memory-store.ts';
import { objectsOf } from './pod-rules.ts';
import type { AnyObject } from './stored-object.ts';

export interface AutoKubeletOptions {
  /** Whether pods become Ready; false leaves them Running and not Ready. */
  readonly ready: boolean;
  /** From a pod's creation to its running, and from its deletion to its end unless its grace period is shorter. */
  readonly delayMs: number;
}

const nodeName = 'node-1';

/** A scheduler and the kubelet of the one node `node-1`: pods get placed, run, become Ready, and end when they are deleted. */
export class AutoKubelet {
  readonly #store: MemoryStore;
  readonly #server: MemoryServer;
  readonly #clock: Clock;
  readonly #options: AutoKubeletOptions;
  #addresses = 0;

  constructor(store: MemoryStore, server: MemoryServer, clock: Clock, options: AutoKubeletOptions) {
    this.#store = store;
    this.#server = server;
    this.#clock = clock;
    this.#options = options;
    this.#server.create(nodes, { metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } } });
    this.#change(nodes, { namespace: '', name: nodeName }, undefined, (node) => ({
      ...node,
      status: { conditions: [this.#condition('Ready', true)], addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    }));
    store.onChange(({ kindId, before, after }) => {
      if (kindId !== kindIdOf(pods) || after === undefined) return;
      if (before === undefined) this.#start(after);
      if (before?.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined) this.#stop(after);
    });
  }

  #start(pod: AnyObject): void {
    const { uid } = pod.metadata;
    const key = keyOf(pod);
    // Placing is the scheduler's own write, so that a pod is seen Pending on its node as in a real cluster.
    this.#clock.timer(this.#options.delayMs / 2, () =>
      this.#change(pods, key, uid, (stored) =>
        stored.spec?.nodeName === undefined
          ? {
              ...stored,
              spec: { ...stored.spec, nodeName },
              status: { ...stored.status, conditions: [this.#condition('PodScheduled', true)] },
            }
          : stored,
      ),
    );
    this.#clock.timer(this.#options.delayMs, () => this.#change(pods, key, uid, (stored) => this.#running(stored)));
  }

  #running(pod: AnyObject): AnyObject {
    if (pod.spec?.nodeName !== nodeName || pod.metadata.deletionTimestamp !== undefined) return pod;
    const { ready } = this.#options;
    this.#addresses += 1;
    const podIP = `10.244.${Math.floor(this.#addresses / 250) % 250}.${(this.#addresses % 250) + 1}`;
    const startedAt = formatTime(this.#clock.nowMs());
    const containerStatuses = objectsOf(pod.spec.containers).map((container) => ({
      name: container.name,
      image: container.image,
      imageID: container.image,
      ready,
      started: true,
      restartCount: 0,
      state: { running: { startedAt } },
    }));
    const conditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) =>
      this.#condition(type, ready || !type.endsWith('Ready')),
    );
    const addresses = { hostIP: '192.0.2.1', hostIPs: [{ ip: '192.0.2.1' }], podIP, podIPs: [{ ip: podIP }] };
    return { ...pod, status: { ...pod.status, phase: 'Running', ...addresses, startTime: startedAt, conditions, containerStatuses } };
  }

  #stop(pod: AnyObject): void {
    const { uid, deletionGracePeriodSeconds = 0 } = pod.metadata;
    if (deletionGracePeriodSeconds === 0) return;
    this.#clock.timer(Math.min(this.#options.delayMs, deletionGracePeriodSeconds * 1_000), () => {
      const stored = this.#store.find(kindIdOf(pods), keyOf(pod));
      if (stored?.metadata.uid === uid && stored?.spec?.nodeName === nodeName) this.#server.remove(pods, stored, { gracePeriodSeconds: 0 });
    });
  }

  #change(resource: typeof pods | typeof nodes, key: ObjectKey, uid: string | undefined, change: (object: AnyObject) => AnyObject): void {
    const stored = this.#store.find(kindIdOf(resource), key);
    if (stored === undefined || (uid !== undefined && stored.metadata.uid !== uid)) return;
    this.#server.overwrite(resource, stored, change(stored));
  }

  #condition(type: string, status: boolean): { type: string; status: string; lastTransitionTime: string } {
    return { type, status: status ? 'True' : 'False', lastTransitionTime: formatTime(this.#clock.nowMs()) };
  }
}
