import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessRecord } from '../../../src/testbed/cluster-state.ts';
import { findMarked, findStamp, isAlive, killNow, startComponent } from '../../../src/testbed/processes.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hourglass-processes-'));
});
afterEach(async () => {
  await killNow(findMarked(dir));
  rmSync(dir, { recursive: true });
});

function startSleeper(): ProcessRecord {
  const records: ProcessRecord[] = [];
  void startComponent(
    {
      binary: process.execPath,
      argv: ['-e', 'setTimeout(() => {}, 60_000)'],
      cwd: dir,
      logPath: join(dir, 'log'),
      registryDir: dir,
      dieWithParent: false,
    },
    (record) => records.push(record),
  );
  const [record] = records;
  if (record === undefined) throw new Error('the process was not recorded before startComponent returned');
  return record;
}

describe('a recorded process', () => {
  it('is alive until it is ended', async () => {
    const record = startSleeper();
    expect(isAlive(record)).toBe(true);
    await killNow([record]);
    expect(isAlive(record)).toBe(false);
  });

  it('is not the process that got its id later, which is left alone', async () => {
    const other: ChildProcess = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
    const reused = { pid: other.pid ?? 0, stamp: `${findStamp(process.pid)}0` };
    expect(isAlive(reused)).toBe(false);
    await killNow([reused]);
    await sleep(50);
    expect(other.exitCode).toBeNull();
    expect(other.signalCode).toBeNull();
    const exit = once(other, 'exit');
    other.kill('SIGKILL');
    await exit;
  });

  it.runIf(process.platform === 'linux')('is found by its mark when nobody recorded it', async () => {
    const record = startSleeper();
    await expect.poll(() => findMarked(dir)).toEqual([record]);
    expect(findMarked(`${dir}-other`)).toEqual([]);
    await killNow([record]);
    expect(findMarked(dir)).toEqual([]);
  });

  it('says why it could not start', async () => {
    const start = { binary: join(dir, 'none'), argv: [], cwd: dir, logPath: join(dir, 'log'), registryDir: dir, dieWithParent: false };
    const ended = startComponent(start, () => {
      throw new Error('a process that did not start was recorded');
    });
    expect(await ended).toContain('ENOENT');
  });
});
