import { describe, expect, it } from 'vitest';
import type { Reconcile } from '../../../src/controller/outcome.ts';
import { isInShard, type Shard } from '../../../src/controller/shard.ts';
import { type KubeObject, keyOf, leases, type ObjectKey, pods, type Resource } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { createOperatorLease } from '../../../src/operator/lease.ts';
import { operateOnce } from '../../../src/operator/once.ts';
import type { OperatorOptions, ReconcileParts } from '../../../src/operator/options.ts';
import { createWatchOperator } from '../../../src/operator/watch.ts';
import { createDeps } from '../../../src/reconcile/deps.ts';
import { reconcile } from '../../../src/reconcile/reconcile.ts';
import { TestOperator } from '../../support/operator.ts';
import { settings } from '../../support/snapshots.ts';

const names = Array.from({ length: 12 }, (_, at) => `p${at}`);
const isOf = (shard: Shard) => (name: string) => isInShard({ namespace: 'default', name }, shard);
const namesOf = (shard: Shard): readonly string[] => names.filter(isOf(shard)).toSorted();

interface Write {
  readonly by: string;
  readonly performer: string;
  readonly atMs: number;
}

/** A cluster and what each process wrote there, the Leases left out. */
class Place extends TestOperator {
  readonly writes: Write[] = [];

  writesOf(by: string): readonly string[] {
    return [...new Set(this.writes.filter((write) => write.by === by).map(({ performer }) => performer))].toSorted();
  }

  /** The API as that process has it; a process that was killed makes no call any more. */
  apiOf(by: string, life: { killed: boolean }): KubeApi {
    const kube = this.cluster.api();
    const note = (resource: Resource<KubeObject>, { name }: ObjectKey): void => {
      if (resource.plural === leases.plural) return;
      const performer = name.replace(/^performer-/, '').replace(/-[0-9a-f]{4}-\d+$/, '');
      this.writes.push({ by, performer, atMs: this.clock.monotonicMs() });
    };
    const call = <T>(run: () => Promise<T>): Promise<T> => (life.killed ? new Promise(() => undefined) : run());
    const write = <T>(resource: Resource<KubeObject>, key: ObjectKey, run: () => Promise<T>): Promise<T> =>
      call(() => {
        note(resource, key);
        return run();
      });
    return {
      list: (...args) => call(() => kube.list(...args)),
      get: (...args) => call(() => kube.get(...args)),
      watch: (...args) => kube.watch(...args),
      event: (...args) => call(() => kube.event(...args)),
      serverNowMs: () => kube.serverNowMs(),
      create: (resource, object, options) => write(resource, keyOf(object), () => kube.create(resource, object, options)),
      patch: (resource, key, patch, options) => write(resource, key, () => kube.patch(resource, key, patch, options)),
      delete: (resource, key, options) => write(resource, key, () => kube.delete(resource, key, options)),
    };
  }

  optionsOf(by: string, shard: Shard | undefined, life: { killed: boolean }): Omit<OperatorOptions, 'createReconcile' | 'signal'> {
    const kube = this.apiOf(by, life);
    const { clock } = this;
    const random = (): number => 0.5;
    const lease = createOperatorLease({ kube, clock, namespace: 'default', shard, identity: by, random });
    return { kube, clock, random, namespace: undefined, shard, workers: 4, lease, log: () => undefined };
  }

  start(by: string, shard: Shard | undefined) {
    const stop = new AbortController();
    const life = { killed: false };
    const options = this.optionsOf(by, shard, life);
    const operator = createWatchOperator({
      ...options,
      signal: stop.signal,
      resyncMs: 0,
      drainMs: 1_000,
      createReconcile: (parts) => reconcileOn(options.kube, parts),
    });
    const running = operator.run();
    return {
      operator,
      kill: (): void => {
        life.killed = true;
      },
      stop: async (): Promise<void> => {
        stop.abort();
        await this.letPass(running);
      },
    };
  }

  async runOnce(by: string, shard: Shard) {
    const options = this.optionsOf(by, shard, { killed: false });
    const outcome = await this.letPass(
      operateOnce({
        ...options,
        signal: new AbortController().signal,
        waitMs: 30_000,
        dryRun: false,
        onUnavailable: () => undefined,
        createRun: (parts) => ({ reconcile: reconcileOn(options.kube, parts), end: () => Promise.resolve() }),
      }),
    );
    await this.letPass(outcome.release());
    return outcome;
  }

  /** Names of the Performers that serve that image. */
  serving(image: string): readonly string[] {
    return names.filter((name) => {
      const { ready, podName } = (this.status(name) ?? {}) as { readonly ready?: boolean; readonly podName?: string };
      const pod = this.cluster.find(pods, { namespace: 'default', name: podName ?? '' });
      return ready === true && pod?.spec?.containers[0]?.image === image;
    });
  }
}

function reconcileOn(kube: KubeApi, parts: ReconcileParts): Reconcile {
  const deps = createDeps({ ...parts, kube, settings, log: () => undefined });
  return (key, context) => reconcile(key, deps, context);
}

