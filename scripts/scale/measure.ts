import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readMetric } from '../../src/bench/bench-cluster.ts';
import { startCommand } from '../../src/bench/command.ts';
import { deployedEnv } from '../../src/bench/subject-start.ts';
import { parseLook } from '../../src/bench/usage.ts';
import { isInShard } from '../../src/controller/shard.ts';
import { findFreePorts } from '../../src/testbed/free-ports.ts';
import { readProc } from '../../src/testbed/proc.ts';
import type { ServerMessage } from './server-process.ts';
import { nameOf, namespace } from './settled.ts';

export interface ScalePoint {
  readonly performers: number;
  /** It was the first of so many. */
  readonly shards: number;
  /** Until all three kinds are in the cache: by the clock, and of the operator's CPU. */
  readonly syncMs: number;
  readonly syncCpuMs: number;
  /** Then until each Performer was looked at once. */
  readonly firstPassMs: number;
  readonly firstPassCpuMs: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  /** To Performers that were settled already: there is nothing to write. */
  readonly needlessWrites: number;
  /** From a change that was sent to the first write about it; one by one, and all at once. */
  readonly delaysMs: readonly number[];
  readonly stormDelaysMs: readonly number[];
}

export interface ScaleOptions {
  /** The bundle. */
  readonly cli: string;
  readonly settledPath: string;
  readonly scratch: string;
  readonly performers: number;
  readonly shards: number;
  /** How many changes are measured one by one, and how many at once. */
  readonly changes: number;
  readonly storm: number;
  /** How long after the first look memory is read, in milliseconds. */
  readonly restMs: number;
  readonly signal: AbortSignal;
  readonly update: (text: string) => void;
}

const serverPath = fileURLToPath(new URL('./server-process.ts', import.meta.url));
const changeEveryMs = 100;
const ownHeapHolds = 300_000;
const settleWithinMs = 3_600_000;

