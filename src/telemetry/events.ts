import { isKubeFault, kubeFaults } from '../kube/faults.ts';
import { keyText } from '../kube/objects.ts';
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

/** An Event that comes again within this time becomes part of its series, which is written no more often than once a minute. */
const seriesMs = 360_000;
const seriesEveryMs = 60_000;
/** Events on one object: at most 25 at once, then one in 5 minutes. */
const burst = 25;
const refillMs = 300_000;
/** Where Events are forbidden they are tried again this much later: rights can be given. */
const offMs = 600_000;
const callMs = 10_000;
const maxTries = 3;
const maxWaiting = 1_000;
/** Objects, and Events of one object, of which something is remembered. */
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

/** What is remembered of one object. */
interface Subject {
  tokens: number;
  tokensAtMs: number;
  /** Names of the Events that were taken. */
  readonly taken: Set<string>;
  /** By what they say. */
  readonly series: Map<string, Series>;
}

/**
 * Events with the manners of client-go's recorder: what repeats becomes one series, a token bucket per object bounds the rest.
 *
 * Guarantees: never throws and never makes a pass wait; a record of a name that was taken before is dropped; what cannot be stored is
 * tried three times, and in a namespace where Events are forbidden not again for 10 minutes, said once.
 */
export function createEventRecorder({ kube, clock, log }: EventRecorderOptions): EventRecorder {
  const subjects = new Map<string, Subject>();
  /** By namespace, monotonic: no Events until then. */
  const off = new Map<string, number>();
  const waiting: EventRecord[] = [];
  const stop = new AbortController();
  let sending: Promise<void> | undefined;
  let saidForbidden = false;

  const dropped = ({ regarding, reason }: EventRecord, error: string): void =>
    log.debug('Event dropped', { key: keyText(regarding), reason, error });

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
        // A namespace that goes takes no new objects: nobody's mistake.
        if (fault?.code === 'forbidden' && !fault.message.includes('being terminated')) {
          off.set(record.regarding.namespace, clock.monotonicMs() + offMs);
          if (!saidForbidden) log.warn('Events are off: not allowed', { error: fault.message });
          saidForbidden = true;
        }
        if (fault === undefined || tries >= maxTries || fault.code === 'forbidden' || kubeFaults[fault.code].retry === 'never') {
          dropped(record, error instanceof Error ? error.message : String(error));
          return;
        }
        await sleep(clock, fault.retryAfterMs ?? 1_000 * 2 ** tries, stop.signal);
      }
    }
  };

  const sendAll = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await deliver(next);
    sending = undefined;
  };

  const send = (record: EventRecord): void => {
    waiting.push(record);
    // The oldest goes: what it tells has been overtaken.
    if (waiting.length > maxWaiting) dropped(waiting.shift() ?? record, 'too many are waiting');
    sending ??= sendAll();
  };

  const takeToken = (subject: Subject): boolean => {
    const nowMs = clock.monotonicMs();
    const tokens = Math.min(burst, subject.tokens + (nowMs - subject.tokensAtMs) / refillMs);
    Object.assign(subject, { tokens: tokens < 1 ? tokens : tokens - 1, tokensAtMs: nowMs });
    return tokens >= 1;
  };

  const say = (entry: Series, subject: Subject): void => {
    entry.cancel = undefined;
    if (entry.count === entry.saidCount || !takeToken(subject)) return;
    Object.assign(entry, { saidCount: entry.count, saidAtMs: clock.monotonicMs() });
    send({ ...entry.record, series: { count: entry.count, lastSeenMs: entry.lastSeenMs } });
  };

  const countUp = (entry: Series, subject: Subject): void => {
    Object.assign(entry, { count: entry.count + 1, lastMs: clock.monotonicMs(), lastSeenMs: kube.serverNowMs() });
    // The second one is told at once: from then on it is a series.
    const leftMs = entry.saidCount === 1 ? 0 : entry.saidAtMs + seriesEveryMs - entry.lastMs;
    if (leftMs <= 0) say(entry, subject);
    else entry.cancel ??= clock.timer(leftMs, () => say(entry, subject));
  };

  const take = (record: EventRecord): void => {
    const { regarding, type, reason, action, message, name } = record;
    const nowMs = clock.monotonicMs();
    const subject = subjects.get(regarding.uid) ?? { tokens: burst, tokensAtMs: nowMs, taken: new Set(), series: new Map() };
    if (stop.signal.aborted || subject.taken.has(name) || (off.get(regarding.namespace) ?? 0) > nowMs) return;
    limit(subjects).set(regarding.uid, subject);
    limit(subject.taken).add(name);
    const text = `${type} ${reason} ${action} ${message}`;
    const known = subject.series.get(text);
    if (known !== undefined && nowMs - known.lastMs < seriesMs) countUp(known, subject);
    else if (takeToken(subject)) {
      limit(subject.series).set(text, { record, count: 1, saidCount: 1, saidAtMs: nowMs, lastMs: nowMs, lastSeenMs: kube.serverNowMs() });
      send(record);
    } else dropped(record, `more than ${burst} on this object`);
  };

  return {
    event: (record) => Promise.resolve(take(record)),
    close: async (withinMs) => {
      for (const subject of subjects.values()) {
        for (const entry of subject.series.values()) {
          entry.cancel?.();
          if (entry.cancel !== undefined) say(entry, subject);
        }
      }
      const cancel = clock.timer(withinMs, () => stop.abort());
      await sending;
      cancel();
      stop.abort();
    },
  };
}

/** Makes room for one more: the oldest goes. */
function limit<C extends { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean }>(entries: C): C {
  const oldest = entries.size < maxRemembered ? undefined : entries.keys().next();
  if (oldest !== undefined && oldest.done !== true) entries.delete(oldest.value);
  return entries;
}
