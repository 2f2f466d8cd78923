import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, readProc } from '../testbed/proc.ts';
import { countCalls } from './audit-calls.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { buildPerformer } from './bench-lines.ts';
import type { Command } from './command.ts';
import { isWrite } from './measures.ts';
import type { Sample } from './observer.ts';
import { median } from './statistics.ts';
import type { Subject } from './subjects.ts';
import { UsageMeter } from './usage.ts';

type Figures = Readonly<Record<string, number>>;

/** What stands when a load is over. */
export interface Aftermath {
  readonly cluster: BenchCluster;
  readonly subject: Subject;
  readonly namespace: string;
  readonly image: string;
  /** How many Performers there are. */
  readonly performers: number;
  /** Of the operator, in what runs; replaced when it is started anew. */
  readonly running: { operator: Command };
  readonly start: () => Command;
  readonly signal: AbortSignal;
}

/** What all write, and what the operator costs, while nothing happens. */
export async function measureRest({ cluster, running, performers, signal }: Aftermath, forMs: number): Promise<Figures> {
  await cluster.waitQuiet(2_000);
  const fromMs = Date.now();
  const [before, meter] = [await cluster.etcdWrites(), new UsageMeter({ operator: () => running.operator.pids() })];
  await sleep(forMs, undefined, { signal });
  const [after, { operator }] = [await cluster.etcdWrites(), meter.stop()];
  const minutes = forMs / 60_000;
  const calls = await countCalls(cluster.auditLog, fromMs, Date.now());
  const sum = (counts: Readonly<Record<string, number>>, of: (call: string) => boolean = () => true): number =>
    Object.entries(counts).reduce((total, [call, count]) => total + (of(call) ? count : 0), 0);
  return {
    ...(calls === undefined
      ? {}
      : {
          'rest: calls per minute': sum(calls) / minutes,
          'rest: operator writes per Performer and minute': sum(calls, isWrite) / performers / minutes,
        }),
    ...(before === undefined || after === undefined ? {} : { 'rest: etcd writes per minute': (after - before) / minutes }),
    ...(operator === undefined
      ? {}
      : {
          'rest: operator CPU ms per minute': operator.cpuMs / minutes,
          'rest: operator RSS bytes per Performer': operator.rssBytes / performers,
        }),
  };
}

/** kill -9 and a new start: milliseconds until a Performer that is asked for at that moment has its pod, and is ready. */
export async function measureRestart({ cluster, running, start, namespace, image, signal }: Aftermath): Promise<Figures> {
  running.operator.kill('SIGKILL');
  await running.operator.ended;
  const startMs = performance.now();
  running.operator = start();
  const path = `/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/${namespace}/performers`;
  await cluster.calls.ask('POST', path, buildPerformer(`${namespace}/after-restart`, image, Date.now()));
  // From the API server's own cache: a look costs etcd nothing, and does not wait for it.
  const pods = `/api/v1/namespaces/${namespace}/pods?resourceVersion=0&labelSelector=${encodeURIComponent('hourglass.eigenlayer.io/performer=after-restart')}`;
  const until = async (holds: () => Promise<boolean>): Promise<number> => {
    while (!(await holds())) {
      if (performance.now() - startMs > 120_000) return Number.NaN;
      await sleep(10, undefined, { signal });
    }
    return performance.now() - startMs;
  };
  const podMs = await until(async () => (await cluster.calls.ask<{ readonly items: readonly unknown[] }>('GET', pods)).items.length > 0);
  const one = `${path}/after-restart?resourceVersion=0`;
  const isReady = async (): Promise<boolean> =>
    (await cluster.calls.ask<{ readonly status?: { readonly ready?: boolean } }>('GET', one)).status?.ready === true;
  const figures = { 'kill -9 to pod of a new Performer ms': podMs, 'kill -9 to its ready ms': await until(isReady) };
  return Object.fromEntries(Object.entries(figures).filter(([, ms]) => Number.isFinite(ms)));
}

/** An event of a pod made before the kill takes this long at most; no operator starts faster. */
const inFlightMs = 50;

const deletedWithinMs = 600_000;

/** All Performers deleted, a few requests at a time: milliseconds until they, their pods and Services are gone. */
export async function measureDeletion({ cluster, namespace, signal }: Aftermath): Promise<Figures> {
  const startMs = performance.now();
  const left = await cluster.clean([namespace], deletedWithinMs, signal);
  return left === undefined && !signal.aborted ? { 'all deleted ms': performance.now() - startMs } : {};
}

/** From a kill in the middle of a load to the next pod that was created after it. Pure. */
export function findNextPod(samples: readonly Sample[], killedAtMs: number): Figures {
  const created = samples.flatMap(({ askedAtMs, phases }) =>
    phases['pod created'] === undefined ? [] : [askedAtMs + phases['pod created']],
  );
  const next = created.filter((atMs) => atMs > killedAtMs + inFlightMs).toSorted((a, b) => a - b)[0];
  return next === undefined ? {} : { 'kill -9 to next pod ms': next - killedAtMs };
}

/** Runs that look once at a settled cluster, without an operator beside them; of operators that have such a mode. */
export async function measureOnce({ cluster, subject, running, signal }: Aftermath, runs: number): Promise<Figures> {
  if (subject.once === undefined) return {};
  await running.operator.stop();
  const fromMs = Date.now();
  const results: Awaited<ReturnType<typeof runTimed>>[] = [];
  for (let run = 0; run < runs && !signal.aborted; run += 1) results.push(await runTimed(subject.once, { KUBECONFIG: cluster.kubeconfig }));
  const calls = await countCalls(cluster.auditLog, fromMs, Date.now());
  const of = (value: 'wallMs' | 'cpuMs' | 'peakRssBytes'): number => median(results.map((result) => result[value]));
  return {
    'once: runs': runs,
    'once: wall ms, median': of('wallMs'),
    'once: CPU ms, median': of('cpuMs'),
    'once: peak RSS bytes, median': of('peakRssBytes'),
    ...(calls === undefined ? {} : { 'once: calls': Object.values(calls).reduce((sum, count) => sum + count, 0) / results.length }),
  };
}

/** @throws Error when the command fails */
async function runTimed(command: string, env: Readonly<Record<string, string>>) {
  const startMs = performance.now();
  // The shell stays, and tells in its second line what its children used.
  const child = spawn('bash', ['-c', `${command} >&2; code=$?; times; exit $code`], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let peakRssBytes = 0;
  const timer = setInterval(() => {
    for (const pid of childrenOf(child.pid ?? 0)) peakRssBytes = Math.max(peakRssBytes, findPeak(pid));
  }, 5);
  const [told, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command}: exit code ${code}`);
  return { wallMs: performance.now() - startMs, cpuMs: parseTimes(told), peakRssBytes };
}

/** User and system time of a shell's children from what `times` prints: `0m0.012s 0m0.003s` in the second line. Pure. */
export function parseTimes(told: string): number {
  const matches = (told.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g);
  return [...matches].reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1_000, 0);
}

function findPeak(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`))?.[1] ?? 0) * 1_024;
}
