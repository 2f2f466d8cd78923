import { isKubeFault, kubeFaults } from '../kube/faults.ts';
import type { EventRecord, KubeApi } from '../kube/port.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import type { Log } from './logger.ts';

export interface EventRecorder {
  /** Takes the record and returns: it is stored behind the caller's back, and a failure fails nothing. */
  readonly event: KubeApi['event'];
  /** Stores what is still to be stored, within this time; afterwards nothing is taken any more. */
  close(withinMs: number): Promise<void>;
}

export interface EventRecorderOptions {
  readonly kube: Pick<KubeApi, 'event' | 'serverNowMs'>;
  readonly clock: Clock;
  readonly log: { readonly debug: Log; readonly warn: Log };
}

/** An Event that comes again within this time becomes part of its series. */
const seriesMs = 360_000;
/** A series that goes on is written no more often than this. */
const seriesEveryMs = 60_000;
/** So many different messages of one reason on one object in `similarMs`; further ones count into the series of the last. */
const maxSimilar = 10;
const similarMs = 600_000;
/** Events on one object: at most 25 at once, then one in 5 minutes. */
const burst = 25;
const refillMs = 300_000;
/** Where Events are forbidden they are tried again this much later: rights can be given. */
const offMs = 600_000;
const callMs = 10_000;
const maxTries = 3;
const maxWaiting = 1_000;
const maxRemembered = 10_000;

interface Series {
  readonly record: EventRecord;
  count: number;
  saidCount: number;
  saidAtMs: number;
  lastMs: number;
  lastSeenMs: number;
  cancel?: (() => void) | undefined;
}

/**
 * Events with the manners of client-go's recorder: what repeats becomes one series, near-duplicates are counted into one, a token
 * bucket per object bounds the rest.
 *
 * Guarantees: never throws and never makes a pass wait; a record of a name that was taken before is dropped; what cannot be stored is
 * tried three times, and in a namespace where Events are forbidden not again for 10 minutes, said once.
 */
