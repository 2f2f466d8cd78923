import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';
import { type BenchReport, type Block, benchReport, createPhases, deletePhases } from '../../src/bench/bench-report.ts';
import { childrenOf, readProc, statFields } from '../../src/testbed/proc.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { ensureTool } from '../../src/testbed/tools.ts';
import { builtCli } from '../support/cli.ts';
import { buildTimeoutMs, findClusterTools, useCluster } from '../support/cluster.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function startBench(args: readonly string[]) {
  const argv = ['--import', 'tsx', join(root, 'src/cli/main.ts'), 'bench', ...args];
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  return { child, result: collectOutput(child) };
}

/** Runs `hourglass bench` from the sources, as `npm run bench` does, with its results in `out`. */
const bench = (out: string, args: readonly string[]): Promise<Collected> => startBench(['--out', out, ...args]).result;

const readReport = (out: string): BenchReport => benchReport.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));

describe('hourglass bench', () => {
  const out = mkdtempSync(join(tmpdir(), 'hourglass-bench-test-'));
  beforeAll(async () => {
    await Promise.all([builtCli(), findClusterTools(), ensureTool('k6', createProgress(process.stderr))]);
  }, buildTimeoutMs);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('measures an operator on a cluster of its own, and leaves out those that never work', { timeout: 300_000 }, async () => {
    const args = ['--quick', '--scenario', 'burst-50', '--compare', 'broken=exit 3', '--compare', 'idle=exec sleep 600', '--json'];
    const { code, stdout, stderr } = await bench(out, args);
    expect(code, stderr).toBe(4);
    expect(stderr).toContain('the results are partial: 4 of 6 blocks were not measured');
    const report = readReport(out);
    expect(JSON.parse(stdout)).toEqual(report);
    expect(report.blocks.map(({ scenario, subject, kind }) => `${scenario} ${subject} ${kind}`)).toEqual([
      'burst-50 ours timed',
      'burst-50 ours counted',
    ]);
    expect(report.subjects[0]?.command).toMatch(/^exec env NODE_OPTIONS='--max-semi-space-size=4' 'node' 'dist\/hourglass\.js' watch /);
    expect(report.notMeasurable.toSorted()).toEqual([
      expect.stringContaining('broken · round 1: the operator ended (exit code 3) before it was ready'),
      expect.stringContaining('idle · round 1: '),
    ]);
    const [burst, counted] = report.blocks;
    for (const phase of createPhases.filter((one) => one !== 'first answer')) expect(burst?.phases[phase], phase).toHaveLength(50);
    expect(burst?.doneAtMs).toHaveLength(50);
    expect(burst?.usage.operator?.cpuMs).toBeGreaterThan(0);
    expect(burst?.calls).toBeUndefined();
    expect(counted?.calls).toMatchObject({ 'create pods': 50, 'create services': 50 });
    expect(counted?.etcdWrites).toBeGreaterThan(250);
    // Two sources that know nothing of each other; only the operator does these.
    for (const call of ['create pods', 'create services', 'patch performers/status'])
      expect(counted?.requests?.[call], call).toBe(counted?.calls?.[call]);
    expect(counted?.requests?.['create performers']).toBe(50);
  });
});

