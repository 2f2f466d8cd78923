import { describe, expect, it } from 'vitest';
import { factTypes } from '../../../../src/api/v1alpha1/conditions.ts';
import type { PerformerSpecInput, PerformerStatus } from '../../../../src/api/v1alpha1/performer.ts';
import type { Node, Pod, Service } from '../../../../src/kube/objects.ts';
import { planPerformer } from '../../../../src/reconcile/plan/plan.ts';
import type { Settings, Snapshot } from '../../../../src/reconcile/plan/snapshot.ts';
import * as given from '../../../support/snapshots.ts';

const { lines, performer, pod, service, settled, settings, snapshot, startMs } = given;
const plan = (world: Snapshot, change: Partial<Settings> = {}) => planPerformer(world, { ...settings, ...change });
const r2 = given.revisionOf({ image: 'avs:2' });
const nowMs = startMs + 60_000;
const conditionsOf = (world: Snapshot): NonNullable<PerformerStatus['conditions']> =>
  given.withStatusOf(plan(world), world).performer?.status?.conditions ?? [];
/** What holds beside the reason: `NodeLost=True NodeLost`, and its message up to the next step. */
const sidesOf = (world: Snapshot): string[] =>
  conditionsOf(world)
    .filter(({ type }) => (factTypes as readonly string[]).includes(type))
    .map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message.split('. ')[0]}`);
const readyOf = (world: Snapshot): string => {
  const ready = conditionsOf(world).at(-1);
  return `${ready?.reason}: ${ready?.message.split('. ')[0]}`;
};
/** `settled`, then the spec changed, with these pods. */
const changed = (change: Partial<PerformerSpecInput>, pods: Pod[], rest: Partial<Snapshot> = {}): Snapshot => {
  const before = settled();
  return { ...before, pods, performer: performer(change, { generation: 2, status: before.performer?.status }), ...rest };
};
const lost = (name: string): Node =>
  ({
    metadata: { name },
    spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:10Z' }] },
  }) as unknown as Node;
const well = { metadata: { name: 'n1' } } as Node;
const nodes = (byName: Record<string, Node | null>): NonNullable<Snapshot['nodes']> => ({ byName, total: 9, unreachable: 2 });
const second = 'performer-x-abcd-1';
const unlike: Service = { ...service(), spec: { ...service().spec, selector: { app: 'other' } } } as Service;
const orphaned: Service = { ...service(), metadata: { ...service().metadata, ownerReferences: [] } } as Service;

describe('the whole plan', () => {
  it('of a settled world is nothing but its verdict', () => {
    expect(plan(settled())).toEqual({
      verdict: { kind: 'settled', reason: 'Serving', message: 'pod performer-x serves' },
      actions: [],
      events: [],
      proof: 'none',
      unsaid: false,
    });
  });

  it('for a Performer that is managed elsewhere is nothing but its verdict', () => {
    expect(plan(snapshot({ performer: performer({}, { managedBy: 'other' }) }))).toEqual({
      verdict: { kind: 'settled', reason: 'ManagedElsewhere', message: 'spec.managedBy names another controller' },
      actions: [],
      events: [],
      proof: 'none',
      unsaid: false,
    });
  });

  it.each(['', 'hourglass.eigenlayer.io/operator'])('for a Performer that is managed by "%s" is ours to make', (managedBy) => {
    expect(plan({ ...settled(), performer: performer({}, { managedBy, status: settled().performer?.status }) }).verdict).toMatchObject({
      kind: 'settled',
      reason: 'Serving',
    });
  });

  it('of a Performer that is gone needs no proof where nothing is left', () => {
    expect(plan(snapshot({ performer: undefined }))).toEqual({
      verdict: { kind: 'settled', reason: 'Gone', message: 'nothing is left' },
      actions: [],
      events: [],
      proof: 'none',
      unsaid: false,
    });
  });
});

describe('the proof', () => {
  it.each<{ name: string; world: Snapshot; proof: string }>([
    { name: 'none for what is added', world: snapshot(), proof: 'none' },
    { name: 'of the Performer for an orphan that is adopted', world: snapshot({ pods: [pod({ ownerKind: null })] }), proof: 'performer' },
    { name: 'of the Performer for what a former one left', world: snapshot({ pods: [pod({ ownerUid: 'former' })] }), proof: 'performer' },
    {
      name: 'of the pods too for one that is taken away',
      world: changed({ image: 'avs:2' }, [pod(), pod({ name: second, index: 1, revision: r2 })]),
      proof: 'performer-and-pods',
    },
    {
      name: 'of the pods too where only one of the actions takes away',
      world: changed({ image: 'avs:2' }, [pod(), pod({ name: second, index: 1, revision: r2 })], { service: orphaned }),
      proof: 'performer-and-pods',
    },
    { name: 'of the Performer for the children of one that is gone', world: { ...settled(), performer: undefined }, proof: 'performer' },
    {
      name: 'of the Performer for the children of one that is going',
      world: { ...settled(), performer: performer({}, { deleting: true }) },
      proof: 'performer',
    },
    {
      name: 'of the Performer for the status of one that is going',
      world: { ...snapshot(), performer: performer({}, { deleting: true, finalizers: ['orphan'] }) },
      proof: 'performer',
    },
  ])('is $name', ({ world, proof }) => {
    expect(plan(world).proof).toBe(proof);
  });
});

describe('when to look again', () => {
  const denied = { kind: 'create', resource: 'Pod', message: 'exceeded quota' } as const;
  it.each<{ name: string; world: Snapshot; requeueAfterMs: number | undefined; unsaid?: boolean }>([
    { name: 'never, where only an event can change anything', world: settled(), requeueAfterMs: undefined },
    {
      name: 'when the status of a new Performer is due, from the pass on that makes its pod',
      world: snapshot({ nowMs: startMs + 500 }),
      requeueAfterMs: 3_000,
      unsaid: true,
    },
    {
      name: 'when the status of a young pod is due',
      world: snapshot({ nowMs: startMs + 500, pods: [pod({ ready: false })], service: service() }),
      requeueAfterMs: 2_500,
      unsaid: true,
    },
    {
      name: 'when the status of a new pod is due, from now on',
      world: changed({ image: 'avs:2' }, [pod()]),
      requeueAfterMs: 3_000,
      unsaid: true,
    },
    {
      name: 'when the status of the youngest pod is due',
      world: changed({ image: 'avs:2' }, [
        pod(),
        pod({ name: second, index: 1, revision: r2, ready: false, createdAtMs: startMs + 59_000 }),
      ]),
      requeueAfterMs: 2_000,
      unsaid: true,
    },
    { name: 'after a while, for an object in the way', world: snapshot({ pods: [pod({ ownerKind: 'Job' })] }), requeueAfterMs: 30_000 },
    {
      name: 'when a denied write may be tried again',
      world: { ...settled(), pods: [], denied: { ...denied, untilMs: nowMs + 7_000 } },
      requeueAfterMs: 7_000,
    },
    {
      name: 'at once, where that time has come',
      world: { ...settled(), pods: [], denied: { ...denied, untilMs: nowMs - 7_000 } },
      requeueAfterMs: 0,
    },
    {
      name: 'when the Service is ours to write again',
      world: { ...settled(), serviceWriter: { manager: '', untilMs: nowMs + 9_000 } },
      requeueAfterMs: 9_000,
    },
    {
      name: 'when the status is ours to write again',
      world: { ...settled(), statusDisputed: { untilMs: nowMs + 8_000, whole: false } },
      requeueAfterMs: 8_000,
    },
    {
      name: 'when fields that the CRD did not keep are tried again',
      world: { ...settled(), statusUnkept: { fields: ['selector'], untilMs: nowMs + 7_000 } },
      requeueAfterMs: 7_000,
    },
    {
      name: 'when the first of these comes',
      world: {
        ...settled(),
        serviceWriter: { manager: '', untilMs: nowMs + 9_000 },
        statusDisputed: { untilMs: nowMs + 8_000, whole: false },
      },
      requeueAfterMs: 8_000,
    },
    {
      name: 'when a pod that drains is done, where that is sooner',
      world: changed({ image: 'avs:2' }, [pod({ withdrawnAtMs: nowMs - 1_000 }), pod({ name: second, index: 1, revision: r2 })], {
        statusDisputed: { untilMs: nowMs + 8_000, whole: false },
      }),
      requeueAfterMs: 5_000,
    },
  ])('is $name', ({ world, requeueAfterMs, unsaid = false }) => {
    const made = plan(world);
    expect(made.requeueAfterMs).toBe(requeueAfterMs);
    expect('requeueAfterMs' in made).toBe(requeueAfterMs !== undefined);
    expect(made.unsaid).toBe(unsaid);
  });
});

describe('what holds beside the reason', () => {
  const strict = { nodeLossPolicy: 'Strict' } as const;
  const unschedulable = (name: string, rest: Parameters<typeof pod>[0] = {}): Pod =>
    pod({ name, index: 1, revision: r2, ready: false, unschedulable: '0/3 nodes are available', createdAtMs: startMs, ...rest });
  it.each<{ name: string; world: Snapshot; sides: string[] }>([
    { name: 'nothing of a settled world', world: { ...settled(), performer: performer() }, sides: [] },
    {
      name: 'the node of a pod that is out of view',
      world: { ...settled(), pods: [pod({ ready: false, node: 'n1' })], nodes: nodes({ n1: lost('n1') }) },
      sides: ['NodeLost=True NodeLost: pod performer-x is on node n1, which is unreachable'],
    },
    {
      name: 'all nodes out of view, each once and in order',
      world: changed(
        { replicas: 3 },
        [
          pod({ name: 'performer-x-abcd-9', index: 9, ready: false, node: 'n2' }),
          pod({ name: second, index: 1, ready: false, node: 'n1' }),
          pod({ ready: false, node: 'n2' }),
        ],
        { nodes: nodes({ n1: lost('n1'), n2: lost('n2') }) },
      ),
      sides: ['NodeLost=True NodeLost: pod performer-x, performer-x-abcd-1, performer-x-abcd-9 is on node n1, n2, which is unreachable'],
    },
    {
      name: 'the node of a pod that came when the node was out of view already',
      world: { ...settled(), pods: [pod({ ready: false, node: 'n1', createdAtMs: startMs + 20_000 })], nodes: nodes({ n1: lost('n1') }) },
      sides: ['NodeLost=True NodeLost: pod performer-x is on node n1, which is unreachable'],
    },
    {
      name: 'no node of a pod that is still ready',
      world: { ...settled(), performer: performer(), pods: [pod({ node: 'n1' })], nodes: nodes({ n1: lost('n1') }) },
      sides: [],
    },
    {
      name: 'no node that is well',
      world: { ...settled(), pods: [pod({ ready: false, node: 'n1' })], nodes: nodes({ n1: well }) },
      sides: [],
    },
    { name: 'no node of which nothing is known', world: { ...settled(), pods: [pod({ ready: false, node: 'n1' })] }, sides: [] },
    {
      name: 'no node of a pod that terminates where its place is not held',
      world: { ...settled(), pods: [pod({ deleting: true, node: 'n1' })], nodes: nodes({ n1: lost('n1') }) },
      sides: [],
    },
    {
      name: 'the node of a pod that terminates and keeps its place',
      world: changed(strict, [pod({ deleting: true, node: 'n1' })], { nodes: nodes({ n1: lost('n1') }) }),
      sides: ['NodeLost=True NodeLost: pod performer-x is on node n1, which is unreachable'],
    },
    {
      name: 'no node of a pod that terminates where nodes cannot be read',
      world: changed(strict, [pod({ deleting: true, node: 'n1' })]),
      sides: [],
    },
    {
      name: 'no node of a pod that terminates where the node is well',
      world: changed(strict, [pod({ deleting: true, node: 'n1' })], { nodes: nodes({ n1: well }) }),
      sides: [],
    },
    { name: 'a pause', world: changed({ paused: true }, [pod()]), sides: ['Paused=True Paused: spec.paused is set'] },
    {
      name: 'strangers that the Service selects, by name',
      world: {
        ...settled(),
        performer: performer(),
        pods: [
          pod(),
          pod({ name: 'stranger-b', ownerKind: 'Job' }),
          pod({ name: 'stranger-a', ownerKind: 'Job' }),
          pod({ name: 'going', ownerKind: 'Job', deleting: true }),
          pod({ name: 'other', ownerKind: 'Job', labels: { app: 'hourglass-performer' } }),
          { metadata: { name: 'bare' } },
        ],
      },
      sides: ['ForeignPod=True ForeignPod: the Service selects Pod stranger-a, stranger-b'],
    },
    {
      name: 'another operator that makes pods',
      world: {
        ...settled(),
        pods: [pod(), pod({ name: 'performer-x-7', revision: null, createdAtMs: startMs + 5_000 })],
        serviceWriter: { manager: 'theirs', untilMs: nowMs + 9_000 },
      },
      sides: ['ForeignWriter=True ForeignWriter: Pod performer-x-7 was made by another operator'],
    },
    {
      name: 'who keeps putting back the Service',
      world: { ...settled(), serviceWriter: { manager: 'theirs', untilMs: nowMs + 9_000 } },
      sides: ['ForeignWriter=True ForeignWriter: field manager theirs keeps putting back Service performer-x'],
    },
    {
      name: 'that somebody does where no name is known',
      world: { ...settled(), serviceWriter: { manager: '', untilMs: nowMs + 9_000 } },
      sides: ['ForeignWriter=True ForeignWriter: somebody keeps putting back Service performer-x'],
    },
    {
      name: 'a pod that finds no place',
      world: changed({ image: 'avs:2' }, [unschedulable(second)]),
      sides: [`Scheduled=False Unschedulable: pod ${second}: 0/3 nodes are available`],
    },
    {
      name: 'a pod that finds no place while an old one holds one',
      world: changed({ image: 'avs:2' }, [pod(), unschedulable(second)]),
      sides: [`Scheduled=False SurgeUnschedulable: pod ${second}: 0/3 nodes are available`],
    },
    {
      name: 'a pod that finds no place beside one of its own revision',
      world: changed({ image: 'avs:2', replicas: 2 }, [pod({ revision: r2 }), unschedulable(second)]),
      sides: [`Scheduled=False Unschedulable: pod ${second}: 0/3 nodes are available`],
    },
    {
      name: 'a pod that finds no place beside an old one that does not serve',
      world: changed({ image: 'avs:2' }, [pod({ ready: false, started: true }), unschedulable(second)]),
      sides: [`Scheduled=False Unschedulable: pod ${second}: 0/3 nodes are available`],
    },
    {
      name: 'no pod that found no place and is deleted',
      world: changed({ image: 'avs:2' }, [unschedulable(second, { deleting: true })]),
      sides: [],
    },
    {
      name: 'no pod that has another trouble',
      world: changed({ image: 'avs:2' }, [
        pod({ name: second, index: 1, revision: r2, ready: false, waiting: { reason: 'ErrImagePull' } }),
      ]),
      sides: [],
    },
  ])('is $name', ({ world, sides }) => {
    expect(sidesOf(world)).toEqual(sides);
    expect(sidesOf({ ...world, pods: world.pods.toReversed() })).toEqual(sides);
  });
});

describe('the reason', () => {
  const former = {
    ...service(),
    metadata: { ...service().metadata, ownerReferences: [{ ...service().metadata?.ownerReferences?.[0], uid: 'former' }] },
  };
  it.each<{ name: string; world: Snapshot; ready: string }>([
    {
      name: 'names every issue of a spec',
      world: snapshot({
        performer: performer(
          {},
          {
            parsed: {
              valid: false,
              issues: [
                { path: 'spec.image', message: 'missing' },
                { path: 'spec.replicas', message: 'too small' },
              ],
            },
          },
        ),
      }),
      ready: 'InvalidSpec: spec.image: missing; spec.replicas: too small',
    },
    {
      name: 'is a name that is too long for what is named after it',
      world: snapshot({ key: { namespace: 'team-a', name: 'x'.repeat(70) } }),
      ready: expect.stringMatching(/^InvalidSpec: /) as unknown as string,
    },
    {
      name: 'is a TEE nobody knows, where a CRD without that rule let it through',
      world: snapshot({
        performer: performer(
          {},
          { parsed: { valid: true, spec: { ...given.spec(), hardwareRequirements: { teeRequired: true, teeType: 'acme' } } as never } },
        ),
      }),
      ready: 'InvalidSpec: spec.hardwareRequirements.teeType: must be one of sgx, tdx, sev, sev-snp',
    },
    {
      name: 'is whose pod is in the way',
      world: snapshot({ pods: [pod({ ownerKind: 'Job' })] }),
      ready: 'NameConflict: Pod team-a/performer-x exists and belongs to Job x',
    },
    {
      name: 'is that nobody owns the Service in the way',
      world: snapshot({ service: { metadata: { name: 'performer-x' } } }),
      ready: 'NameConflict: Service team-a/performer-x exists and belongs to nobody',
    },
    {
      name: 'is the Service of a former Performer',
      world: snapshot({ service: former as Service }),
      ready: 'WaitingForLeftover: Service team-a/performer-x belongs to a former Performer of this name and is going',
    },
    {
      name: 'is the first pod of a former Performer',
      world: snapshot({ pods: [pod({ name: 'performer-x-abcd-2', ownerUid: 'former' }), pod({ name: second, ownerUid: 'former' })] }),
      ready: `WaitingForLeftover: Pod team-a/${second} belongs to a former Performer of this name and is going`,
    },
    {
      name: 'is not a foreign pod whose name is not wanted',
      world: { ...settled(), performer: performer(), pods: [pod(), pod({ name: 'stranger', ownerKind: 'Job' })] },
      ready: 'Serving: pod performer-x serves',
    },
  ])('$name', ({ world, ready }) => {
    expect(readyOf(world)).toEqual(ready);
    expect(readyOf({ ...world, pods: world.pods.toReversed() })).toEqual(ready);
  });
});

describe('the Service', () => {
  it.each<{ name: string; world: Snapshot; actions: string[] }>([
    { name: 'is adopted where nobody owns it', world: { ...settled(), service: orphaned }, actions: ['patch Service performer-x Adopt'] },
    {
      name: 'that is being deleted is left in peace',
      world: { ...settled(), service: { ...unlike, metadata: { ...unlike.metadata, deletionTimestamp: '2026-01-01T00:00:30Z' } } },
      actions: [],
    },
    {
      name: 'is put right again at the end of the peace with another writer',
      world: { ...settled(), service: unlike, serviceWriter: { manager: 'theirs', untilMs: nowMs } },
      actions: ['patch Service performer-x Drift', 'patch PerformerStatus x Serving'],
    },
    {
      name: 'is not written while such a write is denied',
      world: { ...settled(), service: unlike, denied: { kind: 'patch', resource: 'Service', message: 'forbidden' } },
      actions: ['patch PerformerStatus x WriteDenied'],
    },
    {
      name: 'is written while another write is denied',
      world: { ...settled(), service: unlike, denied: { kind: 'patch', resource: 'Pod', message: 'forbidden' } },
      actions: ['patch Service performer-x Drift', 'patch PerformerStatus x WriteDenied'],
    },
  ])('$name', ({ world, actions }) => {
    expect(lines(plan(world).actions)).toEqual(actions);
  });

  it('that another writer keeps is no settled world, and the verdict says whose it is', () => {
    const world = { ...settled(), serviceWriter: { manager: 'theirs', untilMs: nowMs + 9_000 } };
    expect(plan(given.withStatusOf(plan(world), world)).verdict).toEqual({
      kind: 'waiting',
      reason: 'ForeignWriter',
      message: 'field manager theirs keeps putting back Service performer-x',
    });
    const paused = { ...changed({ paused: true }, [pod()]), serviceWriter: { manager: 'theirs', untilMs: nowMs + 9_000 } };
    expect(plan(given.withStatusOf(plan(paused), paused)).verdict).toMatchObject({ reason: 'ForeignWriter' });
    const over = { ...world, serviceWriter: { manager: 'theirs', untilMs: nowMs } };
    expect(plan(given.withStatusOf(plan(over), over)).verdict).toMatchObject({ kind: 'settled', reason: 'Serving' });
  });
});

describe('the end of a rollout', () => {
  const statusOf = (world: Snapshot): PerformerStatus | undefined => given.withStatusOf(plan(world), world).performer?.status;
  const unrevised = (pods: Pod[]): Snapshot => {
    const { revision: _pruned, ...status } = settled().performer?.status ?? {};
    return { ...settled(), pods, performer: performer({ image: 'avs:2' }, { status: status as PerformerStatus }) };
  };
  const next = pod({ name: second, index: 1, revision: r2 });

  it('is told by the last old pod that served, where no revision is stored', () => {
    expect(statusOf(unrevised([pod(), next]))?.lastUpgrade).toBe('2026-01-01T00:01:00Z');
  });

  it.each<{ name: string; pods: Pod[] }>([
    { name: 'an old pod that never served', pods: [pod({ ready: false }), next] },
    { name: 'a surplus pod of the newest spec', pods: [next, pod({ name: 'performer-x-abcd-2', index: 2, revision: r2 })] },
    { name: 'no pod', pods: [next] },
  ])('is not told by $name', ({ pods }) => {
    expect(statusOf(unrevised(pods))?.lastUpgrade).toBeUndefined();
  });
});
