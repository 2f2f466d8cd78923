import { describe, expect, it } from 'vitest';
import type { Performer } from '../../../src/api/v1alpha1/performer.ts';
import { type KubeObject, keyOf, type Pod } from '../../../src/kube/objects.ts';
import type { Write } from '../../../src/oracle/oracle.ts';
import { later, node, notReady, performer, pod, ready, Story, service, startMs } from './world.ts';

const calm = performer({}, { status: ready() });
const told = ready({ podName: 'performer-x-abcd-1' }) as { readonly conditions: readonly object[] };
const named = {
  ...told,
  conditions: [{ type: 'ForeignWriter', status: 'True', reason: 'ForeignWriter', message: 'm' }, ...told.conditions],
};
/** One of ours, and one that the Go original made ten seconds later. */
const besideOurs = [later(1), pod({ revision: '', bornAt: 10 }), service()];
const at = (...objects: readonly KubeObject[]) =>
  new Story()
    .has(node(), ...objects)
    .at(600)
    .rests();
const write: Write = {
  atMs: 0,
  actor: 'operator-1',
  verb: 'patch',
  plural: 'pods',
  key: keyOf(pod()),
  sent: {},
  preconditions: {},
  result: 'ok',
  before: pod(),
  after: pod(),
};
const crashed = {
  ...pod({ ready: false }),
  status: { phase: 'Running', containerStatuses: [{ name: 'performer', restartCount: 4 }] },
} as unknown as Pod;
const comingToNothing = () => new Story().has(node(), performer({}, { status: notReady('CrashLooping') }), crashed, service()).at(600);
/** A pod that ended, so many seconds after the start made as the next after others that came to nothing. */
const ended = (bornAt: number, failures = 0): Pod => {
  const one = pod({ phase: 'Failed', ready: false, bornAt });
  return { ...one, metadata: { ...one.metadata, annotations: { 'hourglass.eigenlayer.io/failures': String(failures) } } } as Pod;
};
const left = service({}, { selector: { app: 'theirs' } });
const leftAlone = performer({}, { status: { ...named, podName: 'performer-x' } });
/** Somebody else writes the Service so many seconds after the start; at 600 all rests. */
const disputed = (seconds: number): Story =>
  new Story()
    .has(node(), leftAlone, pod(), service())
    .at(seconds)
    .writes({ actor: 'user', before: service(), after: left })
    .at(600)
    .rests();
const conflict = performer({}, { status: notReady('NameConflict', true) });
const other = (status: object): Performer => ({
  ...performer({ image: 'i:9' }, { status }),
  metadata: { namespace: 'a', name: 'y', uid: 'u9', generation: 1 },
});