export function createEventRecorder({ kube, clock, log }: EventRecorderOptions): EventRecorder {
  const taken = new Set<string>();
  const series = new Map<string, Series>();
  const similar = new Map<string, { readonly sinceMs: number; count: number; newest: Series }>();
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  const off = new Map<string, number>();
  const waiting: EventRecord[] = [];
  const stop = new AbortController();
  let sending: Promise<void> = Promise.resolve();
  let isSending = false;
  let saidForbidden = false;

  const dropped = ({ regarding, reason }: EventRecord, error: string): void =>
    log.debug('Event dropped', { key: `${regarding.namespace}/${regarding.name}`, reason, error });

  const deliver = async (record: EventRecord): Promise<void> => {
    for (let tries = 1; !stop.signal.aborted; tries += 1) {
      try {
        await kube.event(record, { signal: stop.signal, timeoutMs: callMs });
        return;
      } catch (error) {
        const fault = isKubeFault(error) ? error : undefined;
        if (fault?.code === 'notFound' && record.series !== undefined) {
          // The API server forgets Events after an hour: begin anew.
          const { series: _, ...first } = record;
          return deliver(first);
        }
        if (fault?.code === 'forbidden') {
          forbidden(record, fault.message);
          return;
        }
        if (fault === undefined || tries >= maxTries || kubeFaults[fault.code].retry === 'never') {
          dropped(record, error instanceof Error ? error.message : String(error));
          return;
        }
        await sleep(clock, fault.retryAfterMs ?? 1_000 * 2 ** tries, stop.signal);
      }
    }
  };

  const forbidden = (record: EventRecord, message: string): void => {
    // A namespace that goes takes no new objects: nobody's mistake.
    if (message.includes('being terminated')) return;
    off.set(record.regarding.namespace, clock.monotonicMs() + offMs);
    if (!saidForbidden) log.warn('Events are off: not allowed', { error: message });
    saidForbidden = true;
  };

  const send = (record: EventRecord): void => {
    waiting.push(record);
    // The oldest goes: what it tells has been overtaken.
    if (waiting.length > maxWaiting) dropped(waiting.shift() ?? record, 'too many are waiting');
    if (isSending) return;
    isSending = true;
    sending = (async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await deliver(next);
      isSending = false;
    })();
  };

  const takeToken = (uid: string): boolean => {
    const nowMs = clock.monotonicMs();
    const before = remember(buckets, uid, () => ({ tokens: burst, atMs: nowMs }));
    before.tokens = Math.min(burst, before.tokens + (nowMs - before.atMs) / refillMs);
    before.atMs = nowMs;
    if (before.tokens < 1) return false;
    before.tokens -= 1;
    return true;
  };

  const say = (entry: Series): void => {
    entry.cancel = undefined;
    if (entry.count === entry.saidCount || !takeToken(entry.record.regarding.uid)) return;
    entry.saidCount = entry.count;
    entry.saidAtMs = clock.monotonicMs();
    send({ ...entry.record, series: { count: entry.count, lastSeenMs: entry.lastSeenMs } });
  };

  const again = (entry: Series): void => {
    entry.count += 1;
    entry.lastMs = clock.monotonicMs();
    entry.lastSeenMs = kube.serverNowMs();
    if (entry.cancel !== undefined) return;
    const leftMs = entry.saidCount === 1 ? 0 : entry.saidAtMs + seriesEveryMs - entry.lastMs;
    if (leftMs <= 0) say(entry);
    else entry.cancel = clock.timer(leftMs, () => say(entry));
  };

  const take = (record: EventRecord): void => {
    const { regarding, type, reason, action, message, name } = record;
    const nowMs = clock.monotonicMs();
    const id = `${regarding.uid} ${name}`;
    if (stop.signal.aborted || taken.has(id) || (off.get(regarding.namespace) ?? 0) > nowMs) return;
    forget(taken);
    taken.add(id);
    const group = `${regarding.uid} ${type} ${reason} ${action}`;
    const alike = similar.get(group);
    const recent = alike !== undefined && nowMs - alike.sinceMs < similarMs ? alike : undefined;
    const same = series.get(`${group} ${message}`);
    const known =
      same !== undefined && nowMs - same.lastMs < seriesMs
        ? same
        : recent !== undefined && recent.count >= maxSimilar
          ? recent.newest
          : undefined;
    if (known !== undefined) {
      again(known);
      return;
    }
    if (!takeToken(regarding.uid)) {
      dropped(record, `more than ${burst} Events on this object`);
      return;
    }
    const entry: Series = { record, count: 1, saidCount: 1, saidAtMs: nowMs, lastMs: nowMs, lastSeenMs: kube.serverNowMs() };
    remember(series, `${group} ${message}`, () => entry, true);
    remember(similar, group, () => ({ sinceMs: recent?.sinceMs ?? nowMs, count: (recent?.count ?? 0) + 1, newest: entry }), true);
    send(record);
  };

  return {
    event: (record) => Promise.resolve(take(record)),
    close: async (withinMs) => {
      for (const entry of series.values()) {
        if (entry.cancel === undefined) continue;
        entry.cancel();
        say(entry);
      }
      const cancel = clock.timer(withinMs, () => stop.abort());
      await sending;
      cancel();
      stop.abort();
    },
  };
}

function forget(entries: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean }): void {
  if (entries.size < maxRemembered) return;
  const oldest = entries.keys().next();
  if (oldest.done !== true) entries.delete(oldest.value);
}

function remember<V>(entries: Map<string, V>, key: string, make: () => V, anew = false): V {
  const before = anew ? undefined : entries.get(key);
  if (before !== undefined) return before;
  entries.delete(key);
  forget(entries);
  const value = make();
  entries.set(key, value);
  return value;
}
