import { describe, expect, it } from 'vitest';
import { findChains, importGraph, isSource, projectFiles, readSources, type Sources } from '../support/sources.ts';

/** The simulator is run by tests alone until it gets a command of its own. */
const testedOnly = ['src/sim/'];

/** Files under src that nothing which runs leads to. */
function findOrphans(sources: Sources, roots: readonly string[]): readonly string[] {
  const reached = findChains(importGraph(sources), roots, ['value', 'type', 'lazy']);
  return [...sources.keys()].filter(
    (path) => isSource(path) && !reached.has(path) && !testedOnly.some((folder) => path.startsWith(folder)),
  );
}

describe('files under src', () => {
  it('are all part of the CLI or of a script', () => {
    const sources = readSources((path) => isSource(path) || /^scripts\/.*\.(ts|mjs)$/.test(path));
    const roots = ['src/cli/main.ts', 'src/cli/start.ts', ...projectFiles().filter((path) => /^scripts\/[^/]+\.(ts|mjs)$/.test(path))];
    expect(findOrphans(sources, roots)).toEqual([]);
  });

  it('are orphans when only tests, or other orphans, import them', () => {
    const sources = new Map([
      ['src/cli/main.ts', `import type { Seen } from '../lib/seen.ts';\nconst lazy = await import('../lib/lazy.ts');`],
      ['src/lib/seen.ts', ''],
      ['src/lib/lazy.ts', ''],
      ['src/lib/lost.ts', `import { child } from './child.ts';`],
      ['src/lib/child.ts', ''],
      ['src/sim/world.ts', ''],
      ['test/unit/lib/lost.test.ts', `import { lost } from '../../../src/lib/lost.ts';`],
    ]);
    expect(findOrphans(sources, ['src/cli/main.ts'])).toEqual(['src/lib/lost.ts', 'src/lib/child.ts']);
  });
});
