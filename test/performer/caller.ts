/**
 * A client of performers that runs in the cluster: calls `ExecuteTask` at `TARGET` (host:port) at a steady rate, each task once. No call is made
 * again but as gRPC itself does for a stream that no server has taken: grpc-go does so with retries disabled, and executors are made with it.
 * Begins when `TARGET` takes connections: a node routes to a new Service up to a second after the Service has endpoints.
 * Says on stdout, one JSON object a line, how each task went, and at the end how many did.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { GrpcClient } from '../support/grpc-clients.ts';

const number = (fallback: number) => z.coerce.number().min(0).default(fallback);
const parsed = z
  .object({
    TARGET: z.string(),
    /** Tasks per second, whether earlier ones are answered or not. */
    RATE: number(20),
    /** 0: until SIGTERM. */
    SECONDS: number(0),
    /** One channel for all, as executors have it; or a connection for each task. */
    MODE: z.enum(['channel', 'dial']).default('channel'),
    /** Ids of tasks begin with it. */
    PREFIX: z.string().default('task'),
    PAYLOAD: z.string().default('{}'),
    DEADLINE_MS: number(5_000),
    /** How long to wait for the first connection; 0: calls at once, whatever becomes of it. */
    CONNECT_MS: number(10_000),
  })
  .safeParse(process.env);
if (!parsed.success) {
  console.error(z.prettifyError(parsed.error));
  process.exit(2);
}
const { TARGET, RATE, SECONDS, MODE, PREFIX, PAYLOAD, DEADLINE_MS, CONNECT_MS } = parsed.data;
const say = (line: object): void => console.log(JSON.stringify(line));

let stopped = false;
process.on('SIGTERM', () => {
  stopped = true;
});
const options = { 'grpc.enable_retries': 1 };
const shared = new GrpcClient(TARGET, options);
const failed: Record<string, number> = {};
let sent = 0;
let answered = 0;

async function callOnce(id: string): Promise<void> {
  const atMs = Date.now();
  const client = MODE === 'channel' ? shared : new GrpcClient(TARGET, options);
  try {
    const { result } = await client.execute(id, PAYLOAD, { deadline: atMs + DEADLINE_MS });
    const { instance, uid, runs, version } = JSON.parse(result) as { instance: string; uid: string; runs: number; version: string };
    answered += 1;
    say({ kind: 'answered', id, atMs, tookMs: Date.now() - atMs, instance, uid, runs, version });
  } catch (error) {
    const { code = -1, details = String(error) } = error as { code?: number; details?: string };
    failed[code] = (failed[code] ?? 0) + 1;
    say({ kind: 'failed', id, atMs, tookMs: Date.now() - atMs, code, details });
  } finally {
    if (client !== shared) client[Symbol.dispose]();
  }
}

try {
  if (CONNECT_MS > 0) await shared.connected(CONNECT_MS);
} catch (error) {
  console.error(`${TARGET} took no connection within ${CONNECT_MS} ms: ${String(error)}`);
  process.exit(1);
}
say({ kind: 'begun' });
const beganMs = performance.now();
const under: Promise<void>[] = [];
while (!stopped && (SECONDS === 0 || performance.now() - beganMs < SECONDS * 1_000)) {
  under.push(callOnce(`${PREFIX}-${sent}`));
  sent += 1;
  // By the clock, not by pauses: what a pause takes too long, the next makes up for.
  await sleep(Math.max(0, beganMs + (sent * 1_000) / RATE - performance.now()));
}
await Promise.all(under);
say({ kind: 'end', sent, answered, failed });
process.exit(0);
