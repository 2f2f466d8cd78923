import { describe, expect, it, onTestFinished } from 'vitest';
import type { Lab } from '../../../../chaos/cluster/lab.ts';
import type { ChaosObject } from '../../../../chaos/render.ts';
import { chaosKinds } from '../../../../chaos/runner/chaos-kinds.ts';
import { chaosMeshInjection, hold } from '../../../../chaos/runner/injection.ts';
import { type CoreEvent, coreEvents } from '../../../../src/kube/objects.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryCluster } from '../../../support/memory-cluster.ts';

const key = { namespace: 'ns', name: 'kill' };
const limits = { takeUpMs: 0, selectMs: 0, tries: 1, recoverMs: 0, forceMs: 300 };

/** A fault that is there; `holders` keep it from going, as the controller of Chaos Mesh does until all is taken back. */
async function setUp(spec: ChaosObject['spec'], holders: readonly string[]) {
  const cluster = new MemoryCluster({ clock: new FakeClock() });
  for (const kind of Object.values(chaosKinds)) cluster.registerKind(kind, { statusSubresource: true });
  cluster.createNamespace(key.namespace);
  const kind = spec.action === 'user_defined' ? 'PhysicalMachineChaos' : 'PodChaos';
  const object: ChaosObject = { apiVersion: 'chaos-mesh.org/v1alpha1', kind, metadata: { ...key, labels: {} }, spec };
  const injection = chaosMeshInjection({ kube: cluster.api() } as unknown as Lab, object, false, limits);
  await injection.inject();
  cluster.update(chaosKinds[kind], key, (stored) => ({
    ...stored,
    metadata: { ...stored.metadata, finalizers: holders },
    status: { experiment: { containerRecords: [{ id: 'n1', injectedCount: 1 }] } },
  }));
  /** As the controller does once it is asked by force. */
  const letGo = async (): Promise<void> => {
    const read = () => cluster.find(chaosKinds[kind], key);
    await expect.poll(() => Object.values(read()?.metadata?.annotations ?? {}), { interval: 5 }).toContain('forced');
    cluster.update(chaosKinds[kind], key, (stored) => ({ ...stored, metadata: { ...stored.metadata, finalizers: [] } }));
  };
  return { injection, letGo };
}
const kill = { action: 'pod-kill' };
const reboot = { action: 'user_defined', user_defined: { attackCmd: 'reboot' } };

describe('what happens in an instant', () => {
  it('is over once its resource has gone', async () => {
    const { injection } = await setUp(kill, []);
    expect(await injection.heal()).toEqual({ holds: true, detail: 'nothing to take back' });
  });

  it('is not taken back while its resource stays', async () => {
    const { injection } = await setUp(kill, ['chaos-mesh/records']);
    expect(await injection.heal()).toEqual({ holds: false, detail: 'it is still there' });
  });

  it.each([
    { name: 'a kill, of which nothing can be left', spec: kill, detail: 'its finalizer was taken off by force' },
    {
      name: 'a node, which may still be off',
      spec: reboot,
      detail: 'its finalizer was taken off by force, and what it did may still be there, at n1: start that node again',
    },
  ])('is not taken back where it took force: $name', async ({ spec, detail }) => {
    const { injection, letGo } = await setUp(spec, ['chaos-mesh/records']);
    const [said] = await Promise.all([injection.heal(), letGo()]);
    expect(said).toEqual({ holds: false, detail });
  });
});

