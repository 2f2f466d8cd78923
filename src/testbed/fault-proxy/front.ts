import { once } from 'node:events';
import { constants, type Http2Session } from 'node:http2';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { listenInNetwork, type NetworkPlace } from '../listen-in-network.ts';
import { TestbedError } from '../testbed-error.ts';
import { type Fault, variantOf } from './faults.ts';

/** Where a connection that is taken goes: to the port of a TLS server behind; undefined: it is silent from its first byte. */
type Admit = () => number | undefined;

const relistenEveryMs = 50;
const relistenTries = 100;

/** One client's TCP connection. The proxy ends TLS behind it, so that it can do here what no server can do to itself. */
export class FrontConnection {
  /** The HTTP/2 session inside; undefined for HTTP/1.1, and until it has begun. */
  session: Http2Session | undefined;
  readonly #near: Socket;
  readonly #far: Socket | undefined;
  #frozen = false;

  constructor(near: Socket, port: number | undefined) {
    this.#near = near.on('error', () => {});
    if (port === undefined) {
      this.#freeze();
      return;
    }
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#far = far;
    // With RST: a server that was told of the end only may keep its side open.
    near.on('close', () => sendReset(far));
    far.on('error', () => this.#frozen || this.reset());
    // After what was sent is out.
    far.on('close', () => this.#frozen || near.destroySoon());
    near.pipe(far).pipe(near);
  }

  /** The client's port, as the TLS server behind sees it. */
  get port(): number | undefined {
    return this.#far?.localPort;
  }

  reset(): void {
    sendReset(this.#near);
  }

  /** Plays what befalls a connection as such. HTTP/1.1 has no word for GOAWAY: its connection is reset. */
  strike(fault: Fault): void {
    if (fault.name === 'half-open') this.#freeze();
    else if (fault.name !== 'goaway' || this.session === undefined) this.reset();
    else if (variantOf(fault) === 'abrupt') this.session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    else this.session.close();
  }

  /** A cable pulled: what the client sends is swallowed, nothing comes back, for good. */
  #freeze(): void {
    this.#frozen = true;
    this.#far?.unpipe(this.#near);
    this.#near.unpipe();
    this.#near.on('end', () => this.#near.destroy());
    this.#near.resume();
    this.#far?.destroy();
  }
}

/** The TCP listener in front of the proxy's TLS servers. */
export class Front {
  accepted = 0;
  /** Those that are open. */
  readonly connections = new Set<FrontConnection>();
  readonly #server: Server;
  readonly #place: NetworkPlace | undefined;
  #port: number;
  #closed = false;
  #change: Promise<void> = Promise.resolve();

  /** @param place another network to listen in; this machine's loopback unless told */
  constructor(port: number, admit: Admit, place?: NetworkPlace) {
    this.#port = port;
    this.#place = place;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      this.accepted += 1;
      const connection = new FrontConnection(near, admit());
      this.connections.add(connection);
      near.on('close', () => this.connections.delete(connection));
    });
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return this.#place?.address ?? '127.0.0.1';
  }

  /** The connection behind a socket of a TLS server; undefined once it has ended. */
  find({ remotePort }: Pick<Socket, 'remotePort'>): FrontConnection | undefined {
    return [...this.connections].find(({ port }) => port !== undefined && port === remotePort);
  }

  /** Listens, always on the same port; or has nobody listen and resets every connection. Resolves when it is so. */
  setListening(on: boolean): Promise<void> {
    this.#change = this.#change.then(async () => {
      if (on === this.#server.listening || (on && this.#closed)) return;
      if (on) return this.#listen();
      const closed = once(this.#server, 'close');
      this.#server.close();
      for (const connection of this.connections) connection.reset();
      await closed;
    });
    return this.#change;
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.setListening(false);
  }

  async #listen(): Promise<void> {
    // A port that was ours may have been taken for a moment by somebody's outgoing connection.
    for (let tries = this.accepted > 0 ? relistenTries : 1; !this.#server.listening; tries -= 1) {
      try {
        const handle = this.#place === undefined ? undefined : await listenInNetwork(this.#place, this.#port);
        await once(handle === undefined ? this.#server.listen(this.#port, this.address) : this.#server.listen(handle), 'listening');
      } catch (error) {
        if (tries === 1)
          throw new TestbedError(`fault proxy: cannot listen on ${this.address}:${this.#port}: ${String(error)}; choose another port`, {
            cause: error,
          });
        await wait(relistenEveryMs);
      }
    }
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}

/** Node alone would first wait for what is still to be sent. */
function sendReset(socket: Socket): void {
  socket.resetAndDestroy();
  socket.destroy();
}
