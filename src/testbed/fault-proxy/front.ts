import { once } from 'node:events';
import { constants, type Http2Session } from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { TestbedError } from '../testbed-error.ts';

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

  constructor(near: Socket, far: Socket | undefined) {
    this.#near = near;
    this.#far = far;
    near.on('error', () => {});
    // With RST: a server that was told of the end only may keep its side open.
    near.on('close', () => far !== undefined && sendReset(far));
    if (far === undefined) return;
    far.on('error', () => this.#frozen || sendReset(near));
    // After what was sent is out.
    far.on('close', () => this.#frozen || near.destroySoon());
    near.pipe(far);
    far.pipe(near);
  }

  /** A cable pulled: what the client sends is swallowed, nothing comes back, for good. */
  freeze(): void {
    this.#frozen = true;
    this.#far?.unpipe(this.#near);
    this.#near.unpipe();
    this.#near.on('end', () => this.#near.destroy());
    this.#near.resume();
    this.#far?.destroy();
  }

  /** GOAWAY: what is under way goes on, or ends with the connection. HTTP/1.1 has no such word: its connection is reset. */
  goAway(graceful: boolean): void {
    if (this.session === undefined) this.reset();
    else if (graceful) this.session.close();
    else this.session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  reset(): void {
    sendReset(this.#near);
  }
}

/** The TCP listener in front of the proxy's TLS servers. */
export class Front {
  accepted = 0;
  readonly #admit: Admit;
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
  readonly #open = new Set<FrontConnection>();
  /** By the port that the TLS server behind sees as the client's. */
  readonly #byPort = new Map<number, FrontConnection>();
  #port: number;
  #closed = false;
  #change: Promise<void> = Promise.resolve();

  constructor(port: number, admit: Admit) {
    this.#port = port;
    this.#admit = admit;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): readonly FrontConnection[] {
    return [...this.#open];
  }

  /** The connection behind a socket of a TLS server; undefined once it has ended. */
  find(socket: Pick<Socket, 'remotePort'>): FrontConnection | undefined {
    return this.#byPort.get(socket.remotePort ?? 0);
  }

  /** Listens, always on the same port; or has nobody listen and resets every connection. Resolves when it is so. */
  setListening(on: boolean): Promise<void> {
    this.#change = this.#change.then(async () => {
      if (on === this.#server.listening || (on && this.#closed)) return;
      if (on) return this.#listen();
      const closed = once(this.#server, 'close');
      this.#server.close();
      for (const connection of this.#open) connection.reset();
      await closed;
    });
    return this.#change;
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.setListening(false);
  }

  async #listen(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        this.#server.listen(this.#port, '127.0.0.1');
        await once(this.#server, 'listening');
        break;
      } catch (error) {
        const text = error instanceof Error ? error.message : 'failed';
        // A port that was ours may have been taken for a moment by somebody's outgoing connection.
        if (this.accepted > 0 && tries < relistenTries) await wait(relistenEveryMs);
        else
          throw new TestbedError(`fault proxy: cannot listen on 127.0.0.1:${this.#port}: ${text}; choose another port`, { cause: error });
      }
    }
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #accept(near: Socket): void {
    this.accepted += 1;
    const target = this.#admit();
    const far = target === undefined ? undefined : connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const connection = new FrontConnection(near, far);
    this.#open.add(connection);
    near.on('close', () => this.#open.delete(connection));
    if (far === undefined) {
      connection.freeze();
      return;
    }
    let port = 0;
    far.on('connect', () => {
      port = far.localPort ?? 0;
      this.#byPort.set(port, connection);
    });
    far.on('close', () => this.#byPort.delete(port));
  }
}

/** Node alone would first wait for what is still to be sent. */
function sendReset(socket: Socket): void {
  socket.resetAndDestroy();
  socket.destroy();
}