const first = { index: 1, count: 2 };
const second = { index: 2, count: 2 };

async function setUp() {
  const place = new Place();
  for (const name of names) await place.ask(name, { drainSeconds: 1 });
  return place;
}

const change = (place: Place, image: string): void => {
  for (const name of names) place.change(name, { image });
};

describe('two shards', () => {
  it('share the Performers out: each keeps and writes its own alone, and together they do all', async () => {
    const place = await setUp();
    const processes = [place.start('one', first), place.start('two', second)];
    await place.clock.advance(10_000);
    change(place, 'avs:2');
    await place.clock.advance(20_000);
    expect(place.serving('avs:2')).toEqual(names);
    expect(place.writesOf('one')).toEqual(namesOf(first));
    expect(place.writesOf('two')).toEqual(namesOf(second));
    expect(processes.map(({ operator: { world } }) => world.performers.list().length)).toEqual([
      namesOf(first).length,
      namesOf(second).length,
    ]);
    for (const { stop } of processes) await stop();
    expect(place.clock.pending).toBe(0);
  });

  it('do not depend on each other: of one that is killed only its own Performers wait, until another process takes its place', async () => {
    const place = await setUp();
    const one = place.start('one', first);
    const two = place.start('two', second);
    await place.clock.advance(10_000);
    one.kill();
    change(place, 'avs:2');
    await place.clock.advance(60_000);
    expect(place.serving('avs:2').toSorted()).toEqual(namesOf(second));
    const next = place.start('next', first);
    await place.clock.advance(30_000);
    expect(place.serving('avs:2')).toEqual(names);
    expect(place.writesOf('next')).toEqual(namesOf(first));
    await next.stop();
    await two.stop();
  });

  it('have one process at a time each', async () => {
    const place = await setUp();
    const one = place.start('one', first);
    const standby = place.start('standby', first);
    await place.clock.advance(20_000);
    expect([one, standby].map(({ operator }) => operator.isLeading())).toEqual([true, false]);
    expect(place.writesOf('standby')).toEqual([]);
    await one.stop();
    await place.clock.advance(3_000);
    expect(standby.operator.isLeading()).toBe(true);
    await standby.stop();
  });
});

describe('another count of shards', () => {
  it.each<{ name: string; next: readonly (Shard | undefined)[] }>([
    { name: 'more', next: [1, 2, 3].map((index) => ({ index, count: 3 })) },
    { name: 'one operator of all', next: [undefined] },
  ])('$name, works only after the last shard of the old one stopped, in whatever order they are changed', async ({ next }) => {
    const place = await setUp();
    const [one, two] = [place.start('one', first), place.start('two', second)];
    await place.clock.advance(10_000);
    const started = next.map((shard, at) => place.start(`next-${at}`, shard));
    const isAnyLeading = (): boolean => started.some(({ operator }) => operator.isLeading());
    await place.clock.advance(60_000);
    expect(isAnyLeading()).toBe(false);
    await one.stop();
    change(place, 'avs:2');
    await place.clock.advance(60_000);
    expect(isAnyLeading()).toBe(false);
    expect(place.serving('avs:2').toSorted()).toEqual(namesOf(second));
    await two.stop();
    const stoppedMs = place.clock.monotonicMs();
    await place.clock.advance(30_000);
    expect(place.serving('avs:2')).toEqual(names);
    const early = place.writes.filter(({ by, atMs }) => by.startsWith('next') && atMs < stoppedMs + 10_000);
    expect(early).toEqual([]);
    for (const { stop } of started) await stop();
  });

  it('does not work beside one operator of all either', async () => {
    const place = await setUp();
    const all = place.start('all', undefined);
    await place.clock.advance(10_000);
    const one = place.start('one', first);
    await place.clock.advance(60_000);
    expect([all, one].map(({ operator }) => operator.isLeading())).toEqual([true, false]);
    expect(place.writesOf('one')).toEqual([]);
    await all.stop();
    await one.stop();
  });
});

describe('once of a shard', () => {
  it('does its own part and tells of that alone; the next one goes on beside it', async () => {
    const place = await setUp();
    const outcome = await place.runOnce('one', first);
    expect(outcome.writer).toBe('this');
    expect(outcome.outcomes.map(({ key }) => key.name)).toEqual(namesOf(first));
    expect(place.serving('avs:1').toSorted()).toEqual(namesOf(first));
    expect((await place.runOnce('two', second)).performers).toBe(namesOf(second).length);
    expect(place.serving('avs:1')).toEqual(names);
    expect(place.writesOf('two')).toEqual(namesOf(second));
  });

  it('only looks where shards of another count work', async () => {
    const place = await setUp();
    const one = place.start('one', first);
    await place.clock.advance(5_000);
    const outcome = await place.runOnce('other', { index: 1, count: 3 });
    expect(outcome.writer).toBe('shards-of-2');
    expect(place.writesOf('other')).toEqual([]);
    await one.stop();
  });
});
