import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { loadClusterConfig } from '../../kube-client/load-config.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Rule } from '../../testbed/fault-proxy/faults.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { parseCount, parseDuration, parseOutput } from '../options.ts';

interface FaultProxyFlags {
  readonly target: string;
  readonly seed: number;
  readonly fault: readonly string[];
  readonly schedule?: number;
  readonly kubeconfigOut?: string;
  readonly port?: number;
  readonly output: 'text' | 'json';
}

/** Adds `dev fault-proxy`. */
export function registerFaultProxy(dev: Command): void {
  dev
    .command('fault-proxy')
    .description('a proxy in front of an API server that does to its clients what networks and servers do at their worst; until Ctrl-C')
    .option('--target <cluster>', 'a kubeconfig file, or the name of a cluster of `dev up`', 'dev')
    .option('--seed <number>', 'of every chance that is taken', parseCount, 1)
    .addOption(
      new Option('--fault <fault>', 'NAME[=VARIANT,LENGTH][@verb:V,resource:R,path:REGEXP,nth:N,times:N,p:P]; `--fault help` lists them')
        .argParser((text: string, others: readonly string[]) => [...others, text])
        .default([], 'none'),
    )
    .option('--schedule <duration>', 'every fault in turn, one at a time, over this time, again and again', parseDuration)
    .option('--kubeconfig-out <file>', 'where the kubeconfig for its clients goes (default: a temporary file)')
    .option('--port <port>', 'to listen on, on 127.0.0.1 (default: any that is free)', parseCount)
    .option('-o, --output <format>', 'text, or json: one object a line', parseOutput, 'text')
    .action((flags: FaultProxyFlags) => runFaultProxy(flags));
}

async function runFaultProxy(flags: FaultProxyFlags): Promise<void> {
  if (flags.fault.includes('help')) return printCatalogue();
  const rules = await readRules(flags.fault);
  const { startFaultProxy } = await import('../../testbed/fault-proxy/fault-proxy.ts');
  const { faultText } = await import('../../testbed/fault-proxy/faults.ts');
  const { targetOf } = await import('../../testbed/fault-proxy/upstream.ts');
  const say = (event: string, fields: Readonly<Record<string, unknown>>, text: string): void => {
    process.stdout.write(flags.output === 'json' ? `${JSON.stringify({ event, ...fields })}\n` : `${text}\n`);
  };

  const kubeconfig = existsSync(flags.target) ? flags.target : await findDevKubeconfig(flags.target);
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: homedir() });
  const proxy = await startFaultProxy({
    target: await targetOf(config),
    seed: flags.seed,
    rules,
    ...(flags.port === undefined ? {} : { port: flags.port }),
    onFault: (fault, request) => {
      const struck = { fault: faultText(fault), ...(request === undefined ? {} : { request }) };
      say('fault', struck, `${new Date().toISOString().slice(11, 23)} ${struck.fault} ${request ?? ''}`.trimEnd());
    },
  });
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => abort.abort());
  const scratch = flags.kubeconfigOut === undefined ? await mkdtemp(join(tmpdir(), 'hourglass-fault-proxy-')) : undefined;
  try {
    const out = flags.kubeconfigOut ?? join(scratch ?? '', 'kubeconfig');
    await proxy.writeKubeconfig(out);
    const { url } = proxy;
    const faults = rules.map(({ fault }) => faultText(fault));
    say(
      'listening',
      { url, target: config.server, kubeconfig: out, seed: flags.seed, faults },
      `${url}, in front of ${config.server}, seed ${flags.seed}\n  export KUBECONFIG=${out}\nFaults: ${faults.join(', ') || 'none'}${flags.schedule === undefined ? '' : ', and the schedule'}. Ctrl-C ends it.`,
    );
    const { planFaultSchedule, playFaultSchedule } = await import('../../testbed/fault-proxy/schedule.ts');
    for (let seed = flags.seed; flags.schedule !== undefined && !abort.signal.aborted; seed += 1) {
      await playFaultSchedule(proxy, planFaultSchedule(seed, flags.schedule), { clock: systemClock, signal: abort.signal });
    }
    if (!abort.signal.aborted) await once(abort.signal, 'abort');
  } finally {
    const stats = proxy.stats();
    await proxy.close();
    if (scratch !== undefined) await rm(scratch, { recursive: true });
    const counts = Object.entries(stats.faults).map(([name, count]) => `${name} ${count}`);
    say('end', { ...stats }, `${stats.connections} connections, ${stats.requests} requests; struck: ${counts.join(', ') || 'nothing'}`);
  }
}

/** @throws CliError (usage) for a fault that cannot be read */
async function readRules(texts: readonly string[]): Promise<readonly Rule[]> {
  const { parseFault } = await import('../../testbed/fault-proxy/parse-fault.ts');
  try {
    return texts.map((text) => parseFault(text));
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error), exitCodes.usage, { cause: error });
  }
}

async function findDevKubeconfig(name: string): Promise<string> {
  const { devStatus } = await import('../../testbed/dev-clusters.ts');
  const found = devStatus().find((cluster) => cluster.name === name)?.kubeconfig;
  if (found !== undefined) return found;
  throw new CliError(`--target ${name}: no such file, and no cluster of that name; start one with \`bin/hourglass dev up --name ${name}\``);
}

async function printCatalogue(): Promise<void> {
  const { faultCatalogue, faultNames } = await import('../../testbed/fault-proxy/faults.ts');
  for (const name of faultNames) {
    const { variants, says, ...kind }: { readonly variants: readonly string[]; readonly says: string; readonly ms?: number } =
      faultCatalogue[name];
    const args = [...variants, ...(kind.ms === undefined ? [] : [`${kind.ms}ms`])].join('|');
    process.stdout.write(`${name}${args === '' ? '' : `=${args}`}\n  ${says}\n`);
  }
}
