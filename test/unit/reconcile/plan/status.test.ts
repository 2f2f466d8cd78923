import { describe, expect, it } from 'vitest';
import type { Reason } from '../../../../src/api/v1alpha1/conditions.ts';
import type { PerformerStatus } from '../../../../src/api/v1alpha1/performer.ts';
import type { PodView } from '../../../../src/reconcile/plan/pod-view.ts';
import type { Snapshot } from '../../../../src/reconcile/plan/snapshot.ts';
import { planStatus, type SideFact, type StatusFacts, type StatusPlan } from '../../../../src/reconcile/plan/status.ts';
import { performer, settings, snapshot, startMs } from '../../../support/snapshots.ts';

const view = (name: string, change: Partial<PodView> = {}): PodView =>
  ({ name, word: 'serving', revision: 'r2', index: 0, ip: '10.0.0.1', readySinceMs: startMs + 1_000, ...change }) as PodView;
const facts: StatusFacts = {
  reason: 'Serving',
  message: 'pod p serves',
  sides: [],
  revision: 'r2',
  pods: [view('p')],
  completesRollout: false,
  quietUntilMs: 0,
};
const fresh: PerformerStatus = { observedGeneration: -1 };
const tell = (change: Partial<StatusFacts> = {}, status: PerformerStatus | undefined = fresh, world: Partial<Snapshot> = {}): StatusPlan =>
  planStatus(snapshot(world), performer({}, { status }), { ...facts, ...change }, settings);
const patchOf = ({ action }: StatusPlan): Record<string, unknown> | undefined =>
  action?.kind === 'patch' ? (action.patch as { status: Record<string, unknown> }).status : undefined;
const written = (change: Partial<StatusFacts> = {}, status: PerformerStatus | undefined = fresh): Record<string, unknown> =>
  patchOf(tell(change, status)) ?? {};
/** `status` with what the facts make of it stored. */
const store = (change: Partial<StatusFacts> = {}, status: PerformerStatus = fresh): PerformerStatus =>
  Object.fromEntries(Object.entries({ ...status, ...written(change, status) }).filter(([, value]) => value !== null)) as PerformerStatus;
const conditionsOf = (change: Partial<StatusFacts>): string[] =>
  (written(change).conditions as { type: string; status: string; reason: string }[]).map(
    ({ type, status, reason }) => `${type}=${status} ${reason}`,
  );
const side = (type: SideFact['type'], reason: Reason = type as Reason): SideFact => ({ type, reason, message: 'so it is' });

describe('the first status', () => {
  it('holds every field', () => {
    expect(written()).toEqual({
      observedGeneration: 1,
      phase: 'Running',
      ready: true,
      serviceName: 'performer-x',
      grpcEndpoint: 'performer-x.team-a.svc.cluster.local',
      selector: 'hourglass.eigenlayer.io/performer=x',
      replicas: 1,
      readyReplicas: 1,
      updatedReplicas: 1,
      podName: 'p',
      podIP: '10.0.0.1',
      readyTime: '2026-01-01T00:00:01Z',
      revision: 'r2',
      conditions: expect.any(Array),
    });
  });

  it('is a patch of the Performer that was seen, for its reason', () => {
    expect(tell().action).toMatchObject({
      kind: 'patch',
      resource: 'PerformerStatus',
      target: { name: 'x', uid: 'uid-x', resourceVersion: '10' },
      why: 'Serving',
    });
    expect(tell().dueAfterMs).toBeUndefined();
  });

  it('leaves out what is not known', () => {
    expect(Object.keys(written({ reason: 'Starting', pods: [] }))).toEqual([
      'conditions',
      'grpcEndpoint',
      'observedGeneration',
      'phase',
      'ready',
      'readyReplicas',
      'replicas',
      'selector',
      'serviceName',
      'updatedReplicas',
    ]);
  });

  it('is made also where nothing at all is stored', () => {
    expect(planStatus(snapshot(), performer({}, { status: undefined }), facts, settings).action).toBeDefined();
    expect(
      planStatus(snapshot(), performer({}, { status: undefined }), { ...facts, reason: 'CrashLooping' }, settings).events,
    ).toHaveLength(1);
  });
});

describe('the counts', () => {
  it('take in pods in service, those that are ready, and those of the newest spec', () => {
    const pods = [
      view('a', { word: 'starting' }),
      view('b', { word: 'lost' }),
      view('c', { revision: 'r1' }),
      view('d', { word: 'out' }),
      view('e', { word: 'leaving' }),
      view('f'),
    ];
    expect(written({ pods })).toMatchObject({ replicas: 4, readyReplicas: 2, updatedReplicas: 3 });
  });
});

