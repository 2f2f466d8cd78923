/**
 * `npm run mutate [-- --files rollout,status --rows --json]`: changes the pure core in one small place after another and counts the changes
 * that its unit rows and properties notice. Ends with one line `killed N of M (P %)`.
 * `--rows` leaves the properties out: a quicker lower bound.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import { equivalents } from './mutation/equivalent.ts';
import { findMutants, type Mutant } from './mutation/mutants.ts';
import { computeScore, describeMutant, formatScores, scoreFiles } from './mutation/report.ts';
import type { Result, Share } from './mutation/share.ts';

const usage = 'usage: npm run mutate [-- --files rollout,status --rows --json]';
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const core = 'src/reconcile/plan';
/** Least score, in percent. */
const wanted = 85;
const progressEveryMs = 10_000;

process.chdir(root);
const options = readOptions();
process.exitCode = options === undefined ? 2 : await mutate(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { files: { type: 'string' }, rows: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    const all = readdirSync(core).filter((name) => name.endsWith('.ts'));
    const files = values.files?.split(',').map((name) => `${name.replace(/^.*\//, '').replace(/\.ts$/, '')}.ts`) ?? all;
    const unknown = files.filter((name) => !all.includes(name));
    if (unknown.length > 0) throw new Error(`not in ${core}: ${unknown.join(', ')}`);
    return { files: files.map((name) => `${core}/${name}`), rows: values.rows, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** 0: the score is reached; 1: the tests do not hold without a mutant, or did not run to their end; 3: the score is missed. */
async function mutate({ files, rows, json }: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  const startedMs = performance.now();
  const found = files.map((file) => findMutants(file, readFileSync(file, 'utf8')));
  const all = found.flatMap(({ mutants }) => mutants);
  const stale = equivalents.filter((entry) => files.includes(entry.file) && !all.some((mutant) => matches(entry, mutant)));
  for (const { file, original, replacement } of stale)
    console.error(`equivalent.ts: matches nothing: ${file}: ${original} → ${replacement}`);
  if (stale.length > 0) return 1;
  const mutants = all.filter((mutant) => !equivalents.some((entry) => matches(entry, mutant)));
  const results = await run(mutants, findTests(rows));
  if (results.length < mutants.length) {
    console.error(`${mutants.length - results.length} of ${mutants.length} mutants were not tried: see above`);
    return 1;
  }
  const scores = scoreFiles(results);
  const survivors = results.filter(({ outcome }) => outcome === 'survived').map(({ mutant }) => mutant);
  const killed = mutants.length - survivors.length;
  const score = computeScore({ mutants: mutants.length, killed });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  const prose = found.reduce((sum, one) => sum + one.prose, 0);
  if (json)
    console.log(
      JSON.stringify({
        score,
        mutants: mutants.length,
        killed,
        equivalent: all.length - mutants.length,
        prose,
        seconds,
        scores,
        survivors,
      }),
    );
  else {
    for (const mutant of survivors) console.log(describeMutant(mutant));
    console.log(`\n${formatScores(scores)}\n`);
    console.log(`${seconds} s; left out: ${all.length - mutants.length} equivalent, ${prose} literals that are words for people`);
  }
  console.log(`killed ${killed} of ${mutants.length} (${score} %)`);
  return score >= wanted ? 0 : 3;
}

function matches(entry: (typeof equivalents)[number], mutant: Mutant): boolean {
  return entry.file === mutant.file && entry.original === mutant.original && entry.replacement === mutant.replacement;
}

/** Tries each mutant once, one vitest worker for each core; fewer results than mutants when a worker failed. */
async function run(mutants: readonly Mutant[], tests: readonly string[]): Promise<readonly Result[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'hourglass-mutate-'));
  const workers = Math.max(1, Math.min(availableParallelism(), mutants.length));
  const shares = Array.from({ length: workers }, (_, worker): Share => {
    // Dealt like cards: neighbours cost alike.
    const own = mutants.filter((_mutant, index) => index % workers === worker);
    return { root, core, tests, mutants: own, results: join(scratch, `results-${worker}`) };
  });
  const paths = shares.map((_, worker) => join(scratch, `share-${worker}`));
  const read = async (): Promise<readonly Result[]> => {
    const texts = await Promise.all(shares.map(({ results }) => readFile(results, 'utf8').catch(() => '')));
    return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as Result);
  };
  const tell = async (): Promise<void> => {
    const done = await read();
    console.error(`${done.length} of ${mutants.length} tried, ${done.filter(({ outcome }) => outcome === 'survived').length} survived`);
  };
  const ticker = setInterval(() => void tell(), progressEveryMs);
  try {
    await Promise.all(shares.map((share, worker) => writeFile(paths[worker] ?? '', JSON.stringify(share))));
    const vitest = await startVitest('test', [], {
      root,
      config: false,
      watch: false,
      pool: 'forks',
      maxWorkers: workers,
      reporters: [['dot', { summary: false }]],
      projects: paths.map((path, worker) => ({
        test: { name: `mutants ${worker}`, include: ['scripts/mutation/host.ts'], testTimeout: 0, env: { HOURGLASS_MUTATION_SHARE: path } },
      })),
    });
    await vitest.close();
    return await read();
  } finally {
    clearInterval(ticker);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The tests of the core: its rows first, since they are quick, then the properties. */
function findTests(rows: boolean): readonly string[] {
  const units = readdirSync('test/unit/reconcile/plan').filter((name) => name.endsWith('.test.ts'));
  const properties = rows ? [] : ['test/property/plan.test.ts', 'test/property/rollout.test.ts'];
  return [...units.map((name) => `test/unit/reconcile/plan/${name}`), ...properties];
}
