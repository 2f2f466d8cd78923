import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedFiles, projectRoot } from '../../scripts/generate.ts';

type Read = (path: string) => Promise<string>;

const committed: Read = (path) => readFile(join(projectRoot, path), 'utf8');

/** Paths of the generated files that are not byte for byte what `npm run generate` writes. */
async function findStale(read: Read): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [path, content] of await generatedFiles()) {
    if ((await read(path).catch(() => undefined)) !== content) stale.push(path);
  }
  return stale;
}

describe('generated files', () => {
  it('are what their sources give; otherwise: npm run generate', async () => {
    expect(await findStale(committed)).toEqual([]);
  });

  it('are found stale when a single byte of one is changed', async () => {
    const paths = [...(await generatedFiles()).keys()];
    for (const changed of paths) {
      const oneByteOff: Read = async (path) => {
        const content = (await generatedFiles()).get(path) ?? '';
        if (path !== changed) return content;
        const middle = Math.floor(content.length / 2);
        return content.slice(0, middle) + (content[middle] === 'x' ? 'y' : 'x') + content.slice(middle + 1);
      };
      expect(await findStale(oneByteOff)).toEqual([changed]);
    }
  });

  it('are found stale when they are missing', async () => {
    const missing: Read = () => Promise.reject(new Error('no such file'));
    expect(await findStale(missing)).toEqual([...(await generatedFiles()).keys()]);
  });

  it('come out the same twice', async () => {
    expect([...(await generatedFiles())]).toEqual([...(await generatedFiles())]);
  });
});
