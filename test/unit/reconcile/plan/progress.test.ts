import { describe, expect, it } from 'vitest';
import type { PodView } from '../../../../src/reconcile/plan/pod-view.ts';
import { findWaits, type ProgressFacts, tellProgress } from '../../../../src/reconcile/plan/progress.ts';
import type { Rules } from '../../../../src/reconcile/plan/rules.ts';

const rules: Rules = {
  replicas: 1,
  maxSurge: 1,
  maxUnavailable: 0,
  recreate: false,
  paused: false,
  strictNodeLoss: false,
  nodeLossMs: 3_000,
  toleratesLoss: false,
  minReadyMs: 0,
  drainMs: 5_000,
  progressDeadlineMs: 600_000,
};
const nowMs = 100_000;
const view = (name: string, change: Partial<PodView> = {}): PodView =>
  ({
    name,
    word: 'serving',
    mayServe: true,
    ended: false,
    notReadySinceMs: 0,
    readySinceMs: 50_000,
    availableAtMs: 50_000,
    node: { word: 'well', name: 'n1' },
    replaceAtMs: 31_000,
    edited: false,
    ...change,
  }) as PodView;
const starting = (name: string, change: Partial<PodView> = {}): PodView =>
  view(name, { word: 'starting', readySinceMs: undefined, availableAtMs: undefined, ...change });
const lost = (name: string, change: Partial<PodView> = {}): PodView =>
  starting(name, { word: 'lost', node: { word: 'lost', name: 'n2' }, ...change });
const crashing = { reason: 'CrashLooping', message: 'ends again' } as const;

interface Case {
  readonly current?: PodView[];
  readonly old?: PodView[];
  readonly failed?: PodView[];
  readonly others?: PodView[];
  readonly rules?: Partial<Rules>;
  readonly mayStart?: boolean;
  readonly servingRevision?: string;
}
const seen = ({
  current = [],
  old = [],
  failed = [],
  others = [],
  rules: change = {},
  mayStart = true,
  servingRevision = 'r1',
}: Case): ProgressFacts => ({
  facts: {
    revision: 'r2',
    pods: [...current, ...old, ...failed, ...others],
    rules: { ...rules, ...change },
    servingRevision,
    lastIndex: undefined,
    nowMs,
  },
  current,
  old,
  failed,
  mayStart,
});

