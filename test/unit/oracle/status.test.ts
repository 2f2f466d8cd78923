import { describe, expect, it } from 'vitest';
import { labels } from '../../../src/api/v1alpha1/naming.ts';
import type { Performer } from '../../../src/api/v1alpha1/performer.ts';
import type { KubeObject } from '../../../src/kube/objects.ts';
import { later, notReady, performer, pod, ready, Story, service, startMs } from './world.ts';

const says = (story: Story, before: Performer, status: object, generation = before.metadata?.generation ?? 1) =>
  story.writes({ before, after: { ...before, metadata: { ...before.metadata, generation }, status } as Performer, subresource: 'status' });
const notReadyYet = (change: object): object => {
  const { conditions, ...rest } = ready() as { readonly conditions: readonly { readonly type: string }[] };
  const starts = { reason: 'Starting', status: 'False' };
  return {
    ...rest,
    phase: 'Pending',
    conditions: conditions.map((one) => (one.type === 'Ready' ? { ...one, ...starts } : one)),
    ...change,
  };
};
const story = (...pods: Parameters<typeof pod>[0][]) => new Story().has(performer(), service(), ...pods.map(pod)).at(10);

describe('oracles of status', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'accept Ready with a pod that serves', tell: () => says(story({}), performer(), ready()), found: [] },
    { name: 'refuse it with one that does not', tell: () => says(story({ ready: false }), performer(), ready()), found: ['S5'] },
    { name: 'refuse it with a pod of a former spec', tell: () => says(story({ image: 'i:0' }), performer(), ready()), found: ['S5'] },
    { name: 'refuse it with a pod of another Performer', tell: () => says(story({ ownerUid: 'u0' }), performer(), ready()), found: ['S5'] },
    {
      name: 'accept it where the pod failed in the very moment',
      tell: () => says(story({}).has(pod({ ready: false })), performer(), ready()),
      found: [],
    },
    {
      name: 'refuse it where the pod failed long before',
      tell: () =>
        says(
          story({})
            .has(pod({ ready: false }))
            .at(20),
          performer(),
          ready(),
        ),
      found: ['S5'],
    },
    {
      name: 'accept a pod of the Go original by its image',
      tell: () => says(story({ revision: '' }), performer({ config: { grpcPort: 1 } }), ready()),
      found: [],
    },
    {
      name: 'refuse one that it made beside ours as one of two',
      tell: () => {
        const two = performer({ replicas: 2 });
        const beside = new Story()
          .has(two, later(1))
          .at(5)
          .has(pod({ revision: '' }))
          .at(10);
        return says(beside, two, ready());
      },
      found: ['S5'],
    },
    {
      name: 'refuse the generation of another spec',
      tell: () => says(story({}), performer({}, { generation: 2 }), ready()),
      found: ['S5'],
    },
    {
      name: 'refuse a generation that goes back',
      tell: () =>
        says(story({}), performer({}, { generation: 2, status: ready({ observedGeneration: 2 }) }), ready({ observedGeneration: 1 })),
      found: ['S5f'],
    },
    { name: 'refuse a phase outside of the enum', tell: () => says(story({}), performer(), ready({ phase: 'Unknown' })), found: ['S5f'] },
    {
      name: 'refuse a start that waits for nothing',
      tell: () => says(story({}), performer(), notReadyYet({})),
      found: ['S5f'],
    },
    {
      name: 'accept it where pods must be Ready for a while',
      tell: () => says(story({}), performer({ minReadySeconds: 5 }), notReadyYet({})),
      found: [],
    },
    { name: 'accept it where one of a former spec is', tell: () => says(story({}), performer(), notReadyYet({ replicas: 2 })), found: [] },
    { name: 'accept it where one is not Ready', tell: () => says(story({}), performer(), notReadyYet({ readyReplicas: 0 })), found: [] },
    { name: 'refuse ready beside Available', tell: () => says(story({}), performer(), ready({ ready: false })), found: ['S5f'] },
    {
      name: 'refuse Ready before other conditions',
      tell: () => says(story({}), performer(), ready({ conditions: (ready() as { conditions: object[] }).conditions.toReversed() })),
      found: ['S5f'],
    },
    { name: 'refuse a reason that no table has', tell: () => says(story({}), performer(), ready({}, { reason: 'Fine' })), found: ['S5f'] },
    {
      name: 'refuse a value of the environment in a message',
      tell: () => {
        const secret = performer({ config: { grpcPort: 9090, environment: { TOKEN: 'correct-horse' } } });
        const env = [{ name: 'TOKEN', value: 'correct-horse' }];
        const containers = [{ name: 'performer', image: 'i:1', ports: [{ name: 'grpc', containerPort: 9090 }], env }];
        const serving: KubeObject = Object.assign(pod(), { spec: { nodeName: 'n1', containers } });
        return says(new Story().has(service(), secret, serving), secret, ready({}, { message: 'it has correct-horse' }));
      },
      found: ['S8'],
    },
    {
      name: 'refuse a value of the environment in a log',
      tell: () => {
        const story = new Story().has(performer({ config: { grpcPort: 9090, environment: { TOKEN: 'correct-horse' } } }));
        for (const text of ['["writing",{"key":"a/x"}]', '["writing",{"value":"correct-horse"}]'])
          story.board.log({ atMs: story.nowMs, actor: 'operator-1', text });
        return story;
      },
      found: ['S8'],
    },
    {
      name: 'accept a value that is no secret, since it is the image',
      tell: () => {
        const open = performer({ image: 'registry/i:1', config: { grpcPort: 9090, environment: { IMAGE: 'registry/i:1' } } });
        return new Story().has(open).writes({
          after: { metadata: { namespace: 'a', name: 'e' } },
          plural: 'events',
          sent: { regarding: { namespace: 'a', name: 'x' }, message: 'pulling registry/i:1' },
        });
      },
      found: [],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});

