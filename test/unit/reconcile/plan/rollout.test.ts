import { describe, expect, it } from 'vitest';
import type { PodView } from '../../../../src/reconcile/plan/pod-view.ts';
import { planRollout, type RolloutState } from '../../../../src/reconcile/plan/rollout.ts';
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
const view = (name: string, revision: string, change: Partial<PodView> = {}): PodView => ({
  name,
  revision,
  uid: `uid-${name}`,
  resourceVersion: '1',
  word: 'serving',
  index: Number(/\d+$/.exec(name)?.[0] ?? 0),
  mayServe: change.word !== 'starting',
  ended: false,
  createdAtMs: 0,
  sureAtMs: 0,
  withdrawnAtMs: undefined,
  readySinceMs: change.word === undefined || change.word === 'serving' ? -10_000 : undefined,
  availableAtMs: change.word === undefined || change.word === 'serving' ? -10_000 : undefined,
  routed: undefined,
  node: { word: 'well', name: 'n1' },
  failures: 0,
  notReadySinceMs: 0,
  selected: change.word !== 'out',
  replaceAtMs: 30_000 * 2 ** (change.failures ?? 0) + 1_000,
  edited: false,
  ip: undefined,
  ports: [8080],
  trouble: undefined,
  ...change,
});
const old = view('p-0', 'r1');
const next = view('p-1', 'r2');
const starting = view('p-1', 'r2', { word: 'starting' });
const steps = (state: RolloutState): string[] =>
  state.steps.map((step) =>
    step.kind === 'create' ? `create ${step.index}` : `${step.kind} ${step.pod.name}${step.kind === 'delete' ? ` ${step.why}` : ''}`,
  );

const lostAt = { word: 'lost', name: 'n1' } as const;
const out = (pod: PodView, withdrawnAtMs: number, change: Partial<PodView> = {}): PodView => ({
  ...pod,
  word: 'out',
  selected: false,
  withdrawnAtMs,
  ...change,
});

interface Row {
  readonly name: string;
  readonly pods: readonly PodView[];
  readonly rules?: Partial<Rules>;
  readonly servingRevision?: string;
  readonly lastIndex?: number;
  readonly nowMs?: number;
  readonly steps: readonly string[];
  readonly reason: string;
  readonly requeueAfterMs?: number;
}

const check = ({ pods, rules: change, servingRevision = 'r1', lastIndex, nowMs = 0, steps: wanted, reason, requeueAfterMs }: Row): void => {
  const facts = { revision: 'r2', pods, rules: { ...rules, ...change }, servingRevision, lastIndex, nowMs };
  const state = planRollout(facts);
  expect(steps(state)).toEqual(wanted);
  expect(state.reason).toBe(reason);
  expect(state.requeueAfterMs).toBe(requeueAfterMs);
  expect(planRollout({ ...facts, pods: pods.toReversed() })).toEqual(state);
};

