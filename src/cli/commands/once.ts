import { type Command, Option } from 'commander';
import { countWrites, type WriteCounts } from '../../kube/counting.ts';
import { keyText } from '../../kube/objects.ts';
import { systemClock } from '../../lib/clock.ts';
import { operateOnce } from '../../operator/once.ts';
import { createEventRecorder } from '../../telemetry/events.ts';
import { createLineLogger, type LogFormat, type Logger, type LogLevel } from '../../telemetry/logger.ts';
import { createPasses } from '../../telemetry/passes.ts';
import { connect } from '../connect.ts';
import { type ExitCode, exitCodes, hintFor } from '../exit-codes.ts';
import { abortOnSignals, createReconcile, operatorOptionsOf, readSettings } from '../operator.ts';
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
    let counts: WriteCounts = { create: 0, patch: 0, delete: 0 };
    const outcome = await operateOnce({
      ...operatorOptionsOf(connection, options, log.info),
      kube: connection.kube,
      signal,
      waitMs: options.wait,
      dryRun: options.dryRun === true,
      log: log.info,
      onUnavailable: (message) => process.stderr.write(`Running without a Lease: ${message}\n`),
      createRun: (parts, isLook) => {
        const said = isLook ? whisper(log) : log;
        const counted = countWrites(connection.kube);
        counts = counted.counts;
        const events = createEventRecorder({ kube: counted.kube, clock: systemClock, log: said });
        const passes = createPasses({ log: quietly(said), monotonicMs: () => systemClock.monotonicMs(), nextStep: hintFor });
        const reconcile = createReconcile({ ...parts, kube: counted.kube, settings: readSettings(options), log: said, passes, events });
        return { reconcile, end: () => events.close(eventsMs) };
      },
    });
    const released = outcome.release();
    try {
      return tell({
        result: judgeOutcomes(outcome.outcomes.map((one) => one.outcome)),
        writer: outcome.writer,
        performers: outcome.performers,
        passes: outcome.passes,
        writes: counts,
        keys: outcome.outcomes.map((one) => reportKey(one.key, one.outcome, outcome.plans?.get(keyText(one.key)))),
      });
    } finally {
      await released;
    }
  } finally {
    connection.close();
  }
}

/** What a pass came to is the report's to say: the log only tells of it beside it. */
function quietly({ debug, info }: Logger): Logger {
  return { debug, info, warn: info, error: info };
}

/** A look that comes before the run itself: what it has to say is said then. */
function whisper({ debug }: Logger): Logger {
  return { debug, info: debug, warn: debug, error: debug };
}

function exitCodeOf({ result, keys }: OnceReport, options: OnceOptions): ExitCode {
  if (result === 'Converged' || (result === 'Waiting' && options.waitingOk === true)) return exitCodes.ok;
  if (result !== 'Failed') return exitCodes.negative;
  return keys.some(({ reason }) => reason === 'unreachable' || reason === 'timeout') ? exitCodes.unreachable : exitCodes.failed;
}
