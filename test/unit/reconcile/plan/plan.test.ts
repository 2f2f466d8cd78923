import { describe, expect, it } from 'vitest';
import { legacyFinalizer } from '../../../../src/api/v1alpha1/naming.ts';
import type { PerformerStatus } from '../../../../src/api/v1alpha1/performer.ts';
import type { Node } from '../../../../src/kube/objects.ts';
import { hashHex } from '../../../../src/lib/hash.ts';
import { planPerformer } from '../../../../src/reconcile/plan/plan.ts';
import type { Snapshot } from '../../../../src/reconcile/plan/snapshot.ts';
import * as given from '../../../support/snapshots.ts';

const { pod, snapshot, service, performer, startMs, settled, lines } = given;
const second = `performer-x-${hashHex(given.uid).slice(0, 4)}-1`;
const r2 = given.revisionOf({ image: 'avs:2' });
const plan = (world: Snapshot) => planPerformer(world, given.settings);
const statusOf = (world: Snapshot): PerformerStatus | undefined => given.withStatusOf(plan(world), world).performer?.status;
/** `settled`, then the image changed. */
const changed = (pods: Snapshot['pods'], nowMs = startMs + 60_000): Snapshot => {
  const before = settled();
  return { ...before, nowMs, pods, performer: performer({ image: 'avs:2' }, { generation: 2, status: before.performer?.status }) };
};

const unreachableSince = (ms: number) =>
  ({
    metadata: { name: 'n1' },
    spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: new Date(ms).toISOString() }] },
  }) as unknown as Node;

