/** What a TLS connection to the API server needs. Absent `ca`: the public authorities that Node carries. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name to expect in the server's certificate, where it is not the host of the URL. */
  readonly servername?: string;
  /** False only where the user asked for it: the server's certificate is then not looked at. */
  readonly rejectUnauthorized?: boolean;
}

export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A proxy that opens tunnels (CONNECT). */
export interface ProxyServer {
  /** `http://` or `https://`; may hold a user name and password, so it is never printed. */
  readonly url: string;
  /** Who named it, for messages: `HTTPS_PROXY`. */
  readonly source: string;
}

/** Which API server to talk to, and as whom. Made by `loadClusterConfig` or from client-node's `KubeConfig`. */
export interface ClusterConfig {
  /** Where this comes from, for messages: `context dev of <file>`. */
  readonly source: string;
  /** `https://host:port`, with a path before `/api` where a proxy needs one. */
  readonly server: string;
  /** The namespace for commands that name none. */
  readonly namespace: string;
  /** Whether this is a pod's own service account; `namespace` is then the pod's. */
  readonly inCluster?: boolean;
  /** Asked anew for every connection, so that rotated files take effect. */
  readonly tls: () => Promise<TlsMaterial>;
  /** Headers that say who is asking. `renew`: the API server refused what was given before. */
  readonly headers: (renew: boolean) => Promise<RequestHeaders>;
  readonly proxy?: ProxyServer;
}

/** A configuration that names no usable cluster. The message says which file or entry, what is wrong, and what to do; it never holds content of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads a file; rejects as `node:fs/promises` does. */
export type ReadFile = (path: string) => Promise<string | Uint8Array>;

/** A file that must be there. @throws ConfigError that says which file, what it is for, and why it cannot be read */
export async function readNeeded(readFile: ReadFile, path: string, what: string): Promise<string> {
  try {
    const content = await readFile(path);
    return typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  } catch (error) {
    throw new ConfigError(`reading ${what} ${path}: ${whyUnreadable(error)}`, { cause: error });
  }
}

/** Whether `readNeeded` failed since there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof ConfigError && hasCode(error.cause, 'ENOENT', 'ENOTDIR');
}

function whyUnreadable(error: unknown): string {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'there is no such file; check the path';
  if (hasCode(error, 'EACCES', 'EPERM')) return 'no permission to read it; check its owner and mode';
  if (hasCode(error, 'EISDIR')) return 'it is a directory; name the file';
  return `it cannot be read (${codeOf(error) || 'unknown error'})`;
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error));
}

/** The code that Node gives an error; '' for one without. Pure. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Where a URL's server listens. Pure. */
export function addressOf(url: URL): { readonly host: string; readonly port: number } {
  // A socket wants no brackets around an IPv6 address.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return { host, port: Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port) };
}
