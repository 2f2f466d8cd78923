import type { Clock } from '../lib/clock.ts';
import type { Connector } from './connect.ts';
import { createH2Transport, NotHttp2Error } from './h2-transport.ts';
import type { Transport } from './transport.ts';

/** HTTP/2 where the server speaks it; HTTP/1.1 for plain `http://` and from the first connection on that says so. */
export function createTransport(server: string, connector: Connector, clock: Clock): Transport {
  const h2 = createH2Transport(server, connector, clock);
  let h1: Promise<Transport> | undefined;
  // Loaded when needed: a start that lists over HTTP/2 does not pay for it.
  const useH1 = (): Promise<Transport> => {
    h1 ??= import('./h1-transport.ts').then(({ createH1Transport }) => createH1Transport(server, connector));
    return h1;
  };
  const plain = server.startsWith('http:');
  return {
    send: async (request) => {
      if (plain || h1 !== undefined) return (await useH1()).send(request);
      try {
        return await h2.send(request);
      } catch (error) {
        if (error instanceof NotHttp2Error) return (await useH1()).send(request);
        throw error;
      }
    },
    renew: (shown) => {
      h2.renew(shown);
      void h1?.then((transport) => transport.renew(shown));
    },
    close: () => {
      h2.close();
      void h1?.then((transport) => transport.close());
    },
  };
}
