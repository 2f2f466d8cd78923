import { Election } from '../controller/election.ts';
import { FlightLimit } from '../controller/flight-limit.ts';
import { Pace } from '../controller/pace.ts';
import { runWatch } from '../controller/watch.ts';
import { WorkQueue } from '../controller/work-queue.ts';
import { keyText } from '../kube/objects.ts';
import type { Reflector } from '../kube/reflector.ts';
import { createWorld, listKeys, onWorldChange, type World, watchWorld } from '../reconcile/world.ts';
import { type OperatorOptions, ownedBy } from './options.ts';

export interface WatchOperatorOptions extends OperatorOptions {
  /** Each Performer is looked at once in this time though nothing happened; 0: never. */
  readonly resyncMs: number;
  /** How long passes under way may take once `signal` aborted. */
  readonly drainMs: number;
}

export interface WatchOperator {
  readonly world: World;
  readonly queue: WorkQueue;
  readonly reflectors: readonly Reflector[];
  readonly isLeading: () => boolean;
  /** Runs until the signal aborts, then drains and gives the Lease back. Never rejects for a failed call. */
  run(): Promise<void>;
}

/** The operator that stays: caches fill from the start, `run` leads whenever the Lease is to be had. The same on every `KubeApi` and clock. */
export function createWatchOperator(options: WatchOperatorOptions): WatchOperator {
  const { clock, random, signal, log } = options;
  const world = createWorld(ownedBy(options));
  const queue = new WorkQueue(clock);
  const stopReflectors = new AbortController();
  const reflectors = watchWorld(world, {
    kube: options.cacheKube ?? options.kube,
    clock,
    namespace: options.namespace,
    signal: stopReflectors.signal,
    random,
    log: (message, fields) => log(message, fields),
  });
  const election = options.lease === undefined ? undefined : new Election({ lease: options.lease, clock, log });
  const reconcile = options.createReconcile({ world, mayWrite: () => election?.mayWrite() ?? true });
  // Kept from one term to the next: what was refused a moment ago is asked for once with a new Lease, and then as seldom as before.
  const pace = new Pace(random);
  let leading = false;

  const lead = async (stop: AbortSignal, lost?: AbortSignal): Promise<void> => {
    leading = true;
    pace.keepOnly(new Set([...listKeys(world)].map(keyText)));
    await runWatch({
      queue,
      reconcile,
      limit: new FlightLimit(options.workers),
      clock,
      random,
      pace,
      keys: () => listKeys(world),
      resyncMs: options.resyncMs,
      signal: stop,
      ...(lost === undefined ? {} : { lost }),
      drainMs: options.drainMs,
    });
    leading = false;
  };

  const run = async (): Promise<void> => {
    try {
      let filled = false;
      // Until the caches are filled there is nothing to drain.
      signal.addEventListener('abort', () => filled || stopReflectors.abort(), { once: true });
      if (signal.aborted) stopReflectors.abort();
      await Promise.all(reflectors.map((reflector) => reflector.synced));
      filled = true;
      if (!signal.aborted) log('caches filled', { performers: world.performers.list().length });
      // Who only stands by has nothing to queue: leading begins with every key.
      onWorldChange(world, (key) => leading && queue.add(key));
      if (election === undefined) {
        log('running without a Lease', { cause: '--leader-elect=false' });
        await lead(signal);
      } else await election.run(signal, lead);
    } finally {
      stopReflectors.abort();
    }
  };
  return { world, queue, reflectors, isLeading: () => election?.role === 'leader', run };
}