describe('what stands between a Performer and its newest spec', () => {
  it.each<Case & { says: string }>([
    { current: [view('a')], says: 'Serving: pod a serves' },
    { current: [view('a'), view('b')], rules: { replicas: 2 }, says: 'Serving: 2 of 2 pods serve' },
    { current: [view('a')], rules: { replicas: 2 }, says: 'Starting: 1 of 2 pods of the newest spec ready' },
    { current: [view('a'), starting('b'), starting('c')], rules: { replicas: 3 }, says: 'Starting: pod b, c is not ready yet' },
    { says: 'Starting: a pod is being created' },
    { old: [view('o')], says: 'RolloutInProgress: a pod is being created; o of the former spec serves meanwhile' },
    { old: [view('o'), view('p')], says: 'RolloutInProgress: a pod is being created; o, p of the former spec serve meanwhile' },
    { old: [view('o'), starting('p')], says: 'RolloutInProgress: a pod is being created; o of the former spec serves meanwhile' },
    { old: [starting('p')], says: 'RolloutInProgress: a pod is being created' },
    { others: [view('x', { word: 'out' })], rules: { recreate: true }, says: 'Starting: pod x must be gone first' },
    { others: [view('x', { word: 'out' })], says: 'Starting: a pod is being created' },
    { others: [view('x', { word: 'leaving', ended: true })], rules: { recreate: true }, says: 'Starting: a pod is being created' },
    {
      others: [view('x', { word: 'leaving', node: { word: 'gone', name: 'n2' } })],
      rules: { recreate: true },
      says: 'Starting: a pod is being created',
    },
    {
      old: [view('o')],
      mayStart: false,
      rules: { paused: true },
      says: 'Paused: the newest spec waits while spec.paused is set; o of the former spec serves meanwhile',
    },
    { mayStart: true, rules: { paused: true }, says: 'Starting: a pod is being created' },
    { mayStart: false, rules: { paused: true }, says: 'Paused: the newest spec waits while spec.paused is set' },
    { current: [lost('a')], says: 'NodeLost: pod a is on node n2, which is unreachable' },
    {
      current: [lost('a')],
      rules: { strictNodeLoss: true },
      says: 'NodeLost: pod a is on node n2, which is unreachable; it is replaced once it is proven that it does not run',
    },
    { current: [lost('a', { node: { word: 'gone', name: 'n2' } })], says: 'NodeLost: pod a is on node n2, which is unreachable' },
    {
      others: [view('x', { word: 'leaving', node: { word: 'unknown', name: 'n2' } })],
      rules: { strictNodeLoss: true },
      says: 'NodeLost: pod x is on node n2, which is unreachable; it is replaced once it is proven that it does not run',
    },
    { others: [view('x', { word: 'leaving', node: { word: 'lost', name: 'n2' } })], says: 'Starting: a pod is being created' },
    {
      others: [view('x', { word: 'out', node: { word: 'lost', name: 'n2' } })],
      rules: { strictNodeLoss: true },
      says: 'Starting: a pod is being created',
    },
    { current: [starting('a', { trouble: crashing })], says: 'CrashLooping: pod a: ends again' },
    {
      current: [starting('a', { trouble: crashing })],
      old: [view('o')],
      says: 'CrashLooping: pod a: ends again; o of the former spec serves meanwhile',
    },
    { current: [starting('a', { trouble: { ...crashing, fromMs: nowMs } })], says: 'CrashLooping: pod a: ends again' },
    { current: [starting('a', { trouble: { ...crashing, fromMs: nowMs + 1 } })], says: 'Starting: pod a is not ready yet' },
    { current: [starting('a'), starting('b', { trouble: crashing })], rules: { replicas: 2 }, says: 'CrashLooping: pod b: ends again' },
    { failed: [starting('f', { trouble: crashing })], says: 'CrashLooping: pod f: ends again' },
    { current: [starting('a', { trouble: { reason: 'Unschedulable', message: 'no GPU' } })], says: 'Unschedulable: pod a: no GPU' },
    {
      current: [starting('a', { trouble: { reason: 'Unschedulable', message: 'no GPU' } })],
      old: [starting('o')],
      says: 'SurgeUnschedulable: pod a: no GPU',
    },
    {
      current: [starting('a')],
      rules: { progressDeadlineMs: 99_000 },
      says: 'ProgressDeadlineExceeded: after 99 s pod a is not ready',
    },
    { current: [starting('a')], rules: { progressDeadlineMs: 99_001 }, says: 'Starting: pod a is not ready yet' },
    { current: [starting('a')], rules: { progressDeadlineMs: 98_000, minReadyMs: 1_001 }, says: 'Starting: pod a is not ready yet' },
    { current: [starting('a')], servingRevision: 'r2', rules: { progressDeadlineMs: 1_000 }, says: 'Starting: pod a is not ready yet' },
    {
      current: [starting('a'), starting('b', { notReadySinceMs: 60_000 })],
      rules: { replicas: 2, progressDeadlineMs: 99_000 },
      says: 'Starting: pod a, b is not ready yet',
    },
    {
      current: [starting('a', { trouble: crashing })],
      old: [view('o')],
      rules: { progressDeadlineMs: 99_000 },
      says: 'ProgressDeadlineExceeded: after 99 s pod a is not ready: CrashLooping: ends again; o of the former spec serves meanwhile',
    },
    {
      current: [view('a', { routed: false }), view('b', { routed: true })],
      old: [view('o')],
      rules: { replicas: 2, progressDeadlineMs: 49_000 },
      says: 'ProgressDeadlineExceeded: after 49 s pod a is ready, but no EndpointSlice of the Service says so; o of the former spec serves meanwhile',
    },
    {
      current: [view('a', { routed: false })],
      rules: { replicas: 2, progressDeadlineMs: 49_000 },
      says: 'Starting: 1 of 2 pods of the newest spec ready',
    },
    {
      current: [view('a', { routed: true })],
      old: [view('o')],
      rules: { progressDeadlineMs: 1_000 },
      says: 'RolloutInProgress: 1 of 1 pods of the newest spec ready; o of the former spec serves meanwhile',
    },
    {
      current: [view('a', { routed: false, readySinceMs: 0 }), starting('b', { notReadySinceMs: 90_000 })],
      old: [view('o')],
      rules: { replicas: 2, progressDeadlineMs: 49_000 },
      says: 'RolloutInProgress: pod b is not ready yet; o of the former spec serves meanwhile',
    },
  ])('$says', ({ says, ...given }) => {
    const { reason, message } = tellProgress(seen(given));
    expect(`${reason}: ${message}`).toBe(says);
  });
});

