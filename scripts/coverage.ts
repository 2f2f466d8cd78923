/**
 * `npm run coverage [-- --seeds 300 --from 1 --json]`: which branches of the pure core the simulation takes by itself: seeds, and the
 * scenarios in both modes, as they are. Ends with one line `taken N of M (P %)`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planSwarm, type RunPlan } from '../src/sim/run-plan.ts';
import { scenarios } from '../src/sim/scenarios.ts';
import { loadSimulator } from '../test/simulation/support/load.ts';
import { type Branch, countBranches } from './simulation/branches.ts';

const usage = 'usage: npm run coverage [-- --seeds 300 --from 1 --json]';
const core = 'src/reconcile/plan';
const progressEveryMs = 10_000;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const options = readOptions();
process.exitCode = options === undefined ? 2 : await measure(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string', default: '300' },
        from: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
      },
    });
    const [seeds, from] = [Number(values.seeds), Number(values.from)];
    if (![seeds, from].every((one) => Number.isInteger(one) && one >= 0)) throw new Error('all numbers are whole');
    return { seeds, from, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** 0: measured; 1: a run violated something, so that what it took counts for little. */
async function measure({ seeds, from, json }: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  const code = new Map<string, string>();
  const branches: Branch[] = [];
  let counters = 0;
  for (const name of readdirSync(core).filter((one) => one.endsWith('.ts'))) {
    const path = `${core}/${name}`;
    const found = countBranches(path, readFileSync(path, 'utf8'), counters);
    branches.push(...found.branches);
    code.set(path, found.code);
    counters = found.next;
  }
  const inBothModes = scenarios.flatMap(({ plan }) => (['watch', 'once'] as const).map((mode): RunPlan => ({ ...plan, mode })));
  const counts = await countIn([...inBothModes, ...Array.from({ length: seeds }, (_, index) => planSwarm(from + index))], code, counters);
  if (counts === undefined) return 1;
  const files = [...code.keys()].map((file) => {
    const own = branches.filter((one) => one.file === file);
    return { file, branches: own.length, taken: own.filter(({ taken }) => taken(counts) > 0).length };
  });
  const never = branches.filter(({ taken }) => taken(counts) === 0);
  const taken = branches.length - never.length;
  if (json)
    console.log(
      JSON.stringify({
        seeds,
        branches: branches.length,
        taken,
        files,
        never: never.map(({ file, line, what }) => ({ file, line, what })),
      }),
    );
  else {
    for (const { file, line, what } of never) console.log(`${file}:${line} ${what}`);
    console.log(['', '| File | Branches | Taken | Share |', '|---|--:|--:|--:|'].join('\n'));
    for (const one of files)
      if (one.branches > 0) console.log(`| \`${one.file}\` | ${one.branches} | ${one.taken} | ${share(one.taken, one.branches)} |`);
  }
  console.log(
    `taken ${taken} of ${branches.length} (${share(taken, branches.length)}) in ${seeds} seeds and ${inBothModes.length} runs of scenarios`,
  );
  return 0;
}

/** Cut to one decimal. */
function share(part: number, whole: number): string {
  return `${Math.floor((part / whole) * 1_000) / 10} %`;
}

/** @returns how often each counter was met in all runs together; undefined when one of them violated something */
async function countIn(plans: readonly RunPlan[], code: ReadonlyMap<string, string>, counters: number): Promise<Float64Array | undefined> {
  const counts = new Float64Array(counters);
  const waiting = plans.values();
  let done = 0;
  let isSound = true;
  const beat = setInterval(() => console.error(`${done} of ${plans.length} runs`), progressEveryMs);
  const work = async (): Promise<void> => {
    // Before the code that counts: a bundle keeps the order of what is imported, and this file is the first of each.
    const simulator = await loadSimulator(
      (path, source) => `globalThis.told ??= new Float64Array(${counters});\n${code.get(path) ?? source}`,
    );
    try {
      for (const plan of waiting) {
        const { first } = await simulator.run(plan);
        done += 1;
        if (first !== '') console.error(`seed ${plan.seed}: ${first}`);
        isSound &&= first === '';
      }
      for (const [place, times] of ((await simulator.told()) as Float64Array).entries()) counts[place] = (counts[place] ?? 0) + times;
    } finally {
      await simulator.close();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work)).finally(() => clearInterval(beat));
  return isSound ? counts : undefined;
}