describe('what is to meet somebody', () => {
  const object: ChaosObject = { apiVersion: 'chaos-mesh.org/v1alpha1', kind: 'PodChaos', metadata: { ...key, labels: {} }, spec: kill };
  const patient = { takeUpMs: 2_000, selectMs: 100, tries: 3, recoverMs: 300, forceMs: 300 };

  /** A controller of Chaos Mesh that knows of no pod for the first `blindTimes` resources it is given, and takes `applyMs` for what it does. */
  function setUpController({ blindTimes = 0, applyMs = 0 }) {
    const cluster = new MemoryCluster({ clock: new FakeClock() });
    cluster.registerKind(chaosKinds.PodChaos, { statusSubresource: true });
    cluster.createNamespace(key.namespace);
    const known: string[] = [];
    const conditions = [{ type: 'AllInjected', status: 'False' }];
    const takeUp = (): void => {
      const uid = cluster.find(chaosKinds.PodChaos, key)?.metadata?.uid;
      if (uid === undefined || known.includes(uid)) return;
      known.push(uid);
      cluster.update(chaosKinds.PodChaos, key, (stored) => ({ ...stored, status: { conditions } }));
      const message = 'Failed to select targets: no target has been selected';
      const involvedObject = { ...key, uid };
      const metadata = { namespace: key.namespace, name: `kill.${known.length}` };
      if (known.length <= blindTimes) cluster.server.create(coreEvents, { metadata, involvedObject, message } as CoreEvent);
      else setTimeout(() => meet(uid), applyMs);
    };
    const meet = (uid: string): void => {
      if (cluster.find(chaosKinds.PodChaos, key)?.metadata?.uid !== uid) return;
      const met = {
        conditions: [{ type: 'AllInjected', status: 'True' }],
        experiment: { containerRecords: [{ id: 'p1', injectedCount: 1 }] },
      };
      cluster.update(chaosKinds.PodChaos, key, (stored) => ({ ...stored, status: met }));
    };
    const timer = setInterval(takeUp, 5);
    onTestFinished(() => clearInterval(timer));
    return { lab: { kube: cluster.api() } as unknown as Lab, known };
  }

  it('is made anew where an old view of pods selected nobody', async () => {
    const { lab, known } = setUpController({ blindTimes: 2 });
    const injection = chaosMeshInjection(lab, object, false, patient);
    await injection.inject();
    await expect.poll(() => injection.status()).toEqual({ holds: true, detail: '1 of 1' });
    expect(known).toHaveLength(3);
  });

  it('is not made anew while it is still at it: the fault would come twice', async () => {
    const { lab, known } = setUpController({ applyMs: 400 });
    const injection = chaosMeshInjection(lab, object, false, patient);
    await injection.inject();
    await expect.poll(() => injection.status(), { timeout: 2_000 }).toEqual({ holds: true, detail: '1 of 1' });
    expect(known).toHaveLength(1);
  });

  it('says so where it selects nobody however often it is made', async () => {
    const { lab, known } = setUpController({ blindTimes: Number.POSITIVE_INFINITY });
    const injection = chaosMeshInjection(lab, object, false, patient);
    await injection.inject();
    expect(await injection.status()).toEqual({ holds: false, detail: 'it has selected nothing, or not done it yet' });
    expect(known).toHaveLength(3);
    expect(await injection.heal()).toEqual({ holds: true, detail: 'nothing to take back' });
  });

  it('is waited for no more once it is interrupted', async () => {
    const cluster = new MemoryCluster({ clock: new FakeClock() });
    cluster.registerKind(chaosKinds.PodChaos, { statusSubresource: true });
    cluster.createNamespace(key.namespace);
    const injection = chaosMeshInjection({ kube: cluster.api() } as unknown as Lab, object, false, { ...patient, takeUpMs: 3_600_000 });
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(), 20);
    await injection.inject(interrupted.signal);
    expect(await injection.status()).toEqual({ holds: false, detail: 'its controller has not taken it up' });
    expect(await injection.heal()).toEqual({ holds: true, detail: 'nothing to take back' });
  });
});

describe('a fault that lasts', () => {
  it('is taken back where it is gone, and nobody waits for that', async () => {
    const cluster = new MemoryCluster({ clock: new FakeClock() });
    cluster.registerKind(chaosKinds.PodChaos, { statusSubresource: true });
    cluster.createNamespace(key.namespace);
    const object: ChaosObject = { apiVersion: 'chaos-mesh.org/v1alpha1', kind: 'PodChaos', metadata: { ...key, labels: {} }, spec: kill };
    const injection = chaosMeshInjection({ kube: cluster.api() } as unknown as Lab, object, true, { ...limits, recoverMs: 3_600_000 });
    expect(await injection.heal()).toEqual({ holds: true, detail: 'it is gone' });
  });

  it('is not begun any more once it is interrupted', async () => {
    const cluster = new MemoryCluster({ clock: new FakeClock() });
    cluster.registerKind(chaosKinds.PodChaos, { statusSubresource: true });
    cluster.createNamespace(key.namespace);
    const object: ChaosObject = { apiVersion: 'chaos-mesh.org/v1alpha1', kind: 'PodChaos', metadata: { ...key, labels: {} }, spec: kill };
    const injection = chaosMeshInjection({ kube: cluster.api() } as unknown as Lab, object, true, limits);
    await expect(injection.inject(AbortSignal.abort(new Error('SIGINT')))).rejects.toThrow('SIGINT');
    expect(cluster.objects(chaosKinds.PodChaos)).toEqual([]);
  });
});

describe('a fault that is there', () => {
  const never = new AbortController().signal;
  const hourMs = 3_600_000;

  it('is held for its time', async () => {
    const beganMs = performance.now();
    await hold({}, 30, never);
    expect(performance.now() - beganMs).toBeGreaterThan(25);
  });

  it('is held no longer once it cannot go on', async () => {
    const gaveUp = new AbortController();
    setTimeout(() => gaveUp.abort(), 10);
    await expect(hold({ gaveUp: gaveUp.signal }, hourMs, never)).resolves.toBeUndefined();
  });

  it('ends with the reason of whoever interrupts it', async () => {
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(new Error('SIGINT')), 10);
    await expect(hold({}, hourMs, interrupted.signal)).rejects.toThrow('SIGINT');
  });
});
