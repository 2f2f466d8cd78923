import { type Clock, sleep } from '../lib/clock.ts';
import { isKubeFault, KubeFault } from './faults.ts';
import { type KubeObject, keyOf, keyText, type Resource } from './objects.ts';
import type { KubeApi, WatchEvent, WatchOptions } from './port.ts';
import { reflectorBackoffMs } from './reflector-backoff.ts';
import { createHealth, type ReflectorLog, type ReflectorState, steadyMs } from './reflector-health.ts';
import type { ObjectStore } from './store.ts';
import { calmMs, openStream, type StreamEnd, type WatchStream } from './watch-stream.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly kube: Pick<KubeApi, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly resource: Resource<T>;
  readonly store: ObjectStore<T>;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Ends the reflector. */
  readonly signal: AbortSignal;
  /** Draws from [0, 1), so that many reflectors do not come back in the same instant. */
  readonly random: () => number;
  /** The first list that fails makes `synced` reject and ends the reflector, instead of being tried again. */
  readonly failFirstList?: boolean;
  readonly log?: ReflectorLog;
}

export interface Reflector {
  /** Resolves when the first list is in the store, or when the signal aborts. Rejects only with `failFirstList`. */
  readonly synced: Promise<void>;
  /** Which kind it follows, as in its URL. */
  readonly plural: string;
  state(): ReflectorState;
  /** Resolves when the reflector has ended; never rejects. */
  readonly done: Promise<void>;
}

/** No event and no bookmark for this long: the stream is dead, whatever the connection says. API servers send a bookmark each minute. */
const stallMs = 75_000;
/** Servers that never send bookmarks are silent by right, until they end the stream. */
const lateEndMs = 30_000;
/** The objects of a watch-list come one after the other; a server that stops before their end does not know what it was asked. */
const initialSilenceMs = 10_000;
/** So many watches in a row that brought nothing readable: the version they start from may be one the server cannot serve. */
const fruitlessLimit = 3;
/** Lists cost the server far more than watches: so many at once, then one in so many milliseconds. */
const listBurst = 3;
const listEveryMs = 10_000;

/**
 * Keeps `store` equal to what the API server has: a watch-list where the server does them, else a list and a watch from there;
 * resumed wherever it ends, followed by the next stream before its time is over or when it falls silent, listed anew when the server
 * has forgotten the version. Never gives up before `signal` aborts; `state` tells how fresh the store is.
 */
