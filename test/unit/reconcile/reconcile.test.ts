import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../../src/api/v1alpha1/naming.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import { KubeFault } from '../../../src/kube/faults.ts';
import { type Node, nodes, pods, services } from '../../../src/kube/objects.ts';
import type { EventRecord, KubeApi } from '../../../src/kube/port.ts';
import { sleep } from '../../../src/lib/clock.ts';
import { formatTime } from '../../../src/lib/time.ts';
import { interceptWrites, TestOperator } from '../../support/operator.ts';

const kinds = (result: { outcomes: readonly { outcome: { kind: string; reason: string } }[] }): string[] =>
  result.outcomes.map(({ outcome }) => `${outcome.kind} ${outcome.reason}`);
const key = (name: string) => ({ namespace: 'default', name });

/** A world that went through a change of image and a lost pod, in one mode. */
async function live(mode: 'once' | 'watch'): Promise<TestOperator> {
  const operator = new TestOperator();
  await operator.ask('x');
  await operator.ask('y', { config: { grpcPort: 9000 } });
  const watch = mode === 'watch' ? await operator.watch() : undefined;
  const converge = async (): Promise<void> => {
    if (watch === undefined) expect(kinds(await operator.once(60_000))).toEqual(['settled Serving', 'settled Serving']);
    else await operator.clock.advance(20_000);
  };
  await converge();
  operator.change('x', { image: 'avs:2' });
  await converge();
  operator.cluster.removePod(key('performer-y'));
  await converge();
  await watch?.stop();
  return operator;
}

/** The same API, with the number of objects that were made through it. */
function countingCreates(kube: KubeApi): { readonly behind: KubeApi; readonly made: () => number } {
  let made = 0;
  const behind = interceptWrites(kube, {
    after: (verb) => {
      if (verb === 'create') made += 1;
    },
  });
  return { behind, made: () => made };
}

