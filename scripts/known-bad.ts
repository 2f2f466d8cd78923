/**
 * `npm run known-bad [-- --seeds 60 --only NAME,NAME]`: how soon random seeds alone find each known-bad operator. A seed counts where the
 * bad operator violates something and the real one does not. Ends with one line `found N of M`; the table stands before it.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planSwarm } from '../src/sim/run-plan.ts';
import { loadWith } from '../test/simulation/known-bad/load.ts';
import { type KnownBad, mutants } from '../test/simulation/known-bad/mutants.ts';
import { loadSimulator, type Simulator } from '../test/simulation/support/load.ts';

const usage = 'usage: npm run known-bad [-- --seeds 60 --only NAME,NAME]';

interface Found {
  readonly bad: KnownBad;
  /** Seeds that it fails, the first of them by which oracles. */
  readonly seeds: readonly number[];
  readonly oracles: readonly string[];
}

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const options = readOptions();
process.exitCode = options === undefined ? 2 : await search(options);

function readOptions() {
  try {
    const { values } = parseArgs({ options: { seeds: { type: 'string', default: '60' }, only: { type: 'string' } } });
    const seeds = Number(values.seeds);
    if (!Number.isInteger(seeds) || seeds < 1) throw new Error('--seeds is a whole number, 1 or more');
    const names = values.only?.split(',');
    const unknown = names?.filter((name) => !mutants.some((bad) => bad.name === name)) ?? [];
    if (unknown.length > 0) throw new Error(`no known-bad operator is called ${unknown.join(', ')}`);
    return { seeds, chosen: names === undefined ? mutants : mutants.filter(({ name }) => names.includes(name)) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** 0: seeds find each; 3: some are never found so. */
async function search({ seeds, chosen }: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  const numbers = Array.from({ length: seeds }, (_, index) => index + 1);
  const real = new Set<number>();
  const halves = [0, 1].map((rest) => numbers.filter((seed) => seed % 2 === rest));
  await share(halves, (half) => withSimulator(loadSimulator(), (simulator) => failing(half, simulator, (seed) => real.add(seed))));
  const rows: Found[] = [];
  await share([...chosen], async (bad) => {
    const oracles: string[] = [];
    const failed: number[] = [];
    const others = numbers.filter((seed) => !real.has(seed));
    await withSimulator(loadWith(bad), (simulator) =>
      failing(others, simulator, (seed, by) => {
        if (failed.length === 0) oracles.push(...by);
        failed.push(seed);
      }),
    );
    rows.push({ bad, seeds: failed, oracles });
    console.error(`${bad.name}: ${failed.length} of ${seeds}, first ${failed[0] ?? 'none'} ${oracles.join(', ')}`);
  });
  const inOrder = chosen.flatMap((bad) => rows.filter((row) => row.bad === bad));
  console.log(['| operator | first seed | by | seeds that find it |', '|---|--:|---|--:|'].join('\n'));
  for (const row of inOrder)
    console.log(`| ${row.bad.name} | ${row.seeds[0] ?? '–'} | ${row.oracles.join(', ')} | ${row.seeds.length} of ${seeds} |`);
  const found = inOrder.filter((row) => row.seeds.length > 0).length;
  console.log(`found ${found} of ${chosen.length}${real.size === 0 ? '' : `; the real operator fails seeds ${[...real].join(', ')}`}`);
  return found === chosen.length ? 0 : 3;
}

/** Work for all cores, one piece after the other on each. */
async function share<T>(waiting: T[], work: (piece: T) => Promise<void>): Promise<void> {
  const drive = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, drive));
}

async function withSimulator(loading: Promise<Simulator>, use: (simulator: Simulator) => Promise<void>): Promise<void> {
  const simulator = await loading;
  try {
    await use(simulator);
  } finally {
    await simulator.close();
  }
}

async function failing(
  seeds: readonly number[],
  simulator: Simulator,
  found: (seed: number, oracles: readonly string[]) => void,
): Promise<void> {
  for (const seed of seeds) {
    const { oracles } = await simulator.run(planSwarm(seed));
    if (oracles.length > 0) found(seed, oracles);
  }
}
