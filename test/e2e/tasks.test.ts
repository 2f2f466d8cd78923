import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';
import { k6Quiet } from '../../src/bench/load-run.ts';
import { TaskError } from '../../src/performer/kit.ts';
import { findFreePorts } from '../../src/testbed/free-ports.ts';
import { createProgress } from '../../src/testbed/progress.ts';
import { ensureTool } from '../../src/testbed/tools.ts';
import { buildTimeoutMs } from '../support/cluster.ts';
import { startRelay } from '../support/relay.ts';
import { serve } from '../support/served-performer.ts';
import { projectRoot } from '../support/sources.ts';

let k6: string;
beforeAll(async () => {
  k6 = await ensureTool('k6', createProgress(process.stderr));
}, buildTimeoutMs);

interface Line {
  readonly kind: string;
  readonly id: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly code?: number;
  readonly details?: string;
}

/** Runs the scenario as its head says. */
async function call(env: Readonly<Record<string, string>>): Promise<Collected & { readonly lines: readonly Line[] }> {
  const argv = ['run', '--quiet', '--log-format=raw', join(projectRoot, 'k6/scenarios/tasks.ts')];
  // MODE is vitest's as well.
  const quiet = { ...k6Quiet, MODE: '' };
  const child = spawn(k6, argv, { env: { ...process.env, ...quiet, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const collected = await collectOutput(child);
  const lines = `${collected.stderr}\n${collected.stdout}`.split('\n').filter((line) => line.startsWith('{'));
  return { ...collected, lines: lines.map((line) => JSON.parse(line) as Line) };
}

const tasksOf = (lines: readonly Line[]): readonly Line[] => lines.filter(({ kind }) => kind === 'answered' || kind === 'failed');

describe('tasks by k6', () => {
  it.each(['channel', 'dial'])('are sent at their rate, each once, in mode %s', async (mode) => {
    const seen: string[] = [];
    const { performer } = await serve({
      executeTask: ({ id, payload }) => {
        seen.push(`${id} ${Buffer.from(payload).toString()}`);
        return Buffer.from(JSON.stringify({ instance: 'pod-a', runs: 1, version: 'v7' }));
      },
    });
    const relay = await startRelay(performer.port);
    const env = { TARGET: `127.0.0.1:${relay.port}`, RATE: '20', DURATION: '3s', VUS: '4', PREFIX: 'p', PAYLOAD: '{"note":"x"}' };
    const { code, stderr, lines } = await call({ ...env, MODE: mode });
    await relay.close();
    expect(code, stderr).toBe(0);
    expect(lines[0]).toEqual({ kind: 'begun' });
    const tasks = tasksOf(lines);
    expect([60, 61]).toContain(tasks.length);
    expect(seen.toSorted()).toEqual(tasks.map(({ id }) => `${id} {"note":"x"}`).toSorted());
    expect(new Set(seen).size).toBe(seen.length);
    for (const one of tasks) {
      const times = { atMs: expect.any(Number) as number, tookMs: expect.any(Number) as number };
      expect(one).toEqual({
        kind: 'answered',
        id: expect.stringMatching(/^p-\d+$/) as string,
        ...times,
        instance: 'pod-a',
        runs: 1,
        version: 'v7',
      });
    }
    const [firstMs = 0, ...later] = tasks.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
    expect(Math.abs((later.at(-1) ?? 0) - firstMs - 2_950)).toBeLessThan(300);
    expect(lines.at(-1)).toMatchObject({ kind: 'end', sent: tasks.length, answered: tasks.length, failed: {}, dropped: 0 });
    // One of them is the first, which waits for the performer.
    expect(relay.connections() - 1).toBe(mode === 'dial' ? tasks.length : 4);
  });

  it('that fail are told with their code and what the performer said, those without an answer with the deadline', async () => {
    const { performer } = await serve({
      executeTask: async ({ id, signal }) => {
        if (id.endsWith('0')) throw new TaskError('RESOURCE_EXHAUSTED', 'no room');
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    const { lines } = await call({ TARGET: `127.0.0.1:${performer.port}`, RATE: '10', DURATION: '1s', DEADLINE_MS: '500' });
    const tasks = tasksOf(lines);
    expect(tasks.find(({ id }) => id === 'task-0')).toMatchObject({ kind: 'failed', code: 8, details: 'no room' });
    const late = tasks.find(({ id }) => id === 'task-1');
    expect(late).toMatchObject({ kind: 'failed', code: 4 });
    expect(late?.tookMs).toBeGreaterThanOrEqual(450);
    expect(lines.at(-1)).toMatchObject({ kind: 'end', answered: 0, failed: { 4: tasks.length - tasksAt(tasks, 8), 8: tasksAt(tasks, 8) } });
  });

  it.each(['channel', 'dial'])('find nobody at first, and a performer that begins to listen later, in mode %s', async (mode) => {
    const [port = 0] = await findFreePorts(1);
    const called = call({ TARGET: `127.0.0.1:${port}`, RATE: '10', DURATION: '6s', MODE: mode, CONNECT_MS: '0', VUS: '2' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await serve({}, { port });
    const tasks = tasksOf((await called).lines).toSorted((a, b) => a.atMs - b.atMs);
    expect(tasks[0]).toMatchObject({ kind: 'failed', code: 14 });
    expect(tasks.at(-1)).toMatchObject({ kind: 'answered' });
  });

  it.each([
    { name: 'no target', env: { TARGET: '' }, says: 'TARGET: give host:port of a performer, not ""' },
    { name: 'an unknown mode', env: { TARGET: 'a:1', MODE: 'both' }, says: 'MODE: give channel or dial, not "both"' },
    { name: 'a rate that is none', env: { TARGET: 'a:1', RATE: 'many' }, says: 'RATE: give a number from 0, not "many"' },
    { name: 'nobody there', env: { TARGET: '127.0.0.1:1', CONNECT_MS: '300' }, says: '127.0.0.1:1 took no connection within 300 ms' },
  ])('end with what is wrong for $name', async ({ env, says }) => {
    const { code, stderr, lines } = await call(env);
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
    expect(tasksOf(lines)).toEqual([]);
  });
});

const tasksAt = (tasks: readonly Line[], code: number): number => tasks.filter((one) => one.code === code).length;
