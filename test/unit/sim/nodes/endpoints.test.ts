import { describe, expect, it } from 'vitest';
import { namespaces, services } from '../../../../src/kube/objects.ts';
import type { AnyObject } from '../../../../src/sim/stored-object.ts';
import { NodesBed, withTimings } from '../../../support/sim-nodes.ts';

const key = { namespace: 'default', name: 'p' };
const client = 'node-1';

/** A Performer whose pod is on another node than the client. */
async function setUp() {
  for (let seed = 1; ; seed += 1) {
    const bed = new NodesBed(2, { seed, timings: withTimings({ stop: [5_000, 5_000], kubeProxy: [200, 1_000], catchUp: [2_000, 2_000] }) });
    const uid = bed.run('a');
    await bed.until(() => bed.isReady(uid));
    if (bed.nodeOf(uid) !== client) return { bed, uid, node: bed.nodeOf(uid) };
  }
}
const answerer = (bed: NodesBed, from = client) => bed.nodes.call(key, from).podUid;

describe('the EndpointSlice of a Service', () => {
  it('follows its pods after a while, by uid', async () => {
    const { bed, uid } = await setUp();
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

it('is not made any more in a namespace that goes', async () => {
  const bed = new NodesBed(1);
  const uid = bed.run('a');
  const home = bed.server.find(namespaces, { namespace: '', name: 'default' }) as AnyObject;
  bed.server.remove(
    namespaces,
    bed.server.overwrite(namespaces, home, { ...home, metadata: { ...home.metadata, finalizers: ['test/stays'] } }),
  );
  await bed.until(() => bed.isReady(uid));
  await bed.pass(2);
  expect(bed.endpoints()).toEqual([]);
});

it('does not list a pod that has ended for good', async () => {
  const { bed, uid } = await setUp();
  await bed.pass(1);
  bed.nodes.evict(uid);
  await bed.pass(1);
  expect(bed.endpoints()).toEqual([]);
});

describe('a call', () => {
  it('reaches a pod some time after it is ready', async () => {
    const { bed, uid } = await setUp();
    expect(answerer(bed)).toBeUndefined();
    const seconds = await bed.until(() => answerer(bed) === uid, 5);
    expect(seconds).toBeGreaterThanOrEqual(0.2);
    expect(bed.nodes.call(key, client)).toMatchObject({ key, from: client, podUid: uid, insideCut: false });
  });

  it('is answered by a pod that ends while there is no other, then by nobody', async () => {
    const { bed, uid } = await setUp();
    await bed.pass(2);
    bed.delete(uid);
    await bed.pass(4);
    expect(answerer(bed)).toBe(uid);
    await bed.pass(4);
    expect(answerer(bed)).toBeUndefined();
  });

  it('goes to the old endpoint while its node is cut off, whatever the Service says, and is marked', async () => {
    const { bed, uid } = await setUp();
    await bed.pass(2);
    bed.nodes.cut(client);
    const service = bed.list(services)[0] ?? {};
    bed.server.overwrite(services, bed.server.get(services, { namespace: 'default', name: 'performer-p' }), {
      ...service,
      spec: { selector: { nobody: 'x' }, ports: [{ port: 1 }] },
    } as never);
    await bed.pass(10);
    expect([answerer(bed, 'node-2'), bed.nodes.call(key, client)]).toEqual([
      undefined,
      expect.objectContaining({ podUid: uid, insideCut: true }),
    ]);
    bed.nodes.heal(client);
    const stale: boolean[] = [];
    await bed.pass(2.1);
    expect(answerer(bed)).toBe(uid);
    for (let left = 20; left > 0; left -= 1) {
      await bed.pass(0.1);
      const { podUid, insideCut } = bed.nodes.call(key, client);
      if (podUid !== undefined) stale.push(insideCut);
    }
    expect(stale).not.toContain(false);
    expect(bed.nodes.call(key, client)).toMatchObject({ podUid: undefined, insideCut: false });
  });

  it('finds a pod on a cut-off node as long as it is an endpoint, and nobody on one that is off', async () => {
    const { bed, uid, node } = await setUp();
    await bed.pass(2);
    bed.nodes.cut(node);
    await bed.pass(5);
    expect(bed.nodes.call(key, client)).toMatchObject({ podUid: uid, insideCut: true });
    await bed.pass(60);
    expect(answerer(bed)).toBeUndefined();
    expect(bed.running(node)).toEqual([uid]);
    bed.nodes.heal(node);
    await bed.pass(20);
    expect(answerer(bed)).toBe(uid);
    bed.nodes.powerOff(node);
    expect(bed.nodes.call(key, client)).toMatchObject({ podUid: undefined, insideCut: false });
  });

  it('is not answered by a pod whose probes fail', async () => {
    const { bed, uid } = await setUp();
    await bed.pass(2);
    bed.nodes.setReady(uid, false);
    expect(answerer(bed)).toBeUndefined();
    bed.nodes.setReady(uid, true);
    expect(answerer(bed)).toBe(uid);
  });
});
