import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findChains, importGraph, isSource, projectFiles, projectRoot, readSources, type Sources } from '../support/sources.ts';

/** The simulator is run by tests alone until it gets a command of its own. */
const testedOnly = ['src/sim/'];

/** What others may import: `hourglass-operator/performer` and the like. */
function exportedFiles(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { readonly exports: Record<string, string> };
  return Object.values(exports).map((path) => posix.normalize(path));
}

/** Files under src that nothing which runs leads to. */
function findOrphans(sources: Sources, roots: readonly string[]): readonly string[] {
  const reached = findChains(importGraph(sources), roots, ['value', 'type', 'lazy']);
  return [...sources.keys()].filter(
    (path) => isSource(path) && !reached.has(path) && !testedOnly.some((folder) => path.startsWith(folder)),
  );
}

describe('files under src', () => {
  it('are all part of the CLI, of a script or of what the package exports', () => {
    const sources = readSources((path) => isSource(path) || /^scripts\/.*\.(ts|mjs)$/.test(path));
    const entries = ['src/cli/main.ts', 'src/cli/start.ts'];
    const roots = [...entries, ...exportedFiles(), ...projectFiles().filter((path) => /^scripts\/[^/]+\.(ts|mjs)$/.test(path))];
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
