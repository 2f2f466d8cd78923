import { KubeFault } from '../../src/kube/faults.ts';
import type { WatchEvent, WatchOptions } from '../../src/kube/port.ts';
import { eventOf } from '../../src/sim/front.ts';
import type { MemoryServer } from '../../src/sim/memory-server.ts';
import type { Change } from '../../src/sim/memory-store.ts';
import type { Matcher } from '../../src/sim/selectors.ts';
import type { AnyObject } from '../../src/sim/stored-object.ts';

export interface MemoryWatchOptions
  extends Pick<WatchOptions, 'resourceVersion' | 'initialEvents' | 'onOpen' | 'timeoutSeconds' | 'signal'> {
  readonly kindId: string;
  readonly matches: Matcher;
}

interface Stream {
  readonly push: (event: WatchEvent<AnyObject>) => void;
  /** Ends the stream, with a fault or as a server does when its time is over. */
  readonly end: (fault?: KubeFault) => void;
}

/** All open watches of a memory cluster. */
export class MemoryWatches {
  readonly #server: MemoryServer;
  readonly #bookmarkMs: number;
  readonly #streams = new Set<Stream>();

  /** @param bookmarkMs how often each stream gets a bookmark */
  constructor(server: MemoryServer, bookmarkMs: number) {
    this.#server = server;
    this.#bookmarkMs = bookmarkMs;
  }

  /** Sends a bookmark on every open stream. */
  bookmark(): void {
    for (const stream of this.#streams) stream.push(this.#mark());
  }

  /** Ends every open stream. */
  endAll(fault?: KubeFault): void {
    for (const stream of this.#streams) stream.end(fault);
  }

  get open(): number {
    return this.#streams.size;
  }

  /** Events after the version; '' or '0' starts with the present state as ADDED events, and tells their end where that was asked for. */
  async *watch(options: MemoryWatchOptions): AsyncGenerator<WatchEvent<AnyObject>, void, undefined> {
    const queue: WatchEvent<AnyObject>[] = [];
    let over = false;
    let fault: KubeFault | undefined;
    let wake: () => void = () => undefined;
    const stream: Stream = {
      push: (event) => {
        queue.push(event);
        wake();
      },
      end: (reason) => {
        over = true;
        fault ??= reason;
        wake();
      },
    };
    const take = (change: Change): void => {
      const event = change.kindId === options.kindId ? eventOf(change, options.matches) : undefined;
      if (event !== undefined) stream.push(event);
    };
    const onAbort = (): void => stream.end(new KubeFault('aborted', `watching ${options.kindId}: the caller aborted`));

    if (options.resourceVersion === '' || options.resourceVersion === '0') {
      for (const object of this.#server.store.list(options.kindId)) if (options.matches(object)) stream.push({ type: 'ADDED', object });
      if (options.initialEvents === true) stream.push({ ...this.#mark(), initialEventsEnd: true });
    } else {
      for (const change of this.#server.store.changesAfter(Number(options.resourceVersion))) take(change);
    }
    let cancelBookmark = (): void => undefined;
    const remind = (): void => {
      cancelBookmark = this.#server.clock.timer(this.#bookmarkMs, () => {
        stream.push(this.#mark());
        remind();
      });
    };
    remind();
    const cancels = [this.#server.store.onChange(take), () => cancelBookmark()];
    if (options.timeoutSeconds !== undefined) cancels.push(this.#server.clock.timer(options.timeoutSeconds * 1_000, () => stream.end()));
    if (options.signal?.aborted === true) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    this.#streams.add(stream);
    options.onOpen?.();
    try {
      for (;;) {
        const aborted = options.signal?.aborted === true;
        const event = aborted ? undefined : queue.shift();
        if (event !== undefined) yield event;
        else if (over) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      if (fault !== undefined) throw fault;
    } finally {
      for (const cancel of cancels) cancel();
      options.signal?.removeEventListener('abort', onAbort);
      this.#streams.delete(stream);
    }
  }

  #mark() {
    return { type: 'BOOKMARK', resourceVersion: String(this.#server.store.revision) } as const;
  }
}
