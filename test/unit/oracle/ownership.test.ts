import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod } from '../../../src/kube/objects.ts';
import { later, performer, pod, Story, service } from './world.ts';

const marks = { app: 'hourglass-performer', 'hourglass.eigenlayer.io/performer': 'x', 'hourglass.eigenlayer.io/revision': 'r1' };
const with_ = <T extends KubeObject>(object: T, metadata: object): T => ({ ...object, metadata: { ...object.metadata, ...metadata } });
const orphan = with_(pod(), { ownerReferences: [] });
const foreign = with_(pod(), { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'nightly', uid: 'j1', controller: true }] });
const world = () => new Story().has(performer(), pod(), service());
const labelled = (object: Pod): Pod => with_(object, { labels: { ...object.metadata?.labels, 'hourglass.eigenlayer.io/index': '0' } });

/** Our marks on what the Go original made ten seconds after one of ours. */
const claimed = (replicas: number): Story =>
  new Story()
    .has(performer({ replicas }), later(1))
    .at(10)
    .has(pod({ revision: '' }))
    .at(20)
    .writes({ before: pod({ revision: '' }), after: pod() });

describe('oracles of ownership', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    {
      name: 'accept marks on a pod of ours',
      tell: () =>
        world()
          .at(1)
          .writes({ before: pod(), after: labelled(pod()) }),
      found: [],
    },
    {
      name: 'refuse them on a pod of a Job',
      tell: () =>
        world()
          .has(foreign)
          .at(1)
          .writes({ before: foreign, after: labelled(foreign) }),
      found: ['S2'],
    },
    { name: 'refuse the deletion of a pod of a Job', tell: () => world().has(foreign).at(1).writes({ before: foreign }), found: ['S2'] },
    { name: 'refuse the deletion of a pod of nobody', tell: () => world().has(orphan).at(1).writes({ before: orphan }), found: ['S2'] },
    {
      name: 'accept the adoption of an orphan with our marks',
      tell: () => world().has(orphan).at(1).writes({ before: orphan, after: pod() }),
      found: [],
    },
    {
      name: 'refuse its adoption for a Performer that is going',
      tell: () =>
        world()
          .has(performer({}, { deleting: true }), orphan)
          .at(9)
          .writes({ before: orphan, after: pod() }),
      found: ['S2'],
    },
    {
      name: 'refuse the adoption of a pod without our marks',
      tell: () => {
        const bare = with_(orphan, { labels: {} });
        return world()
          .has(bare)
          .at(1)
          .writes({ before: bare, after: with_(pod(), { labels: {} }) });
      },
      found: ['S2'],
    },
    { name: 'refuse our marks on what another operator made beside all that is wanted of ours', tell: () => claimed(1), found: ['S2'] },
    { name: 'accept them where ours are too few', tell: () => claimed(2), found: [] },
    {
      name: 'accept the deletion of a leftover',
      tell: () =>
        world()
          .at(1)
          .writes({ before: pod({ ownerUid: 'u0' }) }),
      found: [],
    },
    {
      name: 'refuse a change of a leftover',
      tell: () =>
        world()
          .at(1)
          .writes({ before: pod({ ownerUid: 'u0' }), after: labelled(pod({ ownerUid: 'u0' })) }),
      found: ['S2'],
    },
    {
      name: 'refuse a patch without a resourceVersion',
      tell: () =>
        world()
          .at(1)
          .writes({ before: pod(), after: labelled(pod()), preconditions: {} }),
      found: ['W1'],
    },
    {
      name: 'refuse a delete by resourceVersion alone, also one that failed',
      tell: () =>
        world()
          .at(1)
          .writes({ before: pod({ outAt: 0 }), preconditions: { resourceVersion: '1' }, result: 'conflict' }),
      found: ['W1'],
    },
    {
      name: 'refuse a write that lands on another uid',
      tell: () =>
        world()
          .at(1)
          .writes({ before: pod({ ownerUid: 'u0' }), preconditions: { uid: 'other', resourceVersion: '1' } }),
      found: ['W1'],
    },
    {
      name: 'accept a new port beside foreign ones',
      tell: () => {
        const metrics = { name: 'metrics', port: 9000 };
        const before = service({}, { ports: [{ name: 'grpc', port: 8080, nodePort: 30_001, targetPort: 'grpc' }, metrics] });
        const after = service(
          {},
          { ports: [{ name: 'grpc', port: 9090, nodePort: 30_001, targetPort: 'grpc' }, { name: 'grpc-8080', port: 8080 }, metrics] },
        );
        return world().at(1).writes({ before, after });
      },
      found: [],
    },
    {
      name: 'refuse the loss of a foreign port',
      tell: () =>
        world()
          .at(1)
          .writes({
            before: service(
              {},
              {
                ports: [
                  { name: 'grpc', port: 9090 },
                  { name: 'metrics', port: 9000 },
                ],
              },
            ),
            after: service(),
          }),
      found: ['W2'],
    },
    {
      name: 'refuse the loss of a node port',
      tell: () =>
        world()
          .at(1)
          .writes({ before: service({}, { ports: [{ name: 'grpc', port: 9090, nodePort: 30_001 }] }), after: service() }),
      found: ['W2'],
    },
    {
      name: 'refuse the loss of a foreign label',
      tell: () =>
        world()
          .at(1)
          .writes({ before: service({ labels: { team: 'a' } }), after: service() }),
      found: ['W2'],
    },
    {
      name: 'refuse the loss of a foreign condition',
      tell: () => {
        const status = { conditions: [{ type: 'Approved', status: 'True' }] };
        const before = performer({}, { status });
        return world()
          .at(1)
          .writes({ before, after: performer({}, { status: {} }), plural: 'performers' });
      },
      found: ['W2'],
    },
    {
      name: 'accept a pod for a Performer that went in the very moment',
      tell: () =>
        world()
          .at(5)
          .lacks(performer())
          .at(6)
          .writes({ after: with_(pod({ bornAt: 6 }), { uid: 'n', labels: marks }) }),
      found: [],
    },
    {
      name: 'refuse one for a Performer that is long gone',
      tell: () =>
        world()
          .at(5)
          .lacks(performer())
          .at(9)
          .writes({ after: with_(pod({ bornAt: 9 }), { uid: 'n', labels: marks }) }),
      found: ['S4'],
    },
    {
      name: 'refuse a pod of nobody',
      tell: () =>
        world()
          .at(1)
          .writes({ after: with_(orphan, { name: 'performer-y', uid: 'n' }) }),
      found: ['S4'],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});
