import { describe, expect, it } from 'vitest';
import { isKubeFault } from '../../../src/kube/faults.ts';
import type { KubeObject, Resource } from '../../../src/kube/objects.ts';
import type { KubeApi, WatchEvent, WatchOptions } from '../../../src/kube/port.ts';
import { sleep } from '../../../src/lib/clock.ts';
import { TestOperator } from '../../support/operator.ts';

const minuteMs = 60_000;

/** The cluster of an operator whose watches tell everything `lagMs` late from now on, while reads and writes are prompt; each write that was tried is noted. */
function lagBehind(operator: TestOperator) {
  const { clock } = operator;
  const kube = operator.cluster.api();
  const lag = { lagMs: 0, deletesAtOnce: false };
  const tried: string[] = [];
  const refused: string[] = [];
  const note = async <T>(write: string, call: Promise<T>): Promise<T> => {
    tried.push(write);
    try {
      return await call;
    } catch (error) {
      if (isKubeFault(error)) refused.push(`${write}: ${error.code}`);
      throw error;
    }
  };
  async function* watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions<T>): AsyncGenerator<WatchEvent<T>> {
    const queue: { readonly event: WatchEvent<T>; readonly atMs: number }[] = [];
    let wake = (): void => {};
    let over = false;
    const pump = (async () => {
      for await (const event of kube.watch(resource, options)) {
        queue.push({ event, atMs: clock.monotonicMs() });
        wake();
      }
    })().finally(() => {
      over = true;
      wake();
    });
    pump.catch(() => {});
    let toldVersion = options.resourceVersion;
    for (;;) {
      const next = queue[0];
      const leftMs = next === undefined ? Number.POSITIVE_INFINITY : next.atMs + lag.lagMs - clock.monotonicMs();
      if (next !== undefined && leftMs <= 0) {
        queue.shift();
        toldVersion = (next.event.type === 'BOOKMARK' ? next.event.resourceVersion : next.event.object.metadata?.resourceVersion) ?? '';
        yield next.event;
      } else if (options.signal?.aborted === true || (next === undefined && over)) {
        return await pump;
      } else {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const quietMs = Math.min(leftMs, 30_000);
        const startMs = clock.monotonicMs();
        await Promise.race([woken, sleep(clock, quietMs, options.signal)]);
        // A server that lags says so: its bookmarks are as old as its events.
        if (clock.monotonicMs() - startMs >= 30_000 && toldVersion !== '') yield { type: 'BOOKMARK', resourceVersion: toldVersion };
      }
    }
  }
  const late: KubeApi = {
    list: (resource, options) => kube.list(resource, options),
    get: (resource, key, options) => kube.get(resource, key, options),
    watch,
    create: (resource, object, options) => note(`create ${resource.kind}`, kube.create(resource, object, options)),
    patch: (resource, key, patch, options) => note(`patch ${resource.kind}`, kube.patch(resource, key, patch, options)),
    delete: async (resource, key, options) => {
      const left = await note(`delete ${resource.kind}`, kube.delete(resource, key, options));
      if (!lag.deletesAtOnce) return left;
      operator.cluster.removePod(key);
      return undefined;
    },
    event: (event, options) => kube.event(event, options),
    serverNowMs: () => kube.serverNowMs(),
  };
  const count = (write: string): number => tried.filter((other) => other === write).length;
  return { kube: late, lag, refused, count };
}

describe('an operator whose watch lags for minutes', () => {
  it('never decides on a view older than its own last write: it makes nothing twice and takes nothing twice', async () => {
    const operator = new TestOperator();
    const { kube, lag, refused, count } = lagBehind(operator);
    const watch = await operator.watch(kube);
    lag.lagMs = 3 * minuteMs;
    await operator.ask('x');
    await operator.clock.advance(2.9 * minuteMs);
    expect(count('create Pod')).toBe(0);
    // It knows the Performer now; of its pod it knows what it wrote itself.
    await operator.clock.advance(2.9 * minuteMs);
    expect([count('create Pod'), count('create Service'), operator.status('x')?.ready]).toEqual([1, 1, false]);
    await operator.clock.advance(minuteMs);
    expect(operator.status('x')?.ready).toBe(true);

    operator.change('x', { image: 'avs:2' });
    await operator.clock.advance(20 * minuteMs);
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:2']);
    expect([count('create Pod'), count('create Service'), count('delete Pod')]).toEqual([2, 1, 1]);
    expect(refused).toEqual([]);
    await watch.stop();
  });

  it('does not see what went at once by its own delete', async () => {
    const operator = new TestOperator(1e9);
    const { kube, lag, refused, count } = lagBehind(operator);
    lag.deletesAtOnce = true;
    const watch = await operator.watch(kube);
    await operator.ask('x');
    await operator.clock.advance(5_000);
    lag.lagMs = 3 * minuteMs;
    operator.change('x', { image: 'avs:2' });
    await operator.clock.advance(10 * minuteMs);
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:2']);
    expect([count('create Pod'), count('create Service'), count('delete Pod')]).toEqual([2, 1, 1]);
    expect(refused).toEqual([]);
    await watch.stop();
  });
});
