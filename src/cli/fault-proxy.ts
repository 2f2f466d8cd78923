import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClusterConfig } from '../kube-client/load-config.ts';
import { systemClock } from '../lib/clock.ts';
import { devStatus } from '../testbed/dev-clusters.ts';
import { startFaultProxy } from '../testbed/fault-proxy/fault-proxy.ts';
import { faultCatalogue, faultNames, faultText, type Rule } from '../testbed/fault-proxy/faults.ts';
import { parseFault } from '../testbed/fault-proxy/parse-fault.ts';
import { planFaultSchedule, playFaultSchedule } from '../testbed/fault-proxy/schedule.ts';
import { targetOf } from '../testbed/fault-proxy/upstream.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { abortOnSignals } from './operator.ts';

export interface FaultProxyOptions {
  readonly target: string;
  readonly seed: number;
  readonly fault: readonly string[];
  /** In milliseconds. */
  readonly schedule?: number;
  readonly kubeconfigOut?: string;
  readonly port?: number;
  readonly output: 'text' | 'json';
}

/** `dev fault-proxy`: until a signal ends it. */
export async function runFaultProxy(options: FaultProxyOptions): Promise<void> {
  if (options.fault.includes('help')) return printCatalogue();
  const rules = readRules(options.fault);
  const say = (event: string, fields: Readonly<Record<string, unknown>>, text: string): void => {
    process.stdout.write(options.output === 'json' ? `${JSON.stringify({ event, ...fields })}\n` : `${text}\n`);
  };

  const kubeconfig = existsSync(options.target) ? options.target : findDevKubeconfig(options.target);
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: homedir() });
  const proxy = await startFaultProxy({
    target: await targetOf(config),
    seed: options.seed,
    rules,
    ...(options.port === undefined ? {} : { port: options.port }),
    onFault: (fault, request) => {
      const struck = { fault: faultText(fault), ...(request === undefined ? {} : { request }) };
      say('fault', struck, `${new Date().toISOString().slice(11, 23)} ${struck.fault} ${request ?? ''}`.trimEnd());
    },
  });
  const signal = abortOnSignals('SIGHUP');
  const scratch = options.kubeconfigOut === undefined ? await mkdtemp(join(tmpdir(), 'hourglass-fault-proxy-')) : undefined;
  try {
    const out = options.kubeconfigOut ?? join(scratch ?? '', 'kubeconfig');
    await proxy.writeKubeconfig(out);
    const { url } = proxy;
    const faults = rules.map(({ fault }) => faultText(fault));
    say(
      'listening',
      { url, target: config.server, kubeconfig: out, seed: options.seed, faults },
      `${url}, in front of ${config.server}, seed ${options.seed}\n  export KUBECONFIG=${out}\nFaults: ${faults.join(', ') || 'none'}${options.schedule === undefined ? '' : ', and the schedule'}. Ctrl-C ends it.`,
    );
    for (let { seed } = options; options.schedule !== undefined && !signal.aborted; seed += 1)
      await playFaultSchedule(proxy, planFaultSchedule(seed, options.schedule), { clock: systemClock, signal });
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    const stats = proxy.stats();
    await proxy.close();
    if (scratch !== undefined) await rm(scratch, { recursive: true });
    const counts = Object.entries(stats.faults).map(([name, count]) => `${name} ${count}`);
    say('end', { ...stats }, `${stats.connections} connections, ${stats.requests} requests; struck: ${counts.join(', ') || 'nothing'}`);
  }
}

/** @throws CliError (usage) for a fault that cannot be read */
function readRules(texts: readonly string[]): readonly Rule[] {
  try {
    return texts.map((text) => parseFault(text));
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
    const { variants, says, ...kind }: { readonly variants: readonly string[]; readonly says: string; readonly ms?: number } =
      faultCatalogue[name];
    const args = [...variants, ...(kind.ms === undefined ? [] : [`${kind.ms}ms`])].join('|');
    process.stdout.write(`${name}${args === '' ? '' : `=${args}`}\n  ${says}\n`);
  }
}
