import type { Clock } from '../lib/clock.ts';
import type { KubeObject, Resource } from './objects.ts';
import type { KubeApi, WatchEvent, WatchOptions } from './port.ts';

/** A stream that has lived this long makes the trouble before it past. */
export const calmMs = 5_000;
/** How long before the server ends a stream the next one is due. */
const renewalLeadMs = 10_000;

export interface StreamOptions<T extends KubeObject> {
  readonly kube: Pick<KubeApi, 'watch'>;
  readonly clock: Clock;
  readonly resource: Resource<T>;
  readonly watch: WatchOptions<T> & { readonly timeoutSeconds: number };
  readonly signal: AbortSignal;
  /** Given each event. What it throws ends the stream. */
  readonly take: (event: WatchEvent<T>) => void;
  /** How long the stream may bring nothing before it is suspect; asked again and again. */
  readonly silenceMs: () => number;
  /** It was opened, fell silent, was heard again, or ended. */
  readonly onTurn: () => void;
  /** It has lived for `calmMs`. */
  readonly onCalm: () => void;
}

export interface StreamEnd {
  /** From its opening to its end; 0 when it never opened. */
  readonly livedMs: number;
  readonly events: number;
  /** What ended it; undefined when the server or we ended it without a fault. */
  readonly fault: unknown;
}

/** Why a stream that still runs should be followed by the next one: its time is nearly over, or nothing comes though something should. */
export type StreamDue = 'renewal' | 'silence';

/** One watch, read in the background. No promise of it rejects. */
export interface WatchStream {
  /** Whether the server took it; false when it ended before. */
  readonly opened: Promise<boolean>;
  readonly ended: Promise<StreamEnd>;
  readonly due: Promise<StreamDue>;
  readonly state: () => { readonly isOpen: boolean; readonly isSilent: boolean; readonly events: number };
  /** Ends it; no event of it is given on after that. */
  readonly close: () => void;
}

/** Opens a watch and gives its events to `take` until it ends. */
export function openStream<T extends KubeObject>(options: StreamOptions<T>): WatchStream {
  const { kube, clock, resource, signal, silenceMs, onTurn } = options;
  const opened = Promise.withResolvers<boolean>();
  const due = Promise.withResolvers<StreamDue>();
  const abort = new AbortController();
  const close = (): void => abort.abort();
  let openedMs: number | undefined;
  let heardMs = 0;
  let isSilent = false;
  let hasEnded = false;
  let events = 0;
  const cancels: (() => void)[] = [];
  let cancelSilence = (): void => {};

  // One timer that looks how long ago the last event was, instead of one set anew by every event.
  const listen = (delayMs: number): void => {
    cancelSilence = clock.timer(delayMs, () => {
      const leftMs = heardMs + silenceMs() - clock.monotonicMs();
      if (leftMs > 0) return listen(leftMs);
      isSilent = true;
      listen(silenceMs());
      due.resolve('silence');
      onTurn();
    });
  };
  const begin = (): void => {
    if (openedMs !== undefined || abort.signal.aborted) return;
    openedMs = heardMs = clock.monotonicMs();
    listen(silenceMs());
    cancels.push(clock.timer(calmMs, options.onCalm));
    cancels.push(clock.timer(options.watch.timeoutSeconds * 1_000 - renewalLeadMs, () => due.resolve('renewal')));
    opened.resolve(true);
    onTurn();
  };
  const read = async (): Promise<unknown> => {
    try {
      for await (const event of kube.watch(resource, { ...options.watch, signal: abort.signal, onOpen: begin })) {
        if (abort.signal.aborted) break;
        begin();
        events += 1;
        heardMs = clock.monotonicMs();
        options.take(event);
        if (isSilent) {
          isSilent = false;
          onTurn();
        }
      }
      return undefined;
    } catch (error) {
      return abort.signal.aborted ? undefined : error;
    }
  };
  const run = async (): Promise<StreamEnd> => {
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
    const fault = await read();
    signal.removeEventListener('abort', close);
    hasEnded = true;
    cancelSilence();
    for (const cancel of cancels) cancel();
    opened.resolve(false);
    onTurn();
    return { livedMs: openedMs === undefined ? 0 : clock.monotonicMs() - openedMs, events, fault };
  };

  return {
    opened: opened.promise,
    due: due.promise,
    // Not in this turn: the caller holds what the callbacks speak of by then.
    ended: Promise.resolve().then(run),
    state: () => ({ isOpen: openedMs !== undefined && !hasEnded && !abort.signal.aborted, isSilent, events }),
    close,
  };
}