/** One operator, fresh, in front of so many settled Performers. @throws Error when it ends, or does not answer what was changed */
export async function measureScale(options: ScaleOptions): Promise<ScalePoint> {
  const { cli, settledPath, scratch, performers, shards, changes, storm, restMs, signal, update } = options;
  const isOwn = (index: number): boolean => shards === 1 || isInShard({ namespace, name: nameOf(index) }, { index: 1, count: shards });
  const own = Array.from({ length: performers }, (_, index) => index).filter(isOwn);
  const server = new Server(fork(serverPath, [settledPath, String(performers)]));
  const [metrics = 0, health = 0] = await findFreePorts(2);
  const kubeconfig = join(scratch, 'kubeconfig');
  await writeFile(kubeconfig, await server.kubeconfig, { mode: 0o600 });
  const addresses = ['--metrics-bind-address', `127.0.0.1:${metrics}`, '--health-probe-bind-address', `127.0.0.1:${health}`];
  // As it ships, unless that cannot hold so many: Node takes 4 GiB at most by itself.
  const heap = performers > ownHeapHolds ? ['--max-old-space-size=16384'] : [];
  const argv = [
    process.execPath,
    ...heap,
    cli,
    'watch',
    '--leader-elect=false',
    ...(shards === 1 ? [] : ['--shard', `1/${shards}`]),
    ...addresses,
  ] as const;
  const startMs = performance.now();
  const operator = startCommand(argv, { ...deployedEnv(), KUBECONFIG: kubeconfig }, join(scratch, `operator-${performers}-${shards}.log`));
  let ended: string | undefined;
  void operator.ended.then((how) => {
    ended = how;
  });
  const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
    const fromMs = performance.now();
    while (!(await holds())) {
      signal.throwIfAborted();
      if (ended !== undefined) throw new Error(`${performers} Performers, ${what}: the operator ended: ${ended}`);
      if (performance.now() - fromMs > settleWithinMs) throw new Error(`${performers} Performers, ${what}: not within an hour`);
      const { rssBytes = 0 } = look(operator.pid) ?? {};
      update(`${what}, ${Math.round(rssBytes / 1024 ** 2)} MiB`);
      await sleep(20);
    }
  };
  try {
    await until('filling the caches', async () => (await ask(health, '/readyz')) !== undefined);
    const [syncMs, syncCpuMs] = [performance.now() - startMs, look(operator.pid)?.cpuMs ?? Number.NaN];
    await until('looking at each', async () => {
      const page = await ask(metrics, '/metrics');
      return (
        page !== undefined &&
        readMetric(page, 'controller_runtime_reconcile_total') >= own.length &&
        readMetric(page, 'workqueue_depth') === 0
      );
    });
    const [settledMs, settledCpuMs] = [performance.now() - startMs, look(operator.pid)?.cpuMs ?? Number.NaN];
    // V8 gives back what the lists took only when it is not asked for more.
    await sleep(restMs);
    const needlessWrites = server.writes;
    const rssBytes = look(operator.pid)?.rssBytes ?? Number.NaN;
    const spread = (share: number, of: number): number => Math.floor(((share + 0.5) * own.length) / of);
    const pick = (places: readonly number[]): readonly number[] => places.flatMap((place) => own[place] ?? []);
    // Even ones one by one, odd ones at once, so that none is changed twice.
    const alone = pick(Array.from({ length: changes }, (_, at) => spread(at, changes) & ~1));
    for (const index of alone) {
      server.change(index);
      await sleep(changeEveryMs);
    }
    await until('changes one by one', () => server.isAnswered(alone));
    const together = pick(Array.from({ length: storm }, (_, at) => spread(at, storm) | 1));
    for (const index of together) server.change(index);
    await until('changes at once', () => server.isAnswered(together));
    const peakRssBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${operator.pid}/status`))?.[1] ?? Number.NaN) * 1_024;
    return {
      performers,
      shards,
      syncMs,
      syncCpuMs,
      firstPassMs: settledMs - syncMs,
      firstPassCpuMs: settledCpuMs - syncCpuMs,
      rssBytes,
      peakRssBytes,
      needlessWrites,
      delaysMs: server.delays(alone),
      stormDelaysMs: server.delays(together),
    };
  } finally {
    await operator.stop();
    server.end();
  }
}

/** The server's process as its parent sees it. */
class Server {
  readonly kubeconfig: Promise<string>;
  writes = 0;
  readonly #child: ChildProcess;
  readonly #changedAtMs = new Map<number, number>();
  readonly #delays = new Map<number, number>();

  constructor(child: ChildProcess) {
    this.#child = child;
    this.kubeconfig = new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the API server of many objects ended: exit code ${code}`)));
      child.on('message', (message: ServerMessage) => {
        if ('kubeconfig' in message) resolve(message.kubeconfig);
        else if ('changed' in message) this.#changedAtMs.set(message.changed, message.atMs);
        else {
          this.writes += 1;
          const changedAtMs = this.#changedAtMs.get(message.index);
          if (changedAtMs !== undefined && !this.#delays.has(message.index)) this.#delays.set(message.index, message.atMs - changedAtMs);
        }
      });
    });
  }

  change(index: number): void {
    this.#child.send({ change: index });
  }

  isAnswered(indexes: readonly number[]): boolean {
    return indexes.every((index) => this.#delays.has(index));
  }

  delays(indexes: readonly number[]): readonly number[] {
    return [...new Set(indexes)].map((index) => this.#delays.get(index) ?? Number.NaN);
  }

  end(): void {
    this.#child.removeAllListeners('exit');
    this.#child.disconnect();
  }
}

const look = (pid: number) => parseLook(readProc(`${pid}/stat`), readProc(`${pid}/status`));

/** The page, or undefined while there is none, or not yet one of success. */
async function ask(port: number, path: string): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(30_000) });
    const page = await answer.text();
    return answer.ok ? page : undefined;
  } catch {
    return undefined;
  }
}
