/** The test performer: see README.md beside it. Says on stdout, one JSON object a line, all that happens. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { servePerformer, type Task, TaskError } from '../../src/performer/kit.ts';
import { behaviourSchema, parseWish } from './behaviour.ts';

const parsed = behaviourSchema.safeParse(process.env);
if (!parsed.success) {
  console.error(z.prettifyError(parsed.error));
  process.exit(2);
}
const behaviour = parsed.data;
const say = (line: object): void => console.log(JSON.stringify({ atMs: Date.now(), instance: behaviour.POD_NAME, ...line }));

/** How often each task was begun: more than once is what a test of lost and doubled tasks looks for. */
const begun = new Map<string, number>();

async function executeTask({ id, payload, signal }: Task): Promise<Uint8Array> {
  const wish = parseWish(payload);
  const runs = (begun.get(id) ?? 0) + 1;
  begun.set(id, runs);
  say({ kind: 'begun', id, runs });
  const startedAtMs = Date.now();
  await sleep(wish.sleepMs ?? behaviour.TASK_DELAY_MS, undefined, wish.deaf === true ? {} : { signal }).catch(() => {
    say({ kind: 'given-up', id });
    throw signal.reason;
  });
  if (wish.crash !== undefined) process.exit(wish.crash);
  if (wish.throw !== undefined) throw new Error(wish.throw);
  const fail = wish.fail ?? behaviour.TASK_FAIL;
  if (fail !== undefined) throw new TaskError(fail, 'as asked');
  const { POD_NAME: instance, POD_UID: uid, VERSION: version } = behaviour;
  const answer = { instance, uid, version, id, runs, tasks: begun.size, startedAtMs, finishedAtMs: Date.now() };
  return Buffer.from(JSON.stringify(answer));
}

// Of its own accord nothing ends process 1 of a container at SIGTERM: the kernel passes it only what it has a handler for.
if (behaviour.AT_SIGTERM === 'die') process.on('SIGTERM', () => process.exit(143));
if (behaviour.AT_SIGTERM === 'ignore') process.on('SIGTERM', () => say({ kind: 'sigterm-ignored' }));
await sleep(behaviour.START_DELAY_MS);

const performer = await servePerformer(
  { executeTask, validateTask: ({ payload }) => parseWish(payload).refuse },
  {
    lagMs: behaviour.LAG_MS,
    graceMs: behaviour.GRACE_MS,
    maxInFlight: behaviour.MAX_IN_FLIGHT,
    abandonedMs: behaviour.ABANDONED_MS,
    signals: behaviour.AT_SIGTERM === 'drain' ? ['SIGTERM', 'SIGINT'] : [],
    onEvent: ({ kind, ...event }) => say({ kind, ...event, ...('error' in event ? { error: String(event.error) } : {}) }),
  },
);
if (behaviour.HEALTH === 'not-serving') performer.setServing(false);
say({ kind: 'listening', port: performer.port });
if (behaviour.CRASH_AFTER_MS !== undefined) setTimeout(() => process.exit(1), behaviour.CRASH_AFTER_MS);
const { unanswered } = await performer.ended;
say({ kind: 'end', unanswered });
if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
process.exit(unanswered === 0 ? 0 : 1);
