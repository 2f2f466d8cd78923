import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { ClusterConfig, TlsMaterial } from './cluster-config.ts';
import { socketHost } from './connect.ts';
import { type Transport, type TransportAnswer, TransportError, type TransportRequest } from './transport.ts';

const callSockets = 8;
const keepAliveMs = 3_000;
const tlsReloadMs = 60_000;

/** HTTP/1.1 with kept connections: for `kubectl proxy` and for proxies that do not speak HTTP/2. Each watch has a connection of its own. */
export function createH1Transport(config: ClusterConfig, clock: Clock): Transport {
  const url = new URL(config.server);
  const secure = url.protocol === 'https:';
  const host = socketHost(url);
  const agentOptions = { keepAlive: true, keepAliveMsecs: keepAliveMs };
  const agents = secure
    ? { call: new HttpsAgent({ ...agentOptions, maxSockets: callSockets }), watch: new HttpsAgent(agentOptions) }
    : { call: new HttpAgent({ ...agentOptions, maxSockets: callSockets }), watch: new HttpAgent(agentOptions) };

  let material: Promise<TlsMaterial> = Promise.resolve({});
  let materialAtMs = Number.NEGATIVE_INFINITY;
  const tls = (): Promise<TlsMaterial> => {
    if (secure && clock.monotonicMs() - materialAtMs > tlsReloadMs) {
      materialAtMs = clock.monotonicMs();
      material = config.tls();
      material.catch(() => {
        materialAtMs = Number.NEGATIVE_INFINITY;
      });
    }
    return material;
  };

  return {
    send: async (request: TransportRequest): Promise<TransportAnswer> => {
      const { servername, ...keys } = await tls().catch((error: unknown) => {
        throw new TransportError('connect', 'no connection', { cause: error });
      });
      return new Promise<TransportAnswer>((resolve, reject) => {
        let sent = false;
        const options = {
          host,
          port: Number(url.port === '' ? (secure ? 443 : 80) : url.port),
          method: request.method,
          path: request.path,
          headers: {
            ...request.headers,
            host: url.host,
            ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
          },
          agent: agents[request.lane],
        };
        const outgoing = secure
          ? requestHttps({ ...options, ...keys, servername: servername ?? (isIP(host) === 0 ? host : '') })
          : requestHttp(options);
        const onAbort = (): void => {
          reject(new TransportError('aborted', 'aborted', { sent }));
          outgoing.destroy();
        };
        if (request.signal.aborted) {
          onAbort();
          return;
        }
        request.signal.addEventListener('abort', onAbort, { once: true });
        outgoing.once('socket', (socket) => {
          const onReady = (): void => {
            sent = true;
          };
          if (outgoing.reusedSocket) onReady();
          else socket.once(secure ? 'secureConnect' : 'connect', onReady);
        });
        outgoing.once('response', (message) => {
          resolve({ status: message.statusCode ?? 0, headers: message.headers, body: message, complete: () => message.complete });
        });
        outgoing.on('error', (error: Error) => {
          reject(new TransportError(sent ? 'broken' : 'connect', 'the connection ended before an answer', { cause: error }));
        });
        outgoing.once('close', () => request.signal.removeEventListener('abort', onAbort));
        outgoing.end(request.body);
      });
    },
    close: () => {
      agents.call.destroy();
      agents.watch.destroy();
    },
  };
}
