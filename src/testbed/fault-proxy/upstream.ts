import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { ClusterConfig } from '../../kube-client/cluster-config.ts';

/** The API server behind a fault proxy, and as whom the proxy speaks for clients that bring no Authorization of their own. */
export interface ProxyTarget {
  /** `https://host:port`. */
  readonly url: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** The target that a kubeconfig or a pod's service account names. */
export async function targetOf(config: ClusterConfig): Promise<ProxyTarget> {
  return { url: config.server, ...(await config.tls()), headers: await config.headers(false) };
}

export interface Upstream {
  /** Resolves with the head of the answer. Rejects when there is none, or with the signal. */
  send(method: string, path: string, headers: IncomingHttpHeaders, body: Buffer, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** Headers of one connection, and those that would keep the proxy from reading what it passes on. */
const dropped: ReadonlySet<string> = new Set(
  'connection keep-alive proxy-connection transfer-encoding upgrade te http2-settings host accept-encoding'.split(' '),
);

/** HTTP/1.1 with as many connections as there are requests: none of them can hold up another. */
export function openUpstream(target: ProxyTarget): Upstream {
  const { url, headers: identity = {}, cert, key, ...trust } = target;
  const base = new URL(url);
  const options = { keepAlive: true, maxFreeSockets: 32, ...trust };
  const asTarget = new Agent({ ...options, ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) });
  // A client certificate would win over the client's own token.
  const asClient = new Agent(options);
  return {
    send: (method, path, headers, body, signal) =>
      new Promise((resolve, reject) => {
        const own = headers.authorization !== undefined;
        const outgoing = request({
          method,
          host: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? 443 : base.port,
          path: base.pathname.replace(/\/$/, '') + path,
          headers: { ...passOn(headers), ...(own ? {} : identity), host: base.host, 'content-length': body.length },
          agent: own ? asClient : asTarget,
          signal,
        });
        outgoing.on('response', resolve);
        outgoing.on('error', reject);
        outgoing.end(body);
      }),
    close: () => {
      asTarget.destroy();
      asClient.destroy();
    },
  };
}

/** The headers that mean the same on the other side. Pure. */
export function passOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || name.startsWith(':') || dropped.has(name) ? [] : [[name, value]],
    ),
  );
}
