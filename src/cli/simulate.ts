import { fork } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createOracles } from '../oracle/all.ts';
import { calmContext } from '../oracle/define.ts';
import type { Violation } from '../oracle/oracle.ts';
import { faultIds } from '../sim/faults/faults.ts';
import { type RunResult, runPlan } from '../sim/run.ts';
import { parseRunFile, renderRunFile } from '../sim/run-file.ts';
import { type Mode, planSwarm, type RunPlan } from '../sim/run-plan.ts';
import { scenarios } from '../sim/scenarios.ts';
import { shrinkPlan } from '../sim/shrink.ts';
import { formatRunTime, tellStory } from '../sim/story.ts';
import { RunSums, type SeedResult, seedResultOf } from '../sim/summary.ts';
import { renderTimeline } from '../sim/timeline.ts';
import { CliError, type ExitCode, exitCodes } from './exit-codes.ts';
import { productVersion } from './version.ts';

export interface SimulateOptions {
  readonly seed?: number;
  readonly seeds?: number;
  readonly from: number;
  readonly minutes?: number;
  readonly scenario?: string;
  readonly plan?: string;
  readonly mode?: Mode;
  readonly until?: number;
  readonly jobs?: number;
  readonly shrink?: boolean;
  readonly out?: string;
  readonly html?: string;
  readonly json?: boolean;
  readonly worker?: boolean;
}

/** Lines of a single run that stay for its story. */
const keeps = 200_000;
const shrinkBudget = 250;
/** One seed in so many runs twice, and must come to the same. */
const twiceEvery = 100;

export async function runSimulate(options: SimulateOptions): Promise<ExitCode> {
  if (options.worker === true) return serveSeeds();
  if (options.scenario === 'list') {
    for (const { name, about } of scenarios) process.stdout.write(`${name.padEnd(24)} ${about}\n`);
    return exitCodes.ok;
  }
  const many = options.seeds !== undefined || options.minutes !== undefined;
  return many ? runMany(options) : runSingle(await choosePlan(options), options);
}

async function choosePlan(options: SimulateOptions): Promise<RunPlan> {
  const mode = options.mode === undefined ? {} : { mode: options.mode };
  if (options.plan !== undefined) {
    const text = await readFile(options.plan, 'utf8').catch((error: unknown) => {
      throw new CliError(`reading ${options.plan}: ${error instanceof Error ? error.message : String(error)}`);
    });
    const { plan, note } = parseRunFile(options.plan, text, (message) => new CliError(message));
    if (note !== undefined) process.stderr.write(`${note}\n`);
    return { ...plan, ...mode };
  }
  if (options.scenario !== undefined) {
    const found = scenarios.find(({ name }) => name === options.scenario);
    if (found === undefined)
      throw new CliError(`no scenario is called ${options.scenario}; \`simulate --scenario list\` names them`, exitCodes.usage);
    return { ...found.plan, ...mode, ...(options.seed === undefined ? {} : { seed: options.seed }) };
  }
  return planSwarm(options.seed ?? 1, mode);
}

async function runSingle(first: RunPlan, options: SimulateOptions): Promise<ExitCode> {
  const { until, json } = options;
  const bounds = { keeps, ...(until === undefined ? {} : { untilMs: until }) };
  let plan = first;
  let result = await runPlan(plan, bounds);
  const worst = result.violations[0];
  if (worst !== undefined && options.shrink === true) {
    process.stderr.write(`${worst.oracle} is violated; looking for a smaller plan …\n`);
    const shrunk = await shrinkPlan(plan, worst.oracle, shrinkBudget, ({ faults, users }) =>
      process.stderr.write(`  ${faults.length} faults, ${users.length} steps of users\n`),
    );
    plan = shrunk.plan;
    result = await runPlan(plan, bounds);
  }
  if (options.html !== undefined) await writeFile(options.html, renderTimeline(plan, result));
  if (options.out !== undefined && result.violations.length > 0) await writeOut(options.out, plan, result);
  const seed = seedResultOf(plan, result);
  const sums = new RunSums();
  sums.add(seed);
  if (json === true) process.stdout.write(`${JSON.stringify({ version: productVersion, ...seed, violations: result.violations, plan })}\n`);
  else {
    if (until !== undefined)
      for (const line of result.lines.slice(-40))
        process.stdout.write(`  ${formatRunTime(line.atMs)}  ${line.lane.padEnd(9)} ${line.who.padEnd(28)} ${line.what}\n`);
    for (const violation of result.violations.slice(0, 3)) process.stdout.write(`${storyOf(violation, result).join('\n')}\n\n`);
    process.stdout.write(`${sums.line()}\n`);
  }
  return result.violations.length === 0 ? exitCodes.ok : exitCodes.negative;
}

function storyOf(violation: Violation, result: RunResult): readonly string[] {
  return tellStory(
    violation,
    result.lines,
    statements.get(violation.oracle) ?? 'no pass throws, no process ends by itself, every run ends',
  );
}

const statements = new Map(createOracles(calmContext).map(({ id, statement }) => [id, statement]));

async function writeOut(dir: string, plan: RunPlan, result: RunResult): Promise<void> {
  await mkdir(dir, { recursive: true });
  const file = join(dir, `seed-${plan.seed}`);
  await writeFile(`${file}.json`, renderRunFile(plan, result.violations[0]));
  await writeFile(
    `${file}.txt`,
    `${result.violations
      .slice(0, 5)
      .map((violation) => storyOf(violation, result).join('\n'))
      .join('\n\n')}\n`,
  );
  await writeFile(`${file}.html`, renderTimeline(plan, result));
  process.stderr.write(`written: ${file}.json, .txt, .html\n`);
}

