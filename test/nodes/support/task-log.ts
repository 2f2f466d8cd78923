import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf } from '../../../src/kube/objects.ts';
import type { NodesCluster } from './nodes-cluster.ts';

/** Which performers began which task: their logs are followed from the start, since a log goes with its pod. */
export class TaskLog {
  /** Instances that began a task, by its id; one that began it twice is there twice. */
  readonly #begun = new Map<string, string[]>();
  readonly #followed = new Map<string, ChildProcess>();
  readonly #cluster: NodesCluster;
  readonly #namespace: string;
  readonly #polling: Promise<void>;
  #stopped = false;

  constructor(cluster: NodesCluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#polling = this.#poll();
  }

  /** Tasks that were begun more than once, each with who began it. */
  doubled(): readonly string[] {
    return [...this.#begun].filter(([, instances]) => instances.length > 1).map(([id, instances]) => `${id}: ${instances.join(', ')}`);
  }

  get tasks(): number {
    return this.#begun.size;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#polling;
    for (const child of this.#followed.values()) child.kill();
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      const pods = await this.#cluster.pods(this.#namespace).catch(() => []);
      for (const pod of pods) {
        const { name } = keyOf(pod);
        const isStarted = pod.status?.containerStatuses?.some(({ state }) => state?.running !== undefined) === true;
        if (isStarted && !this.#followed.has(name)) this.#followed.set(name, this.#follow(name));
      }
      await sleep(200);
    }
  }

  #follow(pod: string): ChildProcess {
    const [program = '', ...args] = this.#cluster.cluster.kubectl;
    const child = spawn(program, [...args, 'logs', '--follow', '-n', this.#namespace, pod], { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { readonly kind: string; readonly id?: string };
      if (said.kind !== 'begun' || said.id === undefined) return;
      this.#begun.set(said.id, [...(this.#begun.get(said.id) ?? []), pod]);
    });
    return child;
  }
}
