import { describe, expect, it } from 'vitest';
import { keyText } from '../../../src/kube/objects.ts';
import { formatTime } from '../../../src/lib/time.ts';
import { createOracles } from '../../../src/oracle/all.ts';
import { OracleBoard } from '../../../src/oracle/board.ts';
import { context, later, node, notReady, performer, pod, Story, service, slice, startMs } from './world.ts';

interface Row {
  readonly name: string;
  readonly tell: () => Story;
  readonly found: readonly string[];
}

const key = { namespace: 'a', name: 'x' };

/** A client calls it, whoever answers. */
function called(story: Story): Story {
  story.board.answer({ atMs: story.nowMs, key, from: 'n1', podUid: 'u1/performer-x', insideCut: false });
  return story;
}

describe('S1, at most one pod for each replica', () => {
  it.each<Row>([
    {
      name: 'accepts the pods of a rollout',
      tell: () =>
        new Story()
          .has(performer(), node(), pod())
          .at(9)
          .has(performer({ image: 'i:2' }, { generation: 2 }))
          .at(10)
          .writes({ after: later(1, { image: 'i:2', revision: 'r2', bornAt: 10 }) }),
      found: [],
    },
    {
      name: 'refuses a second pod of the revision that serves',
      tell: () =>
        new Story()
          .has(performer(), node(), pod())
          .at(10)
          .writes({ after: later(1, { bornAt: 10 }) }),
      found: ['S1'],
    },
    {
      name: 'accepts it where fewer were wanted only just now',
      tell: () =>
        new Story()
          .has(performer({ replicas: 2 }), node(), pod())
          .at(9)
          .has(performer({}, { generation: 2 }))
          .at(10)
          .writes({ after: later(1, { bornAt: 10 }) }),
      found: [],
    },
    {
      name: 'accepts a name that comes back on an old view',
      tell: () =>
        new Story()
          .has(performer(), node(), later(1))
          .lacks(later(1))
          .has(later(2))
          .at(10)
          .writes({ after: later(1, { bornAt: 10 }) }),
      found: [],
    },
    {
      name: 'accepts a pod beside one whose name came back',
      tell: () => {
        const first = later(1);
        const again = { ...first, metadata: { ...first.metadata, uid: 'again' } };
        return new Story()
          .has(performer(), node(), first)
          .lacks(first)
          .has(again)
          .at(10)
          .writes({ after: later(2, { bornAt: 10 }) });
      },
      found: [],
    },
    {
      name: 'refuses two that go on answering',
      tell: () => new Story().has(performer(), pod(), later(1)).at(13).has(pod()),
      found: ['S1'],
    },
    {
      name: 'accepts two for as long as it may take',
      tell: () => new Story().has(performer(), pod(), later(1)).at(12).has(pod()),
      found: [],
    },
    {
      name: 'refuses two that a client finds while faults go on',
      tell: () => called(new Story({ calmSinceMs: () => Number.POSITIVE_INFINITY }).has(performer(), pod(), later(1)).at(13)),
      found: ['S1'],
    },
    {
      name: 'refuses two to which calls are sent, though they are not Ready any more',
      tell: () => {
        const both = [pod(), later(1)] as const;
        const sent = slice('u1/performer-x', 'u1/performer-x-abcd-1');
        return new Story()
          .has(performer(), ...both, sent, pod({ ready: false }), later(1, { ready: false }))
          .at(13)
          .has(pod({ ready: false }));
      },
      found: ['S1'],
    },
    {
      name: 'accepts two while something keeps operators from acting, and for as long after it',
      tell: () => new Story({ lateUntilMs: () => startMs + 5_000 }).has(performer(), pod(), later(1)).at(17).has(pod()),
      found: [],
    },
    {
      name: 'accepts two once they were one in between',
      tell: () =>
        new Story()
          .has(performer(), pod(), later(1))
          .at(9)
          .has(later(1, { ready: false }))
          .at(10)
          .has(later(1))
          .at(20)
          .has(pod()),
      found: [],
    },
    {
      name: 'accepts two of a Performer that another controller manages',
      tell: () =>
        new Story()
          .has(performer({ managedBy: 'example.com/other' }), pod(), later(1))
          .at(13)
          .has(performer(), pod()),
      found: [],
    },
    {
      name: 'accepts two of one that is going',
      tell: () =>
        new Story()
          .has(performer({}, { deleting: true }), pod(), later(1))
          .at(13)
          .has(performer(), pod()),
      found: [],
    },
    {
      name: 'accepts two while a stranger holds a name, by its own word',
      tell: () => {
        const stranger = later(3);
        const { ownerReferences: _nobody, ...metadata } = stranger.metadata ?? {};
        const blocked = performer({}, { status: notReady('NameConflict') });
        return new Story()
          .has({ ...stranger, metadata }, blocked, pod(), later(1))
          .at(13)
          .has(pod())
          .has(performer(), pod());
      },
      found: [],
    },
  ])('$name', ({ tell, found }) => {
    const story = tell();
    expect(story.found).toEqual(found);
    expect(story.evaluated('S1')).toBeGreaterThan(0);
  });

  it('says nothing where nobody tells what faults keep operators from, until they are over', () => {
    let calmMs = Number.POSITIVE_INFINITY;
    const { lateUntilMs: _untold, ...untold } = context;
    const board = new OracleBoard(createOracles({ ...untold, calmSinceMs: () => calmMs }));
    const story = new Story({}, board).has(performer(), pod(), later(1)).at(100).has(pod());
    expect([story.found, story.evaluated('S1')]).toEqual([[], 0]);
    calmMs = startMs + 100_000;
    expect(story.at(112).has(pod()).found).toEqual([]);
    expect(story.at(113).has(pod()).found).toEqual(['S1']);
  });
});

