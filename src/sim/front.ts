import { KubeFault } from '../kube/faults.ts';
import type { WatchEvent } from '../kube/port.ts';
import type { Chance } from './chance.ts';
import type { MemoryServer } from './memory-server.ts';
import type { Change } from './memory-store.ts';
import type { Matcher } from './selectors.ts';
import type { AnyObject } from './stored-object.ts';

/** What readers of a kind are kept from: its changes from a revision on. */
export interface Blocked {
  readonly kindId: string;
  readonly fromRevision: number;
  /** Told when a list leaves one out, or a watch keeps one back. */
  readonly onMissed: () => void;
}

/** How a front's watch caches stand to the store at the moment. Ranges in ms. */
export interface FrontMood {
  /** From a change to its event, per kind drawn anew. */
  lagMs: readonly [number, number];
  /** No event is passed on, of no kind or of these; bookmarks still come. */
  held: ReadonlySet<string> | 'all' | 'none';
  /** Neither lists nor watches show this. */
  blocked: Blocked | undefined;
  /** Nothing at all is passed on, and no connection says so. */
  stalled: boolean;
  /** The cache stands where it is: what comes later is passed on once it has caught up. */
  stands: boolean;
  /** Each event comes twice. */
  doubles: boolean;
  /** Of several states of one object that wait, only the last is passed on. */
  coalesces: boolean;
  /** The next deletion is not told but to this: its streams break, and the versions before it are forgotten. */
  losesDeletion: (() => void) | undefined;
  /** Connections fail at once. */
  down: boolean;
}

export const calmMood = (): FrontMood => ({
  lagMs: [1, 30],
  held: 'none',
  blocked: undefined,
  stalled: false,
  stands: false,
  doubles: false,
  coalesces: false,
  losesDeletion: undefined,
  down: false,
});

interface Pending {
  readonly event: WatchEvent<AnyObject>;
  readonly revision: number;
  readonly atMs: number;
}

const bookmarkMs = 60_000;

/** Between two looks at a queue that is held. */
const heldMs = 500;

/** One of several API servers before one store: reads of single objects are current, its watch caches follow behind. */
export class Front {
  readonly name: string;
  readonly mood = calmMood();
  readonly #server: MemoryServer;
  readonly #chance: Chance;
  readonly #streams = new Set<FrontStream>();
  /** Lists for caches show the store as it was at this revision, while it is set. */
  #staleAt: number | undefined;
  /** Each who keeps it behind. */
  readonly #keepers = new Set<object>();

  constructor(name: string, server: MemoryServer, chance: Chance) {
    this.name = name;
    this.#server = server;
    this.#chance = chance;
  }

