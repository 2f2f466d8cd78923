import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkGo, findModuleDir, goBuild } from './go-build.ts';
import type { ProgressReporter } from './progress.ts';
import { errnoCode, TestbedError, toTestbedError } from './testbed-error.ts';
import { userCacheDir, withLock } from './user-cache.mjs';

export type ToolName =
  | 'control-plane'
  | 'kwok'
  | 'coredns'
  | 'pause'
  | 'client-go'
  | 'kstatus'
  | 'k6'
  | 'chaos-controller-manager'
  | 'chaos-daemon'
  | 'peer-controller-runtime'
  | 'peer-floor';

/** Versions of what the testbed is made of, from `tools/versions.json`. */
export type ToolVersions = Readonly<
  Record<'kubernetes' | 'etcd' | 'kwok' | 'coredns' | 'k6' | 'chaos-mesh' | 'controller-runtime' | 'node', string>
>;

export interface ToolOptions {
  /** The folder with the Go modules and versions.json; found beside this program by default. */
  readonly toolsDir?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Built for Linux on this processor, to go into an image; for this machine unless told. */
  readonly imageFor?: 'amd64' | 'arm64';
}

interface Tool {
  /** Folder of its Go module; the tool's name unless told. */
  readonly module?: string;
  /** The module's own folder unless told. */
  readonly packagePath?: string;
  readonly title: (versions: ToolVersions) => string;
  /** Measured with empty Go caches on two cores. */
  readonly coldTime: string;
  readonly ldflags?: (versions: ToolVersions) => string;
  /** Parts of it are in C. */
  readonly cgo?: true;
  /** Files of its module that are kept beside the program, under their own names. */
  readonly files?: readonly { readonly module: string; readonly path: string }[];
}

const chaosMesh = 'github.com/chaos-mesh/chaos-mesh';

const tools: Readonly<Record<ToolName, Tool>> = {
  'control-plane': {
    title: ({ kubernetes }) => `the Kubernetes ${kubernetes} control plane`,
    coldTime: 'about 4 min',
    ldflags: ({ kubernetes }) => ` ${kubernetesVersionFlags(kubernetes)}`,
  },
  kwok: { module: 'bin', packagePath: 'sigs.k8s.io/kwok/cmd/kwok', title: ({ kwok }) => `KWOK ${kwok}`, coldTime: 'about 1.5 min' },
  coredns: { title: ({ coredns }) => `CoreDNS ${coredns}`, coldTime: 'about 2 min' },
  pause: { title: () => 'pause, which holds the namespaces of pods', coldTime: 'a few seconds' },
  'client-go': { title: () => 'the client-go program of the client bench', coldTime: 'about 1 min' },
  kstatus: { title: () => 'kstatus, by which tools wait for objects', coldTime: 'about 1 min' },
  k6: { packagePath: 'go.k6.io/k6/v2', title: ({ k6 }) => `k6 ${k6}`, coldTime: 'about 4 min' },
  'chaos-controller-manager': {
    module: 'chaos-mesh',
    packagePath: `${chaosMesh}/cmd/chaos-controller-manager`,
    title: (versions) => `the controller of Chaos Mesh ${versions['chaos-mesh']}`,
    coldTime: 'about 4.5 min',
    // Not for itself: so that what it shares with the daemon is compiled once.
    cgo: true,
    files: [{ module: chaosMesh, path: 'manifests/crd.yaml' }],
  },
  'chaos-daemon': {
    module: 'chaos-mesh',
    packagePath: `${chaosMesh}/cmd/chaos-daemon`,
    title: (versions) => `the daemon of Chaos Mesh ${versions['chaos-mesh']}`,
    coldTime: 'a few seconds after its controller',
    cgo: true,
  },
  'peer-controller-runtime': {
    module: 'peers',
    packagePath: './controller-runtime',
    title: (versions) => `the peer on controller-runtime ${versions['controller-runtime']}`,
    coldTime: 'about 1 min',
  },
  'peer-floor': { module: 'peers', packagePath: './floor', title: () => 'the bare loop of the bench', coldTime: 'about 1 min' },
};

/**
 * Path of a program the testbed needs, compiled on first need into the user's cache and taken from there afterwards.
 * Two callers at once, in other processes too, build it once. A build that was cut off leaves nothing that is ever used.
 *
 * @throws TestbedError when it has to be built and cannot be: no Go, too old a Go, a full disk, a failed build
 */