describe('planRollout to r2', () => {
  it.each<Row>([
    { name: 'starts the first pod', pods: [], steps: ['create 0'], reason: 'Starting' },
    { name: 'does not use a name twice that status still knows', pods: [], lastIndex: 4, steps: ['create 5'], reason: 'Starting' },
    { name: 'starts the new pod while the old one serves', pods: [old], steps: ['create 1'], reason: 'RolloutInProgress' },
    {
      name: 'keeps the old pod until the new one is ready',
      pods: [old, starting],
      nowMs: 599_000,
      steps: [],
      reason: 'RolloutInProgress',
      requeueAfterMs: 2_000,
    },
    {
      name: 'keeps the old pod even when the new one takes too long',
      pods: [old, starting],
      nowMs: 601_000,
      steps: [],
      reason: 'ProgressDeadlineExceeded',
    },
    {
      name: 'takes the old pod out of the Service once the new one is ready',
      pods: [old, next],
      steps: ['withdraw p-0'],
      reason: 'Serving',
    },
    {
      name: 'lets calls on their way reach the old pod',
      pods: [out(old, 5_000), next],
      nowMs: 5_500,
      steps: [],
      reason: 'Serving',
      requeueAfterMs: 5_500,
    },
    {
      name: 'deletes the drained pod',
      pods: [out(old, 5_000), next],
      nowMs: 11_000,
      steps: ['delete p-0 Drained'],
      reason: 'Serving',
    },
    {
      name: 'notes the time of a withdrawal by another hand before it drains',
      pods: [{ ...old, word: 'out' }, next],
      nowMs: 99_000,
      steps: ['withdraw p-0'],
      reason: 'Serving',
    },
    {
      name: 'never takes a withdrawn pod back',
      pods: [out(next, 5_000)],
      nowMs: 5_000,
      steps: ['create 2'],
      reason: 'Starting',
      requeueAfterMs: 6_000,
    },
    {
      name: 'removes an old pod that never was ready without draining it',
      pods: [{ ...old, word: 'starting', mayServe: false }, starting],
      steps: ['delete p-0 NeverReady'],
      reason: 'Starting',
      requeueAfterMs: 601_000,
    },
    {
      name: 'drains an old pod that was ready once though it is not now',
      pods: [{ ...old, word: 'starting', mayServe: true }, next],
      steps: ['withdraw p-0'],
      reason: 'Serving',
    },
    {
      name: 'keeps the ready one of two pods of the revision',
      pods: [starting, view('p-2', 'r2')],
      steps: ['delete p-1 Surplus'],
      reason: 'Serving',
    },
    {
      name: 'keeps the lower index of two ready pods of the revision',
      pods: [next, view('p-2', 'r2')],
      steps: ['withdraw p-2'],
      reason: 'Serving',
    },
    {
      name: 'starts anew when the pod of the revision is being deleted',
      pods: [{ ...next, word: 'leaving' }],
      steps: ['create 2'],
      reason: 'Starting',
    },
    {
      name: 'removes a pod that ended',
      pods: [next, { ...old, word: 'leaving', ended: true }],
      steps: ['delete p-0 Ended'],
      reason: 'Serving',
    },
    {
      name: 'names the cause that keeps the new pod from being ready',
      pods: [old, { ...starting, trouble: { reason: 'CrashLooping', message: 'restarted 3 times' } }],
      steps: [],
      reason: 'CrashLooping',
      requeueAfterMs: 601_000,
    },
    {
      name: 'keeps the old pod until the Service sends calls to the new one',
      pods: [old, { ...next, routed: false, readySinceMs: 0, availableAtMs: 0 }],
      steps: [],
      reason: 'RolloutInProgress',
      requeueAfterMs: 500,
    },
    {
      name: 'takes 2 s of readiness for routed where nobody can tell, and the second that server times may be off',
      pods: [old, { ...next, readySinceMs: 0, availableAtMs: 0 }],
      nowMs: 1_000,
      steps: [],
      reason: 'RolloutInProgress',
      requeueAfterMs: 2_000,
    },
    {
      name: 'looks less often for an endpoint that does not come, and says so after the deadline',
      pods: [old, { ...next, routed: false, readySinceMs: 0, availableAtMs: 0 }],
      nowMs: 700_000,
      steps: [],
      reason: 'ProgressDeadlineExceeded',
      requeueAfterMs: 10_000,
    },
    {
      name: 'takes out again a withdrawn pod that got its label back',
      pods: [out(old, 5_000, { selected: true }), next],
      nowMs: 99_000,
      steps: ['withdraw p-0'],
      reason: 'Serving',
    },
    {
      name: 'calls a pod that served and is not ready for a moment no rollout that is late',
      pods: [view('p-1', 'r2', { word: 'starting', mayServe: true, notReadySinceMs: 86_400_000 })],
      servingRevision: 'r2',
      nowMs: 86_401_000,
      steps: [],
      reason: 'Starting',
    },
    {
      name: 'counts the deadline from the last time the pod was ready',
      pods: [view('p-1', 'r2', { word: 'starting', mayServe: true, notReadySinceMs: 800_000 })],
      nowMs: 900_000,
      steps: [],
      reason: 'Starting',
      requeueAfterMs: 501_000,
    },
    {
      name: 'waits for minReadySeconds before it counts a pod as available',
      pods: [old, { ...next, availableAtMs: 11_000 }],
      rules: { minReadyMs: 10_000 },
      nowMs: 4_000,
      steps: [],
      reason: 'RolloutInProgress',
      requeueAfterMs: 7_000,
    },
    {
      name: 'drops a pod of a spec in between that never was ready',
      pods: [view('p-0', 'r0'), view('p-1', 'r1', { word: 'starting' })],
      steps: ['delete p-1 NeverReady'],
      reason: 'RolloutInProgress',
    },
    {
      name: 'says that the old pod holds the place the new one needs',
      pods: [old, { ...starting, trouble: { reason: 'Unschedulable', message: 'insufficient nvidia.com/gpu' } }],
      steps: [],
      reason: 'SurgeUnschedulable',
      requeueAfterMs: 601_000,
    },
  ])('$name', check);
});