describe('reconcile', () => {
  it('converges by three writes and then writes nothing', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const first = await operator.once(30_000);
    expect(kinds(first)).toEqual(['settled Serving']);
    expect(first.writes).toEqual({ create: 2, patch: 1, delete: 0 });
    expect(operator.status('x')).toMatchObject({ ready: true, podName: 'performer-x', observedGeneration: 1 });
    const second = await operator.once();
    expect(kinds(second)).toEqual(['settled Serving']);
    expect(second.passes).toBe(1);
    expect(second.writes).toEqual({ create: 0, patch: 0, delete: 0 });
  });

  it('says in status what it leaves waiting when the run ends', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const { writes, ...result } = await operator.once();
    expect(kinds(result)).toEqual(['waiting Starting']);
    expect(writes).toEqual({ create: 2, patch: 1, delete: 0 });
    expect(operator.status('x')).toMatchObject({ ready: false, phase: 'Pending' });
  });

  it('needs one write more when the pod takes longer than a moment', async () => {
    const operator = new TestOperator(10_000);
    await operator.ask('x');
    expect((await operator.once(30_000)).writes).toEqual({ create: 2, patch: 2, delete: 0 });
  });

  it('ends in the same objects in both modes', async () => {
    const [once, watch] = [await live('once'), await live('watch')];
    expect(watch.shape()).toEqual(once.shape());
    expect(once.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:2', 'avs:1']);
    expect(once.services().map((service) => service.spec?.ports?.map((port) => port.port))).toEqual([[8080], [9000]]);
  });

  it('in watch mode writes three times per Performer, and nothing once settled', async () => {
    const operator = new TestOperator();
    const watch = await operator.watch();
    for (const name of ['a', 'b', 'c']) await operator.ask(name);
    await operator.clock.advance(5_000);
    expect(watch.writes).toEqual({ create: 6, patch: 3, delete: 0 });
    await operator.clock.advance(600_000);
    expect(watch.writes).toEqual({ create: 6, patch: 3, delete: 0 });
    await watch.stop();
  });

  it('never leaves a Performer without a ready pod in service during a rollout', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const watch = await operator.watch();
    await operator.clock.advance(3_000);
    operator.change('x', { image: 'avs:2' });
    for (let steps = 0; steps < 300; steps += 1) {
      await operator.clock.advance(50);
      const serving = operator
        .pods()
        .filter((pod) => pod.metadata?.labels?.[labels.performer] === 'x' && pod.metadata.deletionTimestamp === undefined)
        .filter((pod) => pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'));
      expect(serving.length).toBeGreaterThan(0);
    }
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:2']);
    await watch.stop();
  });

  it('ends in the same place whatever write it dies after', async () => {
    const reference = new TestOperator();
    await reference.ask('x');
    await reference.once(60_000);
    reference.change('x', { image: 'avs:2', config: { grpcPort: 9000 } });
    const { writes } = await reference.once(60_000);
    const total = writes.create + writes.patch + writes.delete;
    expect(total).toBeGreaterThanOrEqual(5);

    for (let deaths = 1; deaths <= total; deaths += 1) {
      const operator = new TestOperator();
      await operator.ask('x');
      await operator.once(60_000);
      operator.change('x', { image: 'avs:2', config: { grpcPort: 9000 } });
      let count = 0;
      const dies = interceptWrites(operator.cluster.api(), {
        before: () => {
          if (count >= deaths) throw new Error('dead');
        },
        after: () => {
          count += 1;
          if (count === deaths) throw new Error('died after the write');
        },
      });
      await operator.once(60_000, dies);
      expect(count).toBe(deaths);
      expect(kinds(await operator.once(60_000))).toEqual(['settled Serving']);
      // Dying between the creation of a pod and the status may cost one more pod, never another result.
      expect(operator.shape()).toEqual(reference.shape());
    }
  });

  it('looks again when an answer is lost, and makes nothing twice', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    let lost = 0;
    const kube = operator.cluster.api();
    const lossy = {
      ...interceptWrites(kube, {}),
      create: async (...call: Parameters<typeof kube.create>) => {
        const result = await kube.create(...call);
        lost += 1;
        if (lost <= 2) throw new KubeFault('unknownOutcome', 'creating: no answer');
        return result;
      },
    } as typeof kube;
    expect(kinds(await operator.once(30_000, lossy))).toEqual(['settled Serving']);
    expect(operator.pods()).toHaveLength(1);
    expect(operator.services()).toHaveLength(1);
  });

  it('makes no pod in the place of another for a Performer that is gone, whatever its own view says', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(60_000);
    const kube = operator.cluster.api();
    const before = await kube.list(performers);
    operator.cluster.remove(performers, key('x'));
    await operator.clock.advance(60_000);
    const list: typeof kube.list = (resource, options) =>
      resource.plural === 'performers' ? Promise.resolve(before as never) : kube.list(resource, options);
    const { behind, made } = countingCreates(kube);
    await operator.once(0, { ...behind, list } as typeof kube);
    expect(made()).toBe(0);
    expect([operator.pods(), operator.services()]).toEqual([[], []]);
  });

  it.each([
    { of: 'that was told of', told: true, shown: true },
    { of: 'that was never told of', told: false, shown: true },
    { of: 'of which nothing is seen', told: false, shown: false },
  ])('makes nothing anew for a Performer $of and that is gone', async ({ told, shown }) => {
    const operator = new TestOperator();
    await operator.ask('x');
    const kube = operator.cluster.api();
    const asked = await kube.list(performers);
    await operator.once(60_000);
    // A Performer whose start was quiet has a pod before it has a status.
    const before = [told ? await kube.list(performers) : asked, await kube.list(pods)];
    const none = { ...before[1], items: [] };
    operator.cluster.remove(performers, key('x'));
    await operator.clock.advance(60_000);
    const list: typeof kube.list = (resource, options) => {
      const old = options?.labelSelector?.includes(labels.performer) ? undefined : before.find(({ items }) => items[0] !== undefined);
      if (resource.plural === 'services' || old === undefined) return kube.list(resource, options);
      return Promise.resolve((resource.plural === 'pods' ? (shown ? before[1] : none) : before[0]) as never);
    };
    const { behind, made } = countingCreates(kube);
    await operator.once(0, { ...behind, list } as typeof kube);
    expect(made()).toBe(0);
    expect(operator.services()).toEqual([]);
  });

  it('takes nothing away later because an Event gets no answer', async () => {
    const operator = new TestOperator();
    await operator.ask('x', { replicas: 2, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
    await operator.once(60_000);
    operator.change('x', { image: 'avs:2' });
    const kube = interceptWrites(operator.cluster.api(), {});
    // Of which an Event tells; what is old goes on making room.
    const create = (() => Promise.reject(new KubeFault('forbidden', 'exceeded quota: tight', { status: 403 }))) as typeof kube.create;
    const proofsMs: number[] = [];
    const takenMs: number[] = [];
    const list = (async (resource, options) => {
      if (options?.labelSelector?.includes('=x') === true) proofsMs.push(operator.clock.nowMs());
      return await kube.list(resource, options);
    }) as typeof kube.list;
    const patch = (async (resource, target, change, options) => {
      if (JSON.stringify(change).includes('withdrawn-at')) takenMs.push(operator.clock.nowMs() - (proofsMs.at(-1) ?? 0));
      return await kube.patch(resource, target, change, options);
    }) as typeof kube.patch;
    await operator.once(60_000, { ...kube, create, list, patch, event: () => sleep(operator.clock, 30_000) } as typeof kube);
    expect(takenMs).toHaveLength(1);
    expect(takenMs[0]).toBeLessThan(1_000);
  });

  it('under Recreate makes no pod beside one that another took out of the Service unseen', async () => {
    const operator = new TestOperator();
    await operator.ask('x', { replicas: 2, strategy: { type: 'Recreate' }, drainSeconds: 30 });
    await operator.once(60_000);
    operator.cluster.removePod(key('performer-x'));
    await operator.once(60_000);
    const [out, kept] = operator.pods().map(({ metadata }) => metadata?.name ?? '') as [string, string];
    operator.cluster.update(pods, key(out), ({ metadata, ...pod }) => ({
      ...pod,
      metadata: {
        ...metadata,
        labels: Object.fromEntries(Object.entries(metadata?.labels ?? {}).filter(([label]) => label !== labels.performer)),
        annotations: { ...metadata?.annotations, [annotations.withdrawnAt]: formatTime(operator.clock.nowMs()) },
      },
    }));
    const kube = operator.cluster.api();
    const list = (async (resource, options) => {
      const found = await kube.list(resource, options);
      const isOld = resource.plural === 'pods' && options?.labelSelector?.includes('=x') !== true;
      return isOld ? { ...found, items: found.items.filter(({ metadata }) => metadata?.name === kept) } : found;
    }) as typeof kube.list;
    const { behind, made } = countingCreates(kube);
    await operator.once(0, { ...behind, list } as typeof kube);
    await operator.once(10_000, { ...behind, list } as typeof kube);
    expect(made()).toBe(0);
    expect(operator.pods().map(({ metadata }) => metadata?.name)).toEqual([out, kept]);
  });

  it('gives callers the whole drain, however long the proof before the withdrawal took', async () => {
    const operator = new TestOperator();
    await operator.ask('x', { drainSeconds: 5 });
    await operator.once(60_000);
    operator.change('x', { image: 'avs:2' });
    const withdrawnMs = new Map<string, number>();
    const drainedMs: number[] = [];
    const kube = interceptWrites(operator.cluster.api(), {
      // The status patch that proves the withdrawal is slow.
      before: async (_verb, plural) => (plural === 'performers' ? sleep(operator.clock, 8_000) : undefined),
    });
    const patch: typeof kube.patch = async (resource, target, ...rest) => {
      const patched = await kube.patch(resource, target, ...rest);
      if (JSON.stringify(rest[0]).includes('withdrawn-at')) withdrawnMs.set(target.name, operator.clock.nowMs());
      return patched;
    };
    const remove: typeof kube.delete = (resource, target, options) => {
      const sinceMs = withdrawnMs.get(target.name);
      if (sinceMs !== undefined) drainedMs.push(operator.clock.nowMs() - sinceMs);
      return kube.delete(resource, target, options);
    };
    await operator.once(120_000, { ...kube, patch, delete: remove } as typeof kube);
    expect(drainedMs).toHaveLength(1);
    expect(drainedMs[0]).toBeGreaterThanOrEqual(5_000);
  });

  it('does no harm on a view that somebody else has overtaken', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(60_000);
    operator.change('x', { image: 'avs:2' });
    let reverted = false;
    const kube = interceptWrites(operator.cluster.api(), {
      before: (verb, plural) => {
        // The user takes the change back in the instant before the old pod would be withdrawn.
        if (verb !== 'patch' || plural !== 'performers' || reverted) return;
        reverted = true;
        operator.change('x', { image: 'avs:1' });
      },
    });
    expect(kinds(await operator.once(60_000, kube))).toEqual(['settled Serving']);
    expect(reverted).toBe(true);
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:1']);
    expect(operator.pods()[0]?.metadata?.name).toBe('performer-x');
  });

  it('two operators at once do not fight', async () => {
    const operator = new TestOperator();
    const [one, two] = [await operator.watch(), await operator.watch()];
    for (const name of ['a', 'b', 'c']) await operator.ask(name);
    await operator.clock.advance(10_000);
    operator.change('a', { image: 'avs:2' });
    await operator.clock.advance(60_000);
    expect(operator.pods()).toHaveLength(3);
    const before = { ...one.writes, other: { ...two.writes } };
    await operator.clock.advance(300_000);
    expect({ ...one.writes, other: { ...two.writes } }).toEqual(before);
    await Promise.all([one.stop(), two.stop()]);
  });

  it('finds who holds a name that no list of ours shows, and takes it once it is free', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.cluster
      .api()
      .create(pods, { metadata: { name: 'performer-x', namespace: 'default' }, spec: { containers: [{ name: 'web', image: 'web' }] } });
    expect(kinds(await operator.once(30_000))).toEqual(['stalled NameConflict']);
    expect(operator.pods()).toHaveLength(1);
    operator.cluster.removePod(key('performer-x'));
    expect(kinds(await operator.once(30_000))).toEqual(['settled Serving']);
  });

  it('leaves nothing of a deleted Performer', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const watch = await operator.watch();
    await operator.clock.advance(5_000);
    operator.cluster.remove(performers, key('x'));
    await operator.clock.advance(10_000);
    expect([...operator.pods(), ...operator.services()]).toEqual([]);
    await watch.stop();
  });

  it('removes the children of a Performer that a finalizer of somebody else keeps, and says that it is going', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(30_000);
    operator.cluster.update(performers, key('x'), (performer) => ({
      ...performer,
      metadata: { ...performer.metadata, finalizers: ['other/hold'] },
    }));
    operator.cluster.remove(performers, key('x'));
    expect(kinds(await operator.once(5_000))).toEqual(['waiting Terminating']);
    expect([...operator.pods(), ...operator.services()]).toEqual([]);
    expect(operator.status('x')).toMatchObject({ ready: false, phase: 'Terminating' });
  });

  it('slows down where its writes are undone at once', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const kube = operator.cluster.api();
    // A CRD that prunes the status: each patch is answered with a status that lacks it.
    const prunes = {
      ...interceptWrites(kube, {}),
      patch: async (...call: Parameters<typeof kube.patch>) => {
        const stored = await kube.patch(...call);
        return operator.cluster.update(call[0], call[1], (object) => ({ ...object, status: { observedGeneration: -1 } }) as typeof stored);
      },
    } as typeof kube;
    const watch = await operator.watch(prunes);
    await operator.clock.advance(60_000);
    expect(watch.writes.patch).toBeLessThan(30);
    await watch.stop();
  });

  it('removes the dead pod that fills a quota before it asks for the next', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(30_000);
    const quota = interceptWrites(operator.cluster.api(), {
      before: (verb, plural) => {
        if (verb === 'create' && plural === 'pods' && operator.pods().length >= 2)
          throw new KubeFault('forbidden', 'creating Pod: exceeded quota');
      },
    });
    const watch = await operator.watch(quota);
    operator.change('x', { image: 'avs:bad' });
    await operator.clock.advance(100);
    const bad = operator.pods().find((pod) => pod.spec?.containers[0]?.image === 'avs:bad');
    operator.change('x', { image: 'avs:3' });
    await operator.clock.advance(60_000);
    expect(bad).toBeDefined();
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:3']);
    await watch.stop();
  });

  it('makes anew what belonged to a former Performer of the same name, once that is gone', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(30_000);
    operator.cluster.remove(performers, key('x'));
    await operator.ask('x', { image: 'avs:9' });
    expect(kinds(await operator.once(60_000))).toEqual(['settled Serving']);
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:9']);
    expect(operator.cluster.find(services, key('performer-x'))?.metadata?.ownerReferences?.[0]?.uid).toBe(
      operator.cluster.find(performers, key('x'))?.metadata?.uid,
    );
  });

  it('says that a removal is refused, asks again ever more seldom, and heals when it is allowed', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(30_000);
    let refuses = true;
    const webhook = interceptWrites(operator.cluster.api(), {
      before: (verb, plural) => {
        if (refuses && verb === 'patch' && plural === 'pods') throw new KubeFault('forbidden', 'admission webhook "w" denied the request');
      },
    });
    const watch = await operator.watch(webhook);
    operator.change('x', { image: 'avs:2' });
    for (let step = 0; step < 600; step += 1) await operator.clock.advance(1_000);
    expect(operator.status('x')?.conditions?.at(-1)).toMatchObject({ type: 'Ready', status: 'False', reason: 'WebhookDenied' });
    expect(watch.writes.patch).toBeLessThan(20);
    refuses = false;
    for (let step = 0; step < 700; step += 1) await operator.clock.advance(1_000);
    expect(operator.status('x')?.conditions?.at(-1)).toMatchObject({ status: 'True' });
    expect(operator.pods().map((pod) => pod.spec?.containers[0]?.image)).toEqual(['avs:2']);
    await watch.stop();
  });

  it('puts the Service right also while pods are refused', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const quota = interceptWrites(operator.cluster.api(), {
      before: (verb, plural) => {
        if (verb === 'create' && plural === 'pods') throw new KubeFault('forbidden', 'creating Pod: exceeded quota');
      },
    });
    const watch = await operator.watch(quota);
    await operator.clock.advance(1_000);
    expect(operator.services().map((service) => service.metadata?.name)).toEqual(['performer-x']);
    await watch.stop();
  });

  it('is done with a pod of a former Performer that no list of ours shows', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    const watch = await operator.watch();
    await operator.clock.advance(5_000);
    operator.cluster.update(pods, key('performer-x'), (pod) => {
      const { [labels.app]: _, ...left } = pod.metadata?.labels ?? {};
      return { ...pod, metadata: { ...pod.metadata, labels: left } };
    });
    operator.cluster.remove(performers, key('x'));
    await operator.clock.advance(100);
    await operator.ask('x');
    for (let step = 0; step < 60; step += 1) await operator.clock.advance(1_000);
    expect(operator.status('x')?.conditions?.at(-1)).toMatchObject({ status: 'True', reason: 'Serving' });
    await watch.stop();
  });

  it('tells of a trouble also when a write after the status is overtaken', async () => {
    const operator = new TestOperator();
    await operator.ask('x');
    await operator.once(30_000);
    const told: string[] = [];
    const api = operator.cluster.api();
    let conflicts = 3;
    const overtaken = interceptWrites(api, {
      before: (verb, plural) => {
        if (verb === 'patch' && plural === 'pods' && conflicts > 0) {
          conflicts -= 1;
          throw new KubeFault('conflict', 'patching Pod: the object has been modified');
        }
      },
    });
    const kube = { ...overtaken, event: async (event: EventRecord) => void told.push(event.reason) };
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { taints: [unreachable(operator.clock.nowMs())] } };
    await api.create(nodes, node as Node);
    for (const other of ['n2', 'n3']) await api.create(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: other } } as Node);
    operator.cluster.update(pods, key('performer-x'), (pod) => ({
      ...pod,
      spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: 'n1' },
      status: { ...pod.status, conditions: [{ type: 'Ready', status: 'False' }] },
    }));
    const watch = await operator.watch(kube);
    for (let step = 0; step < 30; step += 1) await operator.clock.advance(1_000);
    expect(conflicts).toBe(0);
    expect(told).toContain('NodeLost');
    expect(operator.pods().some((pod) => pod.metadata?.name !== 'performer-x')).toBe(true);
    await watch.stop();
  });
});

function unreachable(sinceMs: number): object {
  return { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: new Date(sinceMs).toISOString() };
}