/** Seeds spread over processes; a line of progress every few seconds, one per violation at once. */
async function runMany(options: SimulateOptions): Promise<ExitCode> {
  const { from, seeds = Number.POSITIVE_INFINITY, minutes = Number.POSITIVE_INFINITY, json } = options;
  const startedMs = performance.now();
  const lastMs = startedMs + minutes * 60_000;
  const sums = new RunSums();
  let next = from;
  const take = (): number | undefined => (next < from + seeds && performance.now() < lastMs ? next++ : undefined);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const onResult = async (result: SeedResult): Promise<void> => {
    sums.add(result);
    if (result.violations.length === 0) return;
    say(`seed ${result.seed}: ${result.violations.map(({ oracle, key, message }) => `${oracle} ${key}: ${message}`).join('\n  ')}`);
    if (options.out === undefined) return;
    const plan = planSwarm(result.seed, options.mode === undefined ? {} : { mode: options.mode });
    await writeOut(options.out, plan, await runPlan(plan, { keeps }));
  };
  const beat = setInterval(() => {
    const rate = sums.seeds / ((performance.now() - startedMs) / 1_000);
    const left = Number.isFinite(seeds) ? `, ${Math.ceil((seeds - sums.seeds) / Math.max(0.01, rate))} s left` : '';
    say(
      `  ${sums.seeds} seeds, ${rate.toFixed(1)} per second, ${(sums.simulatedMs / 3_600_000).toFixed(0)} h simulated, ${sums.violated} violations${left}`,
    );
  }, 5_000);
  try {
    await Promise.all(Array.from({ length: options.jobs ?? availableParallelism() }, () => driveWorker(take, onResult, options.mode)));
  } finally {
    clearInterval(beat);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  const never = faultIds.filter((id) => id !== 'crash-at-step' && (sums.faults[id] ?? 0) === 0);
  const idle = Object.entries(sums.evaluated).flatMap(([id, times]) => (times === 0 ? [id] : []));
  const strict = sums.seeds >= 1_000;
  const lacks = strict ? [...never.map((id) => `fault ${id} never came`), ...idle.map((id) => `oracle ${id} was never put to a test`)] : [];
  if (json === true)
    process.stdout.write(
      `${JSON.stringify({ version: productVersion, seconds, seeds: sums.seeds, violated: sums.violated, simulatedMs: sums.simulatedMs, faults: sums.faults, evaluated: sums.evaluated, median: sums.median(), hash: sums.hash(), lacks })}\n`,
    );
  else process.stdout.write(`${[...summaryText(sums, seconds), ...lacks, sums.line()].join('\n')}\n`);
  return sums.violated === 0 && lacks.length === 0 ? exitCodes.ok : exitCodes.negative;
}

function summaryText(sums: RunSums, seconds: number): readonly string[] {
  const median = sums.median();
  const faults = Object.entries(sums.faults).toSorted(([, a], [, b]) => b - a);
  const ratio = sums.simulatedMs / 1_000 / seconds;
  return [
    `median seed: ${median.performers} Performers, ${median.writes} effective writes, ${median.faults} faults, ${(median.simulatedMs / 60_000).toFixed(1)} simulated minutes`,
    `faults: ${faults.map(([id, times]) => `${id} ${times}`).join(', ')}`,
    `${sums.seeds} seeds in ${seconds.toFixed(0)} s: ${(sums.seeds / seconds).toFixed(1)} per second, ${ratio.toFixed(0)} s simulated per second`,
  ];
}

type ToWorker = { readonly seed: number; readonly mode?: Mode };

function driveWorker(
  take: () => number | undefined,
  onResult: (result: SeedResult) => Promise<void>,
  mode: Mode | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1] ?? '', ['simulate', '--worker'], { execArgv: process.execArgv });
    let running: number | undefined;
    const feed = (): void => {
      running = take();
      if (running === undefined) child.disconnect();
      else child.send({ seed: running, ...(mode === undefined ? {} : { mode }) } satisfies ToWorker);
    };
    child.on('message', (result: SeedResult) => void onResult(result).then(feed, reject));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (running === undefined && code === 0) resolve();
      else reject(new CliError(`the process that ran seed ${running} ended with code ${code}; run it alone: simulate --seed ${running}`));
    });
    feed();
  });
}

/** A worker: seeds in, results out, until the parent hangs up. */
function serveSeeds(): Promise<ExitCode> {
  return new Promise((resolve) => {
    process.on('disconnect', () => resolve(exitCodes.ok));
    const run = async ({ seed, mode }: ToWorker): Promise<void> => {
      const plan = planSwarm(seed, mode === undefined ? {} : { mode });
      const result = seedResultOf(plan, await runPlan(plan));
      const again = seed % twiceEvery === 0 ? (await runPlan(plan)).hash : result.hash;
      const unequal: Violation = {
        oracle: 'B4',
        atMs: 0,
        key: `seed ${seed}`,
        message: `ran twice: trace hash ${result.hash}, then ${again}`,
      };
      process.send?.(again === result.hash ? result : { ...result, violations: [...result.violations, unequal] });
    };
    process.on('message', (message: ToWorker) => void run(message));
  });
}
