import { access, constants, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createOracles } from '../oracle/all.ts';
import { calmContext } from '../oracle/define.ts';
import type { Violation } from '../oracle/oracle.ts';
import { type RunResult, runPlan } from '../sim/run.ts';
import { parseRunFile, renderRunFile } from '../sim/run-file.ts';
import { type Mode, planSwarm, type RunPlan } from '../sim/run-plan.ts';
import { scenarios } from '../sim/scenarios.ts';
import { shrinkPlan } from '../sim/shrink.ts';
import { runTimeOf, tellLines, tellStanding, tellStory } from '../sim/story.ts';
import { RunSums, seedResultOf } from '../sim/summary.ts';
import { renderTimeline } from '../sim/timeline.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { runMany, serveSeeds } from './simulate-many.ts';
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

/** @returns the exit code */
export async function runSimulate(options: SimulateOptions): Promise<number> {
  if (options.worker === true) return serveSeeds();
  if (options.scenario === 'list') {
    for (const { name, about } of scenarios) process.stdout.write(`${name.padEnd(24)} ${about}\n`);
    return exitCodes.ok;
  }
  const { out, html, mode } = options;
  // Before the run, which may last: what it finds is to have a place.
  if (out !== undefined)
    await mkdir(out)
      .catch((error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? undefined : Promise.reject(error)))
      .then(() => access(out, constants.W_OK))
      .catch(cannotWrite(out, '--out'));
  if (html !== undefined) await access(dirname(html), constants.W_OK).catch(cannotWrite(html, '--html'));
  if (options.seeds === undefined && options.minutes === undefined) return runSingle(options);
  return runMany(options, async ({ seed, hash, violations: [violation] }) => {
    if (out === undefined) return;
    const plan = planSwarm(seed, mode === undefined ? {} : { mode });
    // What came to no end would come to none here.
    if (hash === '')
      return writeFile(`${fileOf(out, plan)}.json`, renderRunFile(plan, violation, productVersion)).catch(cannotWrite(out, '--out'));
    await writeOut(out, plan, await runPlan(plan, { keeps }));
  });
}

function cannotWrite(path: string, option: string): (error: unknown) => never {
  return (error) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${option}: nothing can be written to ${path} (${why}); name a place in a folder that you may write to`);
  };
}

interface Chosen {
  readonly plan: RunPlan;
  /** The arguments that choose it again. */
  readonly by: string;
  /** What the file says it shows. */
  readonly note?: string | undefined;
}

async function choosePlan(options: SimulateOptions): Promise<Chosen> {
  const mode = options.mode === undefined ? {} : { mode: options.mode };
  const also = options.mode === undefined ? '' : ` --mode ${options.mode}`;
  if (options.plan !== undefined) {
    const path = options.plan;
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw new CliError(
        `reading ${path}: ${error instanceof Error ? error.message : String(error)}; give a file that simulate --out wrote`,
      );
    });
    const { plan, note } = parseRunFile(path, text, (message) => new CliError(message));
    return { plan: { ...plan, ...mode }, by: `--plan ${path}${also}`, note };
  }
  if (options.scenario !== undefined) {
    const found = scenarios.find(({ name }) => name === options.scenario);
    if (found === undefined)
      throw new CliError(`no scenario is called ${options.scenario}; \`simulate --scenario list\` names them`, exitCodes.usage);
    const seed = options.seed === undefined ? '' : ` --seed ${options.seed}`;
    const plan = { ...found.plan, ...mode, ...(options.seed === undefined ? {} : { seed: options.seed }) };
    return { plan, by: `--scenario ${options.scenario}${seed}${also}` };
  }
  const plan = planSwarm(options.seed ?? 1, mode);
  return { plan, by: `--seed ${plan.seed}${also}` };
}

async function runSingle(options: SimulateOptions): Promise<number> {
  const { until, json, out, html } = options;
  const bounds = { keeps, ...(until === undefined ? {} : { untilMs: until }) };
  let { plan, by, note } = await choosePlan(options);
  if (note !== undefined) process.stderr.write(`${options.plan}: ${note}\n`);
  let result = await runPlan(plan, bounds);
  const worst = result.violations[0];
  if (worst !== undefined && options.shrink === true) {
    process.stderr.write(`${worst.oracle} is violated; looking for a smaller plan …\n`);
    const shrunk = await shrinkPlan(plan, worst.oracle, shrinkBudget, ({ faults, users }) =>
      process.stderr.write(`  ${faults.length} faults, ${users.length} steps of users\n`),
    );
    plan = shrunk.plan;
    result = await runPlan(plan, bounds);
    by = out === undefined ? `${by} --shrink` : `--plan ${fileOf(out, plan)}.json`;
  }
  const { violations, lines } = result;
  if (html !== undefined) await writeFile(html, renderTimeline(plan, result)).catch(cannotWrite(html, '--html'));
  if (out !== undefined && violations.length > 0) await writeOut(out, plan, result);
  const seed = seedResultOf(plan, result);
  const sums = new RunSums();
  sums.add(seed);
  if (json === true)
    process.stdout.write(`${JSON.stringify({ version: productVersion, ...seed, states: seed.states.length, violations, plan })}\n`);
  else {
    if (until !== undefined)
      process.stdout.write(`${[...tellLines(lines.slice(-40)), ...tellStanding(lines, result.simulatedMs)].join('\n')}\n\n`);
    for (const violation of violations.slice(0, 3)) process.stdout.write(`${storyOf(violation, result, by).join('\n')}\n\n`);
    if (violations.length > 3)
      process.stdout.write(`and ${violations.length - 3} more violations; --html FILE draws them all, --json lists them\n\n`);
    process.stdout.write(`${sums.line()}\n`);
  }
  if (note !== undefined && violations.length === 0 && until === undefined)
    process.stderr.write(
      `${options.plan} violates nothing in this version. Was that mended? Then it belongs into test/simulation/corpus, which holds it to that. Else the plan does not lead there any more: look for it anew, e.g. --seeds 1500 --out DIR\n`,
    );
  return violations.length === 0 ? exitCodes.ok : exitCodes.negative;
}

const statements = new Map(createOracles(calmContext).map(({ id, statement }) => [id, statement]));

/** @param by the arguments that choose the run */
function storyOf(violation: Violation, { lines }: RunResult, by: string): readonly string[] {
  const statement =
    statements.get(violation.oracle) ?? 'No pass throws, no process ends by itself, every run ends, and equal runs are equal.';
  const seeMore = `bin/hourglass simulate ${by} --until ${Math.max(1, runTimeOf(violation))} --html timeline.html`;
  return tellStory(violation, lines, statement, seeMore);
}

const fileOf = (dir: string, { seed }: RunPlan): string => join(dir, `seed-${seed}`);

async function writeOut(dir: string, plan: RunPlan, result: RunResult): Promise<void> {
  const file = fileOf(dir, plan);
  const told = result.violations.slice(0, 5).map((violation) => storyOf(violation, result, `--plan ${file}.json`).join('\n'));
  const texts = {
    json: renderRunFile(plan, result.violations[0], productVersion),
    txt: `${told.join('\n\n')}\n`,
    html: renderTimeline(plan, result),
  };
  for (const [ending, text] of Object.entries(texts)) await writeFile(`${file}.${ending}`, text).catch(cannotWrite(dir, '--out'));
  process.stderr.write(`written: ${file}.json, .txt, .html\n`);
}
