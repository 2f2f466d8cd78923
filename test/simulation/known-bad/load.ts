import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** One small change of the real code that makes a bad operator of it. */
export interface KnownBad {
  readonly name: string;
  /** What is wrong, and who had it. */
  readonly about: string;
  /** Below `src`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Simulator {
  readonly runPlan: typeof import('../../../src/sim/run.ts').runPlan;
  readonly planSwarm: typeof import('../../../src/sim/run-plan.ts').planSwarm;
  readonly scenarios: typeof import('../../../src/sim/scenarios.ts').scenarios;
}

const entry = [
  "export { runPlan } from './src/sim/run.ts';",
  "export { planSwarm } from './src/sim/run-plan.ts';",
  "export { scenarios } from './src/sim/scenarios.ts';",
].join('\n');

/** The simulator with that operator in it. @throws Error when the code has changed so that the change does not fit any more */
export async function loadWith({ name, file, find, replace }: KnownBad): Promise<Simulator> {
  const path = join(root, 'src', file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2)
    throw new Error(`known-bad ${name}: what it changes stands ${source.split(find).length - 1} times in src/${file}, not once`);
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'silent',
    plugins: [
      {
        name: 'known-bad',
        setup: (bundler) => {
          bundler.onLoad({ filter: /\.ts$/ }, (args) =>
            args.path === path ? { contents: source.replace(find, () => replace), loader: 'ts' } : undefined,
          );
        },
      },
    ],
  });
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-known-bad-'));
  try {
    const bundle = join(folder, 'simulator.mjs');
    await writeFile(bundle, outputFiles[0]?.text ?? '');
    return (await import(pathToFileURL(bundle).href)) as Simulator;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