describe('oracles of rest', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'accept what is as asked', tell: () => at(calm, pod(), service()), found: [] },
    { name: 'refuse a pod too many', tell: () => at(calm, pod(), later(1), service()), found: ['L1'] },
    { name: 'refuse a missing pod under Ready', tell: () => at(calm, service()), found: ['L1'] },
    { name: 'refuse a pod of a former spec', tell: () => at(calm, pod({ image: 'i:0' }), service()), found: ['L1'] },
    {
      name: 'refuse a status of a former generation',
      tell: () => at(performer({}, { generation: 2, status: ready() }), pod(), service()),
      found: ['L1'],
    },
    { name: 'refuse a withdrawn pod that lingers', tell: () => at(calm, pod(), later(1, { outAt: 5 }), service()), found: ['L1'] },
    { name: 'refuse a missing Service', tell: () => at(calm, pod()), found: ['L1'] },
    { name: 'refuse a Service that selects others', tell: () => at(calm, pod(), service({}, { selector: { app: 'y' } })), found: ['L1'] },
    {
      name: 'refuse a Service with another port',
      tell: () => at(calm, pod(), service({}, { ports: [{ name: 'grpc', port: 1, targetPort: 'grpc' }] })),
      found: ['L1'],
    },
    {
      name: 'refuse a status that names another address',
      tell: () => at(performer({}, { status: ready({ podIP: '10.0.0.9' }) }), pod(), service()),
      found: ['L1'],
    },
    { name: 'refuse a status that says nothing', tell: () => at(performer(), pod(), service()), found: ['L1'] },
    {
      name: 'accept a reason that is true',
      tell: () => at(performer({}, { status: notReady('CrashLooping') }), crashed, service()),
      found: [],
    },
    {
      name: 'refuse a reason that is not',
      tell: () => at(performer({}, { status: notReady('ImagePullFailed') }), crashed, service()),
      found: ['L1'],
    },
    {
      name: 'refuse a start for which no pod was made',
      tell: () => at(performer({}, { status: notReady('Starting') }), service()),
      found: ['L1'],
    },
    {
      name: 'refuse Not Ready where all serve',
      tell: () => at(performer({}, { status: notReady('NodeLost') }), pod(), service()),
      found: ['L1'],
    },
    {
      name: 'accept a refusal that happened',
      tell: () =>
        new Story()
          .has(performer({}, { status: notReady('QuotaExceeded') }), service())
          .at(590)
          .writes({ after: pod(), sent: pod(), result: 'forbidden' })
          .at(600)
          .rests(),
      found: [],
    },
    {
      name: 'refuse a refusal that would have been asked for again long ago',
      tell: () =>
        new Story()
          .has(performer({}, { status: notReady('QuotaExceeded') }), service())
          .at(500)
          .writes({ after: pod(), sent: pod(), result: 'forbidden' })
          .at(600)
          .rests(),
      found: ['L1'],
    },
    {
      name: 'refuse a refusal where only a stranger held the name',
      tell: () =>
        new Story()
          .has(performer({}, { status: notReady('QuotaExceeded') }))
          .writes({ after: pod(), result: 'alreadyExists', before: { metadata: { namespace: 'a', name: 'performer-x' } } })
          .at(600)
          .rests(),
      found: ['L1'],
    },
    {
      name: 'refuse a refusal of a status that would have been tried again long ago',
      tell: () => {
        const refused = performer({}, { status: notReady('WriteDenied') });
        const status: Partial<Write> = { plural: 'performers', subresource: 'status', result: 'forbidden' };
        return new Story()
          .has(refused, pod(), service())
          .at(500)
          .writes({ ...status, before: refused, after: refused })
          .at(600)
          .rests();
      },
      found: ['L1'],
    },
    {
      name: 'accept a pod that came to nothing while its successor waits',
      tell: () => at(performer({}, { status: notReady('PodFailed') }), ended(570), service()),
      found: [],
    },
    {
      name: 'accept it for longer where others came to nothing before',
      tell: () => at(performer({}, { status: notReady('PodFailed') }), ended(400, 3), service()),
      found: [],
    },
    {
      name: 'refuse a pod that ended and has no successor in time',
      tell: () => at(performer({}, { status: notReady('PodFailed') }), ended(500), service()),
      found: ['L1'],
    },
    { name: 'accept a Service that is left to whoever fights over it', tell: () => disputed(500), found: [] },
    { name: 'refuse it once the truce is over', tell: () => disputed(200), found: ['L1'] },
    { name: 'refuse it where nobody else wrote it', tell: () => at(leftAlone, pod(), left), found: ['L1'] },
    {
      name: 'refuse a Service that selects others where pods are not ready',
      tell: () => at(performer({}, { status: notReady('CrashLooping') }), crashed, left),
      found: ['L1'],
    },
    {
      name: 'refuse a withdrawn pod that lingers where others are not ready',
      tell: () => at(performer({}, { status: notReady('CrashLooping') }), crashed, later(1, { outAt: 5 }), service()),
      found: ['L1'],
    },
    {
      name: 'accept a name that a stranger holds',
      tell: () => at(conflict, { metadata: { namespace: 'a', name: 'performer-x' }, spec: { containers: [] } } as KubeObject),
      found: [],
    },
    {
      name: 'refuse a name that only begins like ours',
      tell: () => at(conflict, { metadata: { namespace: 'a', name: 'performer-x1' }, spec: { containers: [] } } as KubeObject),
      found: ['L1'],
    },
    {
      name: 'accept a TEE that nobody knows as a reason',
      tell: () => at(performer({ hardwareRequirements: { teeRequired: true, teeType: 'new' } }, { status: notReady('InvalidSpec', true) })),
      found: [],
    },
    {
      name: 'refuse hardware that is known as a reason',
      tell: () => at(performer({ hardwareRequirements: { teeRequired: true, teeType: 'SGX' } }, { status: notReady('InvalidSpec', true) })),
      found: ['L1'],
    },
    {
      name: 'hold an adopted pod of another operator to its image, all that one acted on',
      tell: () => {
        const theirs = pod({ revision: '', ready: true });
        const bare = { ...theirs, spec: { ...theirs.spec, containers: [{ name: 'performer', image: 'i:1' }] } } as Pod;
        const marks = { ...bare.metadata?.labels, 'hourglass.eigenlayer.io/revision': 'r1' };
        const ownerReferences = pod({ ownerUid: 'u2' }).metadata?.ownerReferences;
        const adopted = { ...bare, metadata: { ...bare.metadata, labels: marks, ownerReferences } } as Pod;
        const next = service({ ownerReferences });
        return new Story()
          .has(node(), performer(), bare)
          .at(5)
          .has(performer({}, { uid: 'u2', status: ready() }), adopted, next)
          .at(600)
          .rests();
      },
      found: [],
    },
    {
      name: 'accept a pod that another operator made beside ours, where status names it',
      tell: () => at(performer({}, { status: named }), ...besideOurs),
      found: [],
    },
    { name: 'refuse it where nothing says so', tell: () => at(performer({}, { status: told }), ...besideOurs), found: ['L1'] },
    {
      name: 'refuse it in the place of one of ours',
      tell: () =>
        at(performer({ replicas: 2 }, { status: { ...named, replicas: 2, readyReplicas: 2, updatedReplicas: 2 } }), ...besideOurs),
      found: ['L1'],
    },
    { name: 'accept another manager to do as it likes', tell: () => at(performer({ managedBy: 'me' })), found: [] },
    {
      name: 'refuse others to wait for one that is stalled',
      tell: () => at(performer({}, { status: notReady('Starting') }), service(), other(notReady('InvalidSpec', true))),
      found: ['L1', 'L2'],
    },
    { name: 'refuse a Performer that stays though deleted', tell: () => at(performer({}, { deleting: true })), found: ['L3'] },
    { name: 'accept one that somebody else holds', tell: () => at(performer({}, { deleting: true, finalizers: ['theirs'] })), found: [] },
    {
      name: 'refuse what is left of a former Performer',
      tell: () => at(calm, pod(), service(), later(7, { ownerUid: 'u0' })),
      found: ['S3'],
    },
    {
      name: 'accept a corpse on a node out of sight',
      tell: () => at(calm, pod(), service(), node('n2', true), later(7, { ownerUid: 'u0', deleting: true, node: 'n2' })),
      found: [],
    },
    { name: 'refuse a write', tell: () => new Story().has(calm, pod(), service()).at(600).rests([write]), found: ['L4'] },
    {
      name: 'refuse a write that is refused',
      tell: () =>
        new Story()
          .has(calm, pod(), service())
          .at(600)
          .rests([{ ...write, result: 'conflict' }]),
      found: ['L4'],
    },
    {
      name: 'accept a write where pods come to nothing',
      tell: () => comingToNothing().rests([write]),
      found: [],
    },
    {
      name: 'accept them as often as the back-off lets them come',
      tell: () => comingToNothing().rests(Array.from({ length: 80 }, (_, index) => ({ ...write, atMs: index * 4_000 }))),
      found: [],
    },
    {
      name: 'refuse more',
      tell: () => comingToNothing().rests(Array.from({ length: 20 }, (_, index) => ({ ...write, atMs: index * 3_000 }))),
      found: ['L4'],
    },
  ])('$name', ({ tell, found }) => {
    const story = tell();
    expect(story.found).toEqual(found);
    expect(story.evaluated('L1') + story.evaluated('L3') + story.evaluated('L4')).toBeGreaterThan(0);
  });

  it('count as put to a test only where there is something to judge', () => {
    const nothing = at(node());
    expect([nothing.evaluated('L3'), nothing.evaluated('L4')]).toEqual([0, 0]);
    const calmed = at(calm, pod(), service());
    expect([calmed.evaluated('L3'), calmed.evaluated('L4')]).toEqual([0, 1]);
    const gone = new Story().has(calm).at(5).lacks(calm).at(600).rests();
    expect(gone.evaluated('L3')).toBe(1);
  });
});

