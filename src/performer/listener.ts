import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/**
 * A whole GOAWAY frame: no error, and no stream is refused, since it names the highest id there can be.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-6.8
 */
const goAway = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
export interface Listener {
  readonly port: number;
  /**
   * Takes no more connections, and tells clients to open nothing more on theirs, while what they sent before they heard is still taken: the first
   * of the two GOAWAYs with which gRPC servers end a connection. grpc-js sends only the second, which refuses calls that are on their way.
   *
   * @returns whether somebody was told, and needs time to hear it; connections with TLS get the second GOAWAY alone
   */
  announceEnd(): boolean;
  /** Resolves once no connection is open any more. grpc-js does not say: of connections that a client is closing it takes no notice. */
  closed(): Promise<void>;
}

/** Listens for a gRPC server. @throws Error of the system, when the address cannot be had */
export async function startListener(
  server: Server,
  port: number,
  host: string | undefined,
  credentials = ServerCredentials.createInsecure(),
): Promise<Listener> {
  const injector = server.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    injector.injectConnection(socket);
  });
  listener.listen({ port, ...(host === undefined ? {} : { host }) });
  await once(listener, 'listening');
  const { port: bound } = listener.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => void listener.once('close', () => resolve()));
  return {
    port: bound,
    announceEnd: () => {
      listener.close();
      // Between two frames of the session, which writes whole ones; behind its first, which must be the server's SETTINGS.
      const hearers = credentials._isSecure() ? [] : [...sockets].filter(({ bytesWritten }) => bytesWritten > 0);
      for (const socket of hearers) socket.write(goAway);
      return hearers.length > 0;
    },
    closed: () => closed,
  };
}
