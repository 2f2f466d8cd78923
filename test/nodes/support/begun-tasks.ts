import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../parity/support/real-cluster.ts';
import type { NodesCluster } from './nodes-cluster.ts';

/** Follows what the performers of a namespace say for as long as it runs, since a log goes with its pod; tells which instance began which task. */
export class BegunTasks {
  readonly #cluster: NodesCluster;
  readonly #namespace: string;
  readonly #followed = new Map<string, { readonly child: ChildProcess; readonly ended: Promise<unknown> }>();
  readonly #begun = new Map<string, string[]>();
  readonly #following: Promise<void>;
  #stopped = false;

  constructor(cluster: NodesCluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#following = this.#follow();
  }

  /** Ends the following once these tasks were begun, as far as is ever heard; returns the uids of the pods that began each task, one for each time. */
  async stop(tasks: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const isHeard = async (): Promise<boolean> => tasks.every((id) => this.#begun.has(id));
    await until('every task to be heard of', isHeard, 30_000).catch(() => undefined);
    // What was said last, a second run too, is on its way through the kubelet.
    await sleep(1_000);
    this.#stopped = true;
    await this.#following;
    for (const { child } of this.#followed.values()) child.kill();
    await Promise.all([...this.#followed.values()].map(({ ended }) => ended));
    return this.#begun;
  }

  async #follow(): Promise<void> {
    const [binary = 'kubectl', ...prefix] = this.#cluster.cluster.kubectl;
    while (!this.#stopped) {
      for (const { metadata, status } of await this.#cluster.pods(this.#namespace)) {
        const { uid = '', name = '' } = metadata ?? {};
        if (this.#followed.has(uid) || status?.phase !== 'Running') continue;
        const args = [...prefix, 'logs', '-f', '-n', this.#namespace, name];
        const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'ignore'] });
        createInterface({ input: child.stdout }).on('line', (line) => this.#note(uid, line));
        this.#followed.set(uid, { child, ended: once(child, 'close') });
      }
      await sleep(200);
    }
  }

  #note(uid: string, line: string): void {
    if (!line.startsWith('{')) return;
    const { kind, id = '' } = JSON.parse(line) as { kind: string; id?: string };
    if (kind === 'begun') this.#begun.set(id, [...(this.#begun.get(id) ?? []), uid]);
  }
}
