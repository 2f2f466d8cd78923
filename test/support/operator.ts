import { type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import { FlightLimit } from '../../src/controller/flight-limit.ts';
import { type OnceResult, runOnce } from '../../src/controller/once.ts';
import { runWatch } from '../../src/controller/watch.ts';
import { WorkQueue } from '../../src/controller/work-queue.ts';
import { countWrites, type WriteCounts } from '../../src/kube/counting.ts';
import { type Pod, pods, type Service, services } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { createDeps } from '../../src/reconcile/deps.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import { createWorld, listKeys, listWorld, onWorldChange, watchWorld } from '../../src/reconcile/world.ts';
import { AutoKubelet } from './auto-kubelet.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { settings } from './snapshots.ts';

const random = (): number => 0.5;

/** The real operator on a cluster in memory, with time that moves when a test says so. */
export class TestOperator {
  readonly clock = new FakeClock();
  readonly cluster: MemoryCluster;

  constructor(readyAfterMs = 400) {
    this.cluster = new MemoryCluster({ clock: this.clock });
    new AutoKubelet(this.cluster.server, { ready: true, delayMs: readyAfterMs });
    this.cluster.registerKind(performers, { statusSubresource: true, defaultStatus: { observedGeneration: -1 } });
  }

  ask(name: string, spec: Partial<PerformerSpecInput> = {}): Promise<unknown> {
    const full = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1', ...spec };
    const object = {
      apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
      kind: 'Performer',
      metadata: { name, namespace: 'default' },
      spec: full,
    };
    return this.cluster.api().create(performers, object);
  }

  change(name: string, spec: Partial<PerformerSpecInput>): void {
    this.cluster.update(performers, { namespace: 'default', name }, (performer) => ({
      ...performer,
      metadata: { ...performer.metadata, generation: (performer.metadata?.generation ?? 0) + 1 },
      spec: { ...(performer.spec as object), ...spec },
    }));
  }

  /** Runs `once`, letting time pass while it waits; `kube` stands between it and the cluster. */
  async once(waitMs = 0, kube: KubeApi = this.cluster.api()): Promise<OnceResult & { readonly writes: WriteCounts }> {
    const counted = countWrites(kube);
    const world = createWorld();
    const queue = new WorkQueue(this.clock);
    const stop = new AbortController();
    const { clock } = this;
    let reflectors: ReturnType<typeof watchWorld> = [];
    if (waitMs > 0) {
      reflectors = watchWorld(world, { kube: counted.kube, clock, namespace: undefined, signal: stop.signal, random });
      await this.letPass(Promise.all(reflectors.map((reflector) => reflector.synced)));
      onWorldChange(world, (key) => queue.add(key));
    } else {
      await listWorld(world, counted.kube, undefined, stop.signal);
    }
    const deps = createDeps({ kube: counted.kube, world, settings, mayWrite: () => true, log: () => undefined });
    const run = runOnce({
      queue,
      keys: listKeys(world),
      reconcile: (key, context) => reconcile(key, deps, context),
      limit: new FlightLimit(4),
      clock,
      random,
      waitMs,
      signal: stop.signal,
    });
    const result = await this.letPass(run);
    stop.abort();
    await this.letPass(Promise.all(reflectors.map((reflector) => reflector.done)));
    return { ...result, writes: counted.counts };
  }

  /** Starts `watch`; the returned function stops it. */
  async watch(kube: KubeApi = this.cluster.api()): Promise<{ stop: () => Promise<void>; writes: WriteCounts }> {
    const counted = countWrites(kube);
    const world = createWorld();
    const queue = new WorkQueue(this.clock);
    const stop = new AbortController();
    const { clock } = this;
    const reflectors = watchWorld(world, { kube: counted.kube, clock, namespace: undefined, signal: stop.signal, random });
    await this.letPass(Promise.all(reflectors.map((reflector) => reflector.synced)));
    onWorldChange(world, (key) => queue.add(key));
    const deps = createDeps({ kube: counted.kube, world, settings, mayWrite: () => true, log: () => undefined });
    const running = runWatch({
      queue,
      reconcile: (key, context) => reconcile(key, deps, context),
      limit: new FlightLimit(4),
      clock,
      random,
      keys: () => listKeys(world),
      signal: stop.signal,
      drainMs: 1_000,
    });
    return {
      writes: counted.counts,
      stop: async () => {
        stop.abort();
        await this.letPass(Promise.all([running, ...reflectors.map((reflector) => reflector.done)]));
      },
    };
  }

  /** Moves time on until the promise settles. */
  async letPass<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    promise.then(mark, mark);
    for (let steps = 0; !done; steps += 1) {
      if (steps > 20_000) throw new Error('nothing more happens');
      await this.clock.advance(steps < 5 ? 0 : 50);
    }
    return promise;
  }

  pods(): readonly Pod[] {
    return this.cluster.objects(pods);
  }

  services(): readonly Service[] {
    return this.cluster.objects(services);
  }

  status(name: string) {
    return this.cluster.find(performers, { namespace: 'default', name })?.status;
  }

  /** What any two clusters that did the same have in common. */
  shape(): unknown {
    const uidHash = (text: string | undefined): string | undefined => text?.replace(/-[0-9a-f]{4}-(\d+)$/, '-HASH-$1');
    return {
      pods: this.pods().map((pod) => ({ name: uidHash(pod.metadata?.name), labels: pod.metadata?.labels, spec: pod.spec })),
      services: this.services().map(({ metadata, spec }) => ({ name: metadata?.name, selector: spec?.selector, ports: spec?.ports })),
    };
  }
}

/** The same API; `before` is called ahead of each write and may throw in its place, `after` once it has happened. */
export function interceptWrites(
  kube: KubeApi,
  hooks: { before?: (verb: string, plural: string) => void | Promise<void>; after?: (verb: string) => void },
): KubeApi {
  return {
    list: (resource, options) => kube.list(resource, options),
    get: (resource, key, options) => kube.get(resource, key, options),
    watch: (resource, options) => kube.watch(resource, options),
    serverNowMs: () => kube.serverNowMs(),
    event: (event, options) => kube.event(event, options),
    create: async (resource, object, options) => {
      await hooks.before?.('create', resource.plural);
      const result = await kube.create(resource, object, options);
      hooks.after?.('create');
      return result;
    },
    patch: async (resource, key, patch, options) => {
      await hooks.before?.('patch', resource.plural);
      const result = await kube.patch(resource, key, patch, options);
      hooks.after?.('patch');
      return result;
    },
    delete: async (resource, key, options) => {
      await hooks.before?.('delete', resource.plural);
      const result = await kube.delete(resource, key, options);
      hooks.after?.('delete');
      return result;
    },
  };
}
