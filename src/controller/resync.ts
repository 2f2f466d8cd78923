import { keyText, type ObjectKey } from '../kube/objects.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { hashHex } from '../lib/hash.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ResyncOptions {
  readonly queue: Pick<WorkQueue, 'add'>;
  readonly clock: Clock;
  readonly keys: () => Iterable<ObjectKey>;
  /** Each key is looked at once in this time, 1 s or more; at 0 never. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** At most so many moments per round; a key belongs to the one its hash names, so that no two rounds and no many keys meet in a storm. */
const mostSlots = 600;

/** Looks at every key now and then, though nothing happened: a safety net under the events. Runs until `signal` aborts. */
export async function runResync({ queue, clock, keys, everyMs, signal }: ResyncOptions): Promise<void> {
  if (everyMs <= 0) return;
  const slots = Math.max(1, Math.min(mostSlots, Math.floor(everyMs / 1_000)));
  // Shared out once a round, not looked for each second among all of them; what is new meanwhile is looked at because it is new.
  let turns = new Map<number, ObjectKey[]>();
  for (let slot = 0; ; slot = (slot + 1) % slots) {
    await sleep(clock, everyMs / slots, signal);
    if (signal.aborted) return;
    if (slot === 0) turns = Map.groupBy(keys(), (key) => Number.parseInt(hashHex(keyText(key)).slice(-8), 16) % slots);
    for (const key of turns.get(slot) ?? []) queue.add(key, 'background');
  }
}
