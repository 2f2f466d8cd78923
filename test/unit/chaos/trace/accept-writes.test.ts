import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../chaos/audit.ts';
import { buildPerformer } from '../../../../chaos/cluster/workloads.ts';
import { acceptWrites } from '../../../../chaos/trace/accept-writes.ts';
import type { Trace } from '../../../../chaos/trace/trace.ts';
import { pods } from '../../../../src/kube/objects.ts';
import type { Settings } from '../../../../src/reconcile/plan/snapshot.ts';
import { SimRecord } from '../../../support/sim-trace.ts';

const settings: Settings = { quietMs: 2_000, clusterDomain: 'cluster.local', securityProfile: 'privileged' };

/** Two Performers that roll out while views are seconds old, lose a pod by another hand, and a node. */
async function recordTroubles(seed: number): Promise<Trace> {
  const record = new SimRecord(seed);
  const { world } = record;
  await record.run(5);
  record.ask(buildPerformer('ns', 'alpha', 'example.test/a:1'));
  record.ask(buildPerformer('ns', 'beta', 'example.test/a:1', {}, { replicas: 2 }));
  await record.run(20);
  for (const { mood } of world.fronts) mood.lagMs = [0, 4_000];
  for (const name of ['alpha', 'beta']) record.change(name, { image: 'example.test/a:2' });
  await record.run(10);
  const [pod] = world.server.store.list(pods.plural);
  if (pod !== undefined) world.server.remove(pods, pod, { gracePeriodSeconds: 0 });
  await record.run(5);
  world.nodes.cut(world.nodes.names()[0] ?? '');
  await record.run(60);
  return record.trace();
}

describe('acceptWrites', () => {
  it.each([1, 2, 3, 4, 5, 6])('finds a view for every write of a simulated operator, seed %i', async (seed) => {
    const { of, unexplained } = acceptWrites(await recordTroubles(seed), settings);
    expect(unexplained).toEqual([]);
    expect(of).toBeGreaterThan(15);
  });

  describe('lists', () => {
    let trace: Trace;
    beforeAll(async () => {
      trace = await recordTroubles(1);
    });
    const isOf = (verb: string, resource: string) => (entry: AuditEntry) => entry.verb === verb && entry.objectRef?.resource === resource;
    const replaced = (old: AuditEntry, next: object): Trace => ({
      ...trace,
      entries: trace.entries.map((entry) => (entry === old ? ({ ...entry, ...next } as AuditEntry) : entry)),
    });
    const last = (verb: string, resource: string): AuditEntry => {
      const found = trace.entries.findLast(isOf(verb, resource));
      if (found === undefined) throw new Error(`the simulated operator made no ${verb} of ${resource}`);
      return found;
    };
    const listed = (tampered: Trace): readonly string[] => acceptWrites(tampered, settings).unexplained.map(({ what }) => what);

    it('a pod that nobody asked for', () => {
      const create = last('create', 'pods');
      const { requestObject } = create;
      const other = { ...requestObject, metadata: { ...requestObject?.metadata, name: 'performer-alpha-9999-7' } };
      const forged = { ...create, requestObject: other, objectRef: { ...create.objectRef, name: 'performer-alpha-9999-7' } } as AuditEntry;
      expect(listed({ ...trace, entries: [...trace.entries, forged] })).toContain('create pods performer-alpha-9999-7');
    });

    it('a pod that is not as its Performer asks', () => {
      const create = last('create', 'pods');
      const spec = { ...(create.requestObject as { readonly spec?: object }).spec, hostNetwork: true };
      expect(listed(replaced(create, { requestObject: { ...create.requestObject, spec } }))).toEqual([
        `create pods ${create.objectRef?.name}`,
      ]);
    });

    it('a deletion of a pod that serves', () => {
      const serving = trace.sights.findLast(({ kind, object }) => kind === 'pods' && object !== undefined);
      const { uid, resourceVersion } = serving?.object?.metadata ?? {};
      const forged = {
        ...last('delete', 'pods'),
        objectRef: { resource: 'pods', ...serving?.key },
        requestObject: { preconditions: { uid, resourceVersion } },
        requestReceivedTimestamp: new Date((serving?.atMs ?? 0) + 1_000).toISOString(),
        stageTimestamp: new Date((serving?.atMs ?? 0) + 1_000).toISOString(),
      } as unknown as AuditEntry;
      expect(listed({ ...trace, entries: [...trace.entries, forged] })).toEqual([`delete pods ${serving?.key.name}`]);
    });

    it('a status that says what was never so', () => {
      const patch = last('patch', 'performers');
      const { status } = patch.requestObject as { readonly status?: object };
      expect(listed(replaced(patch, { requestObject: { ...patch.requestObject, status: { ...status, readyReplicas: 7 } } }))).toEqual([
        `patch performers/status ${patch.objectRef?.name}`,
      ]);
    });

    it('a write on a version from before the last one of the same operator', () => {
      const patch = last('patch', 'performers');
      const first = trace.sights.find(({ kind, key }) => kind === 'performers' && key.name === patch.objectRef?.name);
      const metadata = { ...patch.requestObject?.metadata, resourceVersion: String(first?.version) };
      expect(listed(replaced(patch, { requestObject: { ...patch.requestObject, metadata } }))).toEqual([
        `patch performers/status ${patch.objectRef?.name}`,
      ]);
    });
  });
});
