import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClusterConfig } from '../kube-client/load-config.ts';
import { devStatus } from '../testbed/dev-clusters.ts';
import type { DevCluster } from '../testbed/embedded-cluster.ts';
import { startFaultProxy } from '../testbed/fault-proxy/fault-proxy.ts';
import { type Fault, faultNames, faultText, kindOf, type Rule } from '../testbed/fault-proxy/faults.ts';
import { parseFault } from '../testbed/fault-proxy/parse-fault.ts';
import type { RequestInfo } from '../testbed/fault-proxy/rule-book.ts';
import { targetOf } from '../testbed/fault-proxy/upstream.ts';
import { type DeploymentName, directPods, startPodProxy } from '../testbed/nodes/pod-proxy.ts';
import { findCluster, findRegistryDir, parsePair } from './dev-faults.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { abortOnSignals } from './operator.ts';

export interface FaultProxyOptions {
  readonly target: string;
  readonly seed: number;
  readonly fault: readonly string[];
  readonly for?: string;
  readonly kubeconfigOut?: string;
  readonly port?: number;
  readonly output: 'text' | 'json';
}

/** `dev fault-proxy`: until a signal ends it. */
export async function runFaultProxy({
  target,
  seed,
  fault: given,
  for: forPods,
  kubeconfigOut,
  port = 0,
  output,
}: FaultProxyOptions): Promise<void> {
  if (given.includes('help')) return printCatalogue();
  const rules = readRules(given);
  const say = (event: string, fields: Readonly<Record<string, unknown>>, text: string): void => {
    process.stdout.write(output === 'json' ? `${JSON.stringify({ event, ...fields })}\n` : `${text}\n`);
  };
  const options = {
    seed,
    rules,
    port,
    onFault: (fault: Fault, info?: RequestInfo) => {
      const struck = { fault: faultText(fault), ...(info === undefined ? {} : { request: `${info.method} ${info.path}` }) };
      say('fault', struck, `${new Date().toISOString().slice(11, 23)} ${Object.values(struck).join(' ')}`);
    },
  };
  const pods = forPods === undefined ? undefined : await findPods(target, forPods);
  const kubeconfig = existsSync(target) ? target : findDevKubeconfig(target);
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: homedir() });
  const proxy =
    pods === undefined
      ? await startFaultProxy({ ...options, target: await targetOf(config) })
      : await startPodProxy(findRegistryDir(target), options);
  const signal = abortOnSignals('SIGHUP');
  const scratch = await mkdtemp(join(tmpdir(), 'hourglass-fault-proxy-'));
  try {
    const out = kubeconfigOut ?? join(scratch, 'kubeconfig');
    await proxy.writeKubeconfig(out);
    if (pods !== undefined) await directPods(pods.cluster, pods.deployment, proxy);
    const faults = rules.map(({ fault }) => faultText(fault));
    say(
      'listening',
      { url: proxy.url, target: config.server, kubeconfig: out, seed, faults },
      `${proxy.url}, in front of ${config.server}, seed ${seed}\n  export KUBECONFIG=${out}\nFaults: ${faults.join(', ') || 'none'}. Ctrl-C ends it.`,
    );
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    const stats = proxy.stats();
    if (pods !== undefined) await directPods(pods.cluster, pods.deployment);
    await proxy.close();
    await rm(scratch, { recursive: true });
    const counts = Object.entries(stats.faults).map(([name, count]) => `${name} ${count}`);
    say('end', stats, `${stats.connections} connections, ${stats.requests} requests; struck: ${counts.join(', ') || 'nothing'}`);
  }
}

async function findPods(target: string, text: string): Promise<{ readonly cluster: DevCluster; readonly deployment: DeploymentName }> {
  const [namespace, name] = parsePair(text, 'NAMESPACE/DEPLOYMENT');
  return { cluster: await findCluster(target), deployment: { namespace, name } };
}

/** @throws CliError (usage) for a fault that cannot be read */
function readRules(texts: readonly string[]): readonly Rule[] {
  try {
    return texts.map(parseFault);
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error), exitCodes.usage, { cause: error });
  }
}

function findDevKubeconfig(name: string): string {
  const found = devStatus().find((cluster) => cluster.name === name)?.kubeconfig;
  if (found !== undefined) return found;
  throw new CliError(`--target ${name}: no such file, and no cluster of that name; start one with \`bin/hourglass dev up --name ${name}\``);
}

function printCatalogue(): void {
  for (const name of faultNames) {
    const { variants = [], says, ms } = kindOf(name);
    const args = [...variants, ...(ms === undefined ? [] : [`${ms}ms`])].join('|');
    process.stdout.write(`${name}${args === '' ? '' : `=${args}`}\n  ${says}\n`);
  }
}
