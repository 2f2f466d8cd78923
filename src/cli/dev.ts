import { clusterNameRule, isClusterName } from '../testbed/cluster-state.ts';
import { ensureClusterTools } from '../testbed/cluster-tools.ts';
import { devDown, devStatus, devUp } from '../testbed/dev-clusters.ts';
import type { DevCluster } from '../testbed/embedded-cluster.ts';
import { passToKubectl } from '../testbed/kubectl.ts';
import { prepareMachine } from '../testbed/nodes/machine.ts';
import type { NodeTimers } from '../testbed/nodes/node-plan.ts';
import { type NodeStatus, readNodeStatus } from '../testbed/nodes/node-status.ts';
import { createProgress } from '../testbed/progress.ts';
import { findCluster, openNodes } from './dev-faults.ts';
import { renderNodes } from './dev-nodes.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { abortOnSignals } from './operator.ts';
import { renderTable } from './output.ts';

export interface UpOptions {
  readonly name: string;
  readonly profile: 'instant' | 'node-like' | 'none';
  readonly dir?: string;
  readonly json?: boolean;
  readonly detach: boolean;
  readonly audit?: boolean;
  readonly nodes?: number;
  readonly real?: boolean;
  readonly chaos?: boolean;
  readonly timers: NodeTimers;
  readonly install: boolean;
}

export async function runUp(options: UpOptions): Promise<void> {
  const { name, detach, dir, json, audit = false, nodes, real = false, chaos = false, timers, install } = options;
  checkName(name);
  const report = createProgress(process.stderr);
  const profile = real ? 'nodes' : options.profile;
  if (chaos && !real) throw new CliError('--chaos: Chaos Mesh acts on real nodes; add --real (for root, on Linux)', exitCodes.usage);
  if (real) prepareMachine(report, install, chaos);
  const tools = await ensureClusterTools(profile, report, chaos);
  // Only now: an interrupted build of the tools needs nothing from us.
  const signal = abortOnSignals('SIGHUP');
  const interrupted = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const where = dir === undefined ? {} : { dir };
  const counts = real ? { realNodes: { count: nodes ?? 3, timers } } : { fakeNodes: nodes ?? 4 };
  const up = await devUp({ name, profile, detach, audit, tools, report, signal, stoppable: true, ...counts, ...where });
  const { kubeconfig, pids, dir: madeIn } = up.cluster;
  process.stdout.write(json === true ? `${JSON.stringify({ kubeconfig, pids, dir: madeIn, name })}\n` : renderUse(up.cluster, detach));
  if (up.kind === 'found' || detach) return;
  const trouble = await Promise.race([interrupted, up.cluster.broken]);
  for (const line of await up.cluster.stop()) report.done(line);
  if (trouble !== undefined) throw trouble;
}

export async function runDown({ name, all }: { readonly name: string; readonly all?: boolean }): Promise<void> {
  checkName(name);
  const lines = await devDown(all === true ? 'all' : [name], createProgress(process.stderr));
  process.stdout.write(`${lines.join('\n')}\n`);
}

export async function printStatus(options: { readonly json?: boolean }): Promise<void> {
  const clusters = devStatus();
  const withNodes = new Map<string, readonly NodeStatus[]>();
  for (const { name, state, profile } of clusters) {
    if (profile !== 'nodes' || state !== 'ready') continue;
    withNodes.set(name, await readNodeStatus(await openNodes(name), await findCluster(name)));
  }
  const width = process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY;
  if (options.json === true)
    process.stdout.write(`${JSON.stringify({ clusters: clusters.map((one) => ({ ...one, nodes: withNodes.get(one.name) })) })}\n`);
  else if (clusters.length === 0) process.stdout.write('No clusters. Start one: bin/hourglass dev up\n');
  else {
    const rows = clusters.map(({ name, state, profile = '-', processes, message, kubeconfig, dir }) => {
      const mebibytes = processes.reduce((sum, { residentBytes = 0 }) => sum + residentBytes, 0) / 2 ** 20;
      const memory = mebibytes === 0 ? '-' : `${Math.round(mebibytes)} MiB`;
      return [name, state, profile, String(processes.length), memory, message || (kubeconfig ?? dir)];
    });
    const lines = renderTable(['NAME', 'STATE', 'PROFILE', 'PROCESSES', 'MEMORY', 'KUBECONFIG / REASON'], rows, width);
    process.stdout.write(`${lines.join('\n')}\n`);
    for (const [name, nodes] of withNodes) process.stdout.write(`\nNodes of ${name}\n${renderNodes(nodes, width).join('\n')}\n`);
  }
}

export async function runKubectl(name: string, args: readonly string[]): Promise<void> {
  checkName(name);
  process.exitCode = passToKubectl(await findCluster(name), args);
}

function renderUse({ name, kubeconfig }: DevCluster, detach: boolean): string {
  const named = name === 'dev' ? '' : ` --name ${name}`;
  const lines = [
    `Cluster ${name} is up. Use it:`,
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get nodes',
    `  bin/hourglass dev kubectl${named} -- get nodes     # needs no kubectl of yours`,
    detach ? `Remove it:\n  bin/hourglass dev down${named}` : 'It ends with this command: Ctrl-C.',
  ];
  return `${lines.join('\n')}\n`;
}

/** @throws CliError (usage) for a name that cannot be a folder's */
function checkName(name: string): void {
  if (!isClusterName(name)) throw new CliError(`cluster name ${JSON.stringify(name)}: ${clusterNameRule}`, exitCodes.usage);
}