describe('hourglass bench on a given cluster, interrupted', () => {
  const cluster = useCluster();
  const out = mkdtempSync(join(tmpdir(), 'hourglass-bench-test-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  /** Starts a run that is as far as `line`, with its load under way. */
  async function startUntil(args: readonly string[], line: RegExp) {
    const { child, result } = startBench(args);
    let told = '';
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    while (!line.test(told) && child.exitCode === null) await sleep(50);
    await sleep(4_000);
    return { child, result, started: childrenOf(child.pid ?? 0) };
  }

  /** Interrupts a run as soon as it has told `line`. @returns its result, and what of its processes was left 5 s later */
  async function interrupt(args: readonly string[], line: RegExp, signals: readonly NodeJS.Signals[]) {
    const { child, result, started } = await startUntil(args, line);
    for (const signal of signals) {
      child.kill(signal);
      await sleep(300);
    }
    const ended = await result;
    for (let tries = 0; tries < 100 && started.some(isRunning); tries += 1) await sleep(50);
    return { ...ended, started: started.length, left: started.filter(isRunning) };
  }
  const isRunning = (pid: number): boolean => !['Z', undefined].includes(statFields(pid)[0]);
  const told = ({ scenario, round, kind }: Block): string => `${scenario} ${round} ${kind}`;

  it('leaves nothing running, and goes on with the blocks that are missing', { timeout: 240_000 }, async () => {
    const second = /delete-serial · ours · round 2 …/;
    const asked = ['--kubeconfig', cluster.get().kubeconfig, '--quick', '--scenario', 'delete-serial', '--repeat', '3'];
    const first = await interrupt(['--out', out, ...asked], second, ['SIGTERM', 'SIGTERM']);
    expect(first.code, first.stderr).toBe(4);
    expect(first.stderr).toContain(`to go on: bench --resume ${out}`);
    expect(first.started).toBeGreaterThanOrEqual(3);
    expect(first.left).toEqual([]);
    const kept = readReport(out).blocks.filter(({ voidBecause }) => voidBecause === undefined);
    expect(kept.map(told)).toEqual(['delete-serial 0 timed']);

    const killed = await interrupt(['--resume', out], second, ['SIGKILL']);
    expect(killed.left).toEqual([]);

    const halved = await startUntil(['--resume', out], second);
    const generator = halved.started.find((pid) => readProc(`${pid}/comm`).trim() === 'k6');
    process.kill(generator ?? 0, 'SIGKILL');
    const { code, stderr } = await halved.result;
    expect(code, stderr).toBe(4);
    expect(stderr).toContain('k6 ended before its load did: signal SIGKILL');
    expect(readReport(out).partialBecause).toContain('1 of 3 blocks');
    expect(halved.started.filter(isRunning)).toEqual([]);

    const last = await startBench(['--resume', out]).result;
    expect(last.code, last.stderr).toBe(0);
    const { blocks, resumedAt, partialBecause } = readReport(out);
    expect(blocks.map(told).toSorted()).toEqual(['delete-serial 0 timed', 'delete-serial 1 timed', 'delete-serial 2 timed']);
    expect(blocks[0]).toEqual(kept[0]);
    expect(partialBecause).toBeUndefined();
    expect(resumedAt?.length).toBeGreaterThanOrEqual(1);
    for (const { phases } of blocks) for (const phase of deletePhases) expect(phases[phase], phase).toHaveLength(20);
  });

  it('has said what cannot be measured there, and has taken its namespaces away', async () => {
    const { blocks, notMeasurable } = readReport(out);
    for (const { calls, etcdWrites } of blocks) expect({ calls, etcdWrites }).toEqual({});
    expect(notMeasurable).toEqual([
      'calls of the operator: no access to the audit log',
      'etcd writes: no access to its metrics',
      'CPU and memory of the control plane: it runs elsewhere',
    ]);
    for (const { requests } of blocks) expect(requests?.['delete performers']).toBe(20);
    const [binary = '', ...args] = cluster.get().kubectl;
    const listed = await collectOutput(
      spawn(binary, [...args, 'get', 'namespaces', '-o', 'jsonpath={.items[?(@.status.phase=="Active")].metadata.name}']),
    );
    expect(listed.stdout).toContain('default');
    expect(listed.stdout).not.toContain('hourglass-bench');
  });

  it.each([
    { name: 'no run', args: ['--resume', '/nowhere'], says: 'no run of bench was kept there' },
    { name: 'another order', args: ['--resume', out, '--seed', '8'], says: "option '--resume <dir>' cannot be used with option '--seed" },
    { name: 'a folder with results', args: ['--out', out], says: `go on with that by --resume ${out}` },
    { name: 'no operator', args: ['--compare', 'nobody'], says: '--compare nobody: give name=command' },
    { name: 'no adapter', args: ['--compare', 'a=@/nowhere'], says: 'adapter file /nowhere: cannot be read' },
    { name: 'no scenario', args: ['--scenario', 'burst-7'], says: 'scenario burst-7: there are ' },
  ])('ends with 2 for $name', async ({ args, says }) => {
    const { code, stderr } = await startBench(args).result;
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });

  it('refuses where Performers of somebody else live', { timeout: 60_000 }, async () => {
    const { kubeconfig, kubectl } = cluster.get();
    const [binary = '', ...args] = kubectl;
    const sample = join(root, 'manifests/samples/basic.yaml');
    expect((await collectOutput(spawn(binary, [...args, 'apply', '-f', sample]))).code).toBe(0);
    const { code, stderr } = await bench(join(out, 'refused'), ['--kubeconfig', kubeconfig, '--quick', '--scenario', 'delete-serial']);
    expect(code, stderr).toBe(1);
    expect(stderr).toContain('the cluster has 1 Performers that are not of a bench');
    expect(stderr).toContain('--allow-existing');
  });
});
