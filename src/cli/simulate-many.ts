import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { planSwarm } from '../sim/run-plan.ts';
import { runSeed } from '../sim/seed-run.ts';
import { lacksOf, RunSums, type SeedResult } from '../sim/summary.ts';
import { exitCodes } from './exit-codes.ts';
import { driveWorkers, type ToWorker } from './seed-workers.ts';
import type { SimulateOptions } from './simulate.ts';
import { productVersion } from './version.ts';

/** One seed in so many runs twice, and must come to the same. */
const twiceEvery = 100;

/**
 * Seeds spread over processes; a line of progress every few seconds, one per violation at once. SIGINT or SIGTERM ends it with what is known by then.
 *
 * @returns the exit code
 */
export async function runMany(options: SimulateOptions, keep: (result: SeedResult) => Promise<void>): Promise<number> {
  const { from, seeds = Number.POSITIVE_INFINITY, minutes = Number.POSITIVE_INFINITY, json, mode } = options;
  const startedMs = performance.now();
  const lastMs = startedMs + minutes * 60_000;
  const sums = new RunSums();
  const children = new Set<ChildProcess>();
  let stoppedBy: 'SIGINT' | 'SIGTERM' | undefined;
  let next = from;
  const open = new Set<number>();
  const take = (): number | undefined => {
    if (stoppedBy !== undefined || next >= from + seeds || performance.now() >= lastMs) return undefined;
    open.add(next);
    return next++;
  };
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const onResult = async (result: SeedResult): Promise<void> => {
    sums.add(result);
    open.delete(result.seed);
    if (result.violations.length === 0) return;
    say(`seed ${result.seed}: ${result.violations.map(({ oracle, key, message }) => `${oracle} ${key}: ${message}`).join('\n  ')}`);
    await keep(result);
  };
  const stop = (signal: 'SIGINT' | 'SIGTERM'): void => {
    stoppedBy = signal;
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const beat = setInterval(() => {
    const rate = sums.seeds / ((performance.now() - startedMs) / 1_000);
    const left = Number.isFinite(seeds) ? `, ${Math.ceil((seeds - sums.seeds) / Math.max(0.01, rate))} s left` : '';
    say(
      `  ${sums.seeds} seeds, ${rate.toFixed(1)} per second, ${(sums.simulatedMs / 3_600_000).toFixed(0)} h simulated, ${sums.states.size} states, ${sums.violated} violations${left}`,
    );
    if (sums.seeds > 0) say(`    faults: ${faultsText(sums)}`);
  }, 5_000);
  const startWorker = (): ChildProcess => fork(process.argv[1] ?? '', ['simulate', '--worker'], { execArgv: process.execArgv });
  const drive = (): Promise<void> =>
    driveWorkers({ fork: startWorker, take, onResult, mode, children, isStopped: () => stoppedBy !== undefined });
  try {
    await Promise.all(Array.from({ length: options.jobs ?? availableParallelism() }, drive));
  } finally {
    clearInterval(beat);
    for (const child of children) child.kill('SIGKILL');
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  if (sums.seeds === 0) {
    say('stopped before the first seed had ended');
    return 128 + constants.signals[stoppedBy ?? 'SIGINT'];
  }
  const lacks = lacksOf(sums);
  if (json === true)
    process.stdout.write(
      `${JSON.stringify({ version: productVersion, seconds, seeds: sums.seeds, violated: sums.violated, simulatedMs: sums.simulatedMs, states: sums.states.size, faults: sums.faults, evaluated: sums.evaluated, median: sums.median(), hash: sums.hash(), lacks })}\n`,
    );
  else process.stdout.write(`${[...summaryText(sums, seconds), ...lacks, sums.line()].join('\n')}\n`);
  if (stoppedBy !== undefined) {
    say(`stopped by ${stoppedBy}: this is what was known by then; --from ${Math.min(next, ...open)} goes on from there`);
    return 128 + constants.signals[stoppedBy];
  }
  return sums.violated === 0 && lacks.length === 0 ? exitCodes.ok : exitCodes.negative;
}

/** By id, the most frequent first. */
function faultsText({ faults }: RunSums): string {
  const ordered = Object.entries(faults).toSorted(([, a], [, b]) => b - a);
  return ordered.map(([id, times]) => `${id} ${String(times)}`).join(', ');
}

function summaryText(sums: RunSums, seconds: number): readonly string[] {
  const median = sums.median();
  const ratio = sums.simulatedMs / 1_000 / seconds;
  return [
    `median seed: ${median.performers} Performers, ${median.writes} effective writes, ${median.faults} faults, ${(median.simulatedMs / 60_000).toFixed(1)} simulated minutes`,
    `${sums.states.size} distinct states of a Performer with its Service and pods`,
    `faults: ${faultsText(sums)}`,
    `${sums.seeds} seeds in ${seconds.toFixed(0)} s: ${(sums.seeds / seconds).toFixed(1)} per second, ${ratio.toFixed(0)} s simulated per second`,
  ];
}

/** A worker: seeds in, results out, until the parent hangs up. */
export function serveSeeds(): Promise<number> {
  // A terminal's Ctrl-C reaches all; what becomes of this process is the parent's to say.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve) => {
    process.on('disconnect', () => resolve(exitCodes.ok));
    const run = async ({ seed, mode }: ToWorker): Promise<void> => {
      const plan = planSwarm(seed, mode === undefined ? {} : { mode });
      process.send?.(await runSeed(plan, { isTwice: seed % twiceEvery === 0 }));
    };
    process.on('message', (message: ToWorker) => void run(message));
  });
}