describe('S5, Ready that stands while pods are missing', () => {
  const said = (spec: object = {}, change: object = {}): Performer => performer(spec, { status: ready(), ...change });
  /** Ready since 0 s, its pod not Ready any more since 10 s. */
  const stale = (context: Parameters<typeof told>[0] = {}): Story =>
    told(context)
      .at(10)
      .has(pod({ ready: false }));
  const told = (context: ConstructorParameters<typeof Story>[0]): Story => new Story(context).has(said(), service(), pod());
  const called = (story: Story): Story => {
    story.board.answer({ atMs: story.nowMs, key: { namespace: 'a', name: 'x' }, from: 'n1', podUid: undefined, insideCut: false });
    return story;
  };
  const refused = (story: Story): Story =>
    story.writes({ before: said(), after: said(), isIdle: true, subresource: 'status', result: 'forbidden' });

  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'is accepted for as long as a view may be old and status late', tell: () => called(stale().at(22)), found: [] },
    { name: 'is refused after that', tell: () => called(stale().at(23)), found: ['S5'] },
    {
      name: 'is refused while faults go on',
      tell: () => called(stale({ calmSinceMs: () => Number.POSITIVE_INFINITY }).at(23)),
      found: ['S5'],
    },
    {
      name: 'is refused when a pod changes and nobody calls',
      tell: () =>
        stale()
          .at(23)
          .has(pod({ ready: false })),
      found: ['S5'],
    },
    {
      name: 'is refused where one of two is missing',
      tell: () => called(new Story().has(said({ replicas: 2 }), pod()).at(13)),
      found: ['S5'],
    },
    {
      name: 'is accepted where it was taken back',
      tell: () =>
        called(
          stale()
            .at(20)
            .has(performer({}, { status: notReady('Starting') }))
            .at(40),
        ),
      found: [],
    },
    {
      name: 'is accepted where the pod was Ready in between',
      tell: () =>
        called(
          stale()
            .at(20)
            .has(pod())
            .at(21)
            .has(pod({ ready: false }))
            .at(30),
        ),
      found: [],
    },
    {
      name: 'is accepted while something makes operators late',
      tell: () => called(stale({ lateUntilMs: () => startMs + 20_000 }).at(30)),
      found: [],
    },
    { name: 'is accepted while a status that was refused waits', tell: () => called(refused(stale().at(12)).at(40)), found: [] },
    { name: 'is accepted where nobody tells of writes', tell: () => called(stale({ knowsWrites: false }).at(40)), found: [] },
    {
      name: 'is accepted where another controller looks after it',
      tell: () =>
        called(
          stale()
            .at(11)
            .has(said({ managedBy: 'example.com/other' }))
            .at(40),
        ),
      found: [],
    },
    {
      name: 'is accepted of one that is going',
      tell: () =>
        called(
          stale()
            .at(11)
            .has(said({}, { deleting: true }))
            .at(40),
        ),
      found: [],
    },
    {
      name: 'is accepted where two put back each other’s status',
      tell: () => {
        const both = ['operator-1', 'operator-2'] as const;
        const story = stale();
        for (const actor of both) story.writes({ actor, before: said(), after: said(), isIdle: true, subresource: 'status', result: 'ok' });
        return called(story.at(40));
      },
      found: ['L5'],
    },
    {
      name: 'is accepted with an orphan that is still to be adopted',
      tell: () => {
        const { ownerReferences: _owner, ...metadata } = pod().metadata ?? {};
        return called(new Story().has(said(), { ...pod(), metadata }).at(40));
      },
      found: [],
    },
    {
      name: 'is refused with a pod of a stranger that only bears the label of our Service',
      tell: () => {
        const metadata = { namespace: 'a', name: 'stranger', uid: 'u9', labels: { [labels.performer]: 'x' } };
        return called(
          stale()
            .has({ ...pod(), metadata })
            .at(40),
        );
      },
      found: ['S5'],
    },
    {
      name: 'is refused with an orphan of ours in another namespace',
      tell: () => {
        const { ownerReferences: _owner, ...metadata } = pod({ name: 'performer-x-2' }).metadata ?? {};
        return called(
          stale()
            .has({ ...pod(), metadata: { ...metadata, namespace: 'b' } })
            .at(40),
        );
      },
      found: ['S5'],
    },
    {
      name: 'is refused with an orphan of ours that has another image',
      tell: () => {
        const { ownerReferences: _owner, ...metadata } = pod({ name: 'performer-x-2' }).metadata ?? {};
        return called(
          stale()
            .has({ ...pod({ image: 'i:2' }), metadata })
            .at(40),
        );
      },
      found: ['S5'],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});
