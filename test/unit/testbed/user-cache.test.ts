import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userCacheDir, withLock } from '../../../src/testbed/user-cache.mjs';

describe('userCacheDir', () => {
  it.each([
    { name: 'is under XDG_CACHE_HOME', env: { XDG_CACHE_HOME: '/cache', HOME: '/home' }, dir: '/cache/hourglass' },
    { name: 'is under the home without it', env: { HOME: '/home' }, dir: '/home/.cache/hourglass' },
    {
      name: 'ignores a relative one, as its specification asks',
      env: { XDG_CACHE_HOME: 'cache', HOME: '/home' },
      dir: '/home/.cache/hourglass',
    },
  ])('$name', ({ env, dir }) => {
    expect(userCacheDir(env)).toBe(dir);
  });
});

describe('withLock', () => {
  let folder = '';
  let lock = '';
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hourglass-lock-'));
    lock = join(folder, 'deep', 'lock');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Another process that takes the lock and keeps it; resolves once it has it. */
  async function holder(): Promise<ChildProcess> {
    const module = new URL('../../../src/testbed/user-cache.mjs', import.meta.url).href;
    const script = `import { withLock } from ${JSON.stringify(module)};
      await withLock(${JSON.stringify(lock)}, () => { console.log('held'); return new Promise((resolve) => process.stdin.once('data', resolve)); });
      process.exit(0);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  it('gives back what was made, and leaves no file', async () => {
    expect(await withLock(lock, async () => 7)).toBe(7);
    expect(readdirSync(join(folder, 'deep'))).toEqual([]);
  });

  it('is free again after a failure', async () => {
    await expect(withLock(lock, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(existsSync(lock)).toBe(false);
  });

  it('lets one at a time in', async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 10));
      inside -= 1;
    };
    await Promise.all([withLock(lock, work), withLock(lock, work), withLock(lock, work)]);
    expect(most).toBe(1);
  });

  it('waits for another process, says for which, and goes on when that is done', async () => {
    const child = await holder();
    const waitedFor: number[] = [];
    const done = withLock(lock, async () => 'mine', { onWait: (pid) => waitedFor.push(pid) });
    await expect.poll(() => waitedFor[0]).toBe(child.pid);
    child.stdin?.write('\n');
    expect(await done).toBe('mine');
  });

  it('is taken over from a process that was killed', async () => {
    const child = await holder();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(lock)).toBe(true);
    const takers = await Promise.all([withLock(lock, async () => 'a'), withLock(lock, async () => 'b')]);
    expect(takers).toEqual(['a', 'b']);
    expect(readdirSync(join(folder, 'deep'))).toEqual([]);
  });

  it.each([
    { name: 'a process with the number of one that died', host: hostname() },
    { name: 'a process on another host', host: 'elsewhere.example' },
  ])('is taken over from $name once it was silent for long', async ({ host }) => {
    await withLock(lock, async () => undefined);
    writeFileSync(lock, JSON.stringify({ pid: process.pid, host, token: 'old' }));
    expect(await withLock(lock, async () => readFileSync(lock, 'utf8'), { deafMs: 500 })).not.toContain('old');
  });

  it('is taken over where its file cannot be read', async () => {
    await withLock(lock, async () => undefined);
    writeFileSync(lock, 'half');
    expect(await withLock(lock, async () => 'mine')).toBe('mine');
  });
});
