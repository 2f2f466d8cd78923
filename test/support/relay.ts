import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsIdentity } from './tls-identity.ts';

export interface Relay {
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: () => number;
  /** Lets bytes through no more, in either direction, without a word: a cable pulled. */
  freeze(): void;
  /** Keeps back what the server says, or lets it through again, all that was kept first; what clients say goes on. */
  holdAnswers(held: boolean): void;
  /** Resets every connection; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

/** A TCP relay on loopback in front of a port, for faults that a server cannot play on itself. */
export async function startRelay(targetPort: number): Promise<Relay> {
  let accepted = 0;
  let frozen = false;
  let held = false;
  const kept: (() => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    accepted += 1;
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk) => {
        if (frozen) return;
        if (held && from === far) kept.push(() => to.write(chunk));
        else to.write(chunk);
      });
      from.on('end', () => {
        if (!frozen) to.end();
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: portOf(server.address()),
    connections: () => accepted,
    freeze: () => {
      frozen = true;
    },
    holdAnswers: (hold) => {
      held = hold;
      if (!hold) for (const send of kept.splice(0)) send();
    },
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

/** The port of a server that listens on TCP. */
export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  return address.port;
}

export interface TestProxy {
  readonly port: number;
  /** What it was asked for: `CONNECT 127.0.0.1:6443 Basic …`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** A proxy on loopback that opens tunnels, or answers `status` where that is given; an `https://` one where it has an identity. */
export async function startProxy(options: { readonly status?: number; readonly identity?: TlsIdentity } = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const { status = 200, identity } = options;
  const server = identity === undefined ? createHttpServer() : createHttpsServer({ cert: identity.cert, key: identity.key });
  server.on('connect', (request, near: Duplex) => {
    asked.push(`CONNECT ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    near.on('error', () => {});
    if (status !== 200) {
      near.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const [host, port] = (request.url ?? '').split(':');
    const far = connect(Number(port), host, () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    sockets.add(near).add(far);
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server.address()),
    asked,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
