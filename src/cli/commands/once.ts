import { type Command, Option } from 'commander';
import { FlightLimit } from '../../controller/flight-limit.ts';
import { runOnce } from '../../controller/once.ts';
import { WorkQueue } from '../../controller/work-queue.ts';
import { countWrites } from '../../kube/counting.ts';
import { keyText } from '../../kube/objects.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Plan } from '../../reconcile/plan/actions.ts';
import { createWorld, listKeys, listWorld, onWorldChange, type World, watchWorld } from '../../reconcile/world.ts';
import { createEventRecorder } from '../../telemetry/events.ts';
import { createLineLogger, type LogFormat, type Logger, type LogLevel } from '../../telemetry/logger.ts';
import { createPasses } from '../../telemetry/passes.ts';
import { type Connection, connect } from '../connect.ts';
import { type ExitCode, exitCodes, hintFor } from '../exit-codes.ts';
import { abortOnSignals, createReconcile, openLease, readSettings } from '../operator.ts';
import { addLogOptions, addWriterOptions, flag, parseDuration, parseOutput, readOptions, type WriterOptions } from '../options.ts';
import { judgeOutcomes, type OnceReport, renderOnce, reportKey } from '../output.ts';

interface OnceOptions extends WriterOptions {
  readonly wait: number;
  readonly waitingOk?: boolean;
  readonly dryRun?: boolean;
  readonly output: 'text' | 'json';
  readonly verbose?: boolean;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

/** How long Events may take at the end of a run. */
const eventsMs = 3_000;
/** What was listed before a longer wait for the Lease is listed again: writes on it would be safe, and in vain. */
const staleMs = 1_000;

export function registerOnce(program: Command): void {
  addLogOptions(addWriterOptions(program.command('once')), 'warn; with --verbose debug', 'text')
    .description('converge all Performers and exit: 0 converged, 1 failed, 3 waiting or stalled, 7 cluster unreachable')
    .addOption(
      new Option('--wait <duration>', 'wait for the cluster up to this long; ends early when all is done or only a user can go on')
        .argParser(parseDuration)
        .default(0, 'report what waits, wait for nothing'),
    )
    .addOption(flag('--waiting-ok', 'exit 0 when something is still waiting'))
    .addOption(flag('--dry-run', 'say what would be done and write nothing'))
    .option('-o, --output <format>', 'text or json', parseOutput, 'text')
    .addOption(flag('--verbose', 'log to stderr what each pass wrote'))
    .action(async (_options: unknown, command: Command) => {
      process.exitCode = await once(readOptions<OnceOptions>(command));
    });
}

async function once(options: OnceOptions): Promise<ExitCode> {
  const startedMs = systemClock.monotonicMs();
  const level = options.logLevel ?? (options.verbose ? 'debug' : 'warn');
  const log = createLineLogger(process.stderr, { level, format: options.logFormat ?? 'text', nowMs: () => systemClock.nowMs() });
  const signal = abortOnSignals();
  const connection = await connect(options, { warn: (message) => log.warn(message) });
  try {
    const tell = (outcome: Omit<OnceReport, 'durationMs'>): ExitCode => {
      const report = { ...outcome, durationMs: Math.round(systemClock.monotonicMs() - startedMs) };
      const width = process.stdout.isTTY ? (process.stdout.columns ?? 120) : Number.POSITIVE_INFINITY;
      const text = options.output === 'json' ? JSON.stringify(report) : renderOnce(report, { dryRun: options.dryRun === true, width });
      process.stdout.write(`${text}\n`);
      return exitCodeOf(report, options);
    };
    let filled = await fillWorld(connection, options, log, signal);
    const filledMs = systemClock.monotonicMs();
    if (options.wait === 0) {
      // Most runs find nothing to do: then nobody needs to be the one who writes, and the Lease is not touched.
      const seen = await run(connection, filled, options, looker, options.dryRun ? log : whisper(log), signal);
      const wantsToWrite = seen.keys.some(({ planned }) => planned !== undefined);
      if (!wantsToWrite || options.dryRun === true || signal.aborted) return tell(seen);
      filled = { ...filled, queue: new WorkQueue(systemClock) };
    }
    const writer = await claimWriter(connection, options, log, signal);
    let released: Promise<void> | undefined;
    try {
      const isStale = options.wait === 0 && systemClock.monotonicMs() - filledMs > staleMs;
      if (isStale) filled = await fillWorld(connection, options, log, signal);
      const outcome = await run(connection, filled, options, writer, log, signal);
      released = writer.release();
      return tell(outcome);
    } finally {
      await (released ?? writer.release());
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

/** Writes nothing. */
const looker: Writer = { name: 'this', mayWrite: () => false, release: () => Promise.resolve() };

/** Takes the Lease for the run. Held by another: this run only looks. Not to be had at all: preconditions alone keep two writers harmless. */
async function claimWriter(connection: Connection, options: OnceOptions, log: Logger, signal: AbortSignal): Promise<Writer> {
  if (options.dryRun) return looker;
  const free: Writer = { ...looker, mayWrite: () => true };
  if (!options.leaderElect) return free;
  const lease = openLease(connection, options, log.info);
  const claim = await lease.tryAcquire(signal);
  if ('holder' in claim) return { ...free, name: claim.holder, mayWrite: () => false };
  if (!claim.held) {
    process.stderr.write(`Running without a Lease: ${claim.message}\n`);
    return free;
  }
  const stop = new AbortController();
  const kept = lease.keep(stop.signal, () => undefined);
  const release = async (): Promise<void> => {
    stop.abort();
    await kept;
    await lease.release();
  };
  return { ...free, mayWrite: () => lease.isHeld(), release };
}

async function run(
  connection: Connection,
  { world, queue, stopWatching }: Filled,
  options: OnceOptions,
  writer: Writer,
  log: Logger,
  signal: AbortSignal,
): Promise<Omit<OnceReport, 'durationMs'>> {
  const { kube, counts } = countWrites(connection.kube);
  const plans = new Map<string, Plan>();
  const events = createEventRecorder({ kube, clock: systemClock, log });
  const reconcile = createReconcile({
    kube,
    world,
    settings: readSettings(options),
    mayWrite: writer.mayWrite,
    log,
    passes: createPasses({ log: quietly(log), monotonicMs: () => systemClock.monotonicMs(), nextStep: hintFor }),
    events,
    onPlan: (key, plan) => plans.set(keyText(key), plan),
  });
  const { outcomes, passes } = await runOnce({
    queue,
    keys: listKeys(world),
    reconcile,
    limit: new FlightLimit(options.workers),
    clock: systemClock,
    random: Math.random,
    waitMs: options.wait,
    signal,
  });
  await stopWatching();
  await events.close(eventsMs);
  const onlyLooked = !writer.mayWrite();
  return {
    result: judgeOutcomes(outcomes.map(({ outcome }) => outcome)),
    writer: writer.name,
    performers: world.performers.list().length,
    passes,
    writes: counts,
    keys: outcomes.map(({ key, outcome }) => reportKey(key, outcome, onlyLooked ? plans.get(keyText(key)) : undefined)),
  };
}

/** What a pass came to is the report's to say: the log only tells of it beside it. */
function quietly({ debug, info }: Logger): Logger {
  return { debug, info, warn: info, error: info };
}

/** A look that comes before the run itself: what it has to say is said then. */
function whisper({ debug }: Logger): Logger {
  return { debug, info: debug, warn: debug, error: debug };
}

interface Filled {
  readonly world: World;
  readonly queue: WorkQueue;
  readonly stopWatching: () => Promise<void>;
}

/** One list per kind is enough for a run that does not wait; one that waits goes on watching from there. */
async function fillWorld({ kube, namespace }: Connection, options: OnceOptions, log: Logger, signal: AbortSignal): Promise<Filled> {
  const world = createWorld();
  const queue = new WorkQueue(systemClock);
  if (options.wait === 0) {
    await listWorld(world, kube, namespace, signal);
    return { world, queue, stopWatching: () => Promise.resolve() };
  }
  const stop = new AbortController();
  const reflectors = watchWorld(world, {
    kube,
    clock: systemClock,
    namespace,
    signal: stop.signal,
    random: Math.random,
    failFirstList: true,
    log: log.info,
  });
  try {
    await Promise.all(reflectors.map((reflector) => reflector.synced));
  } catch (error) {
    stop.abort();
    throw error;
  }
  onWorldChange(world, (key) => queue.add(key));
  return {
    world,
    queue,
    stopWatching: async () => {
      stop.abort();
      await Promise.all(reflectors.map((reflector) => reflector.done));
    },
  };
}

function exitCodeOf({ result, keys }: OnceReport, options: OnceOptions): ExitCode {
  if (result === 'Converged' || (result === 'Waiting' && options.waitingOk === true)) return exitCodes.ok;
  if (result !== 'Failed') return exitCodes.negative;
  return keys.some(({ reason }) => reason === 'unreachable' || reason === 'timeout') ? exitCodes.unreachable : exitCodes.failed;
}
