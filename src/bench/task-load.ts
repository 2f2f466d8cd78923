import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestbedError } from '../testbed/testbed-error.ts';
import { findInCheckout } from '../testbed/tools.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { buildPerformer } from './bench-lines.ts';
import { startCommand } from './command.ts';

/** Tasks that one more Performer is sent, through its Service, while a load runs. */
export interface TaskLoad {
  /** Gives that Performer another image. */
  change(image: string): Promise<void>;
  /** Ends it; how the tasks went. */
  stop(): Promise<Readonly<Record<string, number>>>;
}

export interface TaskLoadOptions {
  readonly cluster: BenchCluster;
  readonly k6: string;
  readonly namespace: string;
  readonly image: string;
  readonly logPath: string;
  readonly signal: AbortSignal;
}

interface Ended {
  readonly kind: string;
  readonly sent: number;
  readonly answered: number;
  readonly dropped: number;
  readonly tookMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const withinMs = 60_000;

/** Resolves once the first connection is there. @throws TestbedError when it is not within a minute */
export async function startTasks({ cluster, k6, namespace, image, logPath, signal }: TaskLoadOptions): Promise<TaskLoad> {
  const performers = `/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/${namespace}/performers`;
  await cluster.calls.ask('POST', performers, buildPerformer(`${namespace}/tasks`, image, Date.now()));
  const until = waitWith(signal);
  await until('the Performer that is sent tasks to be ready', async () => {
    const { status } = await cluster.calls.ask<{ readonly status?: { readonly ready?: boolean } }>('GET', `${performers}/tasks`);
    return status?.ready === true;
  });
  const service = `/api/v1/namespaces/${namespace}/services/performer-tasks`;
  const { spec } = await cluster.calls.ask<{ readonly spec: { readonly clusterIP: string } }>('GET', service);
  const argv = ['run', '--quiet', '--log-format=raw', findInCheckout('k6/scenarios/tasks.ts')];
  const env = { TARGET: `${spec.clusterIP}:8080`, RATE: '20', DURATION: '1h', MODE: 'channel' };
  const command = startCommand([...cluster.inside.prefix, k6, ...argv] as [string, ...string[]], { ...cluster.k6Env, ...env }, logPath);
  let end: string | undefined;
  void command.ended.then((how) => {
    end = how;
  });
  const lines = (): readonly string[] => readFileSync(logPath, 'utf8').split('\n');
  await until('the first connection to it', async () => {
    if (end !== undefined) throw new TestbedError(`k6 ended before its tasks did: ${end}, log: ${logPath}`);
    return lines().some((line) => line.includes('"kind":"begun"'));
  }).catch(async (error: unknown) => {
    await command.stop();
    throw error;
  });
  return {
    change: (changed) => cluster.calls.ask('PATCH', `${performers}/tasks`, { spec: { image: changed } }),
    stop: async () => {
      await command.stop();
      return readTasks(lines());
    },
  };
}

/** What a run of `tasks.ts` came to. Pure. */
export function readTasks(lines: readonly string[]): Readonly<Record<string, number>> {
  const last = lines.findLast((line) => line.startsWith('{"kind":"end"'));
  if (last === undefined) return {};
  const { sent, answered, dropped, tookMs } = JSON.parse(last) as Ended;
  const times = { 'tasks p50 ms': tookMs.p50, 'tasks p99 ms': tookMs.p99, 'tasks max ms': tookMs.max };
  return { 'tasks sent': sent, 'tasks failed': sent - answered, 'tasks not sent in time': dropped, ...times };
}

function waitWith(signal: AbortSignal) {
  return async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const deadlineMs = performance.now() + withinMs;
    while (!(await holds())) {
      signal.throwIfAborted();
      if (performance.now() > deadlineMs) throw new TestbedError(`${what}: not within ${withinMs / 1_000} s`);
      await sleep(50);
    }
  };
}