export async function ensureTool(name: ToolName, report: ProgressReporter, options: ToolOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const toolsDir = options.toolsDir ?? findToolsDir();
  const { module = name, packagePath = '.', coldTime, cgo = false, files = [], ...tool } = tools[name];
  const versions = readVersions(toolsDir);
  const flags = ['-mod=readonly', '-trimpath', '-buildvcs=false', `-ldflags=-s -w${tool.ldflags?.(versions) ?? ''}`];
  const moduleDir = join(toolsDir, module);
  const cache = join(userCacheDir(env), 'tools');
  const platform = options.imageFor === undefined ? [process.platform, process.arch] : ['linux', options.imageFor.replace('amd64', 'x64')];
  const slot = `${name}-${await cacheKey(moduleDir, [...platform, packagePath, ...flags, ...(cgo ? ['cgo'] : [])])}`;
  const program = join(cache, slot, name);
  if (existsSync(program)) return program;

  const title = tool.title(versions);
  await checkGo({ title, moduleDir, env });
  report.step(`Building ${title} (${coldTime} the first time on two cores, then cached)`);
  const build = async (): Promise<void> => {
    if (existsSync(program)) return;
    // What builds of this slot left that were cut off: under the slot's lock nobody else is at work there.
    for (const entry of await readdir(cache)) {
      if (entry.startsWith(`.${slot}-`)) await rm(join(cache, entry), { recursive: true, force: true });
    }
    const draft = await mkdtemp(join(cache, `.${slot}-`));
    const logFile = join(cache, `${slot}.log`);
    const target = options.imageFor === undefined ? {} : { GOOS: 'linux', GOARCH: options.imageFor };
    const goEnv = { ...env, CGO_ENABLED: cgo ? '1' : '0', ...target };
    try {
      await goBuild({ title, moduleDir, packagePath, flags, output: join(draft, name), logFile, env: goEnv }, report);
      for (const { module, path } of files)
        await copyFile(join(await findModuleDir({ title, moduleDir, env: goEnv }, module), path), join(draft, basename(path)));
      await rename(draft, dirname(program));
      await rm(logFile, { force: true });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  };
  const onWait = (pid: number): void => report.update(`process ${pid} is building it; waiting`);
  try {
    await withLock(join(cache, `${slot}.lock`), build, { onWait });
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    throw new TestbedError(`${toTestbedError(`building ${title} in ${cache}`, error).message}. The cache can be moved: set XDG_CACHE_HOME`);
  }
  report.done(`Built ${title}`);
  return program;
}

export function readVersions(toolsDir: string = findToolsDir()): ToolVersions {
  return JSON.parse(readFileSync(join(toolsDir, 'versions.json'), 'utf8')) as ToolVersions;
}

const findToolsDir = (): string => dirname(findInCheckout('tools/versions.json'));

/** The server reports these in `/version`; without them it says v0.0.0 and clients that compare versions go wrong. */
function kubernetesVersionFlags(version: string): string {
  const [major, minor] = version.split('.');
  const values = {
    gitVersion: `v${version}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'unknown',
    // Fixed, so that the same sources give the same bytes.
    buildDate: '1970-01-01T00:00:00Z',
  };
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

/** Changes with everything that changes the program; not with the Go that happens to be installed, so that a cached tool needs none. */
async function cacheKey(moduleDir: string, ingredients: readonly string[]): Promise<string> {
  const sources = (await readdir(moduleDir, { recursive: true }))
    .filter((file) => file === 'go.mod' || file === 'go.sum' || file.endsWith('.go'))
    .sort();
  const hash = createHash('sha256').update(ingredients.join('\n'));
  for (const file of sources) hash.update(`\n${file}\n`).update(await readFile(join(moduleDir, file)));
  return hash.digest('hex').slice(0, 16);
}

/**
 * Path of a file of this project that no bundle holds, from the sources as well as from a bundle: the nearest one above this program.
 *
 * @throws TestbedError when there is none
 */
export function findInCheckout(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    const candidate = join(folder, path);
    if (existsSync(candidate)) return candidate;
  }
  throw new TestbedError(
    `${path} is not beside this program; run it from a checkout of the project, or use a cluster of your own with --kubeconfig FILE`,
  );
}
