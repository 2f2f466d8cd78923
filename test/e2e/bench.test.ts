import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';
import { type BenchReport, benchReport, createPhases, deletePhases } from '../../src/bench/bench-report.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { ensureTool } from '../../src/testbed/tools.ts';
import { builtCli } from '../support/cli.ts';
import { buildTimeoutMs, findClusterTools, useCluster } from '../support/cluster.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `hourglass bench` from the sources, as `npm run bench` does, with its results in `out`. */
function bench(out: string, args: readonly string[]): Promise<Collected> {
  const argv = ['--import', 'tsx', join(root, 'src/cli/main.ts'), 'bench', '--out', out, ...args];
  return collectOutput(spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }));
}

const readReport = (out: string): BenchReport => benchReport.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));

describe('hourglass bench', () => {
  const out = mkdtempSync(join(tmpdir(), 'hourglass-bench-test-'));
  beforeAll(async () => {
    await Promise.all([builtCli(), findClusterTools(), ensureTool('k6', createProgress(process.stderr))]);
  }, buildTimeoutMs);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('measures an operator on a cluster of its own, and leaves out one that never works', { timeout: 240_000 }, async () => {
    const args = ['--quick', '--scenario', 'burst-50', '--scenario', 'delete-serial', '--compare', 'broken=exit 3', '--json'];
    const { code, stdout, stderr } = await bench(out, args);
    expect(code, stderr).toBe(0);
    const report = readReport(out);
    expect(JSON.parse(stdout)).toEqual(report);
    expect(report.blocks.map(({ scenario, subject, kind }) => `${scenario} ${subject} ${kind}`)).toEqual([
      'burst-50 ours timed',
      'delete-serial ours timed',
      'burst-50 ours counted',
      'delete-serial ours counted',
    ]);
    expect(report.subjects[0]?.command).toMatch(/^exec 'node' 'dist\/hourglass\.js' watch /);
    expect(report.notMeasurable).toHaveLength(1);
    expect(report.notMeasurable[0]).toContain('broken · round 1: the operator ended (exit code 3) before it was ready');
    const [burst, deletion, counted] = report.blocks;
    for (const phase of createPhases.filter((one) => one !== 'first answer')) expect(burst?.phases[phase], phase).toHaveLength(50);
    for (const phase of deletePhases) expect(deletion?.phases[phase], phase).toHaveLength(10);
    expect(burst?.doneAtMs).toHaveLength(50);
    expect(burst?.usage.operator?.cpuMs).toBeGreaterThan(0);
    expect(burst?.calls).toBeUndefined();
    expect(counted?.calls).toMatchObject({ 'create pods': 50, 'create services': 50 });
    expect(counted?.etcdWrites).toBeGreaterThan(250);
  });
});

describe('hourglass bench on a given cluster', () => {
  const cluster = useCluster();
  const out = mkdtempSync(join(tmpdir(), 'hourglass-bench-test-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('says what cannot be measured there, and takes its namespaces away again', { timeout: 180_000 }, async () => {
    const { kubeconfig, kubectl } = cluster.get();
    const { code, stderr } = await bench(out, ['--kubeconfig', kubeconfig, '--quick', '--scenario', 'delete-serial']);
    expect(code, stderr).toBe(0);
    const report = readReport(out);
    expect(report.blocks.map(({ kind, calls, etcdWrites }) => ({ kind, calls, etcdWrites }))).toEqual([{ kind: 'timed' }]);
    expect(report.notMeasurable).toEqual(['calls of the operator: no access to the audit log', 'etcd writes: no access to its metrics']);
    const [binary = '', ...args] = kubectl;
    const listed = await collectOutput(
      spawn(binary, [...args, 'get', 'namespaces', '-o', 'jsonpath={.items[?(@.status.phase=="Active")].metadata.name}']),
    );
    expect(listed.stdout).not.toContain('hourglass-bench');
  });

  it('refuses where Performers of somebody else live', { timeout: 60_000 }, async () => {
    const { kubeconfig, kubectl } = cluster.get();
    const [binary = '', ...args] = kubectl;
    const sample = join(root, 'manifests/samples/basic.yaml');
    expect((await collectOutput(spawn(binary, [...args, 'apply', '-f', sample]))).code).toBe(0);
    const { code, stderr } = await bench(out, ['--kubeconfig', kubeconfig, '--quick', '--scenario', 'delete-serial']);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('the cluster has 1 Performers that are not of a bench');
    expect(stderr).toContain('--allow-existing');
  });
});
