import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './sources.ts';

/** Where a block can be run: on any cluster, where pods really run, or where it makes its cluster itself. */
export const blockMarks = ['cluster', 'nodes', 'testbed'] as const;
export type BlockMark = (typeof blockMarks)[number];

export interface DocBlock {
  /** Path and line, e.g. `docs/deploy.md:30`. */
  readonly at: string;
  /** Undefined where the fence says none, or one that is not known. */
  readonly mark: BlockMark | undefined;
  readonly text: string;
}

/** Pages each of whose blocks of commands a test runs. */
export const runPages = ['docs/quickstart.md', 'docs/deploy.md', 'docs/benchmarks.md'] as const;

/** The blocks of commands of a page, from top to bottom, without the indentation of the list they stand in. */
export function readBlocks(page: string): readonly DocBlock[] {
  return findBlocks(page, readFileSync(join(projectRoot, page), 'utf8'));
}

/** The same of a text. Pure. */
export function findBlocks(page: string, text: string): readonly DocBlock[] {
  const blocks: DocBlock[] = [];
  for (const match of text.matchAll(/^( *)```(?:sh|bash|shell)(?: (\S+))?.*\n([\s\S]*?)^\1```$/gm)) {
    const [, indent = '', word, body = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    const mark = blockMarks.find((known) => known === word);
    blocks.push({ at: `${page}:${line}`, mark, text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), '') });
  }
  return blocks;
}

/** One script of those blocks, as somebody types them one after the other; it names each on stderr and ends at the first that fails. Pure. */
export function joinBlocks(blocks: readonly DocBlock[]): string {
  const parts = blocks.map(({ at, text }) => `echo '── ${at}' >&2\n${text}`);
  return ['set -euo pipefail', ...parts].join('\n');
}
