import { type KubeObject, nodes, pods, type Resource } from '../../src/kube/objects.ts';
import { formatTime } from '../../src/lib/time.ts';
import { kindIdOf } from '../../src/sim/kind-rules.ts';
import type { MemoryServer } from '../../src/sim/memory-server.ts';
import { type AnyObject, objectsOf } from '../../src/sim/stored-object.ts';

export interface AutoKubeletOptions {
  /** Whether pods become Ready; false leaves them Running and not Ready. */
  readonly ready: boolean;
  /** From a pod's creation to its running, and from its deletion to its end unless its grace period is shorter. */
  readonly delayMs: number;
}

const nodeName = 'node-1';

/** A scheduler and the kubelet of the one node `node-1`: pods get placed, run, become Ready, and end when they are deleted. */
export class AutoKubelet {
  readonly #server: MemoryServer;
  readonly #options: AutoKubeletOptions;
  #addresses = 0;

  constructor(server: MemoryServer, options: AutoKubeletOptions) {
    this.#server = server;
    this.#options = options;
    const node = server.create(nodes, { metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } } });
    const addresses = [{ type: 'InternalIP', address: '192.0.2.1' }];
    this.#change(nodes, node, (stored) => ({ ...stored, status: { conditions: [this.#condition('Ready', true)], addresses } }));
    server.store.onChange(({ kindId, before, after }) => {
      if (kindId !== kindIdOf(pods) || after === undefined) return;
      if (before === undefined) this.#start(after);
      if (before?.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined) this.#stop(after);
    });
  }

  #start(pod: AnyObject): void {
    const { delayMs } = this.#options;
    // Placing is the scheduler's own write, so that a pod is seen Pending on its node as in a real cluster.
    this.#server.clock.timer(delayMs / 2, () => this.#change(pods, pod, (stored) => this.#placed(stored)));
    this.#server.clock.timer(delayMs, () => this.#change(pods, pod, (stored) => this.#running(stored)));
  }

  #placed(pod: AnyObject): AnyObject {
    if (pod.spec?.nodeName !== undefined) return pod;
    const status = { ...pod.status, conditions: [this.#condition('PodScheduled', true)] };
    return { ...pod, spec: { ...pod.spec, nodeName }, status };
  }

  #running(pod: AnyObject): AnyObject {
    if (pod.spec?.nodeName !== nodeName || pod.metadata.deletionTimestamp !== undefined) return pod;
    const { ready } = this.#options;
    this.#addresses += 1;
    const podIP = `10.244.${Math.floor(this.#addresses / 250) % 250}.${(this.#addresses % 250) + 1}`;
    const startedAt = formatTime(this.#server.clock.nowMs());
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
    this.#server.clock.timer(Math.min(this.#options.delayMs, deletionGracePeriodSeconds * 1_000), () => {
      const stored = this.#server.store.findByUid(uid ?? '');
      if (stored?.spec?.nodeName === nodeName) this.#server.remove(pods, stored, { gracePeriodSeconds: 0 });
    });
  }

  /** Nothing happens to an object that is gone, nor to another one of its name. */
  #change(resource: Resource<KubeObject>, { metadata }: AnyObject, change: (object: AnyObject) => AnyObject): void {
    const stored = this.#server.store.findByUid(metadata.uid ?? '');
    if (stored !== undefined) this.#server.overwrite(resource, stored, change(stored));
  }

  #condition(type: string, status: boolean): { type: string; status: string; lastTransitionTime: string } {
    return { type, status: status ? 'True' : 'False', lastTransitionTime: formatTime(this.#server.clock.nowMs()) };
  }
}