describe('L2, while one is stalled the others are heard in time', () => {
  const stalled = other(notReady('InvalidSpec', true));
  const called = (story: Story): Story => {
    story.board.answer({ atMs: story.nowMs, key: keyOf(calm), from: 'n1', podUid: 'u1/performer-x', insideCut: false });
    return story;
  };
  /** Asked for anew at 10 s, looked at once then and once more later. */
  const asked = (change: Performer, context: ConstructorParameters<typeof Story>[0] = {}, beside = stalled): Story =>
    called(new Story(context).has(node(), calm, pod(), service(), beside).at(10).has(change));
  const anew = performer({ drainSeconds: 1 }, { generation: 2, status: ready() });

  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'refuses one of which nothing is said', tell: () => called(asked(anew).at(23)), found: ['L2'] },
    { name: 'refuses a new one without any status', tell: () => called(asked(performer({}, { generation: 2 })).at(23)), found: ['L2'] },
    { name: 'accepts it for as long as a view may be old and things may take', tell: () => called(asked(anew).at(22)), found: [] },
    { name: 'accepts it where none is stalled', tell: () => called(asked(anew, {}, other(notReady('Starting'))).at(23)), found: [] },
    {
      name: 'accepts it once it was heard',
      tell: () =>
        called(
          asked(anew)
            .at(20)
            .has(performer({}, { generation: 2, status: ready({ observedGeneration: 2 }) }))
            .at(30),
        ),
      found: [],
    },
    {
      name: 'accepts it while something makes operators late',
      tell: () => called(asked(anew, { lateUntilMs: () => startMs + 20_000 }).at(30)),
      found: [],
    },
    {
      name: 'accepts it while its status was refused a moment ago',
      tell: () =>
        called(asked(anew).at(12).writes({ before: anew, after: anew, isIdle: true, subresource: 'status', result: 'forbidden' }).at(40)),
      found: [],
    },
  ])('$name', ({ tell, found }) => {
    expect(tell().found).toEqual(found);
  });
});
