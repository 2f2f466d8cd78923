import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { Shape } from '../../../src/oracle/differential.ts';
import type { RunPlan } from '../../../src/sim/run-plan.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What was wrong in a run: the oracles in order of their first violation, and that one in words; and what it came to. */
export interface Verdict {
  readonly oracles: readonly string[];
  readonly first: string;
  readonly end: Shape;
}

/** A simulator in a thread of its own. */
export interface Simulator {
  /**
   * One after the other: whoever calls waits for the answer before the next call.
   *
   * @param endsAs the end that it must come to
   */
  run(plan: RunPlan, endsAs?: Shape): Promise<Verdict>;
  /** A smaller plan that the same oracle speaks against. */
  shrink(plan: RunPlan, oracle: string, budget: number): Promise<RunPlan>;
  /** What changed code has left in `globalThis.told`. */
  told(): Promise<unknown>;
  close(): Promise<void>;
}

type Asked =
  | 'told'
  | { readonly plan: RunPlan; readonly endsAs: Shape | undefined }
  | { readonly plan: RunPlan; readonly oracle: string; readonly budget: number };

/** Another text for a file of the product, or the same. @param path from the root, e.g. `src/lib/hash.ts` */
export type Rewrite = (path: string, source: string) => string;

const entry = `
import { parentPort } from 'node:worker_threads';
import { shapeOf } from './src/oracle/differential.ts';
import { runPlan } from './src/sim/run.ts';
import { shrinkPlan } from './src/sim/shrink.ts';
parentPort.on('message', async (asked) => {
  if (asked === 'told') return parentPort.postMessage(globalThis.told);
  if ('oracle' in asked) return parentPort.postMessage((await shrinkPlan(asked.plan, asked.oracle, asked.budget)).plan);
  const { violations, view } = await runPlan(asked.plan, asked.endsAs === undefined ? {} : { endsAs: asked.endsAs });
  const first = violations[0];
  parentPort.postMessage({
    oracles: [...new Set(violations.map(({ oracle }) => oracle))],
    first: first === undefined ? '' : first.oracle + ' ' + first.key + ': ' + first.message.split('\\n')[0],
    end: shapeOf(view),
  });
});
`;

/** The simulator, and in it the real operator or one that `rewrite` makes of it. @throws what `rewrite` throws */
export async function loadSimulator(rewrite?: Rewrite): Promise<Simulator> {
  const folder = await mkdtemp(join(tmpdir(), 'hourglass-simulator-'));
  const bundle = join(folder, 'simulator.mjs');
  const removed = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(bundle, await bundleWith(rewrite));
  } catch (error) {
    await removed();
    throw error;
  }
  const worker = new Worker(bundle);
  let answer: { readonly resolve: (told: unknown) => void; readonly reject: (error: unknown) => void } | undefined;
  worker.on('message', (told) => answer?.resolve(told));
  worker.on('error', (error) => answer?.reject(error));
  const ask = (what: Asked): Promise<unknown> =>
    new Promise((resolve, reject) => {
      answer = { resolve, reject };
      worker.postMessage(what);
    });
  return {
    run: (plan, endsAs) => ask({ plan, endsAs }) as Promise<Verdict>,
    shrink: (plan, oracle, budget) => ask({ plan, oracle, budget }) as Promise<RunPlan>,
    told: () => ask('told'),
    close: async () => {
      await worker.terminate();
      await removed();
    },
  };
}

async function bundleWith(rewrite: Rewrite = (_, source) => source): Promise<string> {
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
        name: 'rewrite',
        setup: (bundler) => {
          bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) =>
            path.startsWith(join(root, 'src/'))
              ? { contents: rewrite(relative(root, path), readFileSync(path, 'utf8')), loader: 'ts' }
              : undefined,
          );
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}
