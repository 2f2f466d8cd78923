/**
 * `npm run chaos:known-bad [-- --only NAME,NAME --out DIR]`: known-bad operators of the simulation on real nodes, each under the faults that
 * must catch it, after the real one under all of them. Needs what `npm run chaos` needs; about two minutes for each. Ends with one line
 * `caught N of M`; DIR has a report for each, and the table as known-bad.md. Exit code 3 when one is not caught.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { planOrder } from '../chaos/choose.ts';
import { chooseExperiments } from '../chaos/experiments/catalogue.ts';
import { type ChaosReport, chaosReport } from '../chaos/report.ts';
import { againstIt, caughtBy, caughtIn, findBad, makeSubject } from './chaos/known-bad.ts';
import { projectRoot } from './generate.ts';

const usage = 'usage: npm run chaos:known-bad [-- --only NAME,NAME --out DIR]';

let given: { readonly names: readonly string[]; readonly out: string } | undefined;
try {
  const { values } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string', default: 'chaos-results/known-bad' } } });
  const names = values.only?.split(',') ?? Object.keys(caughtBy);
  for (const name of names) findBad(name);
  given = { names, out: resolve(values.out) };
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
}
process.exitCode = given === undefined ? 2 : await catchAll(given.names, given.out);

async function catchAll(names: readonly string[], out: string): Promise<number> {
  const needed = [...new Set(names.flatMap((name) => caughtBy[name] ?? []))];
  const real = await runChaos('ours', needed, join(out, 'ours'));
  const against = [...againstIt(real).keys()];
  const rows: string[] = [];
  let caught = 0;
  for (const name of names) {
    const bad = findBad(name);
    const dir = join(out, name);
    const ids = caughtBy[name] ?? [];
    const file = await makeSubject(bad, dir);
    const told = [...caughtIn(await runChaos(`${name}=@${file}`, ids, dir), real)];
    if (told.length > 0) caught += 1;
    const why = told.map(([what, detail]) => `${what}: ${detail}`).join('; ');
    rows.push(`| ${[name, bad.about, ids.join(', '), why === '' ? '**nobody**' : why.replaceAll('|', '\\|')].join(' | ')} |`);
    console.log(`${name}: ${why === '' ? 'not caught' : why}`);
  }
  const held = against.length === 0 ? 'nothing speaks against the real one' : `against the real one speak ${against.join(', ')}`;
  const head = [`${caught} of ${names.length} caught; under the same faults ${held}.`, ''];
  const table = [...head, '| operator | what is wrong | faults | caught by |', '| --- | --- | --- | --- |', ...rows, ''];
  await writeFile(join(out, 'known-bad.md'), table.join('\n'));
  console.log(`caught ${caught} of ${names.length}`);
  return caught === names.length ? 0 : 3;
}

/** @throws Error when it ends without a report */
async function runChaos(subject: string, ids: readonly string[], dir: string): Promise<ChaosReport> {
  await mkdir(dir, { recursive: true });
  const args = ['--subject', subject, '--experiment', ids.join(), '--seed', String(seedOf(ids)), '--judge-times', '--out', dir];
  const child = spawn(process.execPath, [join(projectRoot, 'src/cli/main.ts'), 'chaos', ...args], { stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  if (code !== 0 && code !== 3 && code !== 4) throw new Error(`chaos --subject ${subject}: it ended with ${code}`);
  return chaosReport.parse(JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8')));
}

/** The first seed that has these experiments in this order; of many, any order will do. Pure. */
function seedOf(ids: readonly string[]): number {
  const chosen = chooseExperiments('smoke', ids);
  const orderOf = (seed: number): string =>
    planOrder(chosen, seed, 1)
      .map(({ experiment }) => experiment.id)
      .join();
  for (let seed = 1; seed < 100; seed += 1) if (orderOf(seed) === ids.join()) return seed;
  return 1;
}
