/**
 * `npm test [-- --only unit,house]`: every suite in order, also after one that failed; ends with one line `N passed, N failed`.
 * With `CI=true` nothing may be skipped.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findObstacle, readFacts } from '../src/testbed/nodes/machine.ts';
import { tallyChaos } from './suites/chaos.ts';
import { runChecks } from './suites/checks.ts';
import { runCommand } from './suites/run-command.ts';
import { addTallies, emptyTally, formatTally, refuseSkips, type Tally, tallyVitest } from './suites/tally.ts';

interface Suite {
  readonly name: string;
  readonly tier: string;
  readonly run: () => Promise<Tally>;
}

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
const latestChaosMs = 65 * 60_000;
const inCi = ['true', '1'].includes(process.env.CI ?? '');

const suites: readonly Suite[] = [
  { name: 'check', tier: 'T0', run: runChecks },
  vitestSuite('unit', 'T0'),
  vitestSuite('property', 'T0'),
  vitestSuite('parity', 'T0'),
  vitestSuite('house', 'T0'),
  vitestSuite('simulation', 'T1'),
  vitestSuite('contract', 'T2'),
  vitestSuite('faults', 'T2'),
  vitestSuite('model', 'T2'),
  vitestSuite('e2e', 'T2'),
  vitestSuite('image', 'T2'),
  vitestSuite('soak', 'T2'),
  { name: 'nodes', tier: 'T3', run: runOnNodes },
  { name: 'chaos', tier: 'T3', run: runChaosSmoke },
];

process.chdir(root);
process.exitCode = await main();

async function main(): Promise<number> {
  const chosen = chooseSuites();
  if (chosen === undefined) return 2;
  let total = emptyTally;
  const minutes: string[] = [];
  for (const { name, tier, run } of chosen) {
    console.log(`\n── ${tier} ${name} ${'─'.repeat(60 - name.length)}`);
    const startedMs = performance.now();
    const seen = await run();
    // What there was no time for is told, and fails nobody.
    const tally = inCi && !isLate(name) ? refuseSkips(seen) : seen;
    minutes.push(
      `${tier} ${name.padEnd(10)} ${((performance.now() - startedMs) / 60_000).toFixed(2).padStart(6)} min  ${formatTally(tally)}`,
    );
    total = addTallies(total, tally);
  }
  for (const name of total.failed) console.log(`failed: ${name}`);
  for (const name of total.skipped) console.log(`skipped: ${name}`);
  console.log(`\n${minutes.join('\n')}\n\n${formatTally(total)}`);
  return total.failed.length === 0 ? 0 : 1;
}

/** Undefined, and the usage printed, when the arguments cannot be read. */
function chooseSuites(): readonly Suite[] | undefined {
  const names = suites.map(({ name }) => name);
  try {
    const { values } = parseArgs({ options: { only: { type: 'string' } } });
    const only = values.only?.split(',') ?? names;
    const unknown = only.filter((name) => !names.includes(name));
    if (unknown.length > 0) throw new Error(`no such suite: ${unknown.join(', ')}`);
    return suites.filter(({ name }) => only.includes(name));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nusage: npm test [-- --only ${names.join(',')}]`);
    return undefined;
  }
}

function vitestSuite(name: string, tier: string): Suite {
  return { name, tier, run: () => runVitest(name) };
}

/** Real nodes are for root on Linux; elsewhere the suite is skipped, by name. */
function runOnNodes(): Promise<Tally> {
  return unlessObstructed('nodes', () => runVitest('nodes'));
}

async function unlessObstructed(name: string, run: () => Promise<Tally>): Promise<Tally> {
  const obstacle = findObstacle(readFacts());
  if (obstacle === undefined) return await run();
  console.log(obstacle);
  return { ...emptyTally, skipped: [`${name}: ${obstacle}`] };
}

/** The last suite gives way where the others took long; the machine that runs it has its own limit. */
function isLate(name: string): boolean {
  return name === 'chaos' && performance.now() > latestChaosMs;
}

/** Each fault once and short, with its times printed and not judged. */
async function runChaosSmoke(): Promise<Tally> {
  if (isLate('chaos')) return { ...emptyTally, skipped: [`chaos: ${latestChaosMs / 60_000} minutes are over`] };
  return await unlessObstructed('chaos', async () => {
    const out = join(root, 'dist/chaos');
    await rm(out, { recursive: true, force: true });
    const made = await runCommand('node', ['scripts/image.ts', '--only', 'operator,test-performer', '--arch', architecture], {
      show: true,
    });
    const { code } =
      made.code === 0 ? await runCommand('node', ['src/cli/main.ts', 'chaos', '--suite', 'smoke', '--out', out], { show: true }) : made;
    return tallyChaos(await readFile(join(out, 'report.json'), 'utf8').catch(() => undefined), code);
  });
}

async function runVitest(name: string): Promise<Tally> {
  if (!existsSync(join(root, 'test', name))) return { ...emptyTally, skipped: [`${name}: there is no test/${name}`] };
  const scratch = await mkdtemp(join(tmpdir(), 'hourglass-test-'));
  try {
    const report = join(scratch, 'report.json');
    const args = ['run', '--project', name, '--reporter=default', '--reporter=json', `--outputFile=${report}`];
    const { code } = await runCommand('vitest', args, { show: true });
    const text = await readFile(report, 'utf8').catch(() => undefined);
    return tallyVitest(name, text, code, root);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
