import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';
import { BenchCluster } from '../../src/bench/bench-cluster.ts';
import { k6Quiet } from '../../src/bench/load-run.ts';
import { findFreePorts } from '../../src/testbed/free-ports.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { ensureTool } from '../../src/testbed/tools.ts';
import { RealCluster } from '../parity/support/real-cluster.ts';
import { startHourglass } from '../support/cli.ts';
import { buildTimeoutMs, useCluster } from '../support/cluster.ts';
import { projectRoot } from '../support/sources.ts';

const cluster = useCluster();
const real = new RealCluster(cluster);
const files = mkdtempSync(join(tmpdir(), 'hourglass-k6-test-'));
let k6: string;
let operator: Awaited<ReturnType<typeof startHourglass>>;
let access: Readonly<Record<string, string>>;

/** Runs a scenario as the head of create.ts says, with no other environment. */
async function run(scenario: string, env: Readonly<Record<string, string>>): Promise<Collected> {
  const argv = ['run', '--no-color', join(projectRoot, 'k6/scenarios', scenario)];
  return await collectOutput(spawn(k6, argv, { env: { HOME: files, ...k6Quiet, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }));
}

beforeAll(async () => {
  k6 = await ensureTool('k6', createProgress(process.stderr));
  await real.installCrd('ours');
  const { kubeconfig } = cluster.get();
  access = (await BenchCluster.open(kubeconfig, files)).k6Env;
  operator = await startHourglass(['watch', '--kubeconfig', kubeconfig, '--leader-elect=false', '--log-format', 'text']);
  await operator.line(/caches filled/);
}, buildTimeoutMs);

afterAll(async () => {
  operator?.child.kill('SIGTERM');
  await operator?.result;
  rmSync(files, { recursive: true, force: true });
});

describe('k6 run, by hand', () => {
  it.each([
    { scenario: 'create.ts', says: /create_status_ready\.*: .* count=5\b/ },
    { scenario: 'delete.ts', says: /delete_performer_gone\.*: .* count=5\b/ },
    { scenario: 'update.ts', says: /update_old_pod_gone\.*: .* count=5\b/ },
    { scenario: 'churn.ts', says: /create_status_ready\.*: .* count=/ },
  ])('measures $scenario and leaves nothing', { timeout: 60_000 }, async ({ scenario, says }) => {
    const { code, stdout, stderr } = await run(scenario, { ...access, BENCH_ARRIVALS: 'burst', BENCH_COUNT: '5' });
    expect(code, stderr + stdout).toBe(0);
    expect(stdout).toMatch(says);
    expect(stdout).toMatch(/troubles\.*: 0 /);
    expect(await real.kubectl('get', 'performers', '--all-namespaces', '-o', 'name')).toBe('');
  });

  it('asks nothing for its certificate of a server whose authority is not given', { timeout: 60_000 }, async () => {
    const { SSL_CERT_FILE: _, ...rest } = access;
    const { code, stdout, stderr } = await run('create.ts', { ...rest, BENCH_COUNT: '2', BENCH_ARRIVALS: 'serial' });
    expect(code, stderr + stdout).toBe(0);
  });

  it('ends with 99 where no API server answers, and says which list failed', { timeout: 60_000 }, async () => {
    const [port] = await findFreePorts(1);
    const { code, stdout, stderr } = await run('create.ts', { KUBE_SERVER: `http://127.0.0.1:${port}` });
    expect(code, stderr + stdout).toBe(99);
    expect(stderr).toContain('listing /a');
    expect(stderr).toContain('connection refused');
    expect(stderr).not.toContain('Delete');
  });

  it('says so where no API server is given', async () => {
    const { code, stderr } = await run('create.ts', {});
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain('KUBE_SERVER is not set');
  });
});
