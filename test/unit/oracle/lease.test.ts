import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { Write } from '../../../src/oracle/oracle.ts';
import { performer, pod, Story } from './world.ts';

const key = { namespace: 'hourglass-system', name: 'lease' };
const lease = (holderIdentity: string, resourceVersion: string): KubeObject =>
  ({ metadata: { ...key, resourceVersion }, spec: { holderIdentity, leaseDurationSeconds: 15 } }) as KubeObject;

/** The Lease goes from one to another, at these seconds. */
function told(...turns: readonly (readonly [atSeconds: number, holder: string])[]): Story {
  return toldTo(new Story(), turns);
}

function toldTo(story: Story, turns: readonly (readonly [atSeconds: number, holder: string])[]): Story {
  story.has(performer());
  let before = '';
  for (const [seconds, holder] of turns) {
    const write: Omit<Write, 'atMs'> = {
      actor: holder === '' ? before : holder,
      verb: 'patch',
      plural: 'leases',
      key,
      sent: {},
      preconditions: { resourceVersion: '1' },
      result: 'ok',
      before: lease(before, '1'),
      after: lease(holder, '2'),
    };
    story.at(seconds).board.write({ ...write, atMs: story.nowMs });
    before = holder;
  }
  return story;
}

/** `operator-1` holds it at second 1; another hand removes it, and `operator-2` makes it anew at second 3. */
function removed(context: ConstructorParameters<typeof Story>[0] = {}): Story {
  const story = toldTo(new Story(context), [[1, 'operator-1']]).at(3);
  const made = { actor: 'operator-2', verb: 'create', plural: 'leases', key, sent: {}, preconditions: {}, result: 'ok' } as const;
  story.board.write({ ...made, before: undefined, after: lease('operator-2', '3'), atMs: story.nowMs });
  return story;
}

/** A cluster in which it is known how long a write is on its way. */
const quick = { onTheWayMs: 1_000 };
const lost = [
  [1, 'operator-1'],
  [17, 'operator-2'],
] as const;

describe('oracles of the Lease', () => {
  it.each<{ name: string; tell: () => Story; found: readonly string[] }>([
    { name: 'accept another holder after silence', tell: () => told([1, 'operator-1'], [3, 'operator-1'], [19, 'operator-2']), found: [] },
    {
      name: 'accept another one at once where it was given up',
      tell: () => told([1, 'operator-1'], [2, ''], [3, 'operator-2']),
      found: [],
    },
    { name: 'refuse one that takes it from a holder that renews', tell: () => told([1, 'operator-1'], [3, 'operator-2']), found: ['E1'] },
    { name: 'refuse one that takes it before its time is over', tell: () => told([1, 'operator-1'], [12, 'operator-2']), found: ['E1'] },
    {
      name: 'accept that where clocks run twice as fast',
      tell: () =>
        toldTo(new Story({ clockAheadMs: 1_000 }), [
          [1, 'operator-1'],
          [8, 'operator-2'],
        ]),
      found: [],
    },
    {
      name: 'accept writes of who leads',
      tell: () => told([1, 'operator-1'], [3, 'operator-1']).at(40).writes({ after: pod(), entitled: true }),
      found: [],
    },
    {
      name: 'refuse those of who never led',
      tell: () => told([1, 'operator-2']).at(4).writes({ after: pod(), entitled: false }),
      found: ['E2'],
    },
    {
      name: 'accept those of a fault that takes itself for the leader',
      tell: () => told([1, 'operator-2']).at(4).writes({ after: pod(), actor: 'operator-rogue', entitled: false }),
      found: [],
    },
    {
      name: 'accept a write that was on its way when the Lease was given up',
      tell: () => told([1, 'operator-1'], [5, '']).at(14).writes({ after: pod(), entitled: false }),
      found: [],
    },
    {
      name: 'refuse writes of who gave it up long ago',
      tell: () => told([1, 'operator-1'], [5, '']).at(16).writes({ after: pod(), entitled: false }),
      found: ['E2'],
    },
    {
      name: 'accept them for longer where clocks are slow',
      tell: () =>
        toldTo(new Story({ waitFactor: 2 }), lost)
          .at(33)
          .writes({ after: pod(), entitled: false }),
      found: [],
    },
    {
      name: 'refuse those of who gave it up as soon with slow clocks: it knew',
      tell: () =>
        toldTo(new Story({ waitFactor: 2 }), [
          [1, 'operator-1'],
          [5, ''],
        ])
          .at(16)
          .writes({ after: pod(), entitled: false }),
      found: ['E2'],
    },
    {
      name: 'accept a write that was on its way when the Lease was lost',
      tell: () => told([1, 'operator-1'], [17, 'operator-2']).at(20).writes({ after: pod() }),
      found: [],
    },
    {
      name: 'refuse writes of who lost it long ago',
      tell: () => told([1, 'operator-1'], [17, 'operator-2']).at(40).writes({ after: pod() }),
      found: ['E2'],
    },
    {
      name: 'accept one that came in at once where it is known how long they are on their way',
      tell: () => toldTo(new Story(quick), lost).at(18).writes({ after: pod() }),
      found: [],
    },
    {
      name: 'refuse one that came in later than that',
      tell: () => toldTo(new Story(quick), lost).at(19).writes({ after: pod() }),
      found: ['E2'],
    },
    {
      name: 'refuse one of who gave it up, later than that',
      tell: () =>
        toldTo(new Story(quick), [
          [1, 'operator-1'],
          [5, ''],
        ])
          .at(7)
          .writes({ after: pod(), entitled: false }),
      found: ['E2'],
    },
    {
      name: 'accept a write of who has not seen yet that another hand removed the Lease',
      tell: () => removed(quick).at(6).writes({ after: pod(), entitled: false }),
      found: [],
    },
    {
      name: 'refuse one of who could have seen it long ago',
      tell: () => removed().at(15).writes({ after: pod(), entitled: false }),
      found: ['E2'],
    },
    {
      name: 'accept them once it leads again',
      tell: () => told([1, 'operator-1'], [17, 'operator-2'], [33, 'operator-1']).at(60).writes({ after: pod() }),
      found: [],
    },
  ])('$name', ({ tell, found }) => expect(tell().found).toEqual(found));

  it('count a write of who leads as a test', () => {
    expect(told([1, 'operator-1']).at(4).writes({ after: pod(), entitled: true }).evaluated('E2')).toBe(1);
    expect(told([1, 'operator-1']).at(4).writes({ after: pod() }).evaluated('E2')).toBe(0);
  });
});
