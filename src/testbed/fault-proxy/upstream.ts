import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Agent, request } from 'node:https';
import type { ClusterConfig, RequestHeaders, TlsMaterial } from '../../kube-client/cluster-config.ts';

/** The API server behind a fault proxy, and as whom the proxy speaks for clients that bring no Authorization of their own. */
export interface ProxyTarget extends TlsMaterial {
  /** `https://host:port`. */
  readonly url: string;
  readonly headers?: RequestHeaders;
}

/** The target that a kubeconfig or a pod's service account names. */
export async function targetOf(config: ClusterConfig): Promise<ProxyTarget> {
  return { url: config.server, ...(await config.tls()), headers: await config.headers(false) };
}

interface Outgoing {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/** Asks the target, over HTTP/1.1. Resolves with the head of the answer; rejects when there is none, or with the signal. */
export async function askTarget({ url, headers, ...tls }: ProxyTarget, { body, ...asked }: Outgoing): Promise<IncomingMessage> {
  const base = new URL(url);
  const { cert: _cert, key: _key, ...anonymous } = tls;
  // A client certificate would win over the client's own token.
  const identity = asked.headers.authorization === undefined ? { tls, headers } : { tls: anonymous };
  const outgoing = request(base, {
    ...identity.tls,
    ...asked,
    path: base.pathname.replace(/\/$/, '') + asked.path,
    headers: { ...passOn(asked.headers), ...identity.headers, host: base.host, 'content-length': body.length },
  });
  // The client may leave while the answer is on its way.
  outgoing.on('error', () => {});
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

/** Headers of one connection, and those that would keep the proxy from reading what it passes on. */
const dropped: ReadonlySet<string> = new Set(
  'connection keep-alive proxy-connection transfer-encoding upgrade te http2-settings host accept-encoding'.split(' '),
);

/** The headers that mean the same on the other side. Pure. */
export function passOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !name.startsWith(':') && !dropped.has(name));
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}
