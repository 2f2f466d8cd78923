import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';

/** Why a key wants a look. `change`: something about it is new · `background`: the list at the start, a retry, a resync. */
export type WorkClass = 'change' | 'background';

export interface QueueStats {
  /** Keys ready to be taken; one that is wanted for both reasons counts as a change. */
  readonly depth: Readonly<Record<WorkClass, number>>;
  /** Keys that became ready since the start, equal ones merged. */
  readonly adds: number;
}

interface Entry {
  readonly key: ObjectKey;
  readonly sinceMs: number;
}
interface Delay {
  readonly dueMs: number;
  readonly as: WorkClass;
  readonly cancel: () => void;
}
type Lane = 'begun' | 'fresh' | 'background';

/** What is begun is finished first, yet of eight turns one is kept for each of the others, so that none starves. */
const turns = 8;
const orderOfTurn = (turn: number): readonly [Lane, Lane, Lane] => {
  if (turn === 0) return ['background', 'begun', 'fresh'];
  return turn === turns / 2 ? ['fresh', 'begun', 'background'] : ['begun', 'fresh', 'background'];
};

/**
 * Keys that want a look. Equal keys merge; a key that is being worked on waits and is ready again afterwards,
 * so no key is ever worked on twice at once and no wish for a look is lost.
 *
 * Order: changes of keys that were begun and are not finished, other changes, the background; each first come, first served.
 * Every eighth turn goes to the background, another eighth to the other changes: a key waits at most 8 × (keys before it in its lane + 1) turns.
 */
export class WorkQueue {
  /** Called when a key became ready. */
  onReady: () => void = () => undefined;
  /** Called when a key is taken, with how long it was ready. */
  onTake: (waitedMs: number) => void = () => undefined;
  readonly #clock: Clock;
  readonly #lanes: Readonly<Record<Lane, Map<string, Entry>>> = { begun: new Map(), fresh: new Map(), background: new Map() };
  /** Of each lane, where its first entry is: to look for it from the front of the Map would walk over all that was taken before. */
  readonly #heads: { [lane in Lane]?: MapIterator<[string, Entry]> | undefined } = {};
  /** How many keys wait for both reasons. None is begun and fresh at once: only `done` changes which it is, and a running key waits in no lane. */
  #twice = 0;
  readonly #running = new Set<string>();
  /** Wanted again while running. */
  readonly #dirty = new Map<string, WorkClass>();
  /** Keys that a pass left unfinished. */
  readonly #begun = new Set<string>();
  readonly #delays = new Map<string, Delay>();
  /** Monotonic time before which a key is not handed out. */
  readonly #held = new Map<string, number>();
  #turn = 0;
  #adds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing ready and nothing running; delays may still be pending. */
  get idle(): boolean {
    return this.empty && this.#running.size === 0;
  }

  /** Nothing ready. */
  get empty(): boolean {
    return Object.values(this.#lanes).every((lane) => lane.size === 0);
  }

  add(key: ObjectKey, as: WorkClass = 'change'): void {
    const text = keyText(key);
    if (this.#running.has(text)) {
      this.#dirty.set(text, strongerOf(as, this.#dirty.get(text)));
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const heldMs = (this.#held.get(text) ?? 0) - nowMs;
    if (heldMs > 0) {
      this.addAfter(key, heldMs, as);
      return;
    }
    this.#held.delete(text);
    // One that already waits in the background keeps that place too: news must not make it wait longer.
    const name = as === 'background' ? as : this.#begun.has(text) ? 'begun' : 'fresh';
    const lane = this.#lanes[name];
    // Begun anew, since an iterator that stands keeps what the Map was before it grew.
    if (lane.size === 0) this.#heads[name] = undefined;
    if (!lane.has(text)) {
      if (Object.values(this.#lanes).some((other) => other.has(text))) this.#twice += 1;
      else this.#adds += 1;
      lane.set(text, { key, sinceMs: nowMs });
    }
    this.onReady();
  }

  /** Adds the key after a delay; of two delays the sooner holds. */
  addAfter(key: ObjectKey, delayMs: number, as: WorkClass = 'change'): void {
    const text = keyText(key);
    const before = this.#delays.get(text);
    const dueMs = Math.min(this.#clock.monotonicMs() + delayMs, before?.dueMs ?? Number.POSITIVE_INFINITY);
    const stronger = strongerOf(as, before?.as);
    if (before !== undefined && before.dueMs <= dueMs && before.as === stronger) return;
    before?.cancel();
    const cancel = this.#clock.timer(dueMs - this.#clock.monotonicMs(), () => {
      this.#delays.delete(text);
      this.add(key, stronger);
    });
    this.#delays.set(text, { dueMs, as: stronger, cancel });
  }

  /** Hands the key out no sooner than after this delay, whoever adds it meanwhile. The caller adds it, too: that ends the hold. */
  hold(key: ObjectKey, delayMs: number): void {
    const untilMs = this.#clock.monotonicMs() + delayMs;
    this.#held.set(keyText(key), Math.max(untilMs, this.#held.get(keyText(key)) ?? 0));
  }

  /** The key whose turn it is; undefined when none is ready. Whoever takes it calls `done`. */
  take(): ObjectKey | undefined {
    const lane = orderOfTurn((this.#turn + 1) % turns).find((name) => this.#lanes[name].size > 0);
    if (lane !== undefined) this.#heads[lane] ??= this.#lanes[lane].entries();
    const next = lane === undefined ? undefined : this.#heads[lane]?.next().value;
    if (next === undefined) return undefined;
    this.#turn = (this.#turn + 1) % turns;
    const [text, { key }] = next;
    const nowMs = this.#clock.monotonicMs();
    const lanes = Object.values(this.#lanes);
    this.onTake(nowMs - Math.min(...lanes.map((entries) => entries.get(text)?.sinceMs ?? nowMs)));
    if (lanes.filter((entries) => entries.delete(text)).length > 1) this.#twice -= 1;
    this.#running.add(text);
    return key;
  }

  /** @param begun whether the pass left the key unfinished: until a pass finishes it, its changes go before those of others */
  done(key: ObjectKey, begun = false): void {
    const text = keyText(key);
    this.#running.delete(text);
    if (begun) this.#begun.add(text);
    else this.#begun.delete(text);
    const as = this.#dirty.get(text);
    this.#dirty.delete(text);
    if (as !== undefined) this.add(key, as);
  }

  stats(): QueueStats {
    const { begun, fresh, background } = this.#lanes;
    return { depth: { change: begun.size + fresh.size, background: background.size - this.#twice }, adds: this.#adds };
  }

  /** Cancels all delays, and holds no key any longer: until somebody takes keys again, nothing waits for time. */
  close(): void {
    for (const { cancel } of this.#delays.values()) cancel();
    this.#delays.clear();
    this.#held.clear();
  }
}

function strongerOf(one: WorkClass, other: WorkClass | undefined): WorkClass {
  return other === 'change' ? other : one;
}