describe('planPerformer', () => {
  it.each<{ name: string; world: Snapshot; actions: string[]; verdict: string }>([
    {
      name: 'creates Pod and Service of a new Performer and keeps its status quiet for a moment',
      world: snapshot({ nowMs: startMs + 500 }),
      actions: ['create Pod performer-x', 'create Service performer-x'],
      verdict: 'waiting Starting',
    },
    {
      name: 'keeps the status of one quiet, too, that waited for its turn among many',
      world: snapshot({ nowMs: startMs + 60_000 }),
      actions: ['create Pod performer-x', 'create Service performer-x'],
      verdict: 'waiting Starting',
    },
    {
      name: 'tells at once of one that lost its pod before it was ever told of',
      world: snapshot({ nowMs: startMs + 60_000, service: service() }),
      actions: ['create Pod performer-x', 'patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'lets no former trouble stand in the status of one that starts',
      world: snapshot({
        nowMs: startMs + 60_000,
        performer: performer({}, { status: { phase: 'Failed', ready: false } as PerformerStatus }),
      }),
      actions: ['create Pod performer-x', 'create Service performer-x', 'patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'says that it starts when that takes longer than a moment',
      world: snapshot({ nowMs: startMs + 3_000, pods: [pod({ ready: false })], service: service() }),
      actions: ['patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'says it at once when the run ends',
      world: snapshot({ nowMs: startMs + 500, pods: [pod({ ready: false })], service: service(), lastPass: true }),
      actions: ['patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'writes the status once the pod is ready',
      world: snapshot({ pods: [pod()], service: service() }),
      actions: ['patch PerformerStatus x Serving'],
      verdict: 'waiting Repairing',
    },
    { name: 'does nothing when settled', world: settled(), actions: [], verdict: 'settled Serving' },
    {
      name: 'is not ready in the same pass in which its pod is gone, and starts another under a new name',
      world: { ...settled(), pods: [] },
      actions: [`create Pod ${second}`, 'patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'replaces a pod that is being deleted',
      world: { ...settled(), pods: [pod({ deleting: true })] },
      actions: [`create Pod ${second}`, 'patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'leaves a pod that ended in peace while it is being deleted',
      world: { ...settled(), pods: [pod({ phase: 'Failed', ready: false, deleting: true })] },
      actions: [`create Pod ${second}`, 'patch PerformerStatus x Starting'],
      verdict: 'waiting Starting',
    },
    {
      name: 'does not replace a pod at once that a node just rejected, and says why',
      world: { ...settled(), pods: [pod({ phase: 'Failed', ready: false, createdAtMs: startMs + 55_000 })] },
      actions: ['patch PerformerStatus x PodFailed'],
      verdict: 'waiting PodFailed',
    },
    {
      name: 'asks for nothing new of any kind in a namespace that goes',
      world: snapshot({
        denied: { kind: 'create', resource: 'Pod', message: 'unable to create new content in namespace a because it is being terminated' },
      }),
      actions: ['patch PerformerStatus x NamespaceTerminating'],
      verdict: 'waiting NamespaceTerminating',
    },
    {
      name: 'removes what can go though a create is denied: it may be what fills the quota',
      world: {
        ...changed([pod(), pod({ name: second, revision: 'other', index: 1, ready: false })]),
        denied: { kind: 'create', resource: 'Pod', message: 'exceeded quota: pods' },
      },
      actions: ['patch PerformerStatus x QuotaExceeded', `delete Pod ${second} NeverReady`],
      verdict: 'waiting QuotaExceeded',
    },
    {
      name: 'leaves the Service of another API group alone that has a Performer too',
      world: {
        ...snapshot({ performer: undefined }),
        service: {
          ...service(),
          metadata: {
            ...service().metadata,
            ownerReferences: [{ apiVersion: 'music.example.com/v1', kind: 'Performer', name: 'x', uid: 'uid-x', controller: true }],
          },
        },
      },
      actions: [],
      verdict: 'settled Gone',
    },
    {
      name: 'replaces a pod that ended for good and removes it',
      world: { ...settled(), pods: [pod({ phase: 'Failed', ready: false })] },
      actions: [`create Pod ${second}`, 'patch PerformerStatus x Starting', 'delete Pod performer-x Ended'],
      verdict: 'waiting Starting',
    },
    {
      name: 'starts the new pod of a changed image while the old one serves',
      world: changed([pod()]),
      actions: [`create Pod ${second}`],
      verdict: 'waiting RolloutInProgress',
    },
    {
      name: 'keeps the old pod until the new one is ready',
      world: changed([pod(), pod({ name: second, revision: r2, index: 1, ready: false, createdAtMs: startMs + 59_000 })]),
      actions: [],
      verdict: 'waiting RolloutInProgress',
    },
    {
      name: 'moves the status to the new pod before it takes the old one out of the Service',
      world: changed([pod(), pod({ name: second, revision: r2, index: 1 })]),
      actions: ['patch PerformerStatus x Serving', 'patch Pod performer-x Withdraw'],
      verdict: 'waiting Draining',
    },
    {
      name: 'keeps the old pod when the new image cannot be pulled, and says so',
      world: changed([
        pod(),
        pod({ name: second, revision: r2, index: 1, ready: false, waiting: { reason: 'ImagePullBackOff', message: 'no such tag' } }),
      ]),
      actions: ['patch PerformerStatus x ImagePullFailed'],
      verdict: 'waiting ImagePullFailed',
    },
    {
      name: 'takes back a change at once when it is undone before the new pod was ever ready',
      world: { ...settled(), pods: [pod(), pod({ name: second, revision: r2, index: 1, ready: false })] },
      actions: [`delete Pod ${second} NeverReady`],
      verdict: 'waiting Draining',
    },
    {
      name: 'puts a changed Service selector right',
      world: { ...settled(), service: { ...service(), spec: { ...service().spec, selector: { app: 'other' } } } as never },
      actions: ['patch Service performer-x Drift'],
      verdict: 'waiting Repairing',
    },
    {
      name: 'makes a deleted Service again',
      world: { ...settled(), service: undefined },
      actions: ['create Service performer-x'],
      verdict: 'waiting Repairing',
    },
    {
      name: 'leaves a foreign pod under its name alone and says whose it is',
      world: snapshot({ pods: [pod({ ownerKind: 'Job' })] }),
      actions: ['patch PerformerStatus x NameConflict'],
      verdict: 'stalled NameConflict',
    },
    {
      name: 'leaves a foreign Service under its name alone',
      world: snapshot({
        service: { metadata: { name: 'performer-x', namespace: 'team-a', uid: 'uid-s', resourceVersion: '3' }, spec: {} },
      }),
      actions: ['patch PerformerStatus x NameConflict'],
      verdict: 'stalled NameConflict',
    },
    {
      name: 'removes the pod of a former Performer of its name, and waits until it is gone',
      world: snapshot({ pods: [pod({ ownerUid: 'uid-former' })] }),
      actions: ['patch PerformerStatus x WaitingForLeftover', 'delete Pod performer-x FormerPerformer'],
      verdict: 'waiting WaitingForLeftover',
    },
    {
      name: 'touches nothing for a spec that cannot be read, and names the field',
      world: {
        ...settled(),
        performer: performer({}, { parsed: { valid: false, issues: [{ path: 'spec.image', message: 'must be a string' }] } }),
      },
      actions: ['patch PerformerStatus x InvalidSpec'],
      verdict: 'stalled InvalidSpec',
    },
    {
      name: 'removes the children and the old finalizer of a Performer that is being deleted',
      world: { ...settled(), performer: performer({}, { deleting: true, finalizers: [legacyFinalizer, 'other/finalizer'] }) },
      actions: [
        'delete Service performer-x PerformerDeleted',
        'delete Pod performer-x PerformerDeleted',
        'patch Performer x LegacyFinalizer',
      ],
      verdict: 'waiting Terminating',
    },
    {
      name: 'leaves the children when the deletion is to orphan them',
      world: { ...settled(), performer: performer({}, { deleting: true, finalizers: ['orphan'] }) },
      actions: ['patch PerformerStatus x Terminating'],
      verdict: 'waiting Terminating',
    },
    {
      name: 'says that it is going, for as long as the finalizer of somebody else keeps it',
      world: { ...settled(), pods: [], service: undefined, performer: performer({}, { deleting: true, finalizers: ['other/finalizer'] }) },
      actions: ['patch PerformerStatus x Terminating'],
      verdict: 'waiting Terminating',
    },
    {
      name: 'removes what is left of a Performer that is gone',
      world: { ...settled(), performer: undefined },
      actions: ['delete Service performer-x PerformerGone', 'delete Pod performer-x PerformerGone'],
      verdict: 'waiting Terminating',
    },
    { name: 'is done when nothing is left of it', world: snapshot({ performer: undefined }), actions: [], verdict: 'settled Gone' },
    {
      name: 'does not delete a foreign pod that happens to stand under the name of a Performer that is gone',
      world: snapshot({ performer: undefined, pods: [pod({ ownerKind: 'Job' })] }),
      actions: [],
      verdict: 'settled Gone',
    },
    {
      name: 'says in status what the API server refuses, and does the rest',
      world: snapshot({ denied: { kind: 'create', resource: 'Pod', message: 'creating Pod team-a/performer-x: exceeded quota: pods' } }),
      actions: ['create Service performer-x', 'patch PerformerStatus x QuotaExceeded'],
      verdict: 'waiting QuotaExceeded',
    },
    {
      name: 'says that a withdrawal is refused, and that both pods serve',
      world: {
        ...changed([pod(), pod({ name: second, index: 1, revision: r2, image: 'avs:2' })], startMs + 120_000),
        denied: { kind: 'patch', resource: 'Pod', message: 'admission webhook "w" denied the request', untilMs: startMs + 150_000 },
      },
      actions: ['patch PerformerStatus x WebhookDenied'],
      verdict: 'waiting WebhookDenied',
    },
    {
      name: 'writes nothing for a Performer that is managed elsewhere, also where its spec cannot be read',
      world: snapshot({ performer: performer({}, { managedBy: 'other', parsed: { valid: false, issues: [] } }) }),
      actions: [],
      verdict: 'settled ManagedElsewhere',
    },
    {
      name: 'adopts an orphan that has ended before it removes it',
      world: { ...settled(), pods: [pod({ name: 'performer-x-abcd-9', index: 9, ownerKind: null, phase: 'Failed', ready: false }), pod()] },
      actions: ['patch Pod performer-x-abcd-9 Adopt'],
      verdict: 'waiting Draining',
    },
    {
      name: 'keeps a pod that was put on a node already unreachable where it is',
      world: {
        ...settled(),
        pods: [pod({ ready: false, node: 'n1', createdAtMs: startMs })],
        nodes: { byName: { n1: unreachableSince(startMs - 60_000) }, total: 3, unreachable: 1 },
      },
      actions: ['patch PerformerStatus x NodeLost'],
      verdict: 'waiting NodeLost',
    },
    {
      name: 'takes the pod of a lost node out of the Service',
      world: {
        ...settled(),
        pods: [pod({ ready: false, started: true, node: 'n1', createdAtMs: startMs })],
        nodes: { byName: { n1: unreachableSince(startMs + 10_000) }, total: 3, unreachable: 1 },
      },
      actions: ['patch PerformerStatus x Starting', 'patch Pod performer-x Withdraw'],
      verdict: 'waiting Starting',
    },
    {
      name: 'leaves a Service alone that somebody keeps putting back, and says who',
      world: {
        ...settled(),
        service: { ...service(), spec: { ...service().spec, selector: { app: 'theirs' } } },
        serviceWriter: { manager: 'their-operator', untilMs: startMs + 300_000 },
      },
      actions: ['patch PerformerStatus x Serving'],
      verdict: 'waiting Repairing',
    },
  ])('$name', ({ world, actions, verdict }) => {
    const made = plan(world);
    expect(lines(made.actions)).toEqual(actions);
    expect(`${made.verdict.kind} ${made.verdict.reason}`).toBe(verdict);
    expect(plan({ ...world, pods: world.pods.toReversed() })).toEqual(made);
  });
});

describe('the status', () => {
  it('of a served Performer holds the legacy fields and ends with Ready', () => {
    const status = statusOf(snapshot({ pods: [pod()], service: service() }));
    expect(status).toMatchObject({
      phase: 'Running',
      ready: true,
      podName: 'performer-x',
      podIP: '10.244.0.7',
      serviceName: 'performer-x',
      grpcEndpoint: 'performer-x.team-a.svc.cluster.local',
      readyTime: '2026-01-01T00:00:01Z',
      observedGeneration: 1,
    });
    expect(status?.conditions?.map((condition) => `${condition.type}=${condition.status}`)).toEqual([
      'Available=True',
      'Progressing=False',
      'Degraded=False',
      'Ready=True',
    ]);
  });

  it('keeps the name of a pod that is gone, so that its name is not used again, and is not ready', () => {
    expect(statusOf({ ...settled(), pods: [] })).toMatchObject({ ready: false, podName: 'performer-x', phase: 'Pending' });
  });

  it('of a rollout whose new pod fails stays ready for callers while Ready is False for whoever waits for the change', () => {
    const status = statusOf(
      changed([pod(), pod({ name: second, revision: r2, index: 1, ready: false, waiting: { reason: 'ErrImagePull' } })]),
    );
    expect(status).toMatchObject({ ready: true, phase: 'Upgrading', podName: 'performer-x' });
    expect(status?.conditions?.at(-1)).toMatchObject({ type: 'Ready', status: 'False', reason: 'ImagePullFailed' });
  });

  it('notes when the last rollout was completed', () => {
    expect(settled().performer?.status?.lastUpgrade).toBeUndefined();
    expect(statusOf(changed([pod(), pod({ name: second, revision: r2, index: 1 })]))).toMatchObject({
      lastUpgrade: '2026-01-01T00:01:00Z',
      podName: second,
    });
  });

  it('keeps foreign conditions in front', () => {
    const foreign = { type: 'Audited', status: 'True' as const, reason: 'Yes', message: '', lastTransitionTime: '2025-01-01T00:00:00Z' };
    const before = { observedGeneration: -1, conditions: [foreign] };
    const status = statusOf(snapshot({ pods: [pod()], service: service(), performer: performer({}, { status: before }) }));
    expect(status?.conditions?.[0]).toEqual(foreign);
  });

  it('moves lastTransitionTime only with the status of the condition', () => {
    const before = settled();
    const later = { ...before, nowMs: before.nowMs + 5_000, pods: [] };
    const degraded = given.withStatusOf(plan(later), later).performer?.status?.conditions;
    expect(degraded?.find((condition) => condition.type === 'Degraded')?.lastTransitionTime).toBe('2026-01-01T00:01:00Z');
    expect(degraded?.find((condition) => condition.type === 'Ready')?.lastTransitionTime).toBe('2026-01-01T00:01:05Z');
  });

  it('keeps its words through the turns of a crash loop', () => {
    const crashing = (state: object): PerformerStatus | undefined => {
      const looping = pod({ ready: false, phase: 'Running' });
      const [container] = looping.status?.containerStatuses ?? [];
      const containerStatuses = [{ ...container, restartCount: 3, started: false, lastState: { terminated: { exitCode: 1 } }, ...state }];
      return statusOf(snapshot({ pods: [{ ...looping, status: { ...looping.status, containerStatuses } } as never], service: service() }));
    };
    const waiting = crashing({ state: { waiting: { reason: 'CrashLoopBackOff' } } });
    expect(waiting?.conditions?.at(-1)?.reason).toBe('CrashLooping');
    expect(crashing({ state: { running: {} } })).toEqual(waiting);
  });

  it('tells a warning as an Event once, when it comes to it', () => {
    const world = snapshot({
      pods: [pod({ ready: false, waiting: { reason: 'ErrImagePull', message: 'no such tag' } })],
      service: service(),
    });
    expect(plan(world).events).toMatchObject([{ type: 'Warning', reason: 'ImagePullFailed' }]);
    expect(plan(given.withStatusOf(plan(world), world)).events).toEqual([]);
  });
});