describe('the pod that is named', () => {
  it.each<{ name: string; pods: PodView[]; podName: string }>([
    { name: 'serves', pods: [view('a', { word: 'starting' }), view('b', { index: 3 })], podName: 'b' },
    { name: 'has the lowest index', pods: [view('a', { index: 2 }), view('b', { index: 1 }), view('c', { index: 3 })], podName: 'b' },
    { name: 'is of the newest spec, whatever its index', pods: [view('a', { revision: 'r1' }), view('b', { index: 4 })], podName: 'b' },
    {
      name: 'is of a former spec where no other serves',
      pods: [view('a', { revision: 'r1', index: 4 }), view('b', { word: 'out' })],
      podName: 'a',
    },
  ])('$name', ({ pods, podName }) => {
    expect(written({ pods })).toMatchObject({ podName });
    expect(written({ pods: pods.toReversed() })).toMatchObject({ podName });
  });

  it('stays named when none serves, while its address goes', () => {
    expect(written({ reason: 'Starting', pods: [] }, store())).toMatchObject({ podIP: null, readyTime: null, ready: false });
    expect(store({ reason: 'Starting', pods: [] }, store()).podName).toBe('p');
  });
});

describe('readyTime', () => {
  it('stays while readiness lasts, whichever pod serves', () => {
    const before = store();
    expect(store({ pods: [view('q', { readySinceMs: startMs + 9_000 })] }, before).readyTime).toBe('2026-01-01T00:00:01Z');
  });

  it('begins anew with the next readiness', () => {
    const before = { ...store(), ready: false };
    expect(store({ pods: [view('q', { readySinceMs: startMs + 9_000 })] }, before).readyTime).toBe('2026-01-01T00:00:09Z');
  });

  it('is now where nobody says since when', () => {
    expect(written({ pods: [view('p', { readySinceMs: undefined })] })).toMatchObject({ readyTime: '2026-01-01T00:01:00Z' });
  });
});

describe('lastUpgrade and revision', () => {
  const now = '2026-01-01T00:01:00Z';
  it.each<{
    name: string;
    change: Partial<StatusFacts>;
    stored: PerformerStatus;
    lastUpgrade: string | undefined;
    revision: string | undefined;
  }>([
    { name: 'a first start is no upgrade', change: {}, stored: fresh, lastUpgrade: undefined, revision: 'r2' },
    {
      name: 'an upgrade ends when the newest spec serves',
      change: {},
      stored: { ...fresh, revision: 'r1' },
      lastUpgrade: now,
      revision: 'r2',
    },
    {
      name: 'what served before is no upgrade',
      change: { completesRollout: true },
      stored: { ...fresh, revision: 'r2' },
      lastUpgrade: undefined,
      revision: 'r2',
    },
    {
      name: 'the last old pod tells it where no revision is stored',
      change: { completesRollout: true },
      stored: fresh,
      lastUpgrade: now,
      revision: 'r2',
    },
    {
      name: 'an upgrade under way is none yet',
      change: { reason: 'RolloutInProgress', completesRollout: true },
      stored: { ...fresh, revision: 'r1', lastUpgrade: '2025-01-01T00:00:00Z' },
      lastUpgrade: '2025-01-01T00:00:00Z',
      revision: 'r1',
    },
    {
      name: 'an earlier upgrade stays known',
      change: {},
      stored: { ...fresh, revision: 'r2', lastUpgrade: '2025-01-01T00:00:00Z' },
      lastUpgrade: '2025-01-01T00:00:00Z',
      revision: 'r2',
    },
  ])('$name', ({ change, stored, lastUpgrade, revision }) => {
    const after = store(change, stored);
    expect({ lastUpgrade: after.lastUpgrade, revision: after.revision }).toEqual({ lastUpgrade, revision });
  });
});

