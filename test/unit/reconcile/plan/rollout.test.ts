import { describe, expect, it } from 'vitest';
import type { PodView } from '../../../../src/reconcile/plan/pod-view.ts';
import { planRollout, type RolloutState } from '../../../../src/reconcile/plan/rollout.ts';

const times = { drainMs: 5_000, progressDeadlineMs: 600_000 };
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
  withdrawnAtMs: undefined,
  readySinceMs: undefined,
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

describe('planRollout to r2', () => {
  it.each<{ name: string; pods: PodView[]; lastIndex?: number; nowMs?: number; steps: string[]; reason: string; requeueAfterMs?: number }>([
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
      requeueAfterMs: 30_000,
    },
    {
      name: 'takes the old pod out of the Service once the new one is ready',
      pods: [old, next],
      steps: ['withdraw p-0'],
      reason: 'Serving',
    },
    {
      name: 'lets calls on their way reach the old pod',
      pods: [{ ...old, word: 'out', withdrawnAtMs: 5_000 }, next],
      nowMs: 5_500,
      steps: [],
      reason: 'Serving',
      requeueAfterMs: 5_500,
    },
    {
      name: 'deletes the drained pod',
      pods: [{ ...old, word: 'out', withdrawnAtMs: 5_000 }, next],
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
      pods: [{ ...next, word: 'out', withdrawnAtMs: 5_000 }],
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
    },
  ])('$name', ({ pods, lastIndex, nowMs = 0, steps: wanted, reason, requeueAfterMs }) => {
    const state = planRollout('r2', pods, lastIndex, times, nowMs);
    expect(steps(state)).toEqual(wanted);
    expect(state.reason).toBe(reason);
    expect(state.requeueAfterMs).toBe(requeueAfterMs);
    expect(planRollout('r2', pods.toReversed(), lastIndex, times, nowMs)).toEqual(state);
  });
});
