/**
 * One share of the mutants, inside a vitest worker, whose `expect` the tests need: `scripts/mutate.ts` starts one for each core
 * and reads the lines it appends to its file.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import vm from 'node:vm';
import { expect, it } from 'vitest';
import { Loader } from './loader.ts';
import { applyMutant } from './mutants.ts';
import type { Result, Share } from './share.ts';

/** The tests take a second without a mutant: one that takes this long turns in a circle. */
const timeoutMs = 30_000;

const share = JSON.parse(readFileSync(process.env.HOURGLASS_MUTATION_SHARE ?? '', 'utf8')) as Share;
const { root, core } = share;
const rows: { readonly name: string; readonly body: () => unknown }[] = [];
const add = (name: string, body: () => unknown): number => rows.push({ name, body });
const each =
  (values: readonly unknown[]) =>
  (name: string, body: (...row: unknown[]) => unknown): void => {
    for (const value of values) add(name, () => (Array.isArray(value) ? body(...value) : body(value)));
  };
const collector = { describe: (_: string, body: () => void) => body(), it: Object.assign(add, { each }), expect };
const loader = new Loader({ vitest: collector }, (path) => path.startsWith(join(root, core)) || path.startsWith(join(root, 'test')));
// The same mutant meets the same examples; the first that fails is enough.
const { configureGlobal } = createRequire(import.meta.url)('fast-check') as typeof import('fast-check');
configureGlobal({ seed: 7, endOnFailure: true });

/** The tests named after a file notice first. */
function isNamesake(test: string, file: string): boolean {
  return basename(test) === basename(file).replace(/\.ts$/, '.test.ts');
}

/** The first test that fails; undefined when all pass. */
function findFailure(file: string): string | undefined {
  for (const test of share.tests.toSorted((a, b) => Number(isNamesake(b, file)) - Number(isNamesake(a, file)))) {
    rows.length = 0;
    try {
      loader.load(join(root, test));
      // What never loads the file cannot notice it.
      if (!loader.has(join(root, file))) continue;
    } catch {
      return test;
    }
    for (const { name, body } of rows) {
      try {
        if (body() instanceof Promise) throw new Error(`${test}: ${name}: an asynchronous test, which this runner does not take`);
      } catch (error) {
        if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        return `${test}: ${name}`;
      }
    }
  }
  return undefined;
}

async function judge(file: string, text: string): Promise<string | undefined> {
  await loader.change(join(root, file), text);
  try {
    // `vm` stops a loop without end; nothing else in one thread can.
    Object.assign(globalThis, { __hourglassJudge: () => findFailure(file) });
    return vm.runInThisContext('__hourglassJudge()', { timeout: timeoutMs }) as string | undefined;
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'no end in sight';
    throw error;
  }
}

it('kills the mutants of its share', async () => {
  const sources = new Map(share.mutants.map(({ file }) => [file, readFileSync(join(root, file), 'utf8')]));
  for (const [file, source] of sources) expect(await judge(file, source)).toBeUndefined();
  for (const mutant of share.mutants) {
    const test = await judge(mutant.file, applyMutant(sources.get(mutant.file) ?? '', mutant));
    const result: Result = { mutant, outcome: test === undefined ? 'survived' : 'killed', ...(test === undefined ? {} : { test }) };
    appendFileSync(share.results, `${JSON.stringify(result)}\n`);
  }
});
