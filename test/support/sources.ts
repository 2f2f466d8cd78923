import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's own files as text, for tests about the house itself. Paths are relative to the project and use `/`. */
export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export type Sources = ReadonlyMap<string, string>;

/** Every file of the project that git keeps or would keep. */
export function projectFiles(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: projectRoot, encoding: 'utf8' });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(projectRoot, path)));
}

export function readSources(want: (path: string) => boolean): Sources {
  const paths = projectFiles().filter(want).sort();
  return new Map(paths.map((path) => [path, readFileSync(join(projectRoot, path), 'utf8')]));
}

export const isSource = (path: string): boolean => /^src\/.*\.(ts|mjs)$/.test(path) && !path.endsWith('.d.mts');

/** Code that `npm run generate` writes: held to its sources by `generated.test.ts`, to nothing that is asked of code written by hand. */
export const isGenerated = (path: string): boolean => /^src\/(?:grpc|api)\/gen\//.test(path);

export interface Import {
  /** A path of the project, or the name of a package or a module of Node's (`zod`, `node:fs`). */
  readonly target: string;
  /** `type`: gone at run time. `lazy`: by `import()`, or told to a worker as a URL. */
  readonly kind: 'value' | 'type' | 'lazy';
}

/** What a source imports. A file of JavaScript that is imported brings its own imports; of types only what it says itself. Pure. */
export function findImports(path: string, text: string): readonly Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const add = (specifier: string | undefined, kind: Import['kind']): void => {
    if (specifier === undefined) return;
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : packageOf(specifier);
    found.push({ target, kind });
  };
  for (const [, keyword, specifier] of code.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[\w$*\s{},]+?\sfrom\s*)?['"]([^'"\n]+)['"]/gm)) {
    add(specifier, keyword === undefined ? 'value' : 'type');
  }
  for (const [, inType, specifier] of code.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g))
    add(specifier, inType === undefined ? 'lazy' : 'type');
  for (const [, specifier] of code.matchAll(/new URL\(\s*['"](\.{1,2}\/[^'"\n]+\.(?:ts|mjs))['"]/g)) add(specifier, 'lazy');
  return found;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The source with its comments blanked; strings stay. Lines keep their numbers. Pure. */
export function withoutComments(text: string): string {
  return blank(text, { comments: true, strings: false });
}

/** The source with comments and the words of strings blanked: what is left is code, expressions in templates included. Lines keep their numbers. Pure. */
export function codeOnly(text: string): string {
  return blank(text, { comments: true, strings: true });
}

// One pass over comments, strings, templates and regular expressions: enough to tell words from code, and no more of a parser than that.
function blank(text: string, what: { readonly comments: boolean; readonly strings: boolean }): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<=[=(,:[!&|?{};>\n]\s*|\breturn\s+)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*|[`{}]/y;
  const emptied = (match: string): string => match.replace(/[^\n]/g, ' ');
  /** For each open brace whether its end returns to a template. */
  const braces: boolean[] = [];
  let out = '';
  let at = 0;
  const template = (): void => {
    const from = at;
    while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
    const words = text.slice(from, at);
    out += what.strings ? emptied(words) : words;
    if (text[at] === '`') {
      out += '`';
      at += 1;
    } else if (at < text.length) {
      out += '${';
      at += 2;
      braces.push(true);
    }
  };
  while (at < text.length) {
    token.lastIndex = at;
    const match = token.exec(text)?.[0];
    if (match === undefined) {
      out += text[at];
      at += 1;
      continue;
    }
    at += match.length;
    if (match.startsWith('//') || match.startsWith('/*')) out += what.comments ? emptied(match) : match;
    else if (match === '`') {
      out += match;
      template();
    } else if (match === '{') {
      out += match;
      braces.push(false);
    } else if (match === '}') {
      out += match;
      if (braces.pop() === true) template();
    } else out += what.strings ? match[0] + emptied(match.slice(1, -1)) + match.at(-1) : match;
  }
  return out;
}

export type ImportGraph = ReadonlyMap<string, readonly Import[]>;

export function importGraph(sources: Sources): ImportGraph {
  return new Map([...sources].map(([path, text]) => [path, findImports(path, text)]));
}

/** For every file or package that `roots` lead to, the shortest chain of imports there, its own name last. Pure. */
export function findChains(
  graph: ImportGraph,
  roots: readonly string[],
  kinds: readonly Import['kind'][],
): ReadonlyMap<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>(roots.map((root) => [root, [root]]));
  const queue = [...roots];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const chain = chains.get(path) ?? [];
    for (const { target, kind } of graph.get(path) ?? []) {
      if (!kinds.includes(kind) || chains.has(target)) continue;
      chains.set(target, [...chain, target]);
      queue.push(target);
    }
  }
  return chains;
}
