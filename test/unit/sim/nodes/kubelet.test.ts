import { describe, expect, it } from 'vitest';
import { pods } from '../../../../src/kube/objects.ts';
import type { AnyObject } from '../../../../src/sim/stored-object.ts';
import { NodesBed, withTimings } from '../../../support/sim-nodes.ts';

async function ready(bed = new NodesBed(1), name = 'a') {
  const uid = bed.run(name);
  await bed.until(() => bed.isReady(uid));
  return { bed, uid };
}

function change(bed: NodesBed, uid: string, how: (pod: AnyObject) => AnyObject): void {
  const stored = bed.server.store.findByUid(uid) as AnyObject;
  bed.server.overwrite(pods, stored, how(stored));
}

describe('a container that does not come up', () => {
  it('fails to be pulled in turns of an error and a back-off that doubles', async () => {
    const bed = new NodesBed(1, { timings: withTimings({ restart: [1_000, 1_000] }) });
    const uid = bed.run('a', 'p', { tag: 'pull-fails' });
    const reason = () => bed.container(uid)?.state?.waiting?.reason;
    const waits: number[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      await bed.until(() => reason() === 'ErrImagePull');
      await bed.until(() => reason() === 'ImagePullBackOff');
      waits.push(await bed.until(() => reason() === 'ErrImagePull'));
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 300]);
    expect(bed.pod(uid)?.status?.phase).toBe('Pending');
    expect(bed.running()).toEqual([]);
  });

  it('comes up once its image or its behavior does', async () => {
    const bed = new NodesBed(1);
    const [image, asked] = [
      bed.run('a', 'p', { tag: 'pull-fails' }),
      bed.run('b', 'q', { annotations: { 'hourglass.test/behavior': 'config-fails' } }),
    ];
    await bed.pass(20);
    expect(bed.container(asked)?.state?.waiting?.reason).toBe('CreateContainerConfigError');
    change(bed, image, (pod) => ({ ...pod, spec: { ...pod.spec, containers: [{ name: 'performer', image: 'avs:2' }] } }));
    change(bed, asked, (pod) => ({ ...pod, metadata: { ...pod.metadata, annotations: {} } }));
    await bed.pass(20);
    expect([bed.isReady(image), bed.isReady(asked)]).toEqual([true, true]);
  });

  it('is not admitted: the pod fails for good', async () => {
    const bed = new NodesBed(1);
    const uid = bed.run('a', 'p', { tag: 'rejected' });
    await bed.pass(5);
    expect(bed.pod(uid)?.status).toMatchObject({ phase: 'Failed', reason: 'UnexpectedAdmissionError' });
  });

  it('is started over when its startup probe has no success within its budget', async () => {
    const bed = new NodesBed(1);
    const uid = bed.run('a', 'p', { tag: 'never-ready' });
    await bed.pass(30);
    expect(bed.container(uid)).toMatchObject({ started: false, ready: false, restartCount: 0, state: { running: {} } });
    await bed.pass(45);
    expect(bed.container(uid)).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137 } } });
  });

  it('takes ten times as long when it is slow', async () => {
    const bed = new NodesBed(1, { timings: withTimings({ startup: [3_000, 3_000] }) });
    const uid = bed.run('a', 'p', { tag: 'slow' });
    await bed.pass(29);
    expect(bed.isReady(uid)).toBe(false);
    await bed.pass(10);
    expect(bed.isReady(uid)).toBe(true);
  });
});

