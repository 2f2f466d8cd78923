/** `npm run k6 -- run k6/scenarios/create.ts`: the k6 of the benchmarks, with the access that KUBECONFIG gives where KUBE_SERVER names no server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchCluster } from '../src/bench/bench-cluster.ts';
import { k6Quiet } from '../src/bench/load-run.ts';
import { createProgress } from '../src/testbed/progress.ts';
import { ensureTool } from '../src/testbed/tools.ts';

const { KUBECONFIG: kubeconfig = '', KUBE_SERVER: server = '' } = process.env;
const scratch = await mkdtemp(join(tmpdir(), 'hourglass-k6-'));
try {
  const k6 = await ensureTool('k6', createProgress(process.stderr));
  const access = server === '' && kubeconfig !== '' ? (await BenchCluster.open(kubeconfig, scratch)).k6Env : {};
  const child = spawn(k6, process.argv.slice(2), { env: { ...k6Quiet, ...process.env, ...access }, stdio: 'inherit' });
  // k6 ends in its own time, and says what was measured until then. Ctrl-C reaches it by itself; twice, it would end at once.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} catch (error) {
  console.error(`hourglass: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