describe('planRollout of several replicas', () => {
  const olds = [0, 1, 2].map((index) => view(`p-${index}`, 'r1'));
  const three = { replicas: 3, maxSurge: 1, maxUnavailable: 0 };
  it.each<Row>([
    {
      name: 'starts all of them at once',
      pods: [],
      rules: { replicas: 3 },
      steps: ['create 0', 'create 1', 'create 2'],
      reason: 'Starting',
    },
    { name: 'surges by no more than it may', pods: olds, rules: three, steps: ['create 3'], reason: 'RolloutInProgress' },
    {
      name: 'takes one old pod out for each new one that serves, the highest index first',
      pods: [...olds, view('p-3', 'r2')],
      rules: three,
      steps: ['withdraw p-2'],
      reason: 'RolloutInProgress',
    },
    {
      name: 'goes on with the next one while the last is draining',
      pods: [view('p-0', 'r1'), view('p-1', 'r1'), out(view('p-2', 'r1'), 0), view('p-3', 'r2')],
      rules: three,
      steps: ['create 4'],
      reason: 'RolloutInProgress',
      requeueAfterMs: 6_000,
    },
    {
      name: 'makes room first where it may not surge',
      pods: olds,
      rules: { replicas: 3, maxSurge: 0, maxUnavailable: 1 },
      steps: ['withdraw p-2'],
      reason: 'RolloutInProgress',
    },
    {
      name: 'takes no further old pod while the new one is not ready',
      pods: [view('p-0', 'r1'), view('p-1', 'r1'), view('p-3', 'r2', { word: 'starting' })],
      rules: { replicas: 3, maxSurge: 0, maxUnavailable: 1 },
      steps: [],
      reason: 'RolloutInProgress',
      requeueAfterMs: 601_000,
    },
    {
      name: 'scales up with pods of the newest spec',
      pods: [view('p-0', 'r2')],
      rules: { replicas: 2 },
      steps: ['create 1'],
      reason: 'Starting',
    },
    {
      name: 'scales down by those that are not ready, then by the highest index',
      pods: [view('p-0', 'r2'), view('p-1', 'r2', { word: 'starting' }), view('p-2', 'r2')],
      rules: { replicas: 1 },
      steps: ['withdraw p-2', 'delete p-1 Surplus'],
      reason: 'Serving',
    },
  ])('$name', check);
});

