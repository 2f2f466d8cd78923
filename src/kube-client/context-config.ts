import { dirname, isAbsolute, join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { type ClusterConfig, ConfigError, type ReadFile, type RequestHeaders, readNeeded, type TlsMaterial } from './cluster-config.ts';
import { type Ask, type Credentials, createTokenFile } from './credentials.ts';
import { type NamedEntry, readText, type SelectedContext } from './kubeconfig.ts';

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
  const clusterText = `cluster '${cluster.name}'`;
  const server = readServer(cluster, clusterText);
  const proxyUrl = readText(cluster, clusterText, 'proxy-url');
  const proxy =
    proxyUrl === undefined
      ? undefined
      : (await import('./proxy.ts')).parseProxy(proxyUrl, `the proxy-url of ${clusterText} in ${cluster.path}`, server);
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

function readServer(cluster: NamedEntry, what: string): string {
  const server = readText(cluster, what, 'server');
  if (server === undefined) throw new ConfigError(`reading kubeconfig ${cluster.path}: ${what} has no server; add its URL`);
  const url = URL.parse(server);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new ConfigError(`reading kubeconfig ${cluster.path}: ${what}: 'server' is no http(s) URL; write it as https://HOST:PORT`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError(
      `reading kubeconfig ${cluster.path}: ${what}: 'server' holds a user name or password; put them into the user entry`,
    );
  }
  return server.replace(/\/+$/, '');
}

async function readClusterTls(cluster: NamedEntry, readFile: ReadFile): Promise<TlsMaterial> {
  const what = `cluster '${cluster.name}'`;
  const servername = readText(cluster, what, 'tls-server-name');
  const ca = await readPem(cluster, what, 'certificate-authority', readFile);
  const skip = cluster.value['insecure-skip-tls-verify'] ?? false;
  if (typeof skip !== 'boolean')
    throw new ConfigError(`reading kubeconfig ${cluster.path}: ${what}: 'insecure-skip-tls-verify' must be true or false`);
  if (skip && ca !== undefined) {
    throw new ConfigError(
      `reading kubeconfig ${cluster.path}: ${what} has a certificate-authority and insecure-skip-tls-verify; remove one of them`,
    );
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(servername === undefined ? {} : { servername }),
    ...(skip ? { rejectUnauthorized: false } : {}),
  };
}

async function readUserTls(user: NamedEntry, readFile: ReadFile): Promise<TlsMaterial> {
  const what = `user '${user.name}'`;
  const cert = await readPem(user, what, 'client-certificate', readFile);
  const key = await readPem(user, what, 'client-key', readFile);
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return {};
  const [has, lacks] = cert === undefined ? ['client-key', 'client-certificate'] : ['client-certificate', 'client-key'];
  throw new ConfigError(`reading kubeconfig ${user.path}: ${what} has a ${has} but no ${lacks}; add it`);
}

/** @param ask given where credentials must be asked for */
function readHeaders(user: NamedEntry, parts: ContextParts, ask: Ask<Credentials> | undefined): ClusterConfig['headers'] {
  const what = `user '${user.name}'`;
  const impersonation = readImpersonation(user, what);
  const tokenPath = readText(user, what, 'tokenFile');
  // A token file wins over a token: it is the one that is kept fresh.
  const tokenFile =
    tokenPath === undefined
      ? undefined
      : createTokenFile(absolutePath(user, tokenPath), (path) => readNeeded(parts.readFile, path, `token file (${what})`), parts.clock);
  const token = readText(user, what, 'token');
  const username = readText(user, what, 'username');
  const password = readText(user, what, 'password');
  return async (renew) => {
    if (tokenFile !== undefined) return { ...impersonation, authorization: `Bearer ${await tokenFile(renew)}` };
    if (token !== undefined) return { ...impersonation, authorization: `Bearer ${token}` };
    if (username !== undefined)
      return { ...impersonation, authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
    if (ask !== undefined) return { ...(await ask(renew)).headers, ...impersonation };
    return impersonation;
  };
}

/** `as`, `as-uid`, `as-groups`: left out, a command would run with more rights than was asked for. */
function readImpersonation(user: NamedEntry, what: string): RequestHeaders {
  if (user.value['as-user-extra'] !== undefined)
    throw new ConfigError(`reading kubeconfig ${user.path}: ${what}: 'as-user-extra' is not supported; remove it`);
  const name = readText(user, what, 'as');
  const uid = readText(user, what, 'as-uid');
  const groups: unknown = user.value['as-groups'] ?? [];
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === 'string')) {
    throw new ConfigError(`reading kubeconfig ${user.path}: ${what}: 'as-groups' must be a list of strings`);
  }
  return {
    ...(name === undefined ? {} : { 'impersonate-user': name }),
    ...(uid === undefined ? {} : { 'impersonate-uid': uid }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': groups }),
  };
}

/** PEM from `<field>-data` (base64), which wins, or from the file that `<field>` names. */
async function readPem(entry: NamedEntry, what: string, field: string, readFile: ReadFile): Promise<string | undefined> {
  const data = readText(entry, what, `${field}-data`);
  if (data !== undefined) {
    const pem = Buffer.from(data, 'base64').toString('utf8');
    if (pem.includes('-----BEGIN ')) return pem;
    throw new ConfigError(`reading kubeconfig ${entry.path}: ${what}: '${field}-data' is not the base64 form of a PEM file`);
  }
  const path = readText(entry, what, field);
  if (path === undefined) return undefined;
  const pem = await readNeeded(readFile, absolutePath(entry, path), `${field} (${what} of ${entry.path})`);
  if (pem.includes('-----BEGIN ')) return pem;
  throw new ConfigError(`reading ${field} ${absolutePath(entry, path)} (${what} of ${entry.path}): it is no PEM file`);
}

function absolutePath(entry: NamedEntry, path: string): string {
  return isAbsolute(path) ? path : join(dirname(entry.path), path);
}
