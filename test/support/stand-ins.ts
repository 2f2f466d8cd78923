import type { ChildProcess } from 'node:child_process';
import { pods } from '../../src/kube/objects.ts';
import type { RealCluster } from '../parity/support/real-cluster.ts';
import { startHourglass } from './cli.ts';

interface Deployments {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string };
    readonly spec: {
      readonly template: { readonly spec: { readonly containers: readonly { readonly env?: readonly { readonly name: string }[] }[] } };
    };
  }[];
}

/**
 * Does what the operator's pods would, where pods only pretend to run: for each of its Deployments one process on this machine, under the
 * service account of its namespace, for as long as the Deployment is there.
 */
export class StandIns {
  readonly #real: RealCluster;
  readonly #running = new Map<string, ChildProcess>();
  readonly #ended: Promise<unknown>[] = [];
  #stopped = false;
  readonly #loop: Promise<void>;

  constructor(real: RealCluster) {
    this.#real = real;
    this.#loop = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    for (const child of this.#running.values()) child.kill('SIGTERM');
    await Promise.all(this.#ended);
  }

  async #follow(): Promise<void> {
    while (!this.#stopped) {
      const found = await this.#find();
      for (const [namespace, own] of found) if (!this.#running.has(namespace)) await this.#start(namespace, own).catch(() => undefined);
      for (const [namespace, child] of this.#running) {
        if (found.has(namespace)) continue;
        child.kill('SIGTERM');
        this.#running.delete(namespace);
      }
      await this.#endRuns();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** Namespaces with a Deployment of ours, and whether it keeps that one alone. */
  async #find(): Promise<ReadonlyMap<string, boolean>> {
    const all = await this.#real.kubectl('get', 'deployments', '-A', '-l', 'app.kubernetes.io/component=watch', '-o', 'json');
    const owns = ({ spec }: Deployments['items'][number]): boolean =>
      spec.template.spec.containers.some(({ env = [] }) => env.some(({ name }) => name === 'HOURGLASS_NAMESPACE'));
    return new Map((JSON.parse(all) as Deployments).items.map((one) => [one.metadata.namespace, owns(one)]));
  }

  /** A run of once ends: what a kubelet says of it and KWOK does not, so that its Job and its namespace can go. */
  async #endRuns(): Promise<void> {
    const { items } = await this.#real.kube.list(pods, { labelSelector: 'app.kubernetes.io/component=once' });
    for (const { metadata, status } of items) {
      if (status?.phase === 'Succeeded') continue;
      const ended = ['--subresource=status', '--type', 'merge', '-p', '{"status":{"phase":"Succeeded"}}'];
      await this.#real.kubectl('patch', 'pod', metadata?.name ?? '', '-n', metadata?.namespace ?? '', ...ended).catch(() => undefined);
    }
  }

  async #start(namespace: string, own: boolean): Promise<void> {
    const kubeconfig = await this.#real.kubeconfigOf(namespace, 'hourglass-operator');
    const env = { HOURGLASS_LEASE_NAMESPACE: namespace, ...(own ? { HOURGLASS_NAMESPACE: namespace } : {}) };
    const { child, result } = await startHourglass(['watch', '--kubeconfig', kubeconfig], { env });
    this.#running.set(namespace, child);
    this.#ended.push(result);
  }
}