describe('planRollout under Recreate', () => {
  const recreate = { recreate: true };
  it.each<Row>([
    {
      name: 'takes the old pod out before anything new is made',
      pods: [old],
      rules: recreate,
      steps: ['withdraw p-0'],
      reason: 'Starting',
    },
    {
      name: 'waits while the old pod drains',
      pods: [out(old, 0)],
      rules: recreate,
      steps: [],
      reason: 'Starting',
      requeueAfterMs: 6_000,
    },
    { name: 'waits while the old pod terminates', pods: [{ ...old, word: 'leaving' }], rules: recreate, steps: [], reason: 'Starting' },
    {
      name: 'makes the new one when the old one is gone',
      pods: [],
      lastIndex: 0,
      rules: recreate,
      steps: ['create 1'],
      reason: 'Starting',
    },
    {
      name: 'does not wait for a pod that terminates on a lost node',
      pods: [{ ...old, word: 'leaving', node: lostAt }],
      rules: recreate,
      steps: ['create 1'],
      reason: 'Starting',
    },
    {
      name: 'waits for it where loss must be proven',
      pods: [{ ...old, word: 'leaving', node: lostAt }],
      rules: { ...recreate, strictNodeLoss: true },
      steps: [],
      reason: 'NodeLost',
    },
  ])('$name', check);
});

describe('planRollout of a paused Performer', () => {
  const paused = { paused: true };
  it.each<Row>([
    { name: 'starts no new revision', pods: [old], rules: paused, steps: [], reason: 'Paused' },
    {
      name: 'takes nothing out for a revision under way',
      pods: [old, next],
      rules: paused,
      steps: [],
      reason: 'Paused',
    },
    {
      name: 'scales down to the replicas of the newest revision, and to the room that its rollout has for old ones',
      pods: [old, next, view('p-2', 'r2'), view('p-3', 'r1')],
      rules: paused,
      steps: ['withdraw p-2', 'withdraw p-3'],
      reason: 'Paused',
    },
    {
      name: 'keeps no more of the newest revision than are wanted, whatever room a rollout has',
      pods: [next, view('p-2', 'r2'), old],
      rules: { ...paused, maxSurge: 2 },
      steps: ['withdraw p-2'],
      reason: 'Paused',
    },
    {
      name: 'replaces a pod of the revision that serves',
      pods: [],
      servingRevision: 'r2',
      rules: paused,
      lastIndex: 3,
      steps: ['create 4'],
      reason: 'Starting',
    },
    {
      name: 'ends a drain that runs',
      pods: [view('p-1', 'r1'), out(old, 0)],
      rules: paused,
      nowMs: 6_000,
      steps: ['delete p-0 Drained'],
      reason: 'Paused',
    },
  ])('$name', check);
});

describe('planRollout on lost nodes', () => {
  const lost = view('p-0', 'r2', { word: 'lost', mayServe: true, node: lostAt });
  it.each<Row>([
    { name: 'takes the pod out of the Service first', pods: [lost], steps: ['withdraw p-0'], reason: 'Starting' },
    { name: 'then makes the replacement', pods: [out(lost, 0)], steps: ['create 1'], reason: 'Starting', requeueAfterMs: 6_000 },
    {
      name: 'does nothing before proof where loss must be proven',
      pods: [lost],
      rules: { strictNodeLoss: true },
      steps: [],
      reason: 'NodeLost',
      requeueAfterMs: 601_000,
    },
    {
      name: 'replaces no pod that terminates there before proof',
      pods: [{ ...lost, word: 'leaving' }],
      rules: { strictNodeLoss: true },
      steps: [],
      reason: 'NodeLost',
    },
    {
      name: 'replaces no pod that terminates where nodes cannot be seen',
      pods: [{ ...lost, word: 'leaving', node: { word: 'unknown', name: 'n1' } }],
      rules: { strictNodeLoss: true },
      steps: [],
      reason: 'NodeLost',
    },
    {
      name: 'acts once it is proven',
      pods: [{ ...lost, node: { word: 'gone', name: 'n1' } }],
      rules: { strictNodeLoss: true },
      steps: ['withdraw p-0'],
      reason: 'Starting',
    },
    {
      name: 'looks again when the taint has stood long enough',
      pods: [view('p-0', 'r2', { word: 'starting', mayServe: true, node: { word: 'doubtful', name: 'n1', lostAtMs: 4_000 } })],
      steps: [],
      reason: 'Starting',
      requeueAfterMs: 4_000,
    },
  ])('$name', check);
});

