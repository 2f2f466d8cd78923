import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { driveWorkers } from '../../../src/cli/seed-workers.ts';
import type { SeedResult } from '../../../src/sim/summary.ts';

const scratch = await mkdtemp(join(tmpdir(), 'hourglass-workers-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Answers each seed but 2, at which it never comes back from one turn, and 4, at which it ends. */
const worker = join(scratch, 'worker.mjs');
writeFileSync(
  worker,
  `process.on('message', ({ seed }) => {
  while (seed === 2);
  if (seed === 4) process.exit(7);
  process.send({ seed, violations: [] });
});`,
);

async function drive(seeds: number[]) {
  const results: SeedResult[] = [];
  const children = new Set<ChildProcess>();
  let forks = 0;
  const start = (): ChildProcess => {
    forks += 1;
    return fork(worker);
  };
  const onResult = async (result: SeedResult): Promise<void> => void results.push(result);
  const drives = { fork: start, take: () => seeds.shift(), onResult, mode: undefined, children, isStopped: () => false, limitMs: 2_000 };
  const error = await driveWorkers(drives).catch((thrown: Error) => thrown.message);
  return {
    told: results.map(({ seed, violations }) => [seed, ...violations.map(({ oracle }) => oracle)]),
    results,
    forks,
    children,
    error,
  };
}

describe('a process that runs seeds', () => {
  it('and hangs at one within a turn of its loop is ended: the seed is B3, and another process goes on with the rest', async () => {
    const { told, results, forks, children, error } = await drive([1, 2, 3]);
    expect(told).toEqual([[1], [2, 'B3'], [3]]);
    expect(results[1]?.violations[0]?.message).toContain('it had not ended after 2 s');
    expect([forks, children.size, error]).toEqual([2, 0, undefined]);
  });

  it('and ends by itself ends the whole, with the seed it ended at', async () => {
    const { told, children, error } = await drive([1, 4, 5]);
    expect([told, children.size]).toEqual([[[1]], 0]);
    expect(error).toContain('the process that ran seed 4 ended with exit code 7');
  });
});
