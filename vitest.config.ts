import { defineConfig } from 'vitest/config';

/** A row of pure code that takes longer than this is broken; bundling and searching the whole tree is slower. */
const quick = { testTimeout: 15_000, hookTimeout: 15_000 };
const thorough = { testTimeout: 60_000, hookTimeout: 60_000 };
/** A real API server takes seconds to start, and files that share two cores with one would time each other out. */
const cluster = { testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false };

function suite(name: string, limits: object): object {
  return { extends: true, test: { name, include: [`test/${name}/**/*.test.ts`], ...limits } };
}

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    // Chance is not to decide which order is green; the seeds of the properties are their own.
    sequence: { shuffle: false },
    projects: [
      suite('unit', quick),
      suite('property', thorough),
      suite('parity', thorough),
      suite('house', thorough),
      suite('simulation', { testTimeout: 900_000, hookTimeout: 600_000 }),
      suite('contract', cluster),
      suite('faults', cluster),
      suite('model', cluster),
      // Two files at a time, as below.
      suite('e2e', { ...cluster, fileParallelism: true }),
      suite('image', { testTimeout: 300_000, hookTimeout: 600_000, fileParallelism: false }),
      // Two files at a time: each has clusters of its own, and mostly waits.
      suite('nodes', { testTimeout: 240_000, hookTimeout: 240_000, globalSetup: ['test/nodes/support/prepare.ts'] }),
      suite('soak', { ...cluster, testTimeout: 300_000 }),
    ],
  },
});
