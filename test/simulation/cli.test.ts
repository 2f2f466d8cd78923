import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { planSwarm } from '../../src/sim/run-plan.ts';
import { builtCli, hourglass, startHourglass } from '../support/cli.ts';

const scratch = await mkdtemp(join(tmpdir(), 'hourglass-simulate-'));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const file = (name: string, content: unknown): string => {
  const path = join(scratch, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const small = { ...planSwarm(1), users: [], faults: [], activeMs: 1_000, restMs: 1_000 };

describe('simulate, asked for what it cannot do', () => {
  it.each([
    {
      name: 'an unknown scenario',
      args: ['--scenario', 'nope'],
      code: 2,
      says: 'no scenario is called nope; `simulate --scenario list` names them',
    },
    { name: 'a seed that is no number', args: ['--seed', 'x'], code: 2, says: 'give a whole number, 0 or more' },
    { name: 'no seeds', args: ['--seeds', '0'], code: 2, says: 'give a whole number, 1 or more' },
    { name: 'no time', args: ['--minutes', 'x'], code: 2, says: 'give a number of minutes' },
    { name: 'one seed and many', args: ['--seed', '1', '--seeds', '3'], code: 2, says: 'cannot be used with' },
    { name: 'a file that is not there', args: ['--plan', join(scratch, 'none')], code: 1, says: 'give a file that simulate --out wrote' },
    { name: 'a file that is not JSON', args: ['--plan', file('text', 'x')], code: 1, says: 'is not JSON' },
    {
      name: 'a file of another format',
      args: ['--plan', file('old', { format: 0 })],
      code: 1,
      says: 'is of format 0, this version runs format 1',
    },
    {
      name: 'a file of another format that names its build',
      args: ['--plan', file('older', { format: 0, build: '0.0.9' })],
      code: 1,
      says: 'run it with version 0.0.9, which wrote it',
    },
    { name: 'a file without a plan', args: ['--plan', file('empty', { format: 1 })], code: 1, says: 'holds no plan' },
    {
      name: 'a fault of another version',
      args: ['--plan', file('fault', { format: 1, plan: { ...small, faults: [{ id: 'flood', atMs: 1 }] } })],
      code: 1,
      says: 'asks for the fault flood, which this version does not know',
    },
    {
      name: 'a folder that cannot be',
      args: ['--seed', '1', '--out', join(scratch, 'text', 'a')],
      code: 1,
      says: '--out: nothing can be written to',
    },
    {
      name: 'a drawing in no folder',
      args: ['--seed', '1', '--html', join(scratch, 'none', 'a.html')],
      code: 1,
      says: '--html: nothing can be written to',
    },
  ])('$name: says so and what to do', async ({ args, code, says }) => {
    const told = await hourglass(['simulate', ...args]);
    expect(told.stderr).toContain(says);
    expect(told.stderr).not.toContain('unexpected');
    expect(told.code).toBe(code);
  });

  it('says of a file whose violation does not come any more what that may mean', async () => {
    const path = file('mended.json', { format: 1, note: 'S1 team-0/x: two pods', plan: small });
    const told = await hourglass(['simulate', '--plan', path]);
    expect(told.stderr).toContain(`${path}: S1 team-0/x: two pods`);
    expect(told.stderr).toContain('violates nothing in this version. Was that mended?');
    expect(told.code).toBe(0);
  });
});

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((one) => one !== '')
    .map(Number);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const eventually = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
};

describe.runIf(process.platform === 'linux')('simulate with many seeds', () => {
  it('tells what is known when it is interrupted, and leaves no process', async () => {
    const { child, result, line } = await startHourglass(['simulate', '--seeds', '100000', '--jobs', '2']);
    await line(/^ {2}[1-9]\d* seeds, [\d.]+ per second, \d+ h simulated, \d+ states, /m);
    await line(/^ {4}faults: ([a-z0-9-]+ \d+, )*[a-z0-9-]+ \d+$/m);
    const workers = childrenOf(child.pid ?? 0);
    expect(workers).toHaveLength(2);
    child.kill('SIGINT');
    const told = await result;
    expect(told.code).toBe(130);
    expect(told.stdout).toMatch(/^seeds? \d.*: \d+ run, 0 violated/m);
    expect(told.stderr).toMatch(/stopped by SIGINT.*--from \d+ goes on from there/);
    await eventually(() => !workers.some(isAlive));
  });

  it('says which seed a process died with', async () => {
    const { child, result } = await startHourglass(['simulate', '--seeds', '100000', '--jobs', '1']);
    let worker: number | undefined;
    await eventually(() => {
      [worker] = childrenOf(child.pid ?? 0);
      return worker !== undefined;
    });
    // Never 0, which would be the whole group of processes.
    if (worker !== undefined) process.kill(worker, 'SIGKILL');
    const told = await result;
    expect(told.stderr).toMatch(/the process that ran seed \d+ ended with SIGKILL; run that seed alone to see why: simulate --seed \d+/);
    expect(told.code).toBe(1);
  });
});

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

const run = promisify(execFile);

describe('the same seed', () => {
  it('comes to the same in two processes with another time zone, locale, folder and heap', async () => {
    const one = await hourglass(['simulate', '--seed', '7'], { env: { TZ: 'UTC', LANG: 'C' } });
    const env = { PATH: process.env.PATH ?? '', TZ: 'Asia/Kolkata', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' };
    const { stdout } = await run(process.execPath, ['--max-old-space-size=400', await builtCli(), 'simulate', '--seed', '7'], {
      env,
      cwd: tmpdir(),
    });
    expect(one.code).toBe(0);
    expect(lastLine(one.stdout)).toMatch(/^seed 7: 1 run, 0 violated, .* trace [0-9a-f]{16}$/);
    expect(lastLine(stdout)).toBe(lastLine(one.stdout));
  });

  it('comes to the same however many seeds are spread over processes', async () => {
    const [one, two] = [
      await hourglass(['simulate', '--seeds', '4', '--jobs', '1']),
      await hourglass(['simulate', '--seeds', '4', '--jobs', '2']),
    ];
    expect(lastLine(one.stdout)).toMatch(/^seeds 1\.\.4: 4 run/);
    expect(lastLine(two.stdout)).toBe(lastLine(one.stdout));
  });

  it('and another one come to two different ends', async () => {
    const [one, two] = [await hourglass(['simulate', '--seed', '7']), await hourglass(['simulate', '--seed', '8'])];
    expect(lastLine(two.stdout).split(' trace ')[1]).not.toBe(lastLine(one.stdout).split(' trace ')[1]);
  });
});