describe('when something may be different though nothing happens', () => {
  const doubtful = { word: 'doubtful', name: 'n2', lostAtMs: nowMs + 2_000 } as const;
  it.each<Case & { name: string; waits: number[] }>([
    { name: 'never, while all serve', current: [view('a')], waits: [] },
    { name: 'when a failed pod may be replaced', failed: [starting('f', { replaceAtMs: nowMs + 3_000 })], waits: [3_000] },
    { name: 'not for what is past', failed: [starting('f', { replaceAtMs: nowMs })], waits: [] },
    { name: 'when a pod has drained, and a second', others: [view('x', { word: 'out', withdrawnAtMs: nowMs - 1_000 })], waits: [5_000] },
    {
      name: 'not for a pod that has nothing to drain',
      others: [view('x', { word: 'out', mayServe: false, withdrawnAtMs: nowMs })],
      waits: [],
    },
    { name: 'not for a pod nobody withdrew', others: [view('x', { word: 'out', withdrawnAtMs: undefined })], waits: [] },
    { name: 'not for a withdrawn pod that is being deleted', others: [view('x', { word: 'leaving', withdrawnAtMs: nowMs })], waits: [] },
    { name: 'when an edited pod may be replaced', current: [view('a', { edited: true, replaceAtMs: nowMs + 7_000 })], waits: [7_000] },
    {
      name: 'when a doubtful node counts as lost',
      others: [starting('x', { node: { word: 'doubtful', name: 'n2', lostAtMs: nowMs + 2_000 } })],
      waits: [2_000],
    },
    {
      name: 'after a while, for a node doubtful among most others',
      others: [starting('x', { node: { word: 'doubtful', name: 'n2' } })],
      waits: [30_000],
    },
    {
      name: 'when it is sure that one on a lost node was there before',
      others: [starting('x', { node: { word: 'lost', name: 'n2' }, sureAtMs: nowMs + 3_000 })],
      waits: [3_000],
    },
    {
      name: 'when the node of one that holds its successor back counts as lost, under Recreate',
      others: [view('x', { word: 'leaving', node: doubtful }), view('y', { word: 'out', mayServe: false, node: doubtful })],
      rules: { recreate: true },
      waits: [2_000, 2_000],
    },
    {
      name: 'not for that under Strict, where being lost changes nothing',
      others: [view('x', { word: 'leaving', node: doubtful })],
      rules: { recreate: true, strictNodeLoss: true },
      waits: [],
    },
    { name: 'not for one that holds nobody back', others: [view('x', { word: 'leaving', node: doubtful })], waits: [] },
    { name: 'not for a doubtful node of a pod that serves', current: [view('a', { node: { word: 'doubtful', name: 'n2' } })], waits: [] },
    {
      name: 'when a ready pod counts as available, and at the deadline',
      current: [view('a', { availableAtMs: nowMs + 4_000 })],
      rules: { minReadyMs: 10_000 },
      waits: [4_000, 561_000],
    },
    {
      name: 'when what is no trouble yet becomes one',
      current: [starting('a', { trouble: { ...crashing, fromMs: nowMs + 6_000 } })],
      waits: [6_000, 501_000],
    },
    {
      name: 'soon, for an endpoint to come',
      current: [view('a', { routed: false, readySinceMs: nowMs - 9_999 })],
      old: [view('o')],
      waits: [500, 591_001],
    },
    {
      name: 'later, for one that does not come',
      current: [view('a', { routed: false, readySinceMs: nowMs - 10_000 })],
      old: [view('o')],
      waits: [10_000, 591_000],
    },
    { name: 'not for an endpoint nobody waits for', current: [view('a', { routed: false })], waits: [] },
    {
      name: 'when it counts as routed where nobody can tell',
      current: [view('a', { readySinceMs: nowMs - 500 })],
      old: [view('o')],
      waits: [2_500, 600_500],
    },
  ])('is $name', ({ waits, ...given }) => {
    expect(findWaits(seen(given))).toEqual(waits);
  });
});