  /**
   * Caches are filled from the state of this moment and watches hear of nothing that comes later, until all who keep it behind have ended that.
   *
   * @returns what ends it
   */
  fallBehind(): () => void {
    const keeper = {};
    this.#keepers.add(keeper);
    this.#staleAt ??= this.#server.store.revision;
    this.mood.stands = true;
    return () => {
      if (this.#keepers.delete(keeper) && this.#keepers.size === 0) this.catchUp();
    };
  }

  /** Whoever keeps it behind. */
  catchUp(): void {
    this.#keepers.clear();
    this.#staleAt = undefined;
    this.mood.stands = false;
  }

  /** Watches that are open. */
  get streamCount(): number {
    return this.#streams.size;
  }

  get isBehind(): boolean {
    return this.#staleAt !== undefined;
  }

  /** How far its watch cache of a kind has come. */
  revisionOf(kindId: string): number {
    const { blocked } = this.mood;
    const ownRevision = this.#staleAt ?? this.#server.store.revision;
    return blocked?.kindId === kindId ? Math.min(ownRevision, blocked.fromRevision - 1) : ownRevision;
  }

  /** What its watch cache has of a kind. */
  list(kindId: string): readonly AnyObject[] {
    const now = this.#server.store.list(kindId);
    const revision = this.revisionOf(kindId);
    if (revision === this.#server.store.revision) return now;
    const { blocked } = this.mood;
    if (blocked?.kindId === kindId) blocked.onMissed();
    const objects = new Map(now.map((object) => [object.metadata.uid ?? '', object]));
    for (const change of this.#server.store.changesAfter(revision).toReversed()) {
      if (change.kindId !== kindId) continue;
      const uid = change.object.metadata.uid ?? '';
      if (change.before === undefined) objects.delete(uid);
      else objects.set(uid, change.before);
    }
    return [...objects.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  /**
   * Opens a stream after a revision.
   *
   * @param deliver hands an event to the client
   * @param end tells the client that it is over
   * @throws KubeFault `expired` when the store has forgotten the revision
   */
  watch(kindId: string, revision: number, matches: Matcher, deliver: FrontStream['deliver'], end: FrontStream['end']): FrontStream {
    const missed = this.#server.store.changesAfter(revision, kindId);
    const newest = (): number => this.revisionOf(kindId);
    const stream = new FrontStream(this.#server, this.mood, this.#chance, newest, kindId, matches, revision, deliver, (fault) => {
      this.#streams.delete(stream);
      end(fault);
    });
    this.#streams.add(stream);
    for (const change of missed) stream.take(change);
    return stream;
  }

  /** Ends all streams, as a broken connection or an API server that goes does; or those of one kind. */
  disconnect(fault?: KubeFault, kindId?: string): void {
    for (const stream of this.#streams) if (kindId === undefined || stream.kindId === kindId) stream.close(fault);
  }
}

/** One watch as its front serves it: in order, late. */
export class FrontStream {
  readonly deliver: (event: WatchEvent<AnyObject>) => void;
  readonly end: (fault?: KubeFault) => void;
  readonly #server: MemoryServer;
  readonly #mood: FrontMood;
  readonly #chance: Chance;
  /** How far the front has come. */
  readonly #newest: () => number;
  readonly kindId: string;
  readonly #matches: Matcher;
  readonly #cancels: (() => void)[] = [];
  #queue: Pending[] = [];
  #lastMs = 0;
  #told: number;
  #isDue = false;
  #over = false;

  constructor(
    server: MemoryServer,
    mood: FrontMood,
    chance: Chance,
    newest: () => number,
    kindId: string,
    matches: Matcher,
    revision: number,
    deliver: FrontStream['deliver'],
    end: FrontStream['end'],
  ) {
    this.#server = server;
    this.#mood = mood;
    this.#chance = chance;
    this.#newest = newest;
    this.kindId = kindId;
    this.#matches = matches;
    this.#told = revision;
    this.deliver = deliver;
    this.end = end;
    this.#cancels.push(server.store.onChange((change) => this.take(change)));
    const remind = (): void => {
      this.#cancels[1] = server.clock.timer(bookmarkMs, () => {
        if (!mood.stalled) this.deliver({ type: 'BOOKMARK', resourceVersion: String(this.#progress()) });
        remind();
      });
    };
    remind();
  }

  take(change: Change): void {
    if (change.kindId !== this.kindId || this.#over) return;
    const event = eventOf(change, this.#matches);
    if (event === undefined) return;
    const { losesDeletion } = this.#mood;
    if (event.type === 'DELETED' && losesDeletion !== undefined) {
      this.#mood.losesDeletion = undefined;
      losesDeletion();
      this.#server.store.compact(change.revision);
      this.close(new KubeFault('expired', `watching ${this.kindId}: too old resource version`, { status: 410, reason: 'Expired' }));
      return;
    }
    const nowMs = this.#server.clock.monotonicMs();
    const { blocked } = this.#mood;
    if (blocked?.kindId === this.kindId && change.revision >= blocked.fromRevision) blocked.onMissed();
    const atMs = Math.max(this.#lastMs, nowMs + this.#chance.int(...this.#mood.lagMs));
    this.#lastMs = atMs;
    this.#queue.push({ event, revision: change.revision, atMs });
    this.#schedule(atMs - nowMs);
  }

  close(fault?: KubeFault): void {
    if (this.#over) return;
    this.#over = true;
    for (const cancel of this.#cancels) cancel();
    this.end(fault);
  }

  #schedule(delayMs: number): void {
    if (this.#isDue || this.#over) return;
    this.#isDue = true;
    this.#server.clock.timer(delayMs, () => {
      this.#isDue = false;
      if (!this.#over) this.#flush();
    });
  }

  #flush(): void {
    const { held, blocked, stalled, stands, doubles, coalesces } = this.#mood;
    if (stalled || stands || blocked?.kindId === this.kindId || held === 'all' || (held !== 'none' && held.has(this.kindId))) {
      this.#schedule(heldMs);
      return;
    }
    const nowMs = this.#server.clock.monotonicMs();
    const due = this.#queue.filter(({ atMs }) => atMs <= nowMs);
    this.#queue = this.#queue.slice(due.length);
    for (const [place, { event, revision }] of due.entries()) {
      this.#told = revision;
      if (coalesces && due.slice(place + 1).some((later) => isNewer(later.event, event))) continue;
      this.deliver(event);
      if (doubles) this.deliver(event);
    }
    const next = this.#queue[0];
    if (next !== undefined) this.#schedule(Math.max(0, next.atMs - nowMs));
  }

  /** How far it has come: never past what it still keeps back. */
  #progress(): number {
    return this.#queue.length > 0 ? this.#told : Math.max(this.#told, this.#newest());
  }
}

/** Whether a later event makes an earlier one superfluous: the same object, changed again. */
function isNewer(later: WatchEvent<AnyObject>, event: WatchEvent<AnyObject>): boolean {
  if (later.type !== 'MODIFIED' || event.type !== 'MODIFIED') return false;
  return later.object.metadata.uid === event.object.metadata.uid;
}

function keyOf(object: AnyObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}

/** What a watcher with a selector sees of a change: an object that leaves the selection is DELETED for it, in its last selected state. */
export function eventOf(change: Change, matches: Matcher): WatchEvent<AnyObject> | undefined {
  const was = change.before !== undefined && matches(change.before);
  const is = change.after !== undefined && matches(change.after);
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: change.object };
  if (!was || change.before === undefined) return undefined;
  const last = change.after === undefined ? change.object : change.before;
  return { type: 'DELETED', object: { ...last, metadata: { ...last.metadata, resourceVersion: String(change.revision) } } };
}