describe('the phase', () => {
  it.each<{ reason: Reason; serves: boolean; phase: string }>([
    { reason: 'Serving', serves: true, phase: 'Running' },
    { reason: 'Terminating', serves: true, phase: 'Terminating' },
    { reason: 'Terminating', serves: false, phase: 'Terminating' },
    { reason: 'RolloutInProgress', serves: true, phase: 'Upgrading' },
    { reason: 'CrashLooping', serves: true, phase: 'Upgrading' },
    { reason: 'InvalidSpec', serves: true, phase: 'Running' },
    { reason: 'InvalidSpec', serves: false, phase: 'Failed' },
    { reason: 'CrashLooping', serves: false, phase: 'Failed' },
    { reason: 'OOMKilled', serves: false, phase: 'Failed' },
    { reason: 'ImagePullFailed', serves: false, phase: 'Pending' },
    { reason: 'Starting', serves: false, phase: 'Pending' },
  ])('is $phase under $reason with a serving pod: $serves', ({ reason, serves, phase }) => {
    expect(written({ reason, pods: serves ? [view('p')] : [] })).toMatchObject({ phase, ready: serves });
  });
});

describe('the conditions', () => {
  it.each<{ name: string; change: Partial<StatusFacts>; conditions: string[] }>([
    {
      name: 'of one that serves',
      change: {},
      conditions: ['Available=True Serving', 'Progressing=False Serving', 'Degraded=False Serving', 'Ready=True Serving'],
    },
    {
      name: 'of one that starts',
      change: { reason: 'Starting', pods: [] },
      conditions: [
        'Available=False Starting',
        'Progressing=True Starting',
        'Degraded=False Starting',
        'Reconciling=True Starting',
        'Ready=False Starting',
      ],
    },
    {
      name: 'of one that stalls',
      change: { reason: 'NameConflict', pods: [] },
      conditions: [
        'Available=False NameConflict',
        'Progressing=False NameConflict',
        'Degraded=True NameConflict',
        'Stalled=True NameConflict',
        'Ready=False NameConflict',
      ],
    },
    {
      name: 'of one with more to say',
      change: { sides: [side('NodeLost'), side('Scheduled', 'Unschedulable')] },
      conditions: [
        'NodeLost=True NodeLost',
        'Scheduled=False Unschedulable',
        'Available=True Serving',
        'Progressing=False Serving',
        'Degraded=False Serving',
        'Ready=True Serving',
      ],
    },
  ])('$name', ({ change, conditions }) => {
    expect(conditionsOf(change)).toEqual(conditions);
  });

  it('end with the next step of a user, those beside the reason too', () => {
    const { conditions } = written({ reason: 'OOMKilled', message: 'too little memory', sides: [side('ForeignPod')] }) as {
      conditions: { type: string; message: string }[];
    };
    expect(conditions.at(-1)?.message).toBe('too little memory. Raise spec.resources.limits.memory.');
    expect(conditions[0]?.message).toBe('so it is. Take the label hourglass.eigenlayer.io/performer off that pod, or delete it.');
  });
});

