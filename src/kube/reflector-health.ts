import type { Clock } from '../lib/clock.ts';
import { isKubeFault } from './faults.ts';

/** How a reflector does: a plain value, of the moment it was asked for. Counts are since its start and only grow; times are monotonic. */
export interface ReflectorState {
  /** The first list is in the store. */
  readonly synced: boolean;
  /** No watch is open that is heard from (or has had no time to be silent): changes in the cluster are not seen. True before the first list. */
  readonly stale: boolean;
  /**
   * Milliseconds since the last proof that the view is current. 0 while a watch is open that is not stale and on which bookmarks are
   * expected: a connection that dies ends it within seconds, and silence past its limit makes it stale. Else the proof is the last list,
   * event or bookmark, or the moment a watch that was not stale ended. Before any: since the start.
   */
  readonly ageMs: number;
  /** Lists and watch-lists that were asked for. */
  readonly lists: number;
  /** Times the store was filled anew after the first. */
  readonly relists: number;
  /** Watches opened after the first, those included that took over from one whose time was nearly over. */
  readonly restarts: number;
  /** Calls that failed, streams that broke, fell silent or ended at once, events that could not be read or taken. */
  readonly faults: number;
  /** What went wrong last; absent once a watch has lived for 5 s after it. */
  readonly lastFault?: string;
  /** Milliseconds since the first list during which the view was stale, the present moment included. A silence counts from its limit on. */
  readonly blindMs: number;
  /** Times a listener of the store threw. */
  readonly handlerErrors: number;
}

export type ReflectorLog = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/** Keeps the account of a reflector's health, and tells the log each kind of trouble once until it is over. */
export class ReflectorHealth {
  readonly #clock: Clock;
  readonly #plural: string;
  readonly #log: ReflectorLog;
  readonly #told = new Set<string>();
  #synced = false;
  #live = false;
  #provenMs: number;
  #blindSinceMs: number | undefined;
  #blindMs = 0;
  #troubleSinceMs: number | undefined;
  #lastFault: string | undefined;
  #fills = 0;
  #watches = 0;
  #lists = 0;
  #faults = 0;

  constructor(clock: Clock, plural: string, log: ReflectorLog) {
    this.#clock = clock;
    this.#plural = plural;
    this.#log = log;
    this.#provenMs = clock.monotonicMs();
  }

  listing(): void {
    this.#lists += 1;
  }

  filled(): void {
    this.#fills += 1;
    this.#synced = true;
    this.heard();
    if (!this.#live) this.#blindSinceMs ??= this.#clock.monotonicMs();
  }

  watching(): void {
    this.#watches += 1;
  }

  /** A list, an event or a bookmark came. */
  heard(): void {
    this.#provenMs = this.#clock.monotonicMs();
  }

  /** @param isProof whether having been live until now shows that nothing was missed: not where a stream fell silent, or may be silent by right */
  turn(live: boolean, isProof: boolean): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#live && !live && isProof) this.#provenMs = nowMs;
    this.#live = live;
    if (live && this.#blindSinceMs !== undefined) {
      this.#blindMs += nowMs - this.#blindSinceMs;
      this.#blindSinceMs = undefined;
    } else if (!live && this.#synced) {
      this.#blindSinceMs ??= nowMs;
    }
  }

  /**
   * Counts what went wrong, and tells it where it is news.
   *
   * @param livedMs how long the stream had lived that broke
   * @returns milliseconds since the trouble began, 0 for the first of it
   */
  failed(doing: string, error: unknown, livedMs: number): number {
    const nowMs = this.#clock.monotonicMs();
    this.#faults += 1;
    this.#lastFault = error instanceof Error ? error.message : String(error);
    const code = isKubeFault(error) ? error.code : undefined;
    const kind = code ?? this.#lastFault.replace(/\d+/g, '');
    if (livedMs >= steadyMs) this.#troubleSinceMs = nowMs;
    this.#troubleSinceMs ??= nowMs;
    if (!this.#told.has(kind)) this.#log(`${doing} ${this.#plural} failed`, { error: this.#lastFault, code });
    this.#told.add(kind);
    return nowMs - this.#troubleSinceMs;
  }

  /** A stream has lived for a while: what was wrong is over. */
  calm(): void {
    if (this.#lastFault === undefined) return;
    this.#troubleSinceMs = undefined;
    this.#lastFault = undefined;
    this.#log(`watching ${this.#plural} again`, { faults: this.#faults, blindMs: Math.round(this.#blindMs) });
    this.#told.clear();
  }

  state(expectsBookmarks: boolean): Omit<ReflectorState, 'handlerErrors'> {
    const nowMs = this.#clock.monotonicMs();
    return {
      synced: this.#synced,
      stale: !this.#live,
      ageMs: this.#live && expectsBookmarks ? 0 : nowMs - this.#provenMs,
      lists: this.#lists,
      relists: Math.max(0, this.#fills - 1),
      restarts: Math.max(0, this.#watches - 1),
      faults: this.#faults,
      ...(this.#lastFault === undefined ? {} : { lastFault: this.#lastFault }),
      blindMs: this.#blindMs + (this.#blindSinceMs === undefined ? 0 : nowMs - this.#blindSinceMs),
    };
  }
}

/** A stream that lived this long shows that the server takes watches: the next failure is the first of a new trouble. */
export const steadyMs = 500;
