import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createOracles } from '../../../src/oracle/all.ts';
import { calmContext } from '../../../src/oracle/define.ts';
import { planSwarm, type RunPlan } from '../../../src/sim/run-plan.ts';
import { loadSimulator, type Simulator } from '../support/load.ts';
import { loadWith } from './load.ts';
import { type Catch, type KnownBad, mutants } from './mutants.ts';
import { faultFree, planOf, singleFaults } from './search.ts';

const inParallel = 2;
/** Runs that are searched where the one a defect is known by does not show it any more. */
const maxSingleFaults = 600;
const maxSeeds = 20;

interface Row {
  readonly bad: KnownBad;
  /** What a run without faults says against it: then it needs no simulator to be found, and does not count. */
  readonly failsCalm: string;
  /** Where it was caught, by which oracles; undefined: nowhere. */
  readonly caught: { readonly where: string; readonly oracles: readonly string[]; readonly runs: number } | undefined;
}

const rows: Row[] = [];
const real = await loadSimulator();
/** The real operator runs one plan after the other, for whoever asks. */
let last: Promise<unknown> = Promise.resolve();
function saysOfReal(plan: RunPlan): Promise<string> {
  const next = last.then(() => real.run(plan)).then(({ first }) => first);
  last = next;
  return next;
}

/** What catches the real operator, too, catches nobody. */
async function isCaught(simulator: Simulator, plan: RunPlan): Promise<readonly string[] | undefined> {
  const { oracles } = await simulator.run(plan);
  return oracles.length > 0 && (await saysOfReal(plan)) === '' ? oracles : undefined;
}

async function judge(bad: KnownBad): Promise<Row> {
  const simulator = await loadWith(bad);
  try {
    let failsCalm = '';
    for (const calm of faultFree) {
      const { first } = await simulator.run(planOf(calm));
      if (first !== '') failsCalm ||= `${nameOf(calm)}: ${first}`;
    }
    let runs = 0;
    for (const { where, plan } of runsFor(bad)) {
      runs += 1;
      const oracles = await isCaught(simulator, plan);
      if (oracles !== undefined) return { bad, failsCalm, caught: { where, oracles, runs } };
    }
    return { bad, failsCalm, caught: undefined };
  } finally {
    await simulator.close();
  }
}

function* runsFor({ caughtBy }: KnownBad): Generator<{ readonly where: string; readonly plan: RunPlan }> {
  yield { where: nameOf(caughtBy), plan: planOf(caughtBy) };
  let tried = 0;
  for (const one of singleFaults(['watch', 'once'])) {
    if (tried++ >= maxSingleFaults) break;
    yield { where: nameOf(one), plan: planOf(one) };
  }
  for (let seed = 1; seed <= maxSeeds; seed += 1) yield { where: `seed ${seed}`, plan: planSwarm(seed) };
}

function nameOf({ scenario, mode, fault }: Catch): string {
  return [scenario, mode === undefined ? '' : ` (${mode})`, fault === undefined ? '' : ` with ${describeFault(fault)}`].join('');
}

function describeFault({ id, ...rest }: NonNullable<Catch['fault']>): string {
  return [id, ...Object.entries(rest).map(([name, value]) => `${name} ${value}`)].join(' ');
}

async function judgeAll(): Promise<void> {
  const waiting = mutants.map((bad, place) => ({ bad, place }));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) rows[next.place] = await judge(next.bad);
  };
  await Promise.all(Array.from({ length: inParallel }, work));
}

await judgeAll();

/** Into the documents where `KNOWN_BAD_TABLE=1` asks for it. */
function renderTable(): string {
  const cells = rows.map(({ bad, caught }) => [bad.name, bad.about, caught?.oracles.join(', ') ?? '**nobody**', caught?.where ?? '']);
  const lines = cells.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  const caught = rows.filter((row) => row.caught !== undefined).length;
  const calm = rows.filter(({ bad }) => planOf(bad.caughtBy).faults.length === 0).length;
  return [
    '# Known-bad operators',
    '',
    `${rows.length} small changes of the real code, each a classic defect. Each holds in all ${faultFree.length} runs of the simulator’s scenarios without faults; ${caught} are caught by the simulation, in runs that the real operator holds in: ${caught - calm} under a fault, ${calm} by what users ask for alone, in workloads that the scenarios lack.`,
    'Made by `KNOWN_BAD_TABLE=1 npx vitest run test/simulation/known-bad`; the changes stand in `test/simulation/known-bad/mutants.ts`.',
    '',
    '| operator | what is wrong | caught by | in |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

describe('known-bad operators', () => {
  afterAll(async () => {
    await real.close();
    const table = renderTable();
    process.stdout.write(`\n${table}\n`);
    if (process.env.KNOWN_BAD_TABLE === '1')
      writeFileSync(fileURLToPath(new URL('../../../docs/results/known-bad.md', import.meta.url)), table);
  });

  it('are caught by each statement that a run is judged by', () => {
    const named = new Set(mutants.flatMap(({ by }) => by));
    const all = createOracles(calmContext).map(({ id }) => id);
    expect(all.filter((id) => !named.has(id))).toEqual([]);
  });

  it('are many', () => expect(mutants.length).toBeGreaterThanOrEqual(24));

  it.each(mutants.map(({ name }, place) => ({ name, place })))('$name works without faults, and is caught', ({ place }) => {
    const row = rows[place];
    expect(row?.failsCalm).toBe('');
    expect(row?.caught?.oracles ?? []).not.toEqual([]);
    expect(row?.caught?.oracles).toEqual(expect.arrayContaining([...(row?.bad.by ?? ['nobody'])]));
    expect(row?.caught?.where, 'caught elsewhere: put that into caughtBy').toBe(nameOf(row?.bad.caughtBy as Catch));
  });
});
