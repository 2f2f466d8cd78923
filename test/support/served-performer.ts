import { afterEach } from 'vitest';
import {
  type Performer,
  type PerformerEvent,
  type PerformerHandlers,
  type PerformerOptions,
  servePerformer,
} from '../../src/performer/kit.ts';
import { GrpcClient } from './grpc-clients.ts';

const started: { readonly performer: Performer; readonly client: GrpcClient }[] = [];
afterEach(async () => {
  for (const { performer, client } of started.splice(0)) {
    client[Symbol.dispose]();
    await performer.drain();
  }
});

/** A performer on loopback, ended after the test; without handlers it gives back the payload, without options it drains at once. */
export async function serve(handlers: Partial<PerformerHandlers> = {}, options: PerformerOptions = {}) {
  const events: PerformerEvent[] = [];
  const echo = ({ payload }: { payload: Uint8Array }): Uint8Array => payload;
  const performer = await servePerformer(
    { executeTask: echo, ...handlers },
    { host: '127.0.0.1', port: 0, lagMs: 0, graceMs: 1_000, signals: [], onEvent: (event) => events.push(event), ...options },
  );
  const client = new GrpcClient(performer.port);
  started.push({ performer, client });
  return { performer, client, events };
}

/** A handler that works until it is let go, or its signal aborts. */
export function gate() {
  const opened = Promise.withResolvers<void>();
  let begun = 0;
  const aborts: unknown[] = [];
  const executeTask: PerformerHandlers['executeTask'] = async ({ payload, signal }) => {
    begun += 1;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborts.push(signal.reason);
        reject(signal.reason);
      });
    });
    await Promise.race([opened.promise, aborted]);
    return payload;
  };
  return { executeTask, open: () => opened.resolve(), begun: () => begun, aborts };
}
