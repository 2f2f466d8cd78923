import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import vm from 'node:vm';
import { type TransformOptions, transform, transformSync } from 'esbuild';

type Exports = Record<string, unknown>;
type Compiled = (exports: Exports, require: (name: string) => unknown, module: { exports: Exports }) => void;

/**
 * TypeScript modules evaluated in this process, again and again: what depends on the file that changes is made anew each time,
 * the rest stays. A test run then costs milliseconds instead of a process.
 */
export class Loader {
  readonly #require = createRequire(import.meta.url);
  readonly #compiled = new Map<string, Compiled>();
  readonly #kept = new Map<string, { exports: Exports }>();
  #fresh = new Map<string, { exports: Exports }>();
  #changed: { readonly path: string; readonly run: Compiled } | undefined;
  readonly #packages: Readonly<Record<string, unknown>>;
  readonly #isFresh: (path: string) => boolean;

  /**
   * @param packages in place of the real ones, by name
   * @param isFresh whether a module may depend on a file that changes
   */
  constructor(packages: Readonly<Record<string, unknown>>, isFresh: (path: string) => boolean) {
    this.#packages = packages;
    this.#isFresh = isFresh;
  }

  /** Forgets what was evaluated; from now on the file at `path` has that text. */
  async change(path: string, source: string): Promise<void> {
    // The asynchronous one asks a process that is there already; the other starts one each time.
    const { code } = await transform(source, { ...options, sourcefile: path });
    this.#fresh = new Map();
    this.#changed = { path, run: compile(path, code) };
  }

  load(path: string): Exports {
    const cache = this.#isFresh(path) ? this.#fresh : this.#kept;
    const known = cache.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    cache.set(path, module);
    const require = (name: string): unknown =>
      name.startsWith('.') ? this.load(resolve(dirname(path), name)) : (this.#packages[name] ?? this.#require(name));
    this.#compile(path)(module.exports, require, module);
    return module.exports;
  }

  /** Whether the module was evaluated since the last change. */
  has(path: string): boolean {
    return this.#fresh.has(path);
  }

  #compile(path: string): Compiled {
    if (path === this.#changed?.path) return this.#changed.run;
    const run = this.#compiled.get(path) ?? compile(path, transformSync(readFileSync(path, 'utf8'), { ...options, sourcefile: path }).code);
    this.#compiled.set(path, run);
    return run;
  }
}

const options: TransformOptions = { loader: 'ts', format: 'cjs', target: 'es2024' };

function compile(path: string, code: string): Compiled {
  return vm.runInThisContext(`(function (exports, require, module) {${code}\n})`, { filename: path }) as Compiled;
}
