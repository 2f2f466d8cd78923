import { delimiter, join } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { ConfigError } from './config-error.ts';
import { configOfContext } from './context-config.ts';
import { findInClusterConfig } from './in-cluster.ts';
import { type Kubeconfig, mergeKubeconfigs, parseKubeconfig, selectContext } from './kubeconfig.ts';
import { createPluginAsker } from './plugin-credentials.ts';
import { isMissing, type ReadFile, readNeeded } from './read-file.ts';

export interface LoadConfigOptions {
  /** A file named by the user; then nothing else is looked at. */
  readonly kubeconfig?: string;
  /** A context named by the user; then the pod's own service account is not meant. */
  readonly context?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
  readonly homeDir: string;
  readonly clock?: Clock;
}

/**
 * Which cluster to use, and as whom: the named file, else the files in KUBECONFIG, else the pod's service account, else `~/.kube/config`.
 *
 * @throws ConfigError that says what was looked at, what is wrong and what to do
 */
export async function loadClusterConfig(options: LoadConfigOptions): Promise<ClusterConfig> {
  const config = await findConfig(options);
  const proxy = proxyHint(options.env, config.server);
  return proxy === undefined ? config : { ...config, connectHint: proxy };
}

async function findConfig(options: LoadConfigOptions): Promise<ClusterConfig> {
  const { env, readFile, homeDir, clock = systemClock } = options;
  if (options.kubeconfig !== undefined) return fromFiles(options, [await readKubeconfig(readFile, options.kubeconfig)]);

  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  const tried: string[] = [];
  if (listed.length > 0) {
    const files = await readPresent(readFile, listed);
    if (files.length > 0) return fromFiles(options, files);
    throw nothingFound([`KUBECONFIG (no such file: ${listed.join(', ')})`]);
  }
  tried.push('KUBECONFIG (not set)');

  if (options.context === undefined) {
    const own = await findInClusterConfig(env, readFile, clock);
    if (own !== undefined) return own;
    tried.push('the service account of a pod (none here)');
  }

  const home = join(homeDir, '.kube', 'config');
  const files = await readPresent(readFile, [home]);
  if (files.length > 0) return fromFiles(options, files);
  throw nothingFound([...tried, `${home} (no such file)`]);
}

function fromFiles(options: LoadConfigOptions, files: readonly Kubeconfig[]): Promise<ClusterConfig> {
  const { readFile, clock = systemClock } = options;
  return configOfContext(selectContext(mergeKubeconfigs(files), options.context), { readFile, clock, ask: createPluginAsker() });
}

/** Files of KUBECONFIG that do not exist are passed over, as kubectl does; one that exists must be readable. */
async function readPresent(readFile: ReadFile, paths: readonly string[]): Promise<readonly Kubeconfig[]> {
  const files: Kubeconfig[] = [];
  for (const path of paths) {
    try {
      files.push(await readKubeconfig(readFile, path));
    } catch (error) {
      if (!(error instanceof ConfigError && isMissing(error.cause))) throw error;
    }
  }
  return files;
}

async function readKubeconfig(readFile: ReadFile, path: string): Promise<Kubeconfig> {
  const text = await readNeeded(readFile, path, 'kubeconfig');
  // Loaded here, so that a pod, which needs no YAML, does not pay for it.
  return parseKubeconfig(path, text, await import('./yaml-parser.ts'));
}

function nothingFound(tried: readonly string[]): ConfigError {
  return new ConfigError(
    `no cluster is configured; looked at ${tried.join(', ')}; name a kubeconfig with --kubeconfig FILE, or start a local cluster with \`bin/hourglass dev up\``,
  );
}

/** A proxy that other tools would use and we do not is worth saying when no connection comes about; its URL may hold a password. */
function proxyHint(env: LoadConfigOptions['env'], server: string): string | undefined {
  const name = server.startsWith('https:') ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const set = name.find((candidate) => (env[candidate] ?? '') !== '');
  return set === undefined ? undefined : `${set} is set, but proxies are not supported yet: connect directly, or through \`kubectl proxy\``;
}
