import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type ClusterConfig, ConfigError, isMissing, type ReadFile, readNeeded } from './cluster-config.ts';
import { configOfContext } from './context-config.ts';
import { createTokenFile } from './credentials.ts';
import { type Kubeconfig, mergeKubeconfigs, parseKubeconfig, readFrame, selectContext } from './kubeconfig.ts';
import { readPlainYaml } from './plain-yaml.ts';

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface LoadConfigOptions {
  /** A file named by the user; then nothing else is looked at. */
  readonly kubeconfig?: string;
  /** A context named by the user; then the pod's own service account is not meant. */
  readonly context?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
  readonly homeDir: string;
  readonly clock?: Clock;
  /** What else a user without any cluster could do, for the message: `start a local one with …`. */
  readonly otherwise?: string;
}

/**
 * Which cluster to use, and as whom: the named file, else the files in KUBECONFIG, else the pod's service account, else `~/.kube/config`.
 * A proxy is the cluster's own `proxy-url`, else what HTTPS_PROXY (HTTP_PROXY for `http://`) and NO_PROXY say.
 *
 * @throws ConfigError that says what was looked at, what is wrong and what to do
 */
export async function loadClusterConfig(options: LoadConfigOptions): Promise<ClusterConfig> {
  const config = await findConfig(options);
  const { env } = options;
  // Loaded only where somebody named a proxy.
  if (config.proxy !== undefined || !Object.keys(env).some((name) => /^https?_proxy$/i.test(name))) return config;
  const proxy = (await import('./proxy.ts')).findProxy(config.server, env);
  return proxy === undefined ? config : { ...config, proxy };
}

async function findConfig(options: LoadConfigOptions): Promise<ClusterConfig> {
  const { env, readFile, homeDir } = options;
  if (options.kubeconfig !== undefined) return fromFiles(options, [await readKubeconfig(readFile, options.kubeconfig)]);

  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) {
    const files = await readPresent(readFile, listed);
    if (files.length > 0) return fromFiles(options, files);
    throw nothingFound(options, [`KUBECONFIG (no such file: ${listed.join(', ')})`]);
  }
  const tried = ['KUBECONFIG (not set)'];

  if (options.context === undefined) {
    const own = await findInClusterConfig(options);
    if (own !== undefined) return own;
    tried.push('the service account of a pod (none here)');
  }

  const home = join(homeDir, '.kube', 'config');
  const files = await readPresent(readFile, [home]);
  if (files.length > 0) return fromFiles(options, files);
  throw nothingFound(options, [...tried, `${home} (no such file)`]);
}

/** The configuration of a pod with a service account; undefined outside a cluster, or where no token is mounted. */
async function findInClusterConfig({ env, readFile, clock = systemClock }: LoadConfigOptions): Promise<ClusterConfig | undefined> {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (host === undefined || host === '') return undefined;
  const port = env.KUBERNETES_SERVICE_PORT_HTTPS ?? env.KUBERNETES_SERVICE_PORT ?? '443';
  const token = createTokenFile(`${serviceAccount}/token`, (path) => readNeeded(readFile, path, 'the service account token'), clock);
  try {
    await token(false);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  // Asked for every connection: the cluster's CA may be replaced while we run.
  const tls = async () => ({ ca: await readNeeded(readFile, `${serviceAccount}/ca.crt`, "the cluster's CA") });
  const namespace = await readNeeded(readFile, `${serviceAccount}/namespace`, 'the namespace').catch(() => 'default');
  await tls();
  return {
    source: 'the service account of this pod',
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: namespace.trim(),
    inCluster: true,
    tls,
    headers: async (renew) => ({ authorization: `Bearer ${await token(renew)}` }),
  };
}

function fromFiles(options: LoadConfigOptions, files: readonly Kubeconfig[]): Promise<ClusterConfig> {
  const { readFile, env, clock = systemClock } = options;
  return configOfContext(selectContext(mergeKubeconfigs(files), options.context), { readFile, env, clock });
}

/** Files of KUBECONFIG that do not exist are passed over, as kubectl does; one that exists must be readable. */
async function readPresent(readFile: ReadFile, paths: readonly string[]): Promise<readonly Kubeconfig[]> {
  const files: Kubeconfig[] = [];
  for (const path of paths) {
    try {
      files.push(await readKubeconfig(readFile, path));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return files;
}

async function readKubeconfig(readFile: ReadFile, path: string): Promise<Kubeconfig> {
  const text = await readNeeded(readFile, path, 'kubeconfig');
  const plain = readPlainYaml(text);
  // Loaded here, so that who needs no YAML library does not pay for it.
  return plain === undefined ? parseKubeconfig(path, text, await import('./yaml-parser.ts')) : readFrame(path, plain);
}

function nothingFound({ otherwise }: LoadConfigOptions, tried: readonly string[]): ConfigError {
  const next = `name a kubeconfig with --kubeconfig FILE${otherwise === undefined ? '' : `, or ${otherwise}`}`;
  return new ConfigError(`no cluster is configured; looked at ${tried.join(', ')}; ${next}`);
}