export function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector {
  const { kube, clock, resource, store, signal, random, namespace, labelSelector, fieldSelector } = options;
  const selection = {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    project: store.project,
  };
  const log: ReflectorLog = options.log ?? (() => {});
  const health = createHealth(clock, resource.plural, log);
  const { promise: synced, resolve: resolveSynced, reject: rejectSynced } = Promise.withResolvers<void>();
  synced.catch(() => undefined); // whoever does not ask must not be killed by an unhandled rejection
  /** Streams that run, and whether what they bring stands in the store. */
  const streams = new Map<WatchStream, { ready: boolean; calm: boolean }>();
  let doesWatchLists = true;
  /** Whether the server sends bookmarks; undefined until it has sent one, or has had the time to. */
  let bookmarks: boolean | undefined;
  let fruitless = 0;
  /** When the lists so far are paid for. */
  let listsDueMs = Number.NEGATIVE_INFINITY;

  const turn = (wasSilent: boolean): void => {
    const live = [...streams].some(([stream, { ready }]) => ready && stream.state().isOpen && !stream.state().isSilent);
    health.turn(live, bookmarks !== false && !wasSilent);
  };

  const open = (watch: Pick<WatchOptions<T>, 'resourceVersion' | 'initialEvents'>, take: (event: WatchEvent<T>) => void): WatchStream => {
    health.counts.watches += 1;
    const timeoutSeconds = 290 + Math.floor(random() * 290);
    const own = { ready: watch.initialEvents !== true, calm: false };
    let toldThrow = false;
    const stream: WatchStream = openStream({
      kube,
      clock,
      resource,
      watch: { ...selection, ...watch, timeoutSeconds },
      signal,
      take: (event) => {
        if (event.type === 'BOOKMARK') bookmarks = true;
        const before = store.listenerErrors.count;
        take(event);
        if (own.ready) health.heard();
        if (store.listenerErrors.count === before || toldThrow) return;
        toldThrow = true;
        log(`a listener to ${resource.plural} threw`, { error: String(store.listenerErrors.last) });
      },
      silenceMs: () => (!own.ready ? initialSilenceMs : bookmarks === false ? timeoutSeconds * 1_000 + lateEndMs : stallMs),
      onTurn: () => turn(stream.state().isSilent),
      onCalm: () => {
        own.calm = stream.state().isOpen;
        if (own.calm && own.ready) health.calm();
      },
    });
    streams.set(stream, own);
    void stream.ended.then(() => streams.delete(stream));
    return stream;
  };
  const resume = (): WatchStream => open({ resourceVersion: store.resourceVersion }, (event) => store.apply(event));

  /** Tells what failed, and waits before the next try. */
  const failed = async (doing: string, error: unknown, livedMs = 0): Promise<void> => {
    const outageMs = health.failed(doing, error, livedMs);
    await sleep(clock, reflectorBackoffMs(outageMs, isKubeFault(error) ? error : undefined, random()), signal);
  };

  /** Puts a whole list into the store, unless it is older than what stands there. */
  const take = (items: readonly T[], resourceVersion: string): boolean => {
    if (!store.replace({ items, resourceVersion })) return false;
    listsDueMs = Math.max(listsDueMs, clock.monotonicMs()) + listEveryMs;
    health.counts.fills += 1;
    health.heard();
    turn(false);
    resolveSynced();
    return true;
  };
  const olderList = (): Error => new Error(`a list of ${resource.plural} is older than what was seen before it`);

  /** Asks for a watch-list. @returns the stream that goes on from there, or `unserved` @throws what it failed by */
  const fillByWatch = async (): Promise<WatchStream | 'unserved'> => {
    const found = new Map<string, T>();
    const end = Promise.withResolvers<'taken' | 'older' | 'unserved'>();
    const stream = open({ resourceVersion: '', initialEvents: true }, (event) => {
      const own = streams.get(stream);
      if (own?.ready === true) return store.apply(event);
      if (event.type === 'DELETED') found.delete(keyText(keyOf(event.object)));
      else if (event.type !== 'BOOKMARK') {
        if (store.selects(event.object)) found.set(keyText(keyOf(event.object)), event.object);
      } else if (event.initialEventsEnd !== true) end.resolve('unserved');
      else if (!take([...found.values()], event.resourceVersion)) end.resolve('older');
      else {
        if (own !== undefined) own.ready = true;
        if (own?.calm === true) health.calm();
        found.clear();
        turn(false);
        end.resolve('taken');
      }
    });
    const outcome = await Promise.race([end.promise, stream.ended, stream.due]);
    if (outcome === 'taken') return stream;
    stream.close();
    if (outcome === 'older') throw olderList();
    if (outcome === 'unserved' || outcome === 'silence' || outcome === 'renewal') return 'unserved';
    if (isKubeFault(outcome.fault, 'invalid')) return 'unserved';
    throw outcome.fault ?? new KubeFault('unavailable', `watching ${resource.plural}: the stream ended before all objects had come`);
  };

  /** Fills the store anew. @returns whether it did, and the stream that goes on from there where a watch-list did it */
  const fill = async (): Promise<{ readonly stream?: WatchStream } | undefined> => {
    const waitMs = listsDueMs - (listBurst - 1) * listEveryMs - clock.monotonicMs();
    if (waitMs > 0) await sleep(clock, waitMs, signal);
    if (signal.aborted) return undefined;
    health.counts.lists += 1;
    try {
      const stream = doesWatchLists ? await fillByWatch() : 'unserved';
      if (signal.aborted) return undefined;
      if (stream !== 'unserved') return { stream };
      if (doesWatchLists) log(`${resource.plural} are listed, since the API server does no watch-list of them`, {});
      doesWatchLists = false;
      const list = await kube.list(resource, { ...selection, signal });
      if (!take(list.items, list.resourceVersion)) throw olderList();
      return {};
    } catch (error) {
      if (signal.aborted) return undefined;
      if (health.counts.fills === 0 && options.failFirstList === true) throw error;
      await failed('listing', error);
      return undefined;
    }
  };

  /** What follows a stream that ended, after the wait that is due: another one from where it came to, or a new list. */
  const conclude = async (end: StreamEnd): Promise<'resume' | 'list'> => {
    const { fault, livedMs } = end;
    if (fault === undefined) {
      fruitless = 0;
      if (livedMs >= calmMs || signal.aborted) return 'resume';
      const short = new Error(`the API server ended the stream after ${Math.round(livedMs)} ms`);
      // One that lived at all is followed at once: each wait would be time that nothing is seen.
      if (livedMs >= steadyMs) health.failed('watching', short, livedMs);
      else await failed('watching', short);
      return 'resume';
    }
    if (isKubeFault(fault, 'expired')) {
      health.failed('watching', fault, livedMs);
      return 'list';
    }
    await failed('watching', fault, livedMs);
    // No failed call but a bug while an event was taken: its version is behind us, only a list brings the object. A kind that came back has another history.
    if (!isKubeFault(fault) || fault.code === 'kindMissing') return 'list';
    // 504 is also what a server says that has not come as far as our version.
    const isOfVersion = ['unreadable', 'invalid', 'notFound'].includes(fault.code) || fault.status === 504;
    fruitless = isOfVersion && end.events === 0 ? fruitless + 1 : 0;
    return fruitless >= fruitlessLimit ? 'list' : 'resume';
  };

  /** Opens the next stream while the old one goes on, so that nothing is missed and nothing waits. @returns undefined when only a list can help */
  const succeed = async (old: WatchStream): Promise<WatchStream | undefined> => {
    for (;;) {
      const next = resume();
      if (await next.opened) {
        old.close();
        return next;
      }
      if ((await conclude(await next.ended)) === 'list' || signal.aborted) return undefined;
    }
  };

  /** Watches from the store's version on, stream after stream, until only a new list can help. */
  const follow = async (first: WatchStream): Promise<void> => {
    let stream: WatchStream | undefined = first;
    while (stream !== undefined && !signal.aborted) {
      const current: WatchStream = stream;
      const news = await Promise.race([current.ended, current.due]);
      if (news === 'renewal') {
        stream = await succeed(current);
      } else if (news === 'silence') {
        health.failed('watching', new Error(`no event and no bookmark for ${stallMs / 1_000} s`), 0);
        bookmarks ??= false;
        fruitless = bookmarks && current.state().events === 0 ? fruitless + 1 : 0;
        stream = fruitless >= fruitlessLimit ? undefined : await succeed(current);
      } else {
        stream = (await conclude(news)) === 'resume' && !signal.aborted ? resume() : undefined;
      }
      if (stream === undefined) current.close();
    }
  };

  const run = async (): Promise<void> => {
    try {
      while (!signal.aborted) {
        const filled = await fill();
        if (filled !== undefined) await follow(filled.stream ?? resume());
      }
    } catch (error) {
      health.failed('listing', error, 0);
      rejectSynced(error);
    } finally {
      resolveSynced();
      await Promise.all([...streams.keys()].map((stream) => stream.ended));
    }
  };

  return {
    synced,
    plural: resource.plural,
    done: run(),
    state: () => ({ ...health.state(bookmarks !== false), handlerErrors: store.listenerErrors.count }),
  };
}
