import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import { type Clock, startDeadline } from '../lib/clock.ts';
import { hashHex } from '../lib/hash.ts';
import { addressOf, type ClusterConfig, type TlsMaterial } from './cluster-config.ts';
import { isCertificateFault } from './connection-text.ts';
import { TransportError } from './transport.ts';

const connectTimeoutMs = 10_000;
/** TCP keep-alive, for a peer that vanished without a word while nothing is under way. */
const keepAliveMs = 15_000;

/** Makes the connections of one client. */
export class Connector {
  readonly #config: ClusterConfig;
  readonly #clock: Clock;
  readonly #shown = new WeakMap<Socket, string>();

  constructor(config: ClusterConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** A TLS connection that offers `protocols`; its `alpnProtocol` says which one the server took. @throws TransportError `connect` */
  async connectTls(protocols: readonly string[]): Promise<TLSSocket> {
    try {
      const material = await this.#config.tls();
      return await this.#shakeHands(material, protocols).catch(async (error: unknown) => {
        // The CA or the client certificate may have been replaced while we shook hands.
        const fresh = isCertificateFault(error) ? await this.#config.tls() : material;
        if (JSON.stringify(fresh) === JSON.stringify(material)) throw error;
        return this.#shakeHands(fresh, protocols);
      });
    } catch (error) {
      throw new TransportError('connect', 'no connection', { cause: error });
    }
  }

  /** A plain connection, for `http://`. @throws TransportError `connect` */
  async connectPlain(): Promise<Socket> {
    try {
      const { host, port } = addressOf(new URL(this.#config.server));
      return (await this.#tunnel(undefined)) ?? (await this.#whenReady(connectTcp({ host, port }), 'connect'));
    } catch (error) {
      throw new TransportError('connect', 'no connection', { cause: error });
    }
  }

  /** Stands for the certificates a connection was made with; '' for a plain one. */
  shownBy(socket: Socket): string {
    return this.#shown.get(socket) ?? '';
  }

  /** Stands for the certificates a connection would be made with now. */
  async readShown(): Promise<string> {
    return hashHex(JSON.stringify(await this.#config.tls()));
  }

  async #shakeHands(material: TlsMaterial, protocols: readonly string[]): Promise<TLSSocket> {
    const { servername, ...keys } = material;
    const { host, port } = addressOf(new URL(this.#config.server));
    // First: it throws where the certificates cannot be used, and must leave no tunnel behind.
    const secureContext = createSecureContext(keys);
    const tunnel = await this.#tunnel(keys.ca);
    const socket = connectTls({
      ...keys,
      secureContext,
      ...(tunnel === undefined ? { host, port } : { socket: tunnel, host }),
      // An address is no server name; Node then checks the certificate against the host itself.
      servername: servername ?? (isIP(host) === 0 ? host : ''),
      ALPNProtocols: [...protocols],
    });
    this.#shown.set(socket, hashHex(JSON.stringify(material)));
    return this.#whenReady(socket, 'secureConnect');
  }

  /** Loaded when there is a proxy: most clusters are reached without. */
  async #tunnel(ca: string | undefined): Promise<Socket | undefined> {
    const { proxy } = this.#config;
    if (proxy === undefined) return undefined;
    const { host, port } = addressOf(new URL(this.#config.server));
    const { openTunnel } = await import('./proxy.ts');
    return openTunnel(proxy, `${isIP(host) === 6 ? `[${host}]` : host}:${port}`, ca, this.#clock, connectTimeoutMs);
  }

  async #whenReady<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
    const deadline = startDeadline(this.#clock, connectTimeoutMs);
    try {
      await once(socket, event, { signal: deadline.signal });
    } catch (error) {
      socket.destroy();
      throw deadline.expired() ? Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }) : error;
    } finally {
      deadline.clear();
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    return socket;
  }
}
