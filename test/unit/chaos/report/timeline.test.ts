import { describe, expect, it } from 'vitest';
import { readTimeline, type Timeline } from '../../../../chaos/report/timeline.ts';
import type { ChaosRun } from '../../../../chaos/report.ts';
import { makeChaosRun } from '../../../support/chaos-reports.ts';

type Life = ChaosRun['pods'][number];
const life = (change: Partial<Life> = {}): Life => ({
  name: 'a-0',
  uid: 'u',
  performer: 'alpha',
  node: 'n1',
  seenMs: 0,
  wasThere: true,
  ready: [{ fromMs: 0 }],
  ...change,
});
/** Felt at 5 s, healed at 10 s, ended at 20 s. */
const read = (change: Partial<ChaosRun>): Timeline => readTimeline(makeChaosRun('passed', change));
const told = (spans: Timeline['pods']): readonly string[] => spans.map(({ from, to, state }) => `${from}…${to} ${state}`);

describe('the lane of a pod', () => {
  it.each([
    { name: 'serves from its first sight to the end', of: life(), says: ['-5…15 serving'] },
    {
      name: 'starts, and serves',
      of: life({ wasThere: false, seenMs: 6_000, ready: [{ fromMs: 8_000 }] }),
      says: ['1…3 starting', '3…15 serving'],
    },
    {
      name: 'is lost, taken out, deleted, and gone; what its kubelet says afterwards is nothing to clients',
      of: life({
        ready: [
          { fromMs: 0, toMs: 6_000 },
          { fromMs: 11_000, toMs: 12_000 },
        ],
        withdrawnMs: 8_000,
        deletingMs: 9_000,
        goneMs: 13_000,
      }),
      says: ['-5…1 serving', '1…3 not ready', '3…4 out of its Service', '4…8 leaving'],
    },
    {
      name: 'comes back by itself',
      of: life({ ready: [{ fromMs: 0, toMs: 6_000 }, { fromMs: 7_000 }] }),
      says: ['-5…1 serving', '1…2 not ready', '2…15 serving'],
    },
  ])('$name', ({ of, says }) => {
    expect(told(read({ pods: [of] }).pods)).toEqual(says);
  });

  it('is marked where the fault met it, and those of the Performer that was met stand first', () => {
    const pods = [life({ name: 'b-0', performer: 'beta' }), life({ name: 'c-0', performer: 'asked' }), life({ name: 'a-1' })];
    const load = [{ second: 0, performer: 'beta', inside: false, answered: 1, failed: 0 }];
    const { pods: spans } = read({ pods, load, target: { performer: 'alpha', pods: ['a-1'], nodes: [] } });
    expect(spans.map(({ lane }) => lane)).toEqual(['→ a-1 · n1', 'b-0 · n1', 'c-0 · n1']);
  });
});

describe('tasks', () => {
  it('are stacked by second, and those from a node that is cut off stand apart; the last second ends with the run', () => {
    const one = { performer: 'alpha', answered: 3, failed: 2 };
    const load = [
      { ...one, second: 6, inside: false },
      { ...one, second: 6, inside: true },
      { ...one, second: 19, inside: false, failed: 0 },
    ];
    const [alpha] = read({ load, times: { beganMs: 0, askedMs: 5_000, feltMs: 5_000, healedMs: 10_000, endedMs: 19_500 } }).tasks;
    expect(alpha?.counts).toEqual([
      { from: 1, to: 2, outcome: 'answered', above: 0, count: 6 },
      { from: 1, to: 2, outcome: 'failed', above: 6, count: 2 },
      { from: 1, to: 2, outcome: 'failed where it was cut off', above: 8, count: 2 },
      { from: 14, to: 14.5, outcome: 'answered', above: 0, count: 3 },
    ]);
  });
});

describe('what a Performer says', () => {
  it('holds until it says something else, ends when it is gone, and else with the run', () => {
    const conditions = [
      { atMs: 0, performer: 'alpha', ready: 'True Serving' },
      { atMs: 0, performer: 'asked', ready: 'False Starting' },
      { atMs: 7_000, performer: 'alpha', ready: 'False Starting' },
      { atMs: 9_000, performer: 'asked', ready: 'gone' },
    ];
    const { conditions: spans } = read({ conditions });
    expect(spans.map(({ lane, from, to, state }) => `${lane} ${from}…${to} ${state}`)).toEqual([
      'alpha -5…2 True Serving',
      'alpha 2…15 False Starting',
      'asked -5…4 False Starting',
    ]);
  });
});

it('a fault of an instant has no end, and what never was as asked again no such moment', () => {
  const { fault, moments } = read({ times: { beganMs: 0, askedMs: 4_000, feltMs: 5_000, healedMs: 5_000, endedMs: 20_000 } });
  expect(fault).toEqual({ from: 0, to: 0 });
  expect(moments).toEqual([{ at: 0, name: 'fault' }]);
});

it('writes are told apart by what they do, and unknown where there is no audit log', () => {
  const write = { atMs: 6_000, actor: 'operator x', plural: 'pods', name: 'a-1' };
  const verbs = ['create', 'patch', 'update', 'delete'].map((verb) => ({ ...write, verb, result: 'ok' }));
  const { writes } = read({ writes: [...verbs, { ...write, verb: 'create', result: 'conflict' }] });
  expect(writes?.map(({ kind }) => kind)).toEqual(['create', 'change', 'change', 'delete', 'refused']);
  const { writes: _, ...blind } = makeChaosRun('passed');
  expect(readTimeline(blind).writes).toBeUndefined();
});
