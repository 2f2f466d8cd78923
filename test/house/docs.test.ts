import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { permissions } from '../../src/reconcile/permissions.ts';
import { findBlocks, joinBlocks, readBlocks, runPages } from '../support/doc-blocks.ts';
import { projectRoot } from '../support/sources.ts';

describe('the commands of a page that is run', () => {
  it.each(runPages)('%s say where they can be run', (page) => {
    const blocks = readBlocks(page);
    expect(blocks.length).toBeGreaterThan(3);
    expect(blocks.filter(({ mark }) => mark === undefined).map(({ at }) => at)).toEqual([]);
  });

  it('are found in lists too, with the line they stand on', () => {
    const text = '# Page\n\n1. One:\n\n   ```sh cluster\n   a <<X\n     b\n   X\n   ```\n\n```sh\nc\n```\n\n```yaml\nd: 1\n```\n';
    const blocks = findBlocks('page.md', text);
    expect(blocks).toEqual([
      { at: 'page.md:5', mark: 'cluster', text: 'a <<X\n  b\nX\n' },
      { at: 'page.md:11', mark: undefined, text: 'c\n' },
    ]);
    expect(joinBlocks(blocks)).toContain("echo '── page.md:11' >&2\nc\n");
  });
});

describe('docs/deploy.md', () => {
  it('lists the rights that the operator has', () => {
    const rows = readFileSync(join(projectRoot, 'docs/deploy.md'), 'utf8').matchAll(
      /^\| (watched|cluster|own) \| `([^`]+)`(?: \(`([^`]+)`\))? \| ([^|]+) \|/gm,
    );
    const listed = [...rows].map(([, scope, resource, group = '', verbs = '']) => ({ scope, group, resource, verbs: verbs.split(', ') }));
    expect(listed).toEqual(permissions);
  });
});
