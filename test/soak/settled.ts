import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCli } from '../../scripts/build.ts';
import { type Performer, performers } from '../../src/api/v1alpha1/performer.ts';
import type { Goal } from '../../src/bench/report.ts';
import { namespaces } from '../../src/kube/objects.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { type ClusterTools, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { kubectl, untilEstablished } from '../../src/testbed/kubectl.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';

export interface SettledOptions {
  readonly tools: ClusterTools;
  readonly report: ProgressReporter;
  readonly minutes: number;
  readonly performers: number;
  readonly signal: AbortSignal;
}

export interface SettledResult {
  readonly minutes: number;
  readonly performers: number;
  /** Calls of the operator in that time, by verb and resource: `update leases`. */
  readonly calls: Readonly<Record<string, number>>;
  readonly leaseWrites: number;
  readonly otherWrites: number;
  readonly reads: number;
}

interface AuditEntry {
  readonly verb: string;
  readonly userAgent?: string;
  readonly requestReceivedTimestamp: string;
  readonly objectRef?: { readonly resource: string };
}

const crd = fileURLToPath(new URL('../../manifests/crd/hourglass.eigenlayer.io_performers.yaml', import.meta.url));
const namespace = 'settled';
const readVerbs = ['get', 'list', 'watch'];

/** Lets a `watch` with its Lease settle some Performers, and then counts from the audit log what it asks of the API server while nothing changes. */
export async function runSettled(options: SettledOptions): Promise<SettledResult> {
  const { tools, report, minutes, signal } = options;
  const cleanups: (() => unknown)[] = [];
  try {
    const dist = await mkdtemp(join(tmpdir(), 'hourglass-settled-'));
    cleanups.push(() => rm(dist, { recursive: true, force: true }));
    await buildCli(dist);
    const cluster = await startEmbeddedCluster({ profile: 'instant', tools, report, detach: false, audit: true, signal });
    cleanups.push(() => cluster.stop());
    const { kubeconfig } = cluster;
    const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
    const kube = createKubeApi(config, { clock: systemClock, userAgent: 'settled-test' });
    cleanups.push(() => kube.close());
    await kubectl(cluster, ['apply', '--server-side', '-f', crd]);
    await kubectl(cluster, untilEstablished('crd/performers.hourglass.eigenlayer.io'));
    for (const name of [namespace, 'hourglass-system']) await kube.create(namespaces, { metadata: { name } });
    for (let index = 0; index < options.performers; index += 1) {
      const metadata = { name: `settled-${index}`, namespace };
      const spec = { avsAddress: `0x${'a1'.repeat(20)}`, image: 'avs:1' };
      await kube.create(performers, { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', metadata, spec });
    }
    const child = spawn(process.execPath, [join(dist, 'hourglass.js'), 'watch', '--kubeconfig', kubeconfig], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    cleanups.push(() => {
      child.kill('SIGTERM');
      return ended;
    });
    report.step(`${options.performers} Performers settle`);
    const isReady = ({ status }: Performer): boolean => status?.conditions?.at(-1)?.status === 'True';
    for (let tries = 0; ; tries += 1) {
      const { items } = await kube.list(performers, { namespace });
      if (items.length === options.performers && items.every(isReady)) break;
      if (tries > 300 || child.exitCode !== null) throw new Error('the Performers did not settle');
      await sleep(systemClock, 200, signal);
      signal.throwIfAborted();
    }
    // What the last passes have in hand, and what is looked at once more after them.
    await sleep(systemClock, 10_000, signal);
    const from = new Date().toISOString();
    report.step(`nothing changes for ${minutes} min`);
    await Promise.race([sleep(systemClock, minutes * 60_000, signal), ended]);
    signal.throwIfAborted();
    const to = new Date().toISOString();
    if (child.exitCode !== null) throw new Error(`watch ended with exit code ${child.exitCode}`);
    // The audit log is written in batches.
    await sleep(systemClock, 2_000, signal);
    report.done('counted');
    const text = await readFile(cluster.auditLog ?? '', 'utf8');
    return countCalls(text, from, to, options);
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

/** What the operator asked for between two moments, by the audit log's lines. Pure. */
export function countCalls(
  auditLog: string,
  from: string,
  to: string,
  run: { readonly minutes: number; readonly performers: number },
): SettledResult {
  const entries = auditLog
    .split('\n')
    .filter((line) => line.includes('"hourglass-operator'))
    .map((line) => JSON.parse(line) as AuditEntry)
    .filter((entry) => entry.userAgent?.startsWith('hourglass-operator') === true)
    .filter(({ requestReceivedTimestamp: at }) => at >= from && at <= to);
  const calls: Record<string, number> = {};
  let [leaseWrites, otherWrites, reads] = [0, 0, 0];
  for (const { verb, objectRef } of entries) {
    const name = `${verb} ${objectRef?.resource ?? 'other'}`;
    calls[name] = (calls[name] ?? 0) + 1;
    if (readVerbs.includes(verb)) reads += 1;
    else if (objectRef?.resource === 'leases') leaseWrites += 1;
    else otherWrites += 1;
  }
  return { minutes: run.minutes, performers: run.performers, calls, leaseWrites, otherWrites, reads };
}

export function settledGoals({ minutes, performers: count, otherWrites, reads, leaseWrites }: SettledResult): readonly Goal[] {
  const note = `${count} Performers, ${minutes} min, ${leaseWrites} Lease renewals`;
  return [
    { what: 'writes other than the Lease', measured: otherWrites, target: 0, bound: 'at most', unit: '', note },
    { what: 'reads per minute', measured: reads / minutes, target: 10, bound: 'at most', unit: '', note: `${reads} reads` },
  ];
}
