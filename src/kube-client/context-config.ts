import { dirname, isAbsolute, join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { type ClusterConfig, ConfigError, type ReadFile, type RequestHeaders, readNeeded, type TlsMaterial } from './cluster-config.ts';
import { type Ask, type Credentials, createTokenFile } from './credentials.ts';
import { entryError, type NamedEntry, readText, type SelectedContext } from './kubeconfig.ts';

export interface ContextParts {
  readonly readFile: ReadFile;
  /** What commands for credentials are run in. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/**
 * A context of a kubeconfig as something to connect with. Files it names are read once here, so that a missing one is told at once.
 *
 * @throws ConfigError for an entry that is incomplete, contradicts itself, or asks for what is not supported
 */
export async function configOfContext(context: SelectedContext, parts: ContextParts): Promise<ClusterConfig> {
  const { cluster, user } = context;
  const server = readServer(cluster);
  const proxyUrl = readText(cluster, 'proxy-url');
  const proxy =
    proxyUrl === undefined
      ? undefined
      : (await import('./proxy.ts')).parseProxy(proxyUrl, `the proxy-url of ${cluster.what} in ${cluster.path}`, server);
  const ask = user === undefined ? undefined : await findAsker(cluster, user, server, parts);

  const tls = async (): Promise<TlsMaterial> => {
    const material = {
      ...(await readClusterTls(cluster, parts.readFile)),
      ...(user === undefined ? {} : await readUserTls(user, parts.readFile)),
    };
    if (ask === undefined) return material;
    const { cert, key } = await ask(false);
    return { ...material, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
  };
  const headers = user === undefined ? async () => ({}) : readHeaders(user, parts, ask);

  if (ask === undefined) await Promise.all([tls(), headers(false)]);
  const source = `context ${context.name} of ${cluster.path}`;
  return { source, server, namespace: context.namespace, tls, headers, ...(proxy === undefined ? {} : { proxy }) };
}

/** Who is to be asked for credentials, if anybody; loaded only where it is somebody. */
async function findAsker(
  cluster: NamedEntry,
  user: NamedEntry,
  server: string,
  parts: ContextParts,
): Promise<Ask<Credentials> | undefined> {
  if (user.value.exec !== undefined) {
    const { createExecPlugin } = await import('./exec-plugin.ts');
    const clusterInfo = async (): Promise<object> => {
      const { ca, servername, rejectUnauthorized } = await readClusterTls(cluster, parts.readFile);
      return {
        server,
        'tls-server-name': servername,
        'insecure-skip-tls-verify': rejectUnauthorized === false ? true : undefined,
        'certificate-authority-data': ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
      };
    };
    return createExecPlugin(user, { ...parts, clusterInfo });
  }
  return user.value['auth-provider'] === undefined ? undefined : (await import('./client-node.ts')).createAuthProvider(user);
}

function readServer(cluster: NamedEntry): string {
  const server = readText(cluster, 'server');
  if (server === undefined) throw entryError(cluster, 'there is no server; add its URL');
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw entryError(cluster, "'server' is no http(s) URL; write it as https://HOST:PORT");
  if (url.username !== '' || url.password !== '') {
    throw entryError(cluster, "'server' holds a user name or password; put them into the user entry");
  }
  return server.replace(/\/+$/, '');
}

async function readClusterTls(cluster: NamedEntry, readFile: ReadFile): Promise<TlsMaterial> {
  const servername = readText(cluster, 'tls-server-name');
  const ca = await readPem(cluster, 'certificate-authority', readFile);
  const skip = cluster.value['insecure-skip-tls-verify'] ?? false;
  if (typeof skip !== 'boolean') throw entryError(cluster, "'insecure-skip-tls-verify' must be true or false");
  if (skip && ca !== undefined) {
    throw entryError(cluster, 'there are a certificate-authority and insecure-skip-tls-verify; remove one of them');
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(servername === undefined ? {} : { servername }),
    ...(skip ? { rejectUnauthorized: false } : {}),
  };
}

async function readUserTls(user: NamedEntry, readFile: ReadFile): Promise<TlsMaterial> {
  const cert = await readPem(user, 'client-certificate', readFile);
  const key = await readPem(user, 'client-key', readFile);
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return {};
  const [has, lacks] = cert === undefined ? ['client-key', 'client-certificate'] : ['client-certificate', 'client-key'];
  throw entryError(user, `there is a ${has} but no ${lacks}; add it`);
}

/** @param ask given where credentials must be asked for */
function readHeaders(user: NamedEntry, parts: ContextParts, ask: Ask<Credentials> | undefined): ClusterConfig['headers'] {
  const impersonation = readImpersonation(user);
  const tokenPath = readText(user, 'tokenFile');
  const readToken = (path: string): Promise<string> => readNeeded(parts.readFile, path, `token file (${user.what})`);
  const tokenFile = tokenPath === undefined ? undefined : createTokenFile(absolutePath(user, tokenPath), readToken, parts.clock);
  const token = readText(user, 'token');
  const username = readText(user, 'username');
  const login = `${username}:${readText(user, 'password') ?? ''}`;
  return async (renew) => {
    // A token file wins over a token: it is the one that is kept fresh.
    if (tokenFile !== undefined) return { ...impersonation, authorization: `Bearer ${await tokenFile(renew)}` };
    if (token !== undefined) return { ...impersonation, authorization: `Bearer ${token}` };
    if (username !== undefined) return { ...impersonation, authorization: `Basic ${Buffer.from(login).toString('base64')}` };
    if (ask !== undefined) return { ...(await ask(renew)).headers, ...impersonation };
    return impersonation;
  };
}

/** `as`, `as-uid`, `as-groups`: left out, a command would run with more rights than was asked for. */
function readImpersonation(user: NamedEntry): RequestHeaders {
  if (user.value['as-user-extra'] !== undefined) throw entryError(user, "'as-user-extra' is not supported; remove it");
  const name = readText(user, 'as');
  const uid = readText(user, 'as-uid');
  const groups: unknown = user.value['as-groups'] ?? [];
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === 'string')) {
    throw entryError(user, "'as-groups' must be a list of strings");
  }
  return {
    ...(name === undefined ? {} : { 'impersonate-user': name }),
    ...(uid === undefined ? {} : { 'impersonate-uid': uid }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': groups }),
  };
}

/** PEM from `<field>-data` (base64), which wins, or from the file that `<field>` names. */
async function readPem(entry: NamedEntry, field: string, readFile: ReadFile): Promise<string | undefined> {
  const data = readText(entry, `${field}-data`);
  const isPem = (text: string): boolean => text.includes('-----BEGIN ');
  if (data !== undefined) {
    const pem = Buffer.from(data, 'base64').toString('utf8');
    if (isPem(pem)) return pem;
    throw entryError(entry, `'${field}-data' is not the base64 form of a PEM file`);
  }
  const named = readText(entry, field);
  if (named === undefined) return undefined;
  const path = absolutePath(entry, named);
  const whose = `(${entry.what} of ${entry.path})`;
  const pem = await readNeeded(readFile, path, `${field} ${whose}`);
  if (isPem(pem)) return pem;
  throw new ConfigError(`reading ${field} ${path} ${whose}: it is no PEM file`);
}

function absolutePath(entry: NamedEntry, path: string): string {
  return isAbsolute(path) ? path : join(dirname(entry.path), path);
}
