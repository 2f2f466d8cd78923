import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { TransportError } from './transport.ts';

const connectTimeoutMs = 10_000;
/** TCP keep-alive, for a peer that vanished without a word while nothing is under way. */
const keepAliveMs = 15_000;

/** The URL's host as a socket wants it: no brackets around an IPv6 address. */
export function socketHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** A TLS connection that offers HTTP/2 and HTTP/1.1; `alpnProtocol` says which the server took. @throws TransportError `connect` */
export async function connectToServer(config: ClusterConfig, clock: Clock): Promise<TLSSocket> {
  const url = new URL(config.server);
  const host = socketHost(url);
  try {
    const { servername, ...material } = await config.tls();
    return await new Promise<TLSSocket>((resolve, reject) => {
      const socket = connectTls({
        ...material,
        host,
        port: Number(url.port === '' ? 443 : url.port),
        // An address is no server name; Node then checks the certificate against the host itself.
        servername: servername ?? (isIP(host) === 0 ? host : ''),
        ALPNProtocols: ['h2', 'http/1.1'],
      });
      socket.setNoDelay(true);
      socket.setKeepAlive(true, keepAliveMs);
      const cancel = clock.timer(connectTimeoutMs, () => socket.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`)));
      const onEnd = (error?: Error): void => {
        cancel();
        reject(error ?? new Error('the server closed the connection during the TLS handshake'));
      };
      const onClose = (): void => onEnd();
      socket.once('error', onEnd);
      socket.once('close', onClose);
      socket.once('secureConnect', () => {
        cancel();
        socket.removeListener('error', onEnd);
        socket.removeListener('close', onClose);
        resolve(socket);
      });
    });
  } catch (error) {
    throw new TransportError('connect', 'no connection', { cause: error });
  }
}
