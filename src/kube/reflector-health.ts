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

/** A stream that lived this long shows that the server takes watches: the next failure is the first of a new trouble. */
export const steadyMs = 500;

/** The account of a reflector's health; tells the log each kind of trouble once until it is over. `counts` are the caller's to raise. */
export function createHealth(clock: Clock, plural: string, log: ReflectorLog) {
  const counts = { fills: 0, lists: 0, watches: 0 };
  const told = new Set<string>();
  let isLive = false;
  let provenMs = clock.monotonicMs();
  let blindSinceMs: number | undefined;
  let blindMs = 0;
  let troubleSinceMs: number | undefined;
  let faults = 0;
  let lastFault: string | undefined;

  return {
    counts,

    /** A list, an event or a bookmark came. */
    heard(): void {
      provenMs = clock.monotonicMs();
    },

    /** @param isProof whether having been live until now shows that nothing was missed: not where a stream fell silent, or may be silent by right */
    turn(live: boolean, isProof: boolean): void {
      const nowMs = clock.monotonicMs();
      if (isLive && !live && isProof) provenMs = nowMs;
      isLive = live;
      if (live && blindSinceMs !== undefined) {
        blindMs += nowMs - blindSinceMs;
        blindSinceMs = undefined;
      } else if (!live && counts.fills > 0) {
        blindSinceMs ??= nowMs;
      }
    },

    /**
     * Counts what went wrong, and tells it where it is news.
     *
     * @param livedMs how long the stream had lived that broke
     * @returns milliseconds since the trouble began, 0 for the first of it
     */
    failed(doing: string, error: unknown, livedMs: number): number {
      const nowMs = clock.monotonicMs();
      faults += 1;
      lastFault = error instanceof Error ? error.message : String(error);
      const code = isKubeFault(error) ? error.code : undefined;
      const kind = code ?? lastFault.replace(/\d+/g, '');
      if (!told.has(kind)) log(`${doing} ${plural} failed`, { error: lastFault, code });
      told.add(kind);
      troubleSinceMs = livedMs >= steadyMs ? nowMs : (troubleSinceMs ?? nowMs);
      return nowMs - troubleSinceMs;
    },

    /** A stream has lived for a while: what was wrong is over. */
    calm(): void {
      if (lastFault !== undefined) log(`watching ${plural} again`, { faults, blindMs: Math.round(blindMs) });
      troubleSinceMs = lastFault = undefined;
      told.clear();
    },

    state(expectsBookmarks: boolean): Omit<ReflectorState, 'handlerErrors'> {
      const nowMs = clock.monotonicMs();
      return {
        synced: counts.fills > 0,
        stale: !isLive,
        ageMs: isLive && expectsBookmarks ? 0 : nowMs - provenMs,
        lists: counts.lists,
        relists: Math.max(0, counts.fills - 1),
        restarts: Math.max(0, counts.watches - 1),
        faults,
        ...(lastFault === undefined ? {} : { lastFault }),
        blindMs: blindMs + (blindSinceMs === undefined ? 0 : nowMs - blindSinceMs),
      };
    },
  };
}
