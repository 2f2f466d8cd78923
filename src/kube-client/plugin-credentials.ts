import { dirname, isAbsolute, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterConfig } from './cluster-config.ts';
import { ConfigError } from './config-error.ts';
import type { AskedCredentials } from './context-config.ts';
import type { NamedEntry } from './kubeconfig.ts';

type KubeConfigOptions = Parameters<KubeConfig['applyToHTTPSOptions']>[0];

/** Asks a user's `exec` command or `auth-provider` for credentials. They are kept until they expire or are refused. */
export type AskPlugin = (cluster: NamedEntry, user: NamedEntry, renew: boolean) => Promise<AskedCredentials>;

/** client-node knows the plug-ins (exec, OIDC, cloud). It is large, so it is loaded when first asked. */
export function createPluginAsker(): AskPlugin {
  let known: KubeConfig | undefined;
  return async (cluster, user, renew) => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    if (known === undefined || renew) {
      known = new KubeConfig();
      known.loadFromString(JSON.stringify(onlyThese(cluster, user)));
    }
    return askKubeConfig(known, user.name);
  };
}

/**
 * The cluster that a client-node `KubeConfig` has selected, credentials of its plug-ins included.
 *
 * @throws ConfigError when it has selected none
 */
export function configOfKubeConfig(kubeConfig: KubeConfig): ClusterConfig {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new ConfigError('the KubeConfig has selected no cluster; set its current context');
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
  const user = kubeConfig.getCurrentUser()?.name ?? 'none';
  return {
    source: `context ${kubeConfig.getCurrentContext()} of a KubeConfig`,
    server: cluster.server.replace(/\/+$/, ''),
    namespace: context?.namespace ?? 'default',
    tls: async () => {
      const options: KubeConfigOptions = {};
      await kubeConfig.applyToHTTPSOptions(options);
      const { ca, cert, key, rejectUnauthorized, servername } = options;
      return {
        ...(ca === undefined ? {} : { ca: pemText(ca) }),
        ...(cert === undefined ? {} : { cert: pemText(cert) }),
        ...(key === undefined ? {} : { key: pemText(key) }),
        ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
        ...(servername === undefined ? {} : { servername }),
      };
    },
    headers: async () => (await askKubeConfig(kubeConfig, user)).headers,
  };
}

async function askKubeConfig(kubeConfig: KubeConfig, user: string): Promise<AskedCredentials> {
  const options: KubeConfigOptions = {};
  try {
    await kubeConfig.applyToHTTPSOptions(options);
  } catch (error) {
    throw new ConfigError(`asking the credential plug-in of user '${user}': ${whyFailed(error)}`);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value;
  }
  if (typeof options.auth === 'string') headers.authorization ??= `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { cert, key } = options;
  return { headers, ...(cert === undefined || key === undefined ? {} : { cert: pemText(cert), key: pemText(key) }) };
}

/** What the plug-in wrote to stderr; never what it printed, which may hold the credentials. */
function whyFailed(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  if (error instanceof SyntaxError || error instanceof TypeError) return 'it printed no ExecCredential; run it by hand';
  if ('code' in error && error.code === 'ENOENT') return 'the command was not found; install it, or check PATH';
  const [first = ''] = error.message.trim().split('\n', 1);
  return first === '' ? 'it failed and said nothing; run it by hand' : first.slice(0, 300);
}

/** A kubeconfig of one cluster and one user, for client-node. The CA stays with us. */
function onlyThese(cluster: NamedEntry, user: NamedEntry): unknown {
  return {
    clusters: [{ name: 'cluster', cluster: { server: cluster.value.server } }],
    users: [{ name: user.name, user: withAbsoluteCommand(user) }],
    contexts: [{ name: 'context', context: { cluster: 'cluster', user: user.name } }],
    'current-context': 'context',
  };
}

/** Only what the plug-in needs; a command with a slash in it starts from the kubeconfig's folder. */
function withAbsoluteCommand(user: NamedEntry): unknown {
  const { exec, 'auth-provider': provider } = user.value;
  if (typeof exec !== 'object' || exec === null) return { 'auth-provider': provider };
  const command = 'command' in exec && typeof exec.command === 'string' ? exec.command : undefined;
  const relative = command?.includes('/') === true && !isAbsolute(command);
  return { exec: relative ? { ...exec, command: join(dirname(user.path), command) } : exec };
}

function pemText(value: unknown): string {
  if (Array.isArray(value)) return value.map(pemText).join('\n');
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}
