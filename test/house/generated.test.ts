import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedFiles, projectRoot } from '../../scripts/generate.ts';
import { isGenerated, projectFiles } from '../support/sources.ts';

type Read = (path: string) => Promise<string>;

const committed: Read = (path) => readFile(join(projectRoot, path), 'utf8');

/** Paths of the generated files that are not byte for byte what `npm run generate` writes. */
async function findStale(wanted: ReadonlyMap<string, string>, read: Read): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [path, content] of wanted) {
    if ((await read(path).catch(() => undefined)) !== content) stale.push(path);
  }
  return stale;
}

describe('generated files', async () => {
  const wanted = await generatedFiles();

  it('are what their sources give; otherwise: npm run generate', async () => {
    expect(await findStale(wanted, committed)).toEqual([]);
  });

  it('are found stale when a single byte of one is changed', async () => {
    for (const changed of wanted.keys()) {
      const oneByteOff: Read = async (path) => {
        const content = wanted.get(path) ?? '';
        if (path !== changed) return content;
        const middle = Math.floor(content.length / 2);
        return content.slice(0, middle) + (content[middle] === 'x' ? 'y' : 'x') + content.slice(middle + 1);
      };
      expect(await findStale(wanted, oneByteOff)).toEqual([changed]);
    }
  });

  it('are found stale when they are missing', async () => {
    const missing: Read = () => Promise.reject(new Error('no such file'));
    expect(await findStale(wanted, missing)).toEqual([...wanted.keys()]);
  });

  it('come out the same twice', async () => {
    expect([...(await generatedFiles())]).toEqual([...wanted]);
  });

  it('are all that lies where lines do not count as our own', () => {
    const set = projectFiles().filter(isGenerated);
    expect(set.length).toBeGreaterThan(1);
    expect(set.filter((path) => !wanted.has(path))).toEqual([]);
  });
});
