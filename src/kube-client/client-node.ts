import type { KubeConfig } from '@kubernetes/client-node';
import { type ClusterConfig, ConfigError } from './cluster-config.ts';
import type { Ask, Credentials } from './credentials.ts';
import type { NamedEntry } from './kubeconfig.ts';
import { parseProxy } from './proxy.ts';

type HttpsOptions = Parameters<KubeConfig['applyToHTTPSOptions']>[0];

/**
 * The cluster that a client-node `KubeConfig` has selected, its credentials, plug-ins and `proxy-url` included, for whoever holds one already:
 * `createKubeApi(configOfKubeConfig(kubeConfig), options)`. Files it names are read again for each connection.
 *
 * @throws ConfigError when it has selected no cluster
 */
export function configOfKubeConfig(kubeConfig: KubeConfig): ClusterConfig {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new ConfigError('the KubeConfig has selected no cluster; set its current context');
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
  const user = kubeConfig.getCurrentUser()?.name ?? 'none';
  const server = cluster.server.replace(/\/+$/, '');
  const { proxyUrl = '' } = cluster;
  return {
    source: `context ${kubeConfig.getCurrentContext()} of a KubeConfig`,
    server,
    namespace: context?.namespace ?? 'default',
    ...(proxyUrl === '' ? {} : { proxy: parseProxy(proxyUrl, `the proxy-url of cluster '${cluster.name}'`, server) }),
    tls: async () => {
      const { ca, rejectUnauthorized, servername, ...options } = await httpsOptionsOf(kubeConfig, user);
      return {
        ...keysOf(options),
        ...(ca === undefined ? {} : { ca: pemText(ca) }),
        ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
        ...(servername === undefined ? {} : { servername }),
      };
    },
    headers: async () => (await askKubeConfig(kubeConfig, user)).headers,
  };
}

/** Asks a user's `auth-provider` (OIDC, cloud) for credentials. client-node knows them; it is large, so it is loaded when first asked. */
export function createAuthProvider(user: NamedEntry): Ask<Credentials> {
  let known: KubeConfig | undefined;
  return async (renew) => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    if (known === undefined || renew) {
      known = new KubeConfig();
      known.loadFromString(
        JSON.stringify({
          clusters: [{ name: 'cluster', cluster: { server: 'https://unused.invalid' } }],
          users: [{ name: user.name, user: { 'auth-provider': user.value['auth-provider'] } }],
          contexts: [{ name: 'context', context: { cluster: 'cluster', user: user.name } }],
          'current-context': 'context',
        }),
      );
    }
    return askKubeConfig(known, user.name);
  };
}

async function askKubeConfig(kubeConfig: KubeConfig, user: string): Promise<Credentials> {
  const { headers: given = {}, auth, ...options } = await httpsOptionsOf(kubeConfig, user);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value;
  }
  if (typeof auth === 'string') headers.authorization ??= `Basic ${Buffer.from(auth).toString('base64')}`;
  return { headers, ...keysOf(options) };
}

function keysOf({ cert, key }: HttpsOptions): { readonly cert?: string; readonly key?: string } {
  return cert === undefined || key === undefined ? {} : { cert: pemText(cert), key: pemText(key) };
}

async function httpsOptionsOf(kubeConfig: KubeConfig, user: string): Promise<HttpsOptions> {
  const options: HttpsOptions = {};
  await kubeConfig.applyToHTTPSOptions(options).catch((error: unknown) => {
    const [first = ''] = error instanceof Error && !(error instanceof SyntaxError) ? error.message.trim().split('\n', 1) : [];
    throw new ConfigError(`asking client-node for the credentials of user '${user}': ${first.slice(0, 300) || 'it failed'}`);
  });
  return options;
}

function pemText(value: unknown): string {
  if (Array.isArray(value)) return value.map(pemText).join('\n');
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}
