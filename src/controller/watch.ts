import type { ObjectKey } from '../kube/objects.ts';
import { type RunParts, runController } from './controller.ts';
import { runResync } from './resync.ts';

export interface WatchRunOptions extends RunParts {
  /** All keys there are: looked at when the run starts, and again by `resyncMs`. */
  readonly keys: () => Iterable<ObjectKey>;
  /** Each key is looked at once in this time though nothing happened; default: never. */
  readonly resyncMs?: number;
  /** SIGTERM, or a lost Lease: no new pass starts. */
  readonly signal: AbortSignal;
  /** How long passes under way may take after that, before their calls are aborted. */
  readonly drainMs: number;
  /** The right to write is gone: passes under way are aborted at once. */
  readonly lost?: AbortSignal;
}

/** Runs until `signal` or `lost` aborts; after `signal` the passes under way may end within `drainMs`. */
export async function runWatch(options: WatchRunOptions): Promise<void> {
  const { clock, drainMs, queue, keys, lost } = options;
  const end = new AbortController();
  const abort = new AbortController();
  let cancelDrain: () => void = () => undefined;
  const drain = (): void => {
    end.abort();
    cancelDrain = clock.timer(drainMs, () => abort.abort(new Error('shutting down')));
  };
  const lose = (): void => {
    end.abort();
    abort.abort(new Error('the Lease is lost'));
  };
  options.signal.addEventListener('abort', drain, { once: true });
  lost?.addEventListener('abort', lose, { once: true });
  if (lost?.aborted === true) lose();
  else if (options.signal.aborted) drain();

  for (const key of keys()) queue.add(key, 'background');
  const resync = runResync({ queue, clock, keys, everyMs: options.resyncMs ?? 0, signal: end.signal });
  try {
    await runController({ ...options, until: end.signal, abort: abort.signal });
  } finally {
    options.signal.removeEventListener('abort', drain);
    lost?.removeEventListener('abort', lose);
    cancelDrain();
    end.abort();
    await resync;
  }
}
