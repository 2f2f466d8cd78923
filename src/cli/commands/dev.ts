import { type Command, Option } from 'commander';
import type { ClusterStatus, DevCluster } from '../../testbed/dev-clusters.ts';
import type { ClusterTools } from '../../testbed/embedded-cluster.ts';
import type { ProgressReporter } from '../../testbed/progress.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { parseCount } from '../options.ts';
import { renderTable } from '../output.ts';
import { registerFaultProxy } from './fault-proxy.ts';

/** The cluster that is meant when none is named. */
const defaultName = 'dev';

interface UpOptions {
  readonly name: string;
  readonly profile: 'instant' | 'node-like' | 'none';
  readonly dir?: string;
  readonly json?: boolean;
  readonly detach: boolean;
  readonly audit?: boolean;
  readonly nodes: number;
}

/** Clusters on this machine to try things on. The testbed is loaded by these commands alone. */
export function registerDev(program: Command): void {
  const dev = program.command('dev').description('real control planes on this machine, with fake nodes: for trying out and for tests');
  dev
    .command('up')
    .description('start a cluster; it stays until `dev down`')
    .option('--name <name>', 'of the cluster', defaultName)
    .addOption(
      new Option('--profile <profile>', 'how fast pods live; `none` has no nodes at all')
        .choices(['instant', 'node-like', 'none'])
        .default('instant'),
    )
    .option('--dir <dir>', 'where its files go: a new or empty directory (default: under XDG_STATE_HOME)')
    .option('--json', 'print one JSON object: kubeconfig, pids, dir, name')
    .option('--detach', 'return when it is ready and leave it running', true)
    .option('--no-detach', 'stay, and end the cluster with this command')
    .option('--audit', 'log every call to its API server to logs/audit.log')
    .option('--nodes <count>', 'fake nodes', parseCount, 4)
    .action((options: UpOptions) => runUp(options));
  dev
    .command('down')
    .description('end the processes of a cluster and remove its files')
    .option('--name <name>', 'of the cluster', defaultName)
    .addOption(new Option('--all', 'every cluster of this user').conflicts('name'))
    .action((options: { readonly name: string; readonly all?: boolean }) => runDown(options));
  dev
    .command('status')
    .description('list the clusters of this user')
    .option('--json', 'print one JSON object')
    .action((options: { readonly json?: boolean }) => runStatus(options));
  dev
    .command('kubectl')
    .description('run kubectl on a cluster: `bin/hourglass dev kubectl -- get pods`')
    .option('--name <name>', 'of the cluster', defaultName)
    .argument('[arguments...]', 'for kubectl')
    .action((args: readonly string[], options: { readonly name: string }) => runKubectl(options.name, args));
  registerFaultProxy(dev);
}

async function runUp(options: UpOptions): Promise<void> {
  await checkName(options.name);
  const { devUp } = await import('../../testbed/dev-clusters.ts');
  const report = await createReport();
  const tools = await findTools(report, options.profile !== 'none');
  // Only now: an interrupted build of the tools needs nothing from us.
  const abort = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        abort.abort(new Error(`interrupted by ${signal}`));
        resolve();
      });
    }
  });
  const { name, profile, detach, dir, audit = false, nodes } = options;
  const up = await devUp({
    name,
    profile,
    detach,
    audit,
    tools,
    report,
    fakeNodes: nodes,
    signal: abort.signal,
    stoppable: true,
    ...(dir === undefined ? {} : { dir }),
  });
  process.stdout.write(options.json === true ? `${renderJson(up.cluster)}\n` : renderUse(up.cluster, detach));
  if (up.kind === 'found' || detach) return;
  const trouble = await Promise.race([interrupted, up.cluster.broken]);
  for (const line of await up.cluster.stop()) report.done(line);
  if (trouble !== undefined) throw trouble;
}

async function runDown(options: { readonly name: string; readonly all?: boolean }): Promise<void> {
  await checkName(options.name);
  const { devDown } = await import('../../testbed/dev-clusters.ts');
  const lines = await devDown({ names: options.all === true ? 'all' : [options.name], report: await createReport() });
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function runStatus(options: { readonly json?: boolean }): Promise<void> {
  const { devStatus } = await import('../../testbed/dev-clusters.ts');
  const clusters = devStatus();
  process.stdout.write(options.json === true ? `${JSON.stringify({ clusters })}\n` : renderStatus(clusters));
}

async function runKubectl(name: string, args: readonly string[]): Promise<void> {
  await checkName(name);
  const { getDevCluster } = await import('../../testbed/dev-clusters.ts');
  const { passToKubectl } = await import('../../testbed/kubectl.ts');
  const cluster = getDevCluster(name, await findTools(await createReport(), false));
  process.exitCode = passToKubectl(cluster, args);
}

/** One object with what a script needs. Pure. */
function renderJson(cluster: DevCluster): string {
  return JSON.stringify({ kubeconfig: cluster.kubeconfig, pids: cluster.pids, dir: cluster.dir, name: cluster.name });
}

function renderUse(cluster: DevCluster, detach: boolean): string {
  const name = cluster.name === defaultName ? '' : ` --name ${cluster.name}`;
  const lines = [
    `Cluster ${cluster.name} is up. Use it:`,
    `  export KUBECONFIG=${cluster.kubeconfig}`,
    '  kubectl get nodes',
    `  bin/hourglass dev kubectl${name} -- get nodes     # needs no kubectl of yours`,
    detach ? `Remove it:\n  bin/hourglass dev down${name}` : 'It ends with this command: Ctrl-C.',
  ];
  return `${lines.join('\n')}\n`;
}

function renderStatus(clusters: readonly ClusterStatus[]): string {
  if (clusters.length === 0) return 'No clusters. Start one: bin/hourglass dev up\n';
  const rows = clusters.map((cluster) => {
    const mebibytes = cluster.processes.reduce((sum, { residentBytes = 0 }) => sum + residentBytes, 0) / 2 ** 20;
    const memory = mebibytes === 0 ? '-' : `${Math.round(mebibytes)} MiB`;
    return [
      cluster.name,
      cluster.state,
      cluster.profile ?? '-',
      String(cluster.processes.length),
      memory,
      cluster.message || (cluster.kubeconfig ?? cluster.dir),
    ];
  });
  const width = process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY;
  return `${renderTable(['NAME', 'STATE', 'PROFILE', 'PROCESSES', 'MEMORY', 'KUBECONFIG / REASON'], rows, width).join('\n')}\n`;
}

async function createReport(): Promise<ProgressReporter> {
  const { createProgress } = await import('../../testbed/progress.ts');
  return createProgress(process.stderr);
}

/** Builds what is missing; KWOK only where it is wanted. */
async function findTools(report: ProgressReporter, withKwok: boolean): Promise<ClusterTools> {
  const { ensureTool } = await import('../../testbed/tools.ts');
  return { controlPlane: await ensureTool('control-plane', report), kwok: withKwok ? await ensureTool('kwok', report) : '' };
}

/** @throws CliError (usage) for a name that cannot be a folder's */
async function checkName(name: string): Promise<void> {
  const { clusterNameRule, isClusterName } = await import('../../testbed/cluster-state.ts');
  if (!isClusterName(name)) throw new CliError(`cluster name ${JSON.stringify(name)}: ${clusterNameRule}`, exitCodes.usage);
}
