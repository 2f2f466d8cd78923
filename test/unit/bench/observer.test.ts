import { describe, expect, it } from 'vitest';
import { Observer, type Sample, type SeenEvent, type SeenObject } from '../../../src/bench/observer.ts';

/** An observer, and what it has finished. */
function observe(hasAnswers = false) {
  const done: Sample[] = [];
  const observer = new Observer((sample) => done.push(sample), hasAnswers);
  return { observer, done };
}

const performer = (type: string, ready = false, name = 'a'): SeenEvent => ({
  type,
  object: { kind: 'Performer', metadata: { name, namespace: 'ns' }, status: { ready } },
});

interface PodState {
  readonly name?: string;
  readonly image?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly leaving?: boolean;
  readonly owner?: string;
}

function owned(type: string, kind: string, { name = 'performer-a', owner = 'a', leaving = false, ...state }: PodState): SeenEvent {
  const object: SeenObject = {
    kind,
    metadata: {
      name,
      namespace: 'ns',
      ownerReferences: [{ kind: 'Performer', name: owner }],
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [{ image: state.image ?? 'one' }], ...(state.node === undefined ? {} : { nodeName: state.node }) },
    status: {
      ...(state.phase === undefined ? {} : { phase: state.phase }),
      conditions: [{ type: 'Ready', status: state.ready === true ? 'True' : 'False' }],
    },
  };
  return { type, object };
}

const pod = (type: string, state: PodState = {}): SeenEvent => owned(type, 'Pod', state);
const running = { node: 'n1', phase: 'Running', ready: true } as const;

describe('the observer of a creation', () => {
  it('gives each phase the time of the event that showed it first', () => {
    const { observer, done } = observe();
    observer.asked('create', 'ns/a', 1_000);
    observer.see(performer('ADDED'), 1_004);
    observer.acknowledged('ns/a', 1_006);
    observer.see(pod('ADDED'), 1_020);
    observer.see(pod('MODIFIED', { node: 'n1' }), 1_030);
    observer.see(pod('MODIFIED', { node: 'n1', phase: 'Running' }), 1_045);
    observer.see(pod('MODIFIED', running), 1_050);
    observer.see(pod('MODIFIED', running), 1_055);
    expect(done).toEqual([]);
    observer.see(performer('MODIFIED', true), 1_062);
    observer.see(performer('MODIFIED', true), 1_090);
    const phases = { acknowledged: 6, 'pod created': 20, scheduled: 30, running: 45, 'pod ready': 50, 'status ready': 62 };
    expect(done).toEqual([{ key: 'ns/a', ask: 'create', askedAtMs: 1_000, complete: true, phases }]);
    expect(observer.unfinished()).toEqual([]);
  });

  it('reads every phase off one event when that is all it is shown', () => {
    const { observer, done } = observe();
    observer.asked('create', 'ns/a', 0);
    observer.see(pod('ADDED', running), 9);
    observer.see(performer('MODIFIED', true), 12);
    observer.acknowledged('ns/a', 15);
    expect(done[0]?.phases).toEqual({ acknowledged: 15, 'pod created': 9, scheduled: 9, running: 9, 'pod ready': 9, 'status ready': 12 });
  });

  it('waits for the first answer where Performers are called', () => {
    const { observer, done } = observe(true);
    observer.asked('create', 'ns/a', 100);
    observer.acknowledged('ns/a', 105);
    observer.see(pod('ADDED', running), 110);
    observer.see(performer('MODIFIED', true), 112);
    expect(done).toEqual([]);
    observer.answered('ns/a', 118);
    observer.answered('ns/b', 119);
    expect(done.map(({ complete, phases }) => ({ complete, first: phases['first answer'] }))).toEqual([{ complete: true, first: 18 }]);
  });

  it('keeps Performers apart, and ignores objects of others', () => {
    const { observer, done } = observe();
    observer.asked('create', 'ns/a', 0);
    observer.asked('create', 'ns/b', 5);
    observer.see(pod('ADDED', { owner: 'b', name: 'performer-b' }), 8);
    observer.see({ type: 'ADDED', object: { kind: 'Pod', metadata: { name: 'x', namespace: 'ns' } } }, 9);
    expect(done).toEqual([]);
    expect(observer.unfinished().map(({ key, complete, phases }) => ({ key, complete, phases }))).toEqual([
      { key: 'ns/a', complete: false, phases: {} },
      { key: 'ns/b', complete: false, phases: { 'pod created': 3 } },
    ]);
  });
});

describe('the observer of a deletion', () => {
  it('is done when pod, Service and Performer are gone, in whatever order', () => {
    const { observer, done } = observe();
    observer.see(pod('ADDED', running), 10);
    observer.asked('delete', 'ns/a', 100);
    observer.acknowledged('ns/a', 105);
    observer.see(performer('DELETED'), 106);
    observer.see(owned('DELETED', 'Service', {}), 112);
    observer.see(pod('MODIFIED', { ...running, leaving: true }), 115);
    observer.see(pod('DELETED', { leaving: true }), 131);
    const phases = { acknowledged: 5, 'performer gone': 6, 'service gone': 12, 'pod deleting': 15, 'pod gone': 31 };
    expect(done.map((sample) => sample.phases)).toEqual([phases]);
  });

  it('takes a pod that is gone at once for one that was deleting', () => {
    const { observer } = observe();
    observer.asked('delete', 'ns/a', 0);
    observer.see(pod('DELETED'), 7);
    expect(observer.unfinished()[0]?.phases).toEqual({ 'pod deleting': 7, 'pod gone': 7 });
  });
});

describe('the observer of an update', () => {
  const old = { ...running, name: 'p-0' };
  const fresh = { ...running, name: 'p-1', image: 'two' };

  it('tells old pods from new ones by their image, and sees no gap where they overlap', () => {
    const { observer, done } = observe();
    observer.see(pod('ADDED', old), 0);
    observer.asked('update', 'ns/a', 100, 'two');
    observer.acknowledged('ns/a', 104);
    observer.see(performer('MODIFIED', true), 105);
    observer.see(pod('ADDED', { ...fresh, ready: false }), 110);
    observer.see(pod('MODIFIED', fresh), 130);
    observer.see(performer('MODIFIED', true), 138);
    observer.see(pod('MODIFIED', { ...old, leaving: true }), 140);
    observer.see(pod('DELETED', old), 160);
    expect(done.map(({ phases }) => phases)).toEqual([
      {
        acknowledged: 4,
        'new pod created': 10,
        'new pod ready': 30,
        'status ready': 38,
        'old pod gone': 60,
        'without a ready pod': 0,
      },
    ]);
  });

  it('measures the time without a ready pod where the old one goes first', () => {
    const { observer, done } = observe();
    observer.see(pod('ADDED', old), 0);
    observer.asked('update', 'ns/a', 100, 'two');
    observer.acknowledged('ns/a', 104);
    observer.see(pod('DELETED', old), 120);
    observer.see(pod('ADDED', { ...fresh, ready: false }), 130);
    observer.see(pod('MODIFIED', fresh), 185);
    expect(done[0]?.phases['without a ready pod']).toBe(65);
  });
});
