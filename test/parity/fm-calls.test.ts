import { describe, expect, it } from 'vitest';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../src/kube/faults.ts';
import { pods } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { AutoKubelet } from '../support/auto-kubelet.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { interceptWrites, TestOperator } from '../support/operator.ts';
import { installCrd } from './support/crd.ts';
import { conditionOf, imageOf, keyOf, operatorOn, servedPerformer, serving, statusOf } from './support/world.ts';

/** The same API, every call but watches going through `before`, which may throw. */
function guard(kube: KubeApi, before: (verb: string, plural: string) => void): KubeApi {
  const guarded = interceptWrites(kube, { before });
  return {
    ...guarded,
    list: async (resource, options) => {
      before('list', resource.plural);
      return kube.list(resource, options);
    },
    get: async (resource, key, options) => {
      before('get', resource.plural);
      return kube.get(resource, key, options);
    },
    watch: (resource, options) => {
      before('watch', resource.plural);
      return kube.watch(resource, options);
    },
  };
}

describe('an API server that is away', () => {
  it('FM-8 is asked a few times a second at most, and back again finds its Performers served and nothing made twice', async () => {
    const operator = await servedPerformer();
    let away = false;
    let calls = 0;
    const kube = guard(operator.cluster.api(), () => {
      if (!away) return;
      calls += 1;
      throw new KubeFault('unreachable', 'connect ECONNREFUSED');
    });
    const { stop } = await operator.watch(kube);
    away = true;
    operator.cluster.endWatches(new KubeFault('unreachable', 'read ECONNRESET'));
    operator.change('x', { image: 'avs:2' });
    for (let minute = 0; minute < 10; minute += 1) await operator.clock.advance(60_000);
    // Four kinds are watched, each asked for every few seconds.
    expect(calls / 600).toBeLessThan(3);
    away = false;
    await operator.clock.advance(120_000);
    await stop();
    expect(operator.pods().map((pod) => [pod.metadata?.name, imageOf(pod)])).toEqual([[expect.stringMatching(/-1$/), 'avs:2']]);
    expect(statusOf(operator).ready).toBe(true);
  });

  it('FM-9 that took a write and gave no answer is looked at, and nothing is made twice', async () => {
    const operator = operatorOn();
    await operator.ask('x');
    let lost = 0;
    const kube = interceptWrites(operator.cluster.api(), {
      after: (verb) => {
        lost += 1;
        if (lost <= 3) throw new KubeFault('unknownOutcome', `${verb}: no answer`);
      },
    });
    await operator.once(60_000, kube);
    expect(operator.pods()).toHaveLength(1);
    expect(operator.services()).toHaveLength(1);
    expect(conditionOf(operator)?.reason).toBe('Serving');
  });

  it('FM-29 that asks for patience gets it', async () => {
    const operator = operatorOn();
    for (const name of ['a', 'b', 'c', 'd']) await operator.ask(name);
    let refused = 0;
    const times: number[] = [];
    const kube = interceptWrites(operator.cluster.api(), {
      before: () => {
        times.push(operator.clock.monotonicMs());
        if (times.length > 6) return;
        refused += 1;
        throw new KubeFault('throttled', 'too many requests', { status: 429, retryAfterMs: 5_000 });
      },
    });
    await operator.once(120_000, kube);
    expect(refused).toBe(6);
    expect(['a', 'b', 'c', 'd'].map((name) => operator.status(name)?.ready)).toEqual([true, true, true, true]);
    expect((times[6] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(5_000);
  });

  it('FM-31 that takes away a right is told of in status, and found out when the right is back', async () => {
    const operator = operatorOn();
    await operator.ask('x');
    let forbidden = true;
    const kube = guard(operator.cluster.api(), (verb, plural) => {
      if (forbidden && verb === 'create' && plural === 'pods')
        throw new KubeFault('forbidden', 'pods is forbidden: User "operator" cannot create resource "pods"', { status: 403 });
    });
    const { stop } = await operator.watch(kube);
    await operator.clock.advance(10_000);
    expect(conditionOf(operator)).toMatchObject({
      reason: 'WriteDenied',
      message: expect.stringContaining('cannot create resource "pods"'),
    });
    forbidden = false;
    await operator.clock.advance(1_200_000);
    await stop();
    expect(conditionOf(operator)?.reason).toBe('Serving');
  });

  it('FM-28 that does not serve EndpointSlices, or lets nobody read nodes, is rolled out on all the same', async () => {
    const operator = await servedPerformer();
    const kube = guard(operator.cluster.api(), (_verb, plural) => {
      if (plural === 'nodes') throw new KubeFault('forbidden', 'nodes is forbidden', { status: 403 });
      if (plural === 'endpointslices') throw new KubeFault('kindMissing', 'the server could not find the requested resource');
    });
    operator.change('x', { image: 'avs:2' });
    const { outcomes } = await operator.once(60_000, kube);
    expect(outcomes.map(({ outcome }) => outcome.reason)).toEqual(['Serving']);
    expect(operator.pods().map(imageOf)).toEqual(['avs:2']);
  });
});

describe('a watch', () => {
  /** Watches that say nothing from a moment on, though the connection stands. */
  const mute = (kube: KubeApi, isMute: () => boolean): KubeApi => ({
    ...interceptWrites(kube, {}),
    watch: (resource, options) => {
      const stream = kube.watch(resource, options);
      return (async function* silent() {
        for await (const event of stream) if (!isMute()) yield event;
      })();
    },
  });

  it('FM-10 that died without a word is given up, and what it missed is seen', async () => {
    const operator = await servedPerformer();
    let silent = false;
    const { stop } = await operator.watch(mute(operator.cluster.api(), () => silent));
    silent = true;
    operator.change('x', { image: 'avs:2' });
    for (let step = 0; step < 60; step += 1) await operator.clock.advance(10_000);
    await stop();
    expect(operator.pods().map(imageOf)).toEqual(['avs:2']);
  });

  it('FM-11 whose past is forgotten is begun anew, and a pod that went meanwhile is missed', async () => {
    const operator = await servedPerformer();
    const { stop } = await operator.watch();
    operator.cluster.endWatches(new KubeFault('expired', 'too old resource version', { status: 410 }));
    operator.cluster.removePod(keyOf('performer-x'));
    operator.cluster.compact();
    await operator.clock.advance(60_000);
    await stop();
    expect(serving(operator).map((pod) => pod.metadata?.name)).toEqual([expect.stringMatching(/-1$/)]);
  });

  it('FM-13 that lags behind for ten minutes leads to no second pod', async () => {
    const operator = operatorOn();
    let silent = false;
    const { stop, writes } = await operator.watch(mute(operator.cluster.api(), () => silent));
    await operator.ask('x');
    await operator.clock.advance(0);
    silent = true;
    for (let step = 0; step < 60; step += 1) await operator.clock.advance(10_000);
    await stop();
    expect(writes.create).toBe(2);
    expect(operator.pods()).toHaveLength(1);
    expect(writes.delete).toBe(0);
  });
});

describe('a view that is old', () => {
  it('FM-12 takes nothing away: whoever wrote in between is seen first', async () => {
    const operator = await servedPerformer();
    operator.change('x', { image: 'avs:2' });
    await operator.once();
    await operator.clock.advance(10_000);
    // The user takes it back in the very moment in which the old pod would be taken out of the Service.
    let reverted = false;
    const kube = interceptWrites(operator.cluster.api(), {
      before: () => {
        if (reverted) return;
        reverted = true;
        operator.change('x', { image: 'avs:1' });
      },
    });
    await operator.once(60_000, kube);
    expect(reverted).toBe(true);
    expect(operator.pods().map((pod) => [pod.metadata?.name, imageOf(pod)])).toEqual([['performer-x', 'avs:1']]);
  });
});

describe('clocks', () => {
  it.each([-300_000, 300_000])('FM-14 that differ by %i ms from that of the API server change nothing', async (skewMs) => {
    const operator = new TestOperator();
    const { clock } = operator;
    const server = { nowMs: () => clock.nowMs() + skewMs, monotonicMs: () => clock.monotonicMs(), timer: clock.timer.bind(clock) };
    const cluster = new MemoryCluster({ clock: server });
    new AutoKubelet(cluster.server, { ready: true, delayMs: 400 });
    installCrd(cluster, 'ours');
    Object.defineProperty(operator, 'cluster', { value: cluster });
    await operator.ask('x');
    const created = await operator.once(30_000);
    expect(created.writes).toEqual({ create: 2, patch: 1, delete: 0 });
    operator.change('x', { image: 'avs:2' });
    const rolled = await operator.once(60_000);
    expect(rolled.outcomes.map(({ outcome }) => outcome.reason)).toEqual(['Serving']);
    expect(operator.pods().map(imageOf)).toEqual(['avs:2']);
    expect((await operator.once()).writes).toEqual({ create: 0, patch: 0, delete: 0 });
  });
});

describe('operators of ours', () => {
  it('FM-15 two of which write at once make each pod once, and never leave a Performer without one', async () => {
    const operator = operatorOn();
    for (const name of ['x', 'y', 'z']) await operator.ask(name, { replicas: 2 });
    const [one, two] = [await operator.watch(), await operator.watch()];
    await operator.clock.advance(10_000);
    for (const name of ['x', 'y', 'z']) operator.change(name, { image: 'avs:2' });
    let fewest = 2;
    for (let step = 0; step < 400; step += 1) {
      await operator.clock.advance(100);
      fewest = Math.min(fewest, ...['x', 'y', 'z'].map((name) => serving(operator, name).length));
    }
    await one.stop();
    await two.stop();
    expect(fewest).toBeGreaterThanOrEqual(2);
    expect(operator.pods().map(imageOf)).toEqual(Array.from({ length: 6 }, () => 'avs:2'));
    expect(one.writes.create + two.writes.create).toBe(3 + 6 + 6);
  });

  it('FM-16 of which two run once side by side end in the same place as one', async () => {
    const alone = operatorOn();
    await alone.ask('x');
    await alone.once(30_000);
    const operator = operatorOn();
    await operator.ask('x');
    const runs = await Promise.all([operator.once(30_000), operator.once(30_000)]);
    expect(runs.flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome.kind))).toEqual(['settled', 'settled']);
    expect(runs.reduce((sum, { writes }) => sum + writes.create, 0)).toBe(2);
    expect(operator.shape()).toEqual(alone.shape());
  });

  it('FM-33 killed after any write of a rollout, the next one ends it in the same place', async () => {
    const whole = await servedPerformer();
    whole.change('x', { image: 'avs:2' });
    const { writes } = await whole.once(60_000);
    const total = writes.create + writes.patch + writes.delete;
    for (let last = 1; last <= total; last += 1) {
      const operator = await servedPerformer();
      operator.change('x', { image: 'avs:2' });
      let done = 0;
      const kube = interceptWrites(operator.cluster.api(), {
        before: () => {
          if (done === last) throw new Error('killed');
        },
        after: () => {
          done += 1;
        },
      });
      await operator.once(60_000, kube);
      expect(done).toBe(last);
      await operator.once(60_000);
      expect(operator.shape()).toEqual(whole.shape());
      expect(operator.status('x')).toMatchObject({ ready: true, updatedReplicas: 1, replicas: 1 });
    }
  });
});

describe('many Performers', () => {
  it('FM-30 come up together, in messages and lists of bounded size', async () => {
    const operator = operatorOn();
    for (let index = 0; index < 300; index += 1) await operator.ask(`p-${index}`);
    const { writes } = await operator.once(120_000);
    expect(writes).toEqual({ create: 600, patch: 300, delete: 0 });
    expect(operator.cluster.objects(pods)).toHaveLength(300);
    const sizes = operator.cluster.objects(performers).map((performer) => JSON.stringify(performer.status).length);
    expect(Math.max(...sizes)).toBeLessThan(4_000);
  });
});
