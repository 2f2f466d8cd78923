import { describe, expect, it } from 'vitest';
import { pods } from '../../../../src/kube/objects.ts';
import { NodesBed } from '../../../support/sim-nodes.ts';

const performer = { namespace: 'default', name: 'p' };

describe('a pod', () => {
  it('is placed, comes up and gets ready, one step after the other', async () => {
    const bed = new NodesBed(3);
    const uid = bed.run('a');
    const seen: string[] = [];
    bed.server.store.onChange(({ after, kindId }) => {
      if (kindId !== 'pods') return;
      const { phase, containerStatuses: [one] = [] } = (after?.status ?? {}) as NonNullable<ReturnType<typeof bed.pod>>['status'] & object;
      const state = Object.keys(one?.state ?? {})[0];
      seen.push(
        [phase, after?.spec?.nodeName ? 'bound' : '', state, one?.started && 'started', one?.ready && 'ready'].filter(Boolean).join(' '),
      );
    });
    await bed.until(() => bed.isReady(uid));
    expect([...new Set(seen)]).toEqual([
      'Pending bound',
      'Pending bound waiting',
      'Running bound running',
      'Running bound running started',
      'Running bound running started ready',
    ]);
    expect(bed.nodes.instances()).toEqual([{ podUid: uid, key: performer, node: bed.nodeOf(uid) }]);
  });

  it('that is deleted runs on for a part of its grace, then its object goes', async () => {
    const bed = new NodesBed(1);
    const uid = bed.run('a');
    await bed.until(() => bed.isReady(uid));
    bed.delete(uid, 10);
    expect(bed.running()).toEqual([uid]);
    const stopped = await bed.until(() => bed.running().length === 0);
    expect(bed.pod(uid)?.metadata?.deletionTimestamp).toBeDefined();
    expect(stopped).toBeLessThanOrEqual(10.2);
    expect(await bed.until(() => bed.list(pods).length === 0)).toBeLessThanOrEqual(2);
  });
});

describe('the EndpointSlice of a Service', () => {
  it('follows its pods after a while, by uid', async () => {
    const bed = new NodesBed(2);
    const uid = bed.run('a');
    await bed.until(() => bed.isReady(uid));
    expect(bed.endpoints().map(({ conditions }) => conditions?.ready)).not.toContain(true);
    await bed.pass(1);
    expect(bed.endpoints()).toMatchObject([{ conditions: { ready: true, serving: true, terminating: false }, targetRef: { uid } }]);
    bed.delete(uid);
    await bed.until(() => bed.endpoints()[0]?.conditions?.terminating === true, 5);
    expect(bed.endpoints()[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true });
    await bed.pass(40);
    expect(bed.endpoints()).toEqual([]);
  });
});