describe('planRollout of pods that end right after their creation', () => {
  const ended = (failures: number): PodView =>
    view('p-0', 'r2', {
      word: 'leaving',
      ended: true,
      mayServe: false,
      failures,
      trouble: { reason: 'Evicted', message: 'node was low on memory' },
    });
  it.each<Row>([
    { name: 'waits before the next try', pods: [ended(0)], nowMs: 1_000, steps: [], reason: 'Evicted', requeueAfterMs: 30_000 },
    { name: 'waits twice as long each time', pods: [ended(3)], nowMs: 31_000, steps: [], reason: 'Evicted', requeueAfterMs: 210_000 },
    { name: 'tries again when that is over', pods: [ended(0)], nowMs: 31_000, steps: ['create 1', 'delete p-0 Ended'], reason: 'Starting' },
  ])('$name', check);

  it('hands the count on to the next pod', () => {
    const facts = { revision: 'r2', pods: [ended(3)], rules, servingRevision: 'r1', lastIndex: 0, nowMs: 300_000 };
    expect(planRollout(facts).steps[0]).toMatchObject({ kind: 'create', failures: 4 });
  });

  it('forgets the count once the failed pod has outlived its wait twice over, and counts none that served', () => {
    const at = (pod: PodView, nowMs: number): unknown =>
      planRollout({ revision: 'r2', pods: [pod], rules, servingRevision: 'r1', lastIndex: 0, nowMs }).steps[0];
    expect(at(ended(0), 61_999)).toMatchObject({ kind: 'create', failures: 1 });
    expect(at(ended(0), 62_000)).toMatchObject({ kind: 'create', failures: 0 });
    expect(at({ ...ended(0), mayServe: true }, 31_000)).toMatchObject({ kind: 'create', failures: 0 });
    expect(at({ ...ended(0), revision: 'r1' }, 31_000)).toMatchObject({ kind: 'create', failures: 0 });
    expect(at({ ...view('p-0', 'edited', { edited: true }), failures: 2 }, 31_000)).toMatchObject({ kind: 'create', failures: 3 });
  });

  it('hands on the highest of several counts', () => {
    const pods = [ended(0), { ...ended(2), name: 'p-1', index: 1, replaceAtMs: 31_000 }];
    const facts = { revision: 'r2', pods, rules: { ...rules, replicas: 2 }, servingRevision: 'r1', lastIndex: 0, nowMs: 40_000 };
    expect(planRollout(facts).steps[0]).toMatchObject({ kind: 'create', failures: 3 });
  });
});

describe('the steps', () => {
  it('name their cause, withdrawals first and each kind by name', () => {
    const pods = [
      view('p-5', 'r2', { word: 'out', mayServe: false, selected: false }),
      view('p-4', 'r1', { word: 'leaving', ended: true }),
      view('p-3', 'r2', { word: 'lost', mayServe: true, node: lostAt }),
      view('p-2', 'r1', { word: 'out', selected: false }),
      view('p-1', 'r1'),
      view('p-0', 'r2'),
    ];
    const facts = { revision: 'r2', pods, rules, servingRevision: 'r1', lastIndex: 5, nowMs: 0 };
    const told = planRollout(facts).steps.map((step) => (step.kind === 'create' ? 'create' : `${step.kind} ${step.pod.name} ${step.why}`));
    expect(told).toEqual([
      'withdraw p-1 Superseded',
      'withdraw p-2 Unlabelled',
      'withdraw p-3 NodeLost',
      'delete p-4 Ended',
      'delete p-5 NeverReady',
    ]);
    expect(planRollout({ ...facts, pods: pods.toReversed() }).steps).toEqual(planRollout(facts).steps);
  });
});