describe('a container that ends', () => {
  it('restarts at once the first time, then after a back-off that doubles up to five minutes', async () => {
    const bed = new NodesBed(1, { timings: withTimings({ restart: [0, 0], startup: [1_000, 1_000] }) });
    const uid = bed.run('a', 'p', { tag: 'crashes' });
    const backsOff: (string | undefined)[] = [];
    bed.server.store.onChange(() => backsOff.push(bed.container(uid)?.state?.waiting?.message));
    const waits: number[] = [];
    for (let count = 1; count <= 8; count += 1) {
      await bed.until(() => bed.container(uid)?.state?.terminated !== undefined);
      waits.push(await bed.until(() => bed.container(uid)?.restartCount === count));
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(backsOff.find((message) => message !== undefined)).toContain('back-off 10s');
    expect(bed.container(uid)?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    await bed.until(() => bed.container(uid)?.state?.waiting !== undefined);
    expect(bed.container(uid)?.state?.waiting).toEqual({
      reason: 'CrashLoopBackOff',
      message: `back-off 300s restarting failed container=performer pod=a_default(${uid})`,
    });
  });

  it.each([
    ['oom', 137, 'OOMKilled'],
    ['exits', 0, 'Completed'],
  ])('of the kind %s says so', async (tag, exitCode, reason) => {
    const bed = new NodesBed(1);
    const uid = bed.run('a', 'p', { tag });
    await bed.until(() => bed.container(uid)?.state?.waiting?.reason === 'CrashLoopBackOff');
    expect(bed.container(uid)?.lastState?.terminated).toMatchObject({ exitCode, reason });
  });

  it('is forgiven after it ran for ten minutes', async () => {
    const { bed, uid } = await ready();
    for (const _ of [1, 2, 3]) {
      bed.nodes.killContainer(uid);
      await bed.until(() => bed.isReady(uid));
    }
    await bed.pass(601);
    bed.nodes.killContainer(uid);
    expect(bed.running()).toEqual([]);
    expect(await bed.until(() => bed.isReady(uid))).toBeLessThan(10);
    expect(bed.container(uid)?.restartCount).toBe(4);
  });
});

describe('a pod that runs', () => {
  it('is unready while its probes fail', async () => {
    const { bed, uid } = await ready();
    bed.nodes.setReady(uid, false);
    const lost = await bed.until(() => !bed.isReady(uid));
    expect(lost).toBeGreaterThanOrEqual(2);
    expect(bed.container(uid)).toMatchObject({ ready: false, started: true, state: { running: {} } });
    bed.nodes.setReady(uid, true);
    expect(await bed.until(() => bed.isReady(uid))).toBeLessThanOrEqual(1);
  });

  it('is Failed where its node is short of memory, and frees its name only when it is deleted', async () => {
    const { bed, uid } = await ready();
    bed.nodes.evict(uid);
    expect(bed.pod(uid)?.status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
    expect(bed.condition(uid, 'DisruptionTarget')?.reason).toBe('TerminationByKubelet');
    expect([bed.running(), bed.isReady(uid)]).toEqual([[], false]);
    bed.delete(uid);
    expect(bed.pod(uid)).toBeUndefined();
  });

  it('is preempted by the scheduler or by the kubelet', async () => {
    const bed = new NodesBed(1);
    const uids = Array.from({ length: 8 }, (_, index) => bed.run(`a-${index}`));
    await bed.until(() => uids.every((uid) => bed.isReady(uid)));
    for (const uid of uids) bed.nodes.preempt(uid);
    const found = uids.map((uid) => bed.pod(uid)?.status?.reason ?? bed.condition(uid, 'DisruptionTarget')?.reason ?? '');
    expect([...new Set(found)].toSorted()).toEqual(['Preempting', 'PreemptionByScheduler']);
  });

  it('runs the image that was put in place of its own', async () => {
    const { bed, uid } = await ready();
    change(bed, uid, (pod) => ({ ...pod, spec: { ...pod.spec, containers: [{ name: 'performer', image: 'avs:2' }] } }));
    await bed.until(() => !bed.isReady(uid), 20);
    await bed.until(() => bed.isReady(uid), 20);
    expect(bed.container(uid)).toMatchObject({ image: 'avs:2', restartCount: 1 });
  });

  it('has an address of its own', async () => {
    const bed = new NodesBed(3);
    const uids = Array.from({ length: 30 }, (_, index) => bed.run(`a-${index}`));
    await bed.until(() => uids.every((uid) => bed.isReady(uid)));
    expect(new Set(uids.map((uid) => bed.pod(uid)?.status?.podIP)).size).toBe(30);
  });
});

it('tells nothing while its node is cut off, and everything once it is back', async () => {
  const { bed, uid } = await ready();
  bed.nodes.cut('node-1');
  bed.nodes.killContainer(uid);
  await bed.pass(20);
  expect([bed.running(), bed.isReady(uid), bed.container(uid)?.restartCount]).toEqual([[uid], true, 0]);
  bed.nodes.heal('node-1');
  await bed.pass(16);
  expect([bed.isReady(uid), bed.container(uid)?.restartCount]).toEqual([true, 1]);
});

describe('a pod that is deleted by force', () => {
  it('is gone at once while its container runs on', async () => {
    const { bed, uid } = await ready();
    bed.delete(uid, 0);
    expect([bed.pod(uid), bed.running()]).toEqual([undefined, [uid]]);
    await bed.until(() => bed.running().length === 0, 31);
    expect(bed.running()).toEqual([]);
  });

  it('keeps its object until its last finalizer goes, with nothing running', async () => {
    const { bed, uid } = await ready();
    change(bed, uid, (pod) => ({ ...pod, metadata: { ...pod.metadata, finalizers: ['example.org/held'] } }));
    bed.delete(uid);
    await bed.pass(60);
    expect([bed.pod(uid)?.metadata?.deletionGracePeriodSeconds, bed.running()]).toEqual([0, []]);
  });
});
