import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, globSync, readFileSync, type WriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { ProgressReporter } from './progress.ts';
import { errnoCode, TestbedError } from './testbed-error.ts';

export interface GoBuild {
  /** What is built, as a user reads it. */
  readonly title: string;
  /** Folder of the module whose go.mod and go.sum decide. */
  readonly moduleDir: string;
  readonly packagePath: string;
  readonly flags: readonly string[];
  readonly output: string;
  /** Everything Go says goes there; named in the message of a failure. */
  readonly logFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const ownCluster = 'or use a cluster of your own: npm run demo -- --kubeconfig FILE --image REF';
const logTailLines = 12;

/**
 * Compiles one program, reporting how many packages are done.
 *
 * @throws TestbedError when the build fails: with the log's last lines and its path
 */
export async function goBuild(build: GoBuild, report: ProgressReporter): Promise<void> {
  const log = createWriteStream(build.logFile);
  // Writing the log is a comfort; what the build itself meets (a full disk, too) is told by Go's exit code.
  log.on('error', () => {});
  try {
    const total = await countPackages(build, log, report);
    let compiled = 0;
    await goOrThrow(build, ['build', '-v', ...build.flags, '-o', build.output, build.packagePath], log, (line) => {
      if (line.startsWith('go: downloading')) return;
      compiled += 1;
      report.update(compiled < total ? `${compiled} of ${total} packages` : 'linking');
    });
  } finally {
    log.end();
    await finished(log).catch(() => {});
  }
}

const byVersion = new Intl.Collator('en', { numeric: true }).compare;

/** The highest version that any module beside this one asks for. */
function newestDirective(modulesDir: string): string {
  const texts = globSync('*/go.mod', { cwd: modulesDir }).map((path) => readFileSync(join(modulesDir, path), 'utf8'));
  const versions = texts.flatMap((text) => parseGoDirective(text) ?? []);
  return versions.sort(byVersion).at(-1) ?? '1.21';
}

/** The version in the `go` line of a go.mod. Pure. */
export function parseGoDirective(goMod: string): string | undefined {
  return /^go (\d+\.\d+(?:\.\d+)?)\s*$/m.exec(goMod)?.[1];
}

/** Whether a Go that calls itself `version` (`go1.26.8`, `devel go1.27-a1b2`) has at least the version `needed` (`1.26.0`). Pure. */
export function isGoNewEnough(version: string, needed: string): boolean {
  const have = /go(\d+\.\d+(?:\.\d+)?)/.exec(version)?.[1];
  return have !== undefined && byVersion(have, needed.replace(/(\.0)+$/, '')) >= 0;
}

/** Whether Go is there and new enough for every tool, so that nobody builds for minutes and then learns it. @throws TestbedError with what to do */
export async function checkGo(build: Pick<GoBuild, 'title' | 'moduleDir' | 'env'>): Promise<void> {
  const needed = newestDirective(dirname(build.moduleDir));
  const remedy = `install Go ${needed} or newer (Debian, Ubuntu: apt-get install golang; macOS: brew install go; where that is older: the downloads page of the Go project), ${ownCluster}`;
  const lines: string[] = [];
  // In the module's folder, where Go may switch to a newer toolchain by itself.
  const { code } = await go(build, ['env', 'GOVERSION'], (line) => lines.push(line)).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') throw new TestbedError(`building ${build.title}: Go is missing on this machine; ${remedy}`);
    throw error;
  });
  const said = lines.at(-1) ?? '';
  if (code !== 0) throw new TestbedError(`building ${build.title}: Go does not run here (${said}); ${remedy}`);
  if (!isGoNewEnough(said, needed)) throw new TestbedError(`building ${build.title}: this machine's Go is too old (${said}); ${remedy}`);
}

/** Folder of a module that another one is built from. @throws TestbedError when it is none of those */
export async function findModuleDir(build: Pick<GoBuild, 'title' | 'moduleDir' | 'env'>, module: string): Promise<string> {
  const lines: string[] = [];
  const { code } = await go(build, ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', module], (line) => lines.push(line));
  const dir = lines.at(-1) ?? '';
  if (code !== 0 || dir === '')
    throw new TestbedError(`building ${build.title}: the folder of module ${module} is not known: ${lines.join(' ')}`);
  return dir;
}

/** How many packages are yet to be compiled. Fetches the modules on the way, which is most of the time it takes. */
async function countPackages(build: GoBuild, log: WriteStream, report: ProgressReporter): Promise<number> {
  let fetched = 0;
  let stale = 0;
  await goOrThrow(build, ['list', '-deps', '-f', '{{.Stale}}', ...build.flags, build.packagePath], log, (line) => {
    if (line === 'true') stale += 1;
    else if (line.startsWith('go: downloading')) {
      fetched += 1;
      report.update(`${fetched} modules fetched`);
    }
  });
  return stale;
}

async function goOrThrow(build: GoBuild, args: readonly string[], log: WriteStream, onLine: (line: string) => void): Promise<void> {
  const tail: string[] = [];
  const { code, signal } = await go(build, args, (line) => {
    onLine(line);
    if (line === 'true' || line === 'false') return;
    log.write(`${line}\n`);
    tail.push(line);
    if (tail.length > logTailLines) tail.shift();
  });
  if (code === 0) return;
  const said = tail.join('\n');
  const cause = /no space left on device|disk quota exceeded/i.test(said)
    ? 'the disk is full; free about 6 GB (Go keeps modules and compiled packages in its own caches), or set XDG_CACHE_HOME, GOCACHE and GOMODCACHE to another disk'
    : `go ${args[0]} ended with ${signal ?? `exit code ${code}`}`;
  throw new TestbedError(`building ${build.title}: ${cause}\n${said}\nThe whole log: ${build.logFile}`);
}

async function go(
  build: Pick<GoBuild, 'moduleDir' | 'env'>,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  const child = spawn('go', args, { cwd: build.moduleDir, env: build.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill();
  process.once('exit', kill);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } finally {
    process.off('exit', kill);
  }
}
