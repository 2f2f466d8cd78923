import type { KubeConfig } from '@kubernetes/client-node';
import { ConfigError } from './cluster-config.ts';
import type { Ask, Credentials } from './credentials.ts';
import type { NamedEntry } from './kubeconfig.ts';

type HttpsOptions = Parameters<KubeConfig['applyToHTTPSOptions']>[0];

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

/** The headers and keys that a KubeConfig gives its user. @throws ConfigError that says what client-node says */
export async function askKubeConfig(kubeConfig: KubeConfig, user: string): Promise<Credentials> {
  const { headers: given = {}, auth, ...options } = await httpsOptionsOf(kubeConfig, user);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value;
  }
  if (typeof auth === 'string') headers.authorization ??= `Basic ${Buffer.from(auth).toString('base64')}`;
  return { headers, ...keysOf(options) };
}

export function keysOf({ cert, key }: HttpsOptions): { readonly cert?: string; readonly key?: string } {
  return cert === undefined || key === undefined ? {} : { cert: pemText(cert), key: pemText(key) };
}

export async function httpsOptionsOf(kubeConfig: KubeConfig, user: string): Promise<HttpsOptions> {
  const options: HttpsOptions = {};
  await kubeConfig.applyToHTTPSOptions(options).catch((error: unknown) => {
    const [first = ''] = error instanceof Error && !(error instanceof SyntaxError) ? error.message.trim().split('\n', 1) : [];
    throw new ConfigError(`asking client-node for the credentials of user '${user}': ${first.slice(0, 300) || 'it failed'}`);
  });
  return options;
}

export function pemText(value: unknown): string {
  if (Array.isArray(value)) return value.map(pemText).join('\n');
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);
}
