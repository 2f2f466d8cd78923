import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkClusterDir, removeClusterFiles, writeClusterFiles, writeKubeconfigs } from '../../../src/testbed/cluster-files.ts';
import { clusterPaths } from '../../../src/testbed/components.ts';

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'hourglass-files-'));
});
afterEach(() => rmSync(base, { recursive: true }));

describe('checkClusterDir', () => {
  it('wants a missing directory to be made, and takes an empty one', () => {
    expect(checkClusterDir(join(base, 'new'))).toBe(true);
    expect(checkClusterDir(base)).toBe(false);
  });

  it('refuses a directory with something in it, and a file', () => {
    writeFileSync(join(base, 'mine'), '');
    expect(() => checkClusterDir(base)).toThrow(/not empty.*--dir/);
    expect(() => checkClusterDir(join(base, 'mine'))).toThrow(/is a file.*--dir/);
  });
});

describe('the files of a cluster', () => {
  const write = async (dir: string): Promise<void> => {
    const paths = clusterPaths(dir);
    writeKubeconfigs(paths, 'dev', 6443, await writeClusterFiles(paths, 'instant', Date.now()));
  };

  it('are for their owner alone', async () => {
    const dir = join(base, 'cluster');
    await write(dir);
    const open = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => (statSync(join(dir, name)).mode & 0o077) !== 0);
    expect(open).toEqual([]);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it('go with the directory they were put into', async () => {
    const dir = join(base, 'cluster');
    await write(dir);
    expect(removeClusterFiles(dir, true)).toBe('removed');
    expect(existsSync(dir)).toBe(false);
  });

  it('go alone when somebody put something beside them', async () => {
    const dir = join(base, 'cluster');
    await write(dir);
    mkdirSync(join(dir, 'mine'));
    expect(removeClusterFiles(dir, true)).toBe('kept');
    expect(readdirSync(dir)).toEqual(['mine']);
  });

  it('go from a directory that was there before, which stays', async () => {
    await write(base);
    expect(removeClusterFiles(base, false)).toBe('kept');
    expect(readdirSync(base)).toEqual([]);
  });

  it('are not removed where none were made', () => {
    expect(removeClusterFiles(join(base, 'none'), true)).toBe('absent');
  });

  it('name the directory that cannot be made', async () => {
    writeFileSync(join(base, 'mine'), '');
    await expect(write(join(base, 'mine', 'cluster'))).rejects.toThrow(/writing the cluster's files in .*mine.*--dir/);
  });
});
