import { homedir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { projectRoot, readSources, type Sources } from '../support/sources.ts';

// Each is put together here, so that this file does not hold it.
const joined = (...parts: readonly string[]): string => parts.join('');
const escaped = (text: string): string => text.replace(/[.\\/]/g, '\\$&');

/** What belongs to one machine or one person's network and to nobody who clones the project. */
const forbidden: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  {
    what: 'a folder of one machine',
    // Wherever this checkout and this user's home are, and two that build machines have.
    pattern: new RegExp(`(?<![\\w.$}/-])(?:${[homedir(), projectRoot, '/root', '/work'].map(escaped).join('|')})/(?=[\\w.])`),
  },
  {
    what: 'the host of a package registry',
    pattern: new RegExp(
      [
        ['registry.', 'npmjs.org'],
        ['registry.', 'yarnpkg.com'],
        ['registry.', 'npmmirror.com'],
        ['proxy.', 'golang.org'],
        ['sum.', 'golang.org'],
        ['pypi.', 'org'],
      ]
        .map((parts) => escaped(joined(...parts)))
        .join('|'),
    ),
  },
];

/** One line per place, e.g. `README.md:3: a folder of one machine`. */
function findWords(files: Sources): readonly string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    for (const [index, line] of text.split('\n').entries()) {
      for (const { what, pattern } of forbidden) if (pattern.test(line)) found.push(`${path}:${index + 1}: ${what}`);
    }
  }
  return found;
}

describe('files of the project', () => {
  it('name no folder of one machine and no package registry', () => {
    const files = readSources((path) => !/\.(png|jpg|ico|woff2?)$/.test(path));
    expect(files.size).toBeGreaterThan(10);
    expect(findWords(files)).toEqual([]);
  });

  it.each([
    { line: joined('cd /ro', 'ot/project'), what: 'a folder of one machine' },
    { line: joined('cd "/wo', 'rk/main"'), what: 'a folder of one machine' },
    { line: `see ${homedir()}/.kube`, what: 'a folder of one machine' },
    { line: joined('https://registry.', 'npmjs.org/zod'), what: 'the host of a package registry' },
    { line: joined('GOPROXY=https://proxy.', 'golang.org'), what: 'the host of a package registry' },
  ])('are found out: $what', ({ line, what }) => {
    expect(findWords(new Map([['a.md', `first line\n${line}`]]))).toEqual([`a.md:2: ${what}`]);
  });

  it.each(['a pod/work/queue', './work/queue', `join(root, 'work')`, '/home/u/.kube/config'])('may say: %s', (line) => {
    expect(findWords(new Map([['a.md', line]]))).toEqual([]);
  });
});