describe('a status', () => {
  it('that is right is not written', () => {
    expect(tell({}, store())).toEqual({ action: undefined, events: [], dueAfterMs: undefined });
  });

  it('that changes is written field by field, what others keep there staying', () => {
    const before = { ...store(), theirs: 'kept', note: null } as PerformerStatus;
    expect(Object.keys(written({ pods: [view('q')] }, before))).toEqual(['podName']);
  });

  it('on a CRD of the original keeps to the fields it knows, which would else be written for ever', () => {
    const { observedGeneration: _pruned, ...stored } = store();
    const known = Object.fromEntries(
      Object.entries(stored).filter(([field]) =>
        ['phase', 'ready', 'podName', 'serviceName', 'grpcEndpoint', 'conditions', 'lastUpgrade', 'readyTime'].includes(field),
      ),
    ) as PerformerStatus;
    expect(tell({}, known).action).toBeUndefined();
    const { conditions, ...others } = known;
    expect(Object.keys(written({ revision: 'r3', completesRollout: true }, { conditions } as PerformerStatus))).toEqual([
      'grpcEndpoint',
      'lastUpgrade',
      'phase',
      'podName',
      'ready',
      'readyTime',
      'serviceName',
    ]);
    const audited = { ...conditions?.[0], type: 'Audited' } as NonNullable<PerformerStatus['conditions']>[number];
    expect(Object.keys(written({}, { ...others, conditions: [audited] }))).toContain('observedGeneration');
    expect(Object.keys(written({}, others as PerformerStatus))).toContain('conditions');
  });

  it('on another older CRD leaves out what that did not keep, and nothing that stands there', () => {
    const { selector: _pruned, ...stored } = store();
    const statusUnkept = { fields: ['selector', 'phase'], untilMs: startMs + 90_000 };
    expect(Object.keys(written({}, stored))).toEqual(['selector']);
    expect(tell({}, stored, { statusUnkept }).action).toBeUndefined();
    expect(Object.keys(patchOf(tell({}, { ...stored, phase: 'Pending' }, { statusUnkept })) ?? {})).toEqual(['phase']);
  });

  it('that somebody puts back is written in its conditions only', () => {
    const plan = tell({}, fresh, { statusDisputed: { untilMs: startMs + 90_000, whole: false } });
    expect(Object.keys(patchOf(plan) ?? {})).toEqual(['conditions']);
  });

  const quiet: Partial<StatusFacts> = { reason: 'Starting', pods: [], quietUntilMs: startMs + 62_000 };
  it.each<{
    name: string;
    change: Partial<StatusFacts>;
    stored?: PerformerStatus;
    world?: Partial<Snapshot>;
    dueAfterMs: number | undefined;
  }>([
    { name: 'of a healthy start waits for a moment, and a second', change: quiet, dueAfterMs: 3_000 },
    { name: 'is due at the end of that moment', change: { ...quiet, quietUntilMs: startMs + 59_000 }, dueAfterMs: undefined },
    { name: 'is due until just before it', change: { ...quiet, quietUntilMs: startMs + 59_001 }, dueAfterMs: 1 },
    { name: 'of trouble does not wait', change: { ...quiet, reason: 'CrashLooping' }, dueAfterMs: undefined },
    { name: 'with more to say does not wait', change: { ...quiet, sides: [side('NodeLost')] }, dueAfterMs: undefined },
    { name: 'of the last pass does not wait', change: quiet, world: { lastPass: true }, dueAfterMs: undefined },
    { name: 'of one that was ready does not wait', change: quiet, stored: { ...fresh, ready: true }, dueAfterMs: undefined },
    { name: 'of one that was not ready waits', change: quiet, stored: { ...fresh, ready: false }, dueAfterMs: 3_000 },
  ])('$name', ({ change, stored, world, dueAfterMs }) => {
    const plan = tell(change, stored, world);
    expect(plan.dueAfterMs).toBe(dueAfterMs);
    expect(plan.action === undefined).toBe(dueAfterMs !== undefined);
    if (dueAfterMs !== undefined) expect(plan.events).toEqual([]);
  });
});

describe('the Events', () => {
  const reasonsOf = (change: Partial<StatusFacts>, stored?: PerformerStatus): string[] =>
    tell(change, stored).events.map(({ reason }) => reason);
  const quota = { reason: 'QuotaExceeded', message: 'no room', pods: [] } as const;

  it('warn of trouble with the words of the condition, once for each resourceVersion', () => {
    expect(tell(quota).events).toEqual([
      {
        type: 'Warning',
        reason: 'QuotaExceeded',
        message: 'no room. Raise the ResourceQuota of the namespace, or ask for less.',
        since: 'uid-x 10',
      },
    ]);
  });

  it.each<{ name: string; change: Partial<StatusFacts>; stored?: PerformerStatus; events: string[] }>([
    { name: 'say nothing on the healthy path', change: { reason: 'Starting', pods: [] }, events: [] },
    { name: 'say nothing of what was said', change: { ...quota, message: 'other words' }, stored: store(quota), events: [] },
    { name: 'say the next trouble', change: { ...quota, reason: 'CrashLooping' }, stored: store(quota), events: ['CrashLooping'] },
    {
      name: 'say what holds beside the reason',
      change: { sides: [side('NodeLost'), side('ForeignPod')] },
      events: ['NodeLost', 'ForeignPod'],
    },
    { name: 'say it once where it is the reason too', change: { reason: 'NodeLost', sides: [side('NodeLost')] }, events: ['NodeLost'] },
    {
      name: 'say nothing of a pause, nor of a pod without a place',
      change: { sides: [side('Paused'), side('Scheduled', 'Unschedulable')] },
      events: [],
    },
    {
      name: 'say nothing of what held before',
      change: { sides: [side('NodeLost'), side('ForeignPod')] },
      stored: store({ sides: [side('NodeLost')] }),
      events: ['ForeignPod'],
    },
  ])('$name', ({ change, stored, events }) => {
    expect(reasonsOf(change, stored)).toEqual(events);
  });

  it('of what holds beside the reason have its next step', () => {
    expect(tell({ sides: [side('ForeignPod')] }).events).toEqual([
      {
        type: 'Warning',
        reason: 'ForeignPod',
        message: 'so it is. Take the label hourglass.eigenlayer.io/performer off that pod, or delete it.',
        since: 'uid-x 10',
      },
    ]);
  });
});
