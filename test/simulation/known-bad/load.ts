import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { RunPlan } from '../../../src/sim/run-plan.ts';
import type { KnownBad } from './mutants.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What was wrong in a run: the oracles in order of their first violation, and that one in words. */
export interface Verdict {
  readonly oracles: readonly string[];
  readonly first: string;
}

/** A simulator in a thread of its own. */
export interface Simulator {
  /** One after the other: whoever calls waits for the answer before the next call. */
  run(plan: RunPlan): Promise<Verdict>;
  close(): Promise<void>;
}

const entry = `
import { parentPort } from 'node:worker_threads';
import { runPlan } from './src/sim/run.ts';
parentPort.on('message', async (plan) => {
  const { violations } = await runPlan(plan);
  const first = violations[0];
  parentPort.postMessage({
    oracles: [...new Set(violations.map(({ oracle }) => oracle))],
    first: first === undefined ? '' : first.oracle + ' ' + first.key + ': ' + first.message.split('\\n')[0],
  });
});
`;

/** The simulator with that operator in it, or with the real one. @throws Error when the code has changed so that the change does not fit any more */
export async function loadWith(bad: Pick<KnownBad, 'name' | 'file' | 'find' | 'replace'> | undefined): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-known-bad-'));
  const bundle = join(folder, 'simulator.mjs');
  const removed = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(bundle, await bundleWith(bad));
  } catch (error) {
    await removed();
    throw error;
  }
  const worker = new Worker(bundle);
  let answer: { readonly resolve: (verdict: Verdict) => void; readonly reject: (error: unknown) => void } | undefined;
  worker.on('message', (verdict: Verdict) => answer?.resolve(verdict));
  worker.on('error', (error) => answer?.reject(error));
  return {
    run: (plan) =>
      new Promise((resolve, reject) => {
        answer = { resolve, reject };
        worker.postMessage(plan);
      }),
    close: async () => {
      await worker.terminate();
      await removed();
    },
  };
}

async function bundleWith(bad: Pick<KnownBad, 'name' | 'file' | 'find' | 'replace'> | undefined): Promise<string> {
  const path = bad === undefined ? '' : join(root, 'src', bad.file);
  const source = bad === undefined ? '' : readFileSync(path, 'utf8');
  const times = bad === undefined ? 1 : source.split(bad.find).length - 1;
  if (times !== 1) throw new Error(`known-bad ${bad?.name}: what it changes stands ${times} times in src/${bad?.file}, not once`);
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
            args.path === path ? { contents: source.replace(bad?.find ?? '', () => bad?.replace ?? ''), loader: 'ts' } : undefined,
          );
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}
