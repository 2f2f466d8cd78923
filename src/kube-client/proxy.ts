import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { type Clock, startDeadline } from '../lib/clock.ts';
import { addressOf, ConfigError, codeOf, type ProxyServer } from './cluster-config.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for `server`, by the rules of Go's programs: HTTPS_PROXY, or HTTP_PROXY for an `http://` server;
 * none for loopback and for what NO_PROXY lists (`*`, hosts with their subdomains, `.suffixes`, addresses, CIDRs, each with or without a port).
 * Upper case goes before lower case. Pure.
 *
 * @throws ConfigError when it is one that cannot be used
 */
export function findProxy(server: string, env: Env): ProxyServer | undefined {
  const url = new URL(server);
  const names = url.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const source = names.find((name) => (env[name] ?? '') !== '');
  if (source === undefined || isBypassed(url, env.NO_PROXY || env.no_proxy || '')) return undefined;
  return parseProxy(env[source] ?? '', source, server);
}

/** A proxy as a user wrote it; without a scheme it is `http://`. Pure. @throws ConfigError that holds nothing of the URL, which may have a password */
export function parseProxy(text: string, source: string, server: string): ProxyServer {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  const fail = (why: string): never => {
    throw new ConfigError(`connecting to ${server}: ${source} ${why}`);
  };
  if (url?.protocol.startsWith('socks') === true) {
    return fail(
      'names a SOCKS proxy, which is not supported; name an http:// or https:// proxy, or use `kubectl proxy` and its http:// address',
    );
  }
  if (url === null || !/^https?:$/.test(url.protocol)) return fail('is no http:// or https:// URL; write it as http://HOST:PORT');
  return { url: url.href, source };
}

function isBypassed(url: URL, noProxy: string): boolean {
  const { host, port } = addressOf(url);
  if (host === 'localhost' || isWithin(host, '127.0.0.0/8') || host === '::1') return true;
  return noProxy.split(',').some((item) => {
    const entry = item.trim().toLowerCase();
    if (entry === '' || entry === '*') return entry === '*';
    // A port stands behind a name, an IPv4 address or a bracketed IPv6 one.
    const [, bare = entry, onlyPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
    if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
    const name = bare.replace(/^\[(.*)\]$/, '$1').replace(/^\*\./, '.');
    if (name.includes('/')) return isWithin(host, name);
    if (isIP(name) !== 0 || isIP(host) !== 0) return name === host;
    return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
  });
}

function isWithin(host: string, cidr: string): boolean {
  const [net = '', prefix = ''] = cidr.split('/');
  const version = isIP(net);
  const bits = Number(prefix);
  if (version === 0 || version !== isIP(host) || !/^\d+$/.test(prefix) || bits > (version === 4 ? 32 : 128)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(net, bits, family);
  return list.check(host, family);
}

/**
 * A connection through a proxy to `authority` (`host:port`).
 *
 * @param ca the cluster's CA, which may have signed an `https://` proxy as well
 * @throws Error that names the proxy without its password, the cause and the next step
 */
export async function openTunnel(
  proxy: ProxyServer,
  authority: string,
  ca: string | undefined,
  clock: Clock,
  timeoutMs: number,
): Promise<Socket> {
  const url = new URL(proxy.url);
  const secure = url.protocol === 'https:';
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization = login === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
  const options = {
    method: 'CONNECT',
    ...addressOf(url),
    path: authority,
    agent: false,
    headers: { host: authority, ...authorization },
  };
  const request = secure
    ? requestHttps({ ...options, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) })
    : requestHttp(options);
  const fail = (why: string, cause?: unknown): Error =>
    new Error(`the proxy ${url.protocol}//${url.host} (${proxy.source}) ${why}`, { cause });
  const deadline = startDeadline(clock, timeoutMs);
  // After it was given up, too, it may fail.
  request.on('error', () => {});
  request.end();
  const answered: unknown[] = await once(request, 'connect', { signal: deadline.signal }).catch((error: unknown) => {
    request.destroy();
    const code = codeOf(error) || 'failed';
    deadline.clear();
    throw fail(`cannot be reached (${deadline.expired() ? `no answer within ${timeoutMs / 1000} s` : code}); check its address`, error);
  });
  deadline.clear();
  const [{ statusCode }, socket, head] = answered as [IncomingMessage, Socket, Buffer];
  if (statusCode === 200) {
    if (head.length > 0) socket.unshift(head);
    return socket;
  }
  socket.destroy();
  const next = statusCode === 407 ? 'put a user name and password into its URL' : 'let it through there, or name the host in NO_PROXY';
  throw fail(`answered ${statusCode} to the wish for ${authority}; ${next}`);
}
