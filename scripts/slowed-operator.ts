/**
 * The operator that ships behind a proxy that holds each of its writes up: an operator under test for `hourglass bench`, by the adapter
 * files of tools/peers/slowed. Runs until SIGTERM, with KUBECONFIG set.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deployedEnv } from '../src/bench/subject-start.ts';
import { loadClusterConfig } from '../src/kube-client/load-config.ts';
import { startFaultProxy } from '../src/testbed/fault-proxy/fault-proxy.ts';
import type { Rule } from '../src/testbed/fault-proxy/faults.ts';
import { targetOf } from '../src/testbed/fault-proxy/upstream.ts';
import { findInCheckout } from '../src/testbed/tools.ts';

const { values } = parseArgs({ options: { 'write-delay-ms': { type: 'string', default: '10' } } });
const ms = Number(values['write-delay-ms']);
const writes = ['create', 'update', 'patch', 'delete'] as const;
const rules: readonly Rule[] = ms > 0 ? writes.map((verb) => ({ fault: { name: 'delay', ms }, match: { verb } })) : [];

const config = await loadClusterConfig({ env: process.env, readFile: (path) => readFile(path), homeDir: homedir() });
const proxy = await startFaultProxy({ target: await targetOf(config), seed: 1, rules });
const scratch = await mkdtemp(join(tmpdir(), 'hourglass-slowed-'));
try {
  const kubeconfig = join(scratch, 'kubeconfig');
  await proxy.writeKubeconfig(kubeconfig);
  const argv = [findInCheckout('dist/hourglass.js'), 'watch', '--lease-identity', 'hourglass-bench'];
  const operator = spawn(process.execPath, argv, { env: { ...process.env, ...deployedEnv(), KUBECONFIG: kubeconfig }, stdio: 'inherit' });
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => operator.kill('SIGTERM'));
  [process.exitCode] = (await once(operator, 'exit')) as [number | undefined];
} finally {
  await proxy.close();
  await rm(scratch, { recursive: true, force: true });
}
