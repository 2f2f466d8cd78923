import { type Command, Option } from 'commander';
import { runOnce } from '../../controller/once.ts';
import { WorkQueue } from '../../controller/work-queue.ts';
import { countWrites } from '../../kube/counting.ts';
import { keyText } from '../../kube/objects.ts';
import type { KubeApi } from '../../kube/port.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Plan } from '../../reconcile/plan/actions.ts';
import { createWorld, listKeys, listWorld, onWorldChange, type World, watchWorld } from '../../reconcile/world.ts';
import { type Connection, connect } from '../connect.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createLog, type Log } from '../log.ts';
import { abortOnSignals, createReconcile, holdLease, openLease } from '../operator.ts';
import { addWriterOptions, parseDuration, parseOutput, type WriterOptions } from '../options.ts';
import { judgeOutcomes, type OnceReport, renderOnce, reportKey } from '../output.ts';

interface OnceOptions extends WriterOptions {
  readonly wait: number;
  readonly waitingOk?: boolean;
  readonly dryRun?: boolean;
  readonly output: 'text' | 'json';
  readonly verbose?: boolean;
}

export function registerOnce(program: Command): void {
  addWriterOptions(program.command('once'))
    .description('converge all Performers and exit: 0 converged, 1 failed, 3 waiting or stalled, 7 cluster unreachable')
    .addOption(
      new Option('--wait <duration>', 'wait for the cluster up to this long; ends early when all is done or only a user can go on')
        .argParser(parseDuration)
        .default(0, 'report what waits, wait for nothing'),
    )
    .option('--waiting-ok', 'exit 0 when something is still waiting')
    .option('--dry-run', 'say what would be done and write nothing')
    .option('-o, --output <format>', 'text or json', parseOutput, 'text')
    .option('--verbose', 'log each write to stderr')
    .action(async (_options: unknown, command: Command) => {
      process.exitCode = await once(command.optsWithGlobals<OnceOptions>());
    });
}

async function once(options: OnceOptions): Promise<ExitCode> {
  const startedMs = systemClock.monotonicMs();
  const log: Log = options.verbose ? createLog(process.stderr, 'text', () => systemClock.nowMs()) : () => undefined;
  const signal = abortOnSignals();
  const connection = await connect(options);
  try {
    const writer = await claimWriter(connection, options, log, signal);
    try {
      const report = await run(connection, options, writer, log, signal, startedMs);
      const width = process.stdout.isTTY ? (process.stdout.columns ?? 120) : Number.POSITIVE_INFINITY;
      process.stdout.write(
        `${options.output === 'json' ? JSON.stringify(report) : renderOnce(report, { dryRun: options.dryRun === true, width })}\n`,
      );
      return exitCodeOf(report, options);
    } finally {
      await writer.release();
    }
  } finally {
    connection.close();
  }
}

interface Writer {
  /** `this`, or the name of whoever holds the Lease. */
  readonly name: string;
  readonly mayWrite: () => boolean;
  release(): Promise<void>;
}

/** Takes the Lease for the run. Held by another: this run only looks. Not to be had at all: preconditions alone keep two writers harmless. */
async function claimWriter(connection: Connection, options: OnceOptions, log: Log, signal: AbortSignal): Promise<Writer> {
  const idle = { release: () => Promise.resolve() };
  if (options.dryRun) return { ...idle, name: 'this', mayWrite: () => false };
  const lease = openLease(connection, options, log);
  const claim = await lease.tryAcquire(signal);
  if (claim.held) {
    const held = holdLease(lease, () => undefined);
    return { name: 'this', mayWrite: held.isHeld, release: () => held.release() };
  }
  if ('holder' in claim) return { ...idle, name: claim.holder, mayWrite: () => false };
  process.stderr.write(`Running without a Lease: ${claim.message}\n`);
  return { ...idle, name: 'this', mayWrite: () => true };
}

async function run(
  connection: Connection,
  options: OnceOptions,
  writer: Writer,
  log: Log,
  signal: AbortSignal,
  startedMs: number,
): Promise<OnceReport> {
  const { kube, counts } = countWrites(connection.kube);
  const world = createWorld();
  const queue = new WorkQueue(systemClock);
  const plans = new Map<string, Plan>();
  const stopWatching = await fillWorld(world, kube, connection, options, queue, log, signal);
  const reconcile = createReconcile({ kube, world, mayWrite: writer.mayWrite, log, onPlan: (key, plan) => plans.set(keyText(key), plan) });
  const { outcomes, passes } = await runOnce({
    queue,
    keys: listKeys(world),
    reconcile,
    workers: options.workers,
    clock: systemClock,
    random: Math.random,
    waitMs: options.wait,
    signal,
  });
  await stopWatching();
  const onlyLooked = !writer.mayWrite();
  return {
    result: judgeOutcomes(outcomes.map(({ outcome }) => outcome)),
    writer: writer.name,
    performers: world.performers.list().length,
    passes,
    writes: counts,
    keys: outcomes.map(({ key, outcome }) =>
      reportKey(key, outcome, onlyLooked && outcome.kind !== 'settled' ? plans.get(keyText(key)) : undefined),
    ),
    durationMs: Math.round(systemClock.monotonicMs() - startedMs),
  };
}

/** One list per kind is enough for a run that does not wait; one that waits goes on watching from there. */
async function fillWorld(
  world: World,
  kube: KubeApi,
  connection: Connection,
  options: OnceOptions,
  queue: WorkQueue,
  log: Log,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  if (options.wait === 0) {
    await listWorld(world, kube, connection.namespace, signal);
    return () => Promise.resolve();
  }
  const stop = new AbortController();
  const reflectors = watchWorld(world, {
    kube,
    clock: systemClock,
    namespace: connection.namespace,
    signal: stop.signal,
    random: Math.random,
    failFirstList: true,
    log,
  });
  try {
    await Promise.all(reflectors.map((reflector) => reflector.synced));
  } catch (error) {
    stop.abort();
    throw error;
  }
  onWorldChange(world, (key) => queue.add(key));
  return async () => {
    stop.abort();
    await Promise.all(reflectors.map((reflector) => reflector.done));
  };
}

function exitCodeOf(report: OnceReport, options: OnceOptions): ExitCode {
  switch (report.result) {
    case 'Converged':
      return exitCodes.ok;
    case 'Waiting':
      return options.waitingOk ? exitCodes.ok : exitCodes.negative;
    case 'Stalled':
      return exitCodes.negative;
    case 'Failed':
      return report.keys.some((row) => row.reason === 'unreachable' || row.reason === 'timeout') ? exitCodes.unreachable : exitCodes.failed;
  }
}
