import { createServer as createH1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants, createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { ClusterConfig } from '../../src/kube-client/cluster-config.ts';
import { portOf, type Relay, startRelay } from './relay.ts';
import { createTlsIdentity, type TlsIdentity } from './tls-identity.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** What the script does with one request. */
export interface Reply {
  json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): void;
  text(status: number, body: string, headers?: Readonly<Record<string, string>>): void;
  /** Sends the head and leaves the body open. */
  begin(status?: number): void;
  write(chunk: string | Uint8Array): void;
  end(): void;
  /** Ends the request as one that was not looked at. */
  refuse(): void;
  /** Whether the client has left, or all was sent. */
  closed(): boolean;
  /** The HTTP/2 connection the request came by. */
  session(): Http2Session;
}

export type Script = (request: SeenRequest, reply: Reply) => void;

export interface ScriptedServer {
  readonly relay: Relay;
  readonly identity: TlsIdentity;
  readonly requests: readonly SeenRequest[];
  /** A configuration that reaches it. */
  config(change?: Partial<ClusterConfig>): ClusterConfig;
  close(): Promise<void>;
}

let identity: Promise<TlsIdentity> | undefined;

/** The certificate that all scripted servers of a test file show. */
export function scriptedIdentity(): Promise<TlsIdentity> {
  identity ??= createTlsIdentity({ ip: '127.0.0.1' });
  return identity;
}

/** A server on loopback that answers each request as the script says, behind a relay that can fail. */
export async function startScriptedServer(
  script: Script,
  protocol: 'h2' | 'https/1.1' | 'http/1.1' = 'h2',
  own?: TlsIdentity,
): Promise<ScriptedServer> {
  const tls = own ?? (await scriptedIdentity());
  const requests: SeenRequest[] = [];
  const sessions = new Set<Http2Session>();
  const sockets = new Set<Socket>();

  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    const chunks: Buffer[] = [];
    // A client that leaves half-way is part of many scripts.
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const seen: SeenRequest = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      requests.push(seen);
      script(seen, replyBy(response));
    });
  };

  const server =
    protocol === 'http/1.1'
      ? createH1Server(onRequest)
      : createSecureServer(
          {
            cert: tls.cert,
            key: tls.key,
            // Scripts write without looking back.
            maxSessionMemory: 1_000,
            allowHTTP1: protocol === 'https/1.1',
            // Node sets `ALPNProtocols` itself, to HTTP/2 first.
            ...(protocol === 'h2' ? {} : { ALPNCallback: () => 'http/1.1' }),
          },
          onRequest,
        );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('session', (session: Http2Session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('sessionError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay = await startRelay(portOf(server.address()));

  return {
    relay,
    identity: tls,
    requests,
    config: (change = {}) => ({
      source: 'the test',
      server: `${protocol === 'http/1.1' ? 'http' : 'https'}://127.0.0.1:${relay.port}`,
      namespace: 'default',
      tls: async () => ({ ca: tls.ca }),
      headers: async () => ({}),
      ...change,
    }),
    close: async () => {
      await relay.close();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function replyBy(response: ServerResponse | Http2ServerResponse): Reply {
  const begin = (status: number, headers: Readonly<Record<string, string>> = {}): void => {
    if ('stream' in response) response.writeHead(status, { 'content-type': 'application/json', ...headers });
    else response.writeHead(status, { 'content-type': 'application/json', ...headers });
  };
  const write = (chunk: string | Uint8Array): void => {
    if ('stream' in response) response.write(chunk);
    else response.write(chunk);
  };
  const text = (status: number, body: string, headers?: Readonly<Record<string, string>>): void => {
    begin(status, headers);
    response.end(body);
  };
  return {
    text,
    json: (status, body, headers) => text(status, JSON.stringify(body), headers),
    begin: (status = 200) => {
      begin(status);
      if ('flushHeaders' in response) response.flushHeaders();
    },
    write,
    end: () => response.end(),
    refuse: () => {
      if ('stream' in response) response.stream.close(constants.NGHTTP2_REFUSED_STREAM);
    },
    closed: () => ('stream' in response ? response.stream.closed : response.destroyed),
    session: () => {
      const session = 'stream' in response ? response.stream.session : undefined;
      if (session === undefined) throw new Error('no HTTP/2 session');
      return session;
    },
  };
}

/** A `Status` as the API server writes it. */
export function failure(code: number, reason: string, message: string, details: Readonly<Record<string, unknown>> = {}): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code };
}
