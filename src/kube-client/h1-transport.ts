import { Agent, request as requestHttp } from 'node:http';
import type { Connector } from './connect.ts';
import { type Lane, type Transport, type TransportAnswer, TransportError, type TransportRequest, unlessAborted } from './transport.ts';

const callSockets = 8;

/** HTTP/1.1 with kept connections: for `kubectl proxy` and for proxies that do not speak HTTP/2. Each watch has a connection of its own. */
export function createH1Transport(server: string, connector: Connector): Transport {
  const url = new URL(server);
  const createAgent = (): Agent => {
    const agent = new Agent({ keepAlive: true });
    agent.createConnection = (_, onCreate) => {
      const connecting = url.protocol === 'https:' ? connector.connectTls(['http/1.1']) : connector.connectPlain();
      connecting.then(
        (socket) => onCreate?.(null, socket),
        // Node passes the error on alone, whatever its types say.
        (error: Error) => (onCreate as ((error: Error) => void) | undefined)?.(error),
      );
      return undefined;
    };
    return agent;
  };
  const createAgents = (): Record<Lane, Agent> => ({ call: createAgent(), watch: createAgent() });
  let agents = createAgents();

  // An agent does not count connections that are being made, so calls take turns before it.
  let turns = callSockets;
  const waiting: (() => void)[] = [];
  const takeTurn = (): Promise<void> => {
    if (turns === 0) return new Promise((resolve) => waiting.push(resolve));
    turns -= 1;
    return Promise.resolve();
  };
  const giveTurn = (): void => {
    const next = waiting.shift();
    if (next === undefined) turns += 1;
    else next();
  };

  return {
    send: async (request: TransportRequest): Promise<TransportAnswer> => {
      const isCall = request.lane === 'call';
      if (isCall) {
        const turn = takeTurn();
        await unlessAborted(turn, request.signal).catch((error: unknown) => {
          void turn.then(giveTurn);
          throw error;
        });
      }
      return new Promise<TransportAnswer>((resolve, reject) => {
        let sent = false;
        const outgoing = requestHttp({
          host: url.hostname,
          port: url.port,
          method: request.method,
          path: request.path,
          headers: {
            ...request.headers,
            host: url.host,
            ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
          },
          agent: agents[request.lane],
        });
        const onAbort = (): void => {
          reject(new TransportError('aborted', 'aborted', { sent }));
          outgoing.destroy();
        };
        outgoing.once('close', () => {
          request.signal.removeEventListener('abort', onAbort);
          if (isCall) giveTurn();
        });
        request.signal.addEventListener('abort', onAbort, { once: true });
        // It is connected already, so from here on bytes may leave.
        outgoing.once('socket', () => {
          sent = true;
        });
        outgoing.once('response', (message) => {
          const { statusCode: status = 0, headers, socket } = message;
          resolve({ status, headers, body: message, shown: connector.shownBy(socket), complete: () => message.complete });
        });
        outgoing.on('error', (error: Error) => {
          const cause = error instanceof TransportError ? error.cause : error;
          reject(new TransportError(sent ? 'broken' : 'connect', 'the connection ended before an answer', { cause }));
        });
        outgoing.end(request.body);
      });
    },
    renew: () => {
      for (const { freeSockets } of Object.values(agents)) {
        for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
      }
      agents = createAgents();
    },
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}
