import type { Clock } from '../lib/clock.ts';
import type { Connector } from './connect.ts';
import { H2Session } from './h2-session.ts';
import { type Lane, type Transport, type TransportAnswer, TransportError, type TransportRequest, unlessAborted } from './transport.ts';

/** Before a server's settings are known, and while a connection is being made. */
const assumedCapacity = 100;
/** Connections tried for one request that each refuses; more often than this is no coincidence. */
const maxChoices = 3;

/** The server speaks HTTP/1.1 only. */
class NotHttp2Error extends TransportError {}

interface Slot {
  readonly ready: Promise<H2Session>;
  session: H2Session | undefined;
  /** Requests that are on it or wait for it. */
  load: number;
}

/**
 * HTTP/2 where the server speaks it: one connection for calls and one for watches, another only when those are full. A connection that ended is replaced
 * by the next request. HTTP/1.1 for plain `http://`, and from the first connection on that says so.
 */
export function createTransport(server: string, connector: Connector, clock: Clock): Transport {
  const lanes: Record<Lane, Set<Slot>> = { call: new Set(), watch: new Set() };
  const everyone = new Set<H2Session>();
  let h1: Promise<Transport> | undefined;
  // Loaded when needed: a start that lists over HTTP/2 does not pay for it.
  const useH1 = (): Promise<Transport> => {
    h1 ??= import('./h1-transport.ts').then(({ createH1Transport }) => createH1Transport(server, connector));
    return h1;
  };

  const open = (lane: Lane): Slot => {
    const connecting = async (): Promise<H2Session> => {
      const socket = await connector.connectTls(['h2', 'http/1.1']);
      if (socket.alpnProtocol !== 'h2') {
        socket.destroy();
        throw new NotHttp2Error('refused', 'the server does not speak HTTP/2');
      }
      const session: H2Session = new H2Session(server, socket, connector.shownBy(socket), clock, () => {
        lanes[lane].delete(slot);
        everyone.delete(session);
      });
      everyone.add(session);
      slot.session = session;
      return session;
    };
    const slot: Slot = { ready: connecting(), session: undefined, load: 0 };
    slot.ready.catch(() => lanes[lane].delete(slot));
    lanes[lane].add(slot);
    return slot;
  };

  const choose = (lane: Lane): Slot => {
    for (const slot of lanes[lane]) {
      if (slot.session !== undefined && !slot.session.usable) lanes[lane].delete(slot);
      else if (slot.load < (slot.session?.capacity ?? assumedCapacity)) return slot;
    }
    return open(lane);
  };

  /** An idle connection goes when the others have room to spare. */
  const trim = (lane: Lane, idle: Slot): void => {
    if (idle.load > 0 || idle.session === undefined) return;
    const others = [...lanes[lane]].filter((slot) => slot !== idle);
    if (!others.some((slot) => slot.session !== undefined && slot.load * 2 < slot.session.capacity)) return;
    lanes[lane].delete(idle);
    idle.session.close();
  };

  return {
    send: async (request: TransportRequest): Promise<TransportAnswer> => {
      if (h1 !== undefined || server.startsWith('http:')) return (await useH1()).send(request);
      for (let choice = 1; ; choice += 1) {
        const slot = choose(request.lane);
        slot.load += 1;
        const leave = (): void => {
          slot.load -= 1;
          trim(request.lane, slot);
        };
        let session: H2Session;
        try {
          session = await unlessAborted(slot.ready, request.signal);
        } catch (error) {
          leave();
          if (error instanceof NotHttp2Error) return (await useH1()).send(request);
          throw error;
        }
        try {
          return await session.request(request, leave);
        } catch (error) {
          // Certainly not looked at, so it may go again whatever it is: a server that goes away refuses what crossed its GOAWAY.
          const refused = error instanceof TransportError && error.stage === 'refused';
          if (!refused || choice === maxChoices || request.signal.aborted) throw error;
        }
      }
    },
    renew: (shown) => {
      void h1?.then((transport) => transport.renew(shown));
      for (const lane of Object.values(lanes)) {
        for (const slot of lane) {
          if (slot.session === undefined || slot.session.shown === shown) continue;
          lane.delete(slot);
          slot.session.close();
        }
      }
    },
    close: () => {
      void h1?.then((transport) => transport.close());
      for (const session of everyone) session.destroy(new Error('the client was closed'));
      for (const lane of Object.values(lanes)) {
        for (const slot of lane) slot.ready.then((session) => session.destroy(new Error('the client was closed'))).catch(() => {});
        lane.clear();
      }
    },
  };
}
