import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { namespaces } from '../../src/kube/objects.ts';
import { createKubeApi, type KubeClient } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type ClusterTools, type EmbeddedCluster, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { createBenchPods } from './bench-pods.ts';
import type { Block, Client, ClientBenchResult, TaskResult } from './client-report.ts';
import { measureColdStarts } from './cold-start.ts';

export interface ClientBenchOptions {
  readonly tools: ClusterTools;
  readonly clientGo: string;
  /** The bundle of the CLI. */
  readonly cli: string;
  readonly report: ProgressReporter;
  readonly rounds: number;
  readonly pods: number;
  readonly performers: number;
  readonly coldRuns: number;
  readonly signal: AbortSignal;
}

const run = promisify(execFile);
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));
const namespace = 'bench';
const name = 'performer-bench-0';
const callers: readonly Client[] = ['ours', 'client-node', 'client-go, limit off', 'client-go'];
const cachers: readonly Client[] = ['ours', 'ours-whole', 'client-node', 'client-go'];
const unlimited = callers.filter((client) => client !== 'client-go');

/** Measures clients against one API server on loopback, each in a process of its own, block by block in turn. Clusters are removed, also after a failure. */
export async function runClientBench(options: ClientBenchOptions): Promise<ClientBenchResult> {
  const { report, rounds } = options;
  const calls: Block[] = [];
  const caches: Block[] = [];
  const connections: Partial<Record<Client, number>> = {};
  await withCluster(options, 'none', async (cluster, kube) => {
    const measure = async (client: Client, round: number, task: Readonly<Record<string, string>>): Promise<Block> => {
      const inFlight = Number(task['in-flight'] ?? 1);
      report.update(`round ${round + 1}, ${client}${task.task === 'get' ? `, ${inFlight} in flight` : ''}`);
      return { client, round, inFlight, ...(await runTask(options, cluster.kubeconfig, client, task)) };
    };
    report.step(`creating ${options.pods} pods`);
    await kube.create(namespaces, { metadata: { name: namespace } });
    await createBenchPods(kube, namespace, options.pods, (made) => report.update(`${made} of ${options.pods}`));

    report.step('calls: GET of one pod');
    for (let round = 0; round < rounds; round += 1) {
      for (const inFlight of ['1', '32']) {
        for (const client of inTurn(callers, round)) {
          const warmup = client === 'client-go' ? '10' : '1000';
          calls.push(await measure(client, round, { task: 'get', warmup, calls: '20000', 'for-ms': '3000', 'in-flight': inFlight }));
        }
      }
    }
    report.step('connections for 1,000 calls');
    for (const client of unlimited) {
      const relay = await countConnections(cluster.ports.apiServer);
      await measure(client, 0, { task: 'get', warmup: '0', calls: '1000', 'for-ms': '120000', 'in-flight': '32', server: relay.server });
      connections[client] = relay.close();
    }
    report.step(`caches of ${options.pods} pods`);
    for (let round = 0; round < rounds; round += 1) {
      for (const client of inTurn(cachers, round)) caches.push(await measure(client, round, { task: 'cache' }));
    }
    report.done('calls, connections and caches are measured');
  });
  const { starts: coldStarts, onceBytes } = await withCluster(options, 'instant', async (cluster, kube) => {
    report.step(`cold starts on ${options.performers} settled Performers`);
    const { cli, performers, coldRuns: runs, signal } = options;
    const measured = await measureColdStarts({ cluster, kube, cli, performers, runs, signal });
    report.done('cold starts are measured');
    return measured;
  });
  return { onceBytes, calls, connections, caches, coldStarts };
}

async function withCluster<T>(
  { tools, report, signal }: ClientBenchOptions,
  profile: 'none' | 'instant',
  work: (cluster: EmbeddedCluster, kube: KubeClient) => Promise<T>,
): Promise<T> {
  const cluster = await startEmbeddedCluster({ profile, tools, report, detach: false, signal });
  let kube: KubeClient | undefined;
  try {
    const { kubeconfig } = cluster;
    const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
    kube = createKubeApi(config, { clock: systemClock, userAgent: 'bench' });
    return await work(cluster, kube);
  } finally {
    kube?.close();
    await cluster.stop();
  }
}

/** Another client begins in each round, so that none always has the warmest server. */
function inTurn(clients: readonly Client[], round: number): readonly Client[] {
  const first = round % clients.length;
  return [...clients.slice(first), ...clients.slice(0, first)];
}

async function runTask(
  { clientGo, signal }: ClientBenchOptions,
  kubeconfig: string,
  client: Client,
  task: Readonly<Record<string, string>>,
): Promise<TaskResult> {
  const args = Object.entries({ kubeconfig, namespace, name, ...task }).map(([option, value]) => `--${option}=${value}`);
  const isGo = client.startsWith('client-go');
  const argv = isGo ? [`--limit=${client === 'client-go'}`, ...args] : ['--expose-gc', worker, `--subject=${client}`, ...args];
  const { stdout } = await run(isGo ? clientGo : process.execPath, argv, { signal, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as TaskResult;
}

/** Stands before a port and counts who comes. */
async function countConnections(port: number): Promise<{ readonly server: string; close(): number }> {
  let accepted = 0;
  const relay = createServer((near) => {
    accepted += 1;
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  return {
    server: `https://127.0.0.1:${(relay.address() as AddressInfo).port}`,
    close: () => {
      relay.close();
      return accepted;
    },
  };
}