describe('R1, never nobody by our doing', () => {
  const next = later(1, { image: 'i:2', revision: 'r2', bornAt: 10 });
  const rolling = (spec: object = {}, context: ConstructorParameters<typeof Story>[0] = {}) =>
    new Story(context)
      .has(performer(spec), node(), pod())
      .at(10)
      .has(performer({ ...spec, image: 'i:2' }, { generation: 2 }));
  /** The next pod has been Ready since second 15, by its kubelet's word, and no call reaches it; slices cannot be read until second 30. */
  const unread = (seconds: number): Story => {
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(startMs + 15_000) }];
    return rolling({}, { slicesOffUntilMs: startMs + 30_000 })
      .has({ ...next, status: { ...next.status, conditions } } as typeof next, slice('u1/performer-x'))
      .at(seconds)
      .writes({ before: pod(), after: pod({ outAt: seconds }) });
  };
  it.each<Row>([
    { name: 'accepts a pod that says it has been Ready for a while, where slices cannot be read', tell: () => unread(17), found: [] },
    { name: 'refuses one that says it has been for less', tell: () => unread(16), found: ['R1'] },
    { name: 'refuses to go by its word once slices can be read', tell: () => unread(31), found: ['R1'] },
    {
      name: 'accepts an old pod out once the new one answers',
      tell: () =>
        rolling()
          .has(next, slice('u1/performer-x', 'u1/performer-x-abcd-1'))
          .at(20)
          .writes({ before: pod(), after: pod({ outAt: 20 }) }),
      found: [],
    },
    {
      name: 'refuses an old pod out while the new one starts',
      tell: () =>
        rolling()
          .has(later(1, { image: 'i:2', revision: 'r2', bornAt: 10, ready: false, phase: 'Pending' }))
          .at(20)
          .writes({ before: pod(), after: pod({ outAt: 20 }) }),
      found: ['R1'],
    },
    {
      name: 'refuses an old pod out while no call reaches the new one',
      tell: () =>
        rolling()
          .has(next, slice('u1/performer-x'))
          .at(20)
          .writes({ before: pod(), after: pod({ outAt: 20 }) }),
      found: ['R1'],
    },
    {
      name: 'accepts nobody with Recreate',
      tell: () =>
        rolling({ strategy: { type: 'Recreate' } })
          .at(20)
          .writes({ before: pod(), after: pod({ outAt: 20 }) }),
      found: [],
    },
    {
      name: 'accepts a new pod that failed in the very moment',
      tell: () =>
        rolling()
          .has(next)
          .at(20)
          .has(later(1, { image: 'i:2', revision: 'r2', ready: false }))
          .writes({ before: pod(), after: pod({ outAt: 20 }) }),
      found: [],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});

describe('R2, the way out', () => {
  const out = pod({ outAt: 20 });
  const withdrawn = () =>
    new Story()
      .has(performer(), pod(), later(1))
      .at(10)
      .has(performer({ image: 'i:2' }, { generation: 2 }))
      .at(20)
      .writes({ before: pod(), after: out });
  it.each<Row>([
    { name: 'accepts a deletion after the drain', tell: () => withdrawn().at(26).writes({ before: out }), found: [] },
    { name: 'refuses a deletion before its end', tell: () => withdrawn().at(23).writes({ before: out }), found: ['R2'] },
    {
      name: 'accepts one that never started at once',
      tell: () =>
        withdrawn()
          .has(later(1, { ready: false }))
          .writes({ before: later(1, { ready: false }) }),
      found: [],
    },
    {
      name: 'accepts all to go with their Performer',
      tell: () =>
        new Story()
          .has(performer(), pod())
          .at(10)
          .has(performer({}, { deleting: true }))
          .writes({ before: pod() }),
      found: [],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});

describe('N1, Strict waits for proof', () => {
  const strict = { nodeLossPolicy: 'Strict' };
  const lost = (spec: object) =>
    new Story()
      .has(performer(spec), node('n1'), node('n2'), node('n3'), pod())
      .at(10)
      .has(node('n1', true), pod({ ready: false, deleting: true }))
      .at(30);
  it.each<Row>([
    {
      name: 'refuses a replacement before it',
      tell: () => lost(strict).writes({ after: later(1, { bornAt: 30, node: 'n2' }) }),
      found: ['N1'],
    },
    {
      name: 'accepts one once the Node is gone',
      tell: () =>
        lost(strict)
          .lacks(node('n1'))
          .writes({ after: later(1, { bornAt: 30, node: 'n2' }) }),
      found: [],
    },
    { name: 'accepts one at once under Route', tell: () => lost({}).writes({ after: later(1, { bornAt: 30, node: 'n2' }) }), found: [] },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});

describe('N2, Recreate runs no more', () => {
  const recreate = { strategy: { type: 'Recreate' } };
  const instance = (podUid: string, nodeName = 'n1') => ({ podUid, key, node: nodeName });
  const both = (story: Story) => {
    story.board.instances([instance('u1/performer-x')], startMs);
    story.board.instances([instance('u1/performer-x'), instance('u1/performer-x-abcd-1', 'n2')], startMs + 40_000);
    return story;
  };
  const replaced = (spec: object, revision = 'r1') =>
    new Story()
      .has(performer(spec), node('n1'), node('n2'), pod({ outAt: 20 }))
      .at(30)
      .has(later(1, { bornAt: 30, revision }));
  it.each<Row>([
    { name: 'refuses a second one that runs', tell: () => both(replaced(recreate)), found: ['N2'] },
    { name: 'says nothing of one that another operator made', tell: () => both(replaced(recreate, '')), found: [] },
    {
      name: 'refuses it beside one that another operator left long before',
      tell: () =>
        both(
          new Story()
            .has(performer(recreate), node(), pod({ revision: '' }))
            .at(30)
            .has(later(1, { bornAt: 30 })),
        ),
      found: ['N2'],
    },
    {
      name: 'says nothing of one that was made beside what another operator had just made',
      tell: () =>
        both(
          new Story()
            .has(performer(recreate), node())
            .at(29)
            .has(pod({ revision: '', bornAt: 29 }))
            .at(30)
            .has(later(1, { bornAt: 30 })),
        ),
      found: [],
    },
    {
      name: 'says nothing of what another operator made beside ours',
      tell: () =>
        both(
          new Story()
            .has(performer(recreate), node(), later(7))
            .at(9)
            .has(pod({ revision: '', bornAt: 9 }))
            .at(30)
            .has(later(1, { bornAt: 30 })),
        ),
      found: [],
    },
    {
      name: 'refuses it beside what a look at the API server would have shown: one that follows is made on proof',
      tell: () =>
        both(
          new Story()
            .has(performer(recreate), node())
            .at(28.5)
            .has(pod({ revision: '', bornAt: 28 }))
            .at(30)
            .has(later(1, { bornAt: 30 })),
        ),
      found: ['N2'],
    },
    {
      name: 'refuses it beside what another operator made once it is our own',
      tell: () =>
        both(
          new Story()
            .has(performer(recreate), node(), later(7))
            .at(9)
            .has(pod({ revision: '', bornAt: 9 }))
            .at(20)
            .writes({ before: pod({ revision: '', bornAt: 9 }), after: pod({ bornAt: 9 }) })
            .at(30)
            .has(later(1, { bornAt: 30 })),
        ),
      found: ['N2', 'S2'],
    },
    { name: 'accepts it with RollingUpdate', tell: () => both(replaced({})), found: [] },
    {
      name: 'accepts it under Route beside one on a node out of sight',
      tell: () => both(replaced(recreate).has(node('n1', true))),
      found: [],
    },
    {
      name: 'refuses it under Strict even then',
      tell: () => both(replaced({ ...recreate, nodeLossPolicy: 'Strict' }).has(node('n1', true))),
      found: ['N2'],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
});

describe('R3, out is out', () => {
  const answered = (insideCut: boolean, atSeconds: number) => {
    const story = new Story()
      .has(performer(), pod(), later(1))
      .at(10)
      .has(pod({ outAt: 10 }));
    story.board.answer({ atMs: startMs + atSeconds * 1_000, key, from: 'n2', podUid: 'u1/performer-x', insideCut });
    return story;
  };
  it.each<Row>([
    { name: 'refuses an answer long after the withdrawal', tell: () => answered(false, 13), found: ['R3'] },
    { name: 'accepts one that was on its way', tell: () => answered(false, 11), found: [] },
    { name: 'accepts one behind a cut', tell: () => answered(true, 60), found: [] },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
  it('speaks of the Performer', () => expect(answered(false, 13).board.violations.map((one) => one.key)).toEqual([keyText(key)]));
});

describe('R4, callers get through', () => {
  const called = (story: Story, seconds: number, change: { routed?: boolean; insideCut?: boolean } = { routed: false }): Story => {
    story.board.answer({ atMs: startMs + seconds * 1_000, key, from: 'n2', podUid: undefined, insideCut: false, ...change });
    return story;
  };
  const serving = (): Story => new Story().has(performer(), node(), service(), pod());
  const edited = service({}, { selector: { app: 'theirs' } });
  it.each<Row>([
    { name: 'refuses a call that is sent nowhere while a pod serves', tell: () => called(serving(), 20), found: ['R4'] },
    {
      name: 'refuses it though the Service was narrowed by ours, for a rollout',
      tell: () => called(serving().at(10).writes({ before: service(), after: edited }), 20),
      found: ['R4'],
    },
    { name: 'accepts a call that is sent to a pod, whatever that answers', tell: () => called(serving(), 20, { routed: true }), found: [] },
    { name: 'accepts it where nobody can tell', tell: () => called(serving(), 20, {}), found: [] },
    { name: 'accepts it behind a cut', tell: () => called(serving(), 20, { routed: false, insideCut: true }), found: [] },
    { name: 'accepts a pod that clients have not heard of yet', tell: () => called(serving(), 1), found: [] },
    {
      name: 'accepts a pod that was not Ready a moment ago',
      tell: () =>
        called(
          serving()
            .at(10)
            .has(pod({ ready: false }))
            .at(19)
            .has(pod()),
          20,
        ),
      found: [],
    },
    {
      name: 'accepts a Service that was made just now',
      tell: () => called(new Story().has(performer(), pod()).at(19).has(service()), 20),
      found: [],
    },
    {
      name: 'accepts a Service that somebody else wrote',
      tell: () => called(serving().at(10).writes({ actor: 'user', before: service(), after: edited }), 20),
      found: [],
    },
    { name: 'accepts it for one that goes', tell: () => called(serving().has(performer({}, { deleting: true })), 20), found: [] },
    { name: 'accepts it for another manager', tell: () => called(serving().has(performer({ managedBy: 'me' })), 20), found: [] },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));
  it('counts the calls that could be judged', () => {
    expect([called(serving(), 20, { routed: true }), called(serving(), 1)].map((story) => story.evaluated('R4'))).toEqual([1, 0]);
  });
});
