import { type Clock, sleep } from '../lib/clock.ts';
import { isKubeFault } from './faults.ts';
import type { KubeObject, Resource } from './objects.ts';
import type { KubeApi } from './port.ts';
import { reflectorBackoffMs } from './reflector-backoff.ts';
import type { ObjectStore } from './store.ts';

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
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface ReflectorState {
  /** The first list is in the store. */
  readonly synced: boolean;
  /** Monotonic time of the last list, event or bookmark; of the start before the first. */
  readonly lastActivityMs: number;
  /** Lists that succeeded. */
  readonly lists: number;
  /** Watches that were opened after the first. */
  readonly restarts: number;
  /** What went wrong last; absent once a list or a watch event came through after it. */
  readonly lastFault?: string;
}

export interface Reflector {
  /** Resolves when the first list is in the store, or when the signal aborts. Rejects only with `failFirstList`. */
  readonly synced: Promise<void>;
  state(): ReflectorState;
  /** Resolves when the reflector has ended; never rejects. */
  readonly done: Promise<void>;
}

/** No event and no bookmark for this long: the stream is dead, whatever the connection says. API servers send a bookmark each minute. */
const stallMs = 75_000;
/** A stream that lived this long proves that the server is well again. */
const healthyStreamMs = 60_000;
/** A stream that ends sooner without a word is a failure, not an end. */
const shortStreamMs = 5_000;
/** So many watches in a row that brought nothing though the server answered: the version they start from may be one it cannot serve. */
const fruitlessLimit = 3;

/**
 * Keeps `store` equal to what the API server has: list, then watch from there, resumed wherever it ends and listed anew when the
 * server has forgotten the version. Never gives up before `signal` aborts; `state` tells how fresh the store is.
 */
export function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector {
  const { kube, clock, resource, store, signal, random } = options;
  const selection = {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
  const { promise: synced, resolve: resolveSynced, reject: rejectSynced } = Promise.withResolvers<void>();
  synced.catch(() => undefined); // whoever does not ask must not be killed by an unhandled rejection
  let isSynced = false;
  let lastActivityMs = clock.monotonicMs();
  let lists = 0;
  let watches = 0;
  let lastFault: string | undefined;
  /** Faults since a stream last lived long. */
  let failures = 0;

  const active = (): void => {
    lastActivityMs = clock.monotonicMs();
    lastFault = undefined;
  };

  const failed = async (doing: string, error: unknown): Promise<void> => {
    failures += 1;
    lastFault = error instanceof Error ? error.message : String(error);
    const fault = isKubeFault(error) ? error : undefined;
    const delayMs = reflectorBackoffMs(failures, fault, random());
    options.log?.(`${doing} ${resource.plural} failed`, { error: lastFault, code: fault?.code, failures, delayMs });
    await sleep(clock, delayMs, signal);
  };

  /** Whether the store holds a new list. */
  const list = async (): Promise<boolean> => {
    try {
      store.replace(await kube.list(resource, { ...selection, signal }));
      lists += 1;
      active();
      isSynced = true;
      resolveSynced();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!isSynced && options.failFirstList === true) throw error;
      await failed('listing', error);
      return false;
    }
  };

  /** Watches once, until the stream ends for whatever reason. */
  const watch = async (): Promise<WatchEnd> => {
    const openedMs = clock.monotonicMs();
    let events = 0;
    let lastEventMs = openedMs;
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    let stalled = false;
    let cancelStall: () => void = () => undefined;
    // One timer that looks how long ago the last event was, instead of one set anew by every event.
    const armStall = (delayMs: number): void => {
      cancelStall = clock.timer(delayMs, () => {
        const leftMs = lastEventMs + stallMs - clock.monotonicMs();
        if (leftMs > 0) return armStall(leftMs);
        stalled = true;
        abort.abort(new Error(`no event and no bookmark for ${stallMs} ms`));
      });
    };
    armStall(stallMs);
    watches += 1;
    let fault: unknown;
    try {
      const timeoutSeconds = 290 + Math.floor(random() * 290);
      const stream = kube.watch(resource, { ...selection, resourceVersion: store.resourceVersion, timeoutSeconds, signal: abort.signal });
      for await (const event of stream) {
        events += 1;
        store.apply(event);
        active();
        lastEventMs = lastActivityMs;
      }
    } catch (error) {
      fault = error;
    } finally {
      cancelStall();
      signal.removeEventListener('abort', onAbort);
    }
    return { livedMs: clock.monotonicMs() - openedMs, events, stalled, fault };
  };

  /** Watches from the store's version, again and again, until only a new list can help. */
  const watchUntilLost = async (): Promise<void> => {
    let fruitless = 0;
    while (!signal.aborted) {
      const end = await watch();
      if (signal.aborted) return;
      if (end.livedMs >= healthyStreamMs) failures = 0;
      if (end.stalled) {
        lastFault = `watching ${resource.plural}: no event and no bookmark for ${stallMs / 1_000} s`;
        options.log?.(`watch of ${resource.plural} stalled`, { resourceVersion: store.resourceVersion });
      } else if (isKubeFault(end.fault, 'expired')) {
        // The first time the list is due at once; a version that expires again and again must not become a storm of lists.
        if (failures > 0) return failed('watching', end.fault);
        failures += 1;
        return;
      } else if (end.fault !== undefined) {
        await failed('watching', end.fault);
        // Not a failed call but a bug while an event was taken: its version is behind us, only a list brings the object.
        if (!isKubeFault(end.fault)) return;
      } else if (end.livedMs < shortStreamMs) {
        await failed('watching', new Error(`the stream of ${resource.plural} ended after ${Math.round(end.livedMs)} ms`));
      }
      fruitless = end.events > 0 || isKubeFault(end.fault, 'unreachable') || isCleanEnd(end) ? 0 : fruitless + 1;
      if (fruitless >= fruitlessLimit) return;
    }
  };

  const run = async (): Promise<void> => {
    try {
      while (!signal.aborted) if (await list()) await watchUntilLost();
    } catch (error) {
      lastFault = error instanceof Error ? error.message : String(error);
      rejectSynced(error);
    } finally {
      resolveSynced();
    }
  };

  return {
    synced,
    done: run(),
    state: () => ({
      synced: isSynced,
      lastActivityMs,
      lists,
      restarts: Math.max(0, watches - 1),
      ...(lastFault === undefined ? {} : { lastFault }),
    }),
  };
}

interface WatchEnd {
  readonly livedMs: number;
  readonly events: number;
  readonly stalled: boolean;
  readonly fault: unknown;
}

function isCleanEnd(end: WatchEnd): boolean {
  return !end.stalled && end.fault === undefined && end.livedMs >= shortStreamMs;
}
