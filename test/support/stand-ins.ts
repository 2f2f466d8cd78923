import type { ChildProcess } from 'node:child_process';
import { pods } from '../../src/kube/objects.ts';
import type { RealCluster } from '../parity/support/real-cluster.ts';
import { startHourglass } from './cli.ts';

interface Deployments {
  readonly items: readonly {
    readonly metadata: { readonly namespace: string; readonly name: string };
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
  }[];
}

interface Container {
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string }[];
}

/** A Deployment as far as it is carried out. */
interface Wanted {
  readonly namespace: string;
  /** Keeps the Performers of its namespace alone. */
  readonly own: boolean;
  readonly args: readonly string[];
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
      for (const [key, wanted] of found) if (!this.#running.has(key)) await this.#start(key, wanted).catch(() => undefined);
      for (const [key, child] of this.#running) {
        if (found.has(key)) continue;
        child.kill('SIGTERM');
        this.#running.delete(key);
      }
      await this.#endRuns();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async #find(): Promise<ReadonlyMap<string, Wanted>> {
    const all = await this.#real.kubectl('get', 'deployments', '-A', '-l', 'app.kubernetes.io/component=watch', '-o', 'json');
    return new Map(
      (JSON.parse(all) as Deployments).items.map(({ metadata: { namespace, name }, spec }) => {
        const [{ args = [], env = [] } = {}] = spec.template.spec.containers;
        const own = env.some((variable) => variable.name === 'HOURGLASS_NAMESPACE');
        return [`${namespace}/${name}`, { namespace, own, args: args.filter((text) => text.startsWith('--shard=')) }];
      }),
    );
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

  async #start(key: string, { namespace, own, args }: Wanted): Promise<void> {
    const kubeconfig = await this.#real.kubeconfigOf(namespace, 'hourglass-operator');
    const env = { HOURGLASS_LEASE_NAMESPACE: namespace, ...(own ? { HOURGLASS_NAMESPACE: namespace } : {}) };
    const { child, result } = await startHourglass(['watch', '--kubeconfig', kubeconfig, ...args], { env });
    this.#running.set(key, child);
    this.#ended.push(result);
  }
}
