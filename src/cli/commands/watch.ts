import { type Command, Option } from 'commander';
import type { Outcome } from '../../controller/outcome.ts';
import { runWatch } from '../../controller/watch.ts';
import { WorkQueue } from '../../controller/work-queue.ts';
import { isKubeFault } from '../../kube/faults.ts';
import { keyText, type ObjectKey } from '../../kube/objects.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { createWorld, listKeys, onWorldChange, watchWorld } from '../../reconcile/world.ts';
import { connect } from '../connect.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { hintFor } from '../hints.ts';
import { createLog, type Log } from '../log.ts';
import { abortOnSignals, createReconcile, holdLease, openLease } from '../operator.ts';
import { addWriterOptions, parseDuration, type WriterOptions } from '../options.ts';

interface WatchOptions extends WriterOptions {
  readonly drain: number;
  readonly logFormat: 'text' | 'json';
}

const standbyRetryMs = 2_000;

export function registerWatch(program: Command): void {
  addWriterOptions(program.command('watch'))
    .description('keep all Performers converged until SIGTERM')
    .addOption(
      new Option('--drain <duration>', 'how long passes under way may take after SIGTERM').argParser(parseDuration).default(20_000, '20s'),
    )
    .addOption(
      new Option('--log-format <format>', 'form of the log')
        .choices(['text', 'json'])
        .default(process.stderr.isTTY ? 'text' : 'json', 'text on a terminal, else json'),
    )
    .action(async (_options: unknown, command: Command) => {
      process.exitCode = await watch(command.optsWithGlobals<WatchOptions>());
    });
}

async function watch(options: WatchOptions): Promise<ExitCode> {
  const log = createLog(process.stderr, options.logFormat, () => systemClock.nowMs());
  const signal = abortOnSignals();
  const connection = await connect(options);
  const stopReflectors = new AbortController();
  try {
    const { kube, namespace } = connection;
    const world = createWorld();
    const queue = new WorkQueue(systemClock);
    const reflectors = watchWorld(world, {
      kube,
      clock: systemClock,
      namespace,
      signal: stopReflectors.signal,
      random: Math.random,
      log: withHints(log),
    });
    let filled = false;
    // Until the caches are filled there is nothing to drain.
    signal.addEventListener('abort', () => filled || stopReflectors.abort(), { once: true });
    await Promise.all(reflectors.map((reflector) => reflector.synced));
    filled = true;
    if (!signal.aborted) log('caches filled', { server: connection.server, performers: world.performers.list().length });
    onWorldChange(world, (key) => queue.add(key));

    let leading = false;
    const reconcile = createReconcile({ kube, world, mayWrite: () => leading, log });
    const lead = async (until: AbortSignal): Promise<void> => {
      leading = true;
      for (const key of listKeys(world)) queue.add(key);
      await runWatch({
        queue,
        reconcile,
        workers: options.workers,
        clock: systemClock,
        random: Math.random,
        signal: until,
        drainMs: options.drain,
        onOutcome: reportTransitions(log),
      });
      leading = false;
    };

    const lease = openLease(connection, options, log);
    let toldHolder: string | undefined;
    while (!signal.aborted) {
      const claim = await lease.tryAcquire(signal).catch((error: unknown) => {
        if (!isKubeFault(error)) throw error;
        if (!signal.aborted) log('asking for the Lease failed', { error: error.message });
        return undefined;
      });
      if (claim === undefined) {
        // An API server that is away comes back; caches and process stay.
        await sleep(systemClock, standbyRetryMs, signal);
      } else if (claim.held) {
        log('leading');
        await leadWhileHeld(lease, lead, signal);
        toldHolder = undefined;
      } else if ('holder' in claim) {
        if (toldHolder !== claim.holder) log('standing by', { holder: claim.holder });
        toldHolder = claim.holder;
        await sleep(systemClock, standbyRetryMs, signal);
      } else {
        log('running without a Lease', { cause: claim.message });
        await lead(signal);
      }
    }
    log('stopped');
    return exitCodes.ok;
  } finally {
    stopReflectors.abort();
    connection.close();
  }
}

/** Works until the Lease is lost or the process is asked to stop; gives the Lease back in the second case. */
async function leadWhileHeld(
  lease: ReturnType<typeof openLease>,
  lead: (until: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const until = new AbortController();
  const onSignal = (): void => until.abort(signal.reason);
  signal.addEventListener('abort', onSignal, { once: true });
  if (signal.aborted) onSignal();
  const held = holdLease(lease, () => until.abort(new Error('lease lost')));
  try {
    await lead(until.signal);
  } finally {
    signal.removeEventListener('abort', onSignal);
    await held.release();
  }
}

/** The next step beside the failure, where there is one. */
function withHints(log: Log): Log {
  return (message, fields = {}) => log(message, { ...fields, next: hintFor(fields.code) });
}

/** One line when a key comes to something new; none while it stays. */
function reportTransitions(log: Log): (key: ObjectKey, outcome: Outcome) => void {
  const last = new Map<string, string>();
  return (key, outcome) => {
    // Overtaken by another writer: the next pass tells what it comes to.
    if (outcome.kind === 'failed' && outcome.retry === 'observe') return;
    const failed = outcome.kind === 'failed';
    const text = keyText(key);
    const now = `${outcome.kind} ${outcome.reason}`;
    if (last.get(text) === now) return;
    if (outcome.kind === 'settled' && outcome.reason === 'Gone') last.delete(text);
    else last.set(text, now);
    log(outcome.kind, { key: text, reason: outcome.reason, message: outcome.message, next: failed ? hintFor(outcome.reason) : undefined });
  };
}
