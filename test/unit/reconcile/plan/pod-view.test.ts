import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../../../src/api/v1alpha1/naming.ts';
import type { Node, Pod } from '../../../../src/kube/objects.ts';
import { formatTime } from '../../../../src/lib/time.ts';
import { contextOf, indexOfName, type PodContext, type PodView, viewPod } from '../../../../src/reconcile/plan/pod-view.ts';
import { pod, revisionOf, snapshot, startMs } from '../../../support/snapshots.ts';

const nowMs = startMs + 60_000;
const context: PodContext = {
  performerName: 'x',
  image: 'avs:1',
  revision: revisionOf(),
  allCurrent: false,
  formerUntilMs: Number.NEGATIVE_INFINITY,
  rules: { minReadyMs: 0, nodeLossMs: 3_000, replicas: 1, toleratesLoss: true },
  nodes: undefined,
  routed: undefined,
  nowMs,
};
const view = (of: Pod, change: Partial<PodContext> = {}): PodView => viewPod(of, { ...context, ...change });
const nodeWith = (taint: object): Node => ({ metadata: { name: 'n1' }, spec: { taints: [taint] } }) as unknown as Node;
const unreachableSince = (ms: number): Node =>
  nodeWith({ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: new Date(ms).toISOString() });
/** Marked as off by a person, not Ready since then. */
const offSince = (ms: number): Node =>
  ({
    ...nodeWith({ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }),
    status: ready('Unknown', new Date(ms).toISOString()),
  }) as Node;
const seen = (node: Node | null): PodContext['nodes'] => ({ byName: { n1: node }, total: 3, unreachable: 1 });
/** The pod with other status, containers or labels. */
const withStatus = (of: Pod, status: object): Pod => ({ ...of, status: { ...of.status, ...status } }) as Pod;
const withLabels = (of: Pod, change: Record<string, string>): Pod => ({
  ...of,
  metadata: { ...of.metadata, labels: { ...of.metadata?.labels, ...change } },
});
const withAnnotations = (of: Pod, change: Record<string, string>): Pod => ({ ...of, metadata: { ...of.metadata, annotations: change } });
const ready = (status: string, lastTransitionTime?: string): object => ({ conditions: [{ type: 'Ready', status, lastTransitionTime }] });

describe('the view of a pod', () => {
  it('that serves says all that decisions need', () => {
    expect(view(pod({ node: 'n1', failures: 2 }))).toEqual({
      name: 'performer-x',
      uid: 'uid-performer-x',
      resourceVersion: '20',
      word: 'serving',
      revision: revisionOf(),
      index: 0,
      mayServe: true,
      ended: false,
      createdAtMs: startMs,
      sureAtMs: startMs,
      notReadySinceMs: startMs,
      selected: true,
      withdrawnAtMs: undefined,
      readySinceMs: startMs + 1_000,
      availableAtMs: startMs + 1_000,
      routed: undefined,
      node: { word: 'unknown', name: 'n1' },
      failures: 2,
      replaceAtMs: startMs + 121_000,
      edited: false,
      ip: '10.244.0.7',
      ports: [8080],
      trouble: undefined,
    });
  });

  it.each<{ name: string; of: Pod }>([
    { name: 'nothing', of: {} as Pod },
    { name: 'empty parts', of: { metadata: {}, spec: {}, status: {} } as unknown as Pod },
    {
      name: 'no container',
      of: { metadata: { labels: {}, annotations: {} }, spec: { containers: [] }, status: { conditions: [] } } as Pod,
    },
    { name: 'a container without ports', of: { spec: { containers: [{ name: 'performer' }] } } as Pod },
  ])('of which there is $name makes up nothing', ({ of }) => {
    expect(view(of)).toMatchObject({
      name: '',
      uid: '',
      resourceVersion: '',
      word: 'out',
      revision: 'unlabelled',
      index: 0,
      mayServe: false,
      ended: false,
      createdAtMs: 0,
      notReadySinceMs: 0,
      selected: false,
      readySinceMs: undefined,
      availableAtMs: undefined,
      withdrawnAtMs: undefined,
      failures: 0,
      replaceAtMs: 31_000,
      edited: false,
      ip: undefined,
      ports: [],
      trouble: undefined,
    });
  });

  it.each<{ name: string; of: Pod; nodes?: PodContext['nodes']; word: PodView['word'] }>([
    { name: 'starting while it is not ready', of: pod({ ready: false }), word: 'starting' },
    { name: 'serving once it is ready', of: pod(), word: 'serving' },
    { name: 'starting while its phase is not Running yet', of: pod({ phase: 'Pending' }), word: 'starting' },
    {
      name: 'starting where only another condition is true',
      of: withStatus(pod(), { conditions: [{ type: 'Initialized', status: 'True' }] }),
      word: 'starting',
    },
    { name: 'out without the label of its Performer', of: pod({ unlabelled: true }), word: 'out' },
    { name: 'out with the label of another Performer', of: withLabels(pod(), { [labels.performer]: 'y' }), word: 'out' },
    {
      name: 'out once it was withdrawn, also when somebody puts the label back',
      of: withLabels(pod({ withdrawnAtMs: startMs }), { [labels.performer]: 'x' }),
      word: 'out',
    },
    { name: 'leaving while it is deleted', of: pod({ deleting: true }), word: 'leaving' },
    { name: 'leaving once it failed', of: pod({ phase: 'Failed' }), word: 'leaving' },
    { name: 'leaving once it succeeded', of: pod({ phase: 'Succeeded' }), word: 'leaving' },
    { name: 'lost on a node that is gone', of: pod({ ready: false, node: 'n1' }), nodes: seen(null), word: 'lost' },
    { name: 'serving while it is ready, whatever its node', of: pod({ node: 'n1' }), nodes: seen(null), word: 'serving' },
    {
      name: 'lost on a node that went while it ran there',
      of: pod({ ready: false, node: 'n1' }),
      nodes: seen(unreachableSince(startMs + 1_000)),
      word: 'lost',
    },
    {
      name: 'starting on a node that was lost when it came',
      of: pod({ ready: false, node: 'n1' }),
      nodes: seen(unreachableSince(startMs - 4_000)),
      word: 'starting',
    },
    {
      name: 'lost on a node that went in the second in which it came',
      of: pod({ ready: false, node: 'n1' }),
      nodes: seen(unreachableSince(startMs)),
      word: 'lost',
    },
    {
      name: 'starting while it is young and never started on a lost node: the clocks of API servers differ',
      of: pod({ ready: false, started: false, node: 'n1', createdAtMs: nowMs - 10_000 }),
      nodes: seen(unreachableSince(nowMs - 8_000)),
      word: 'starting',
    },
    {
      name: 'lost once half a minute shows that it was there, though it never started',
      of: pod({ ready: false, started: false, node: 'n1', createdAtMs: nowMs - 31_000 }),
      nodes: seen(unreachableSince(nowMs - 8_000)),
      word: 'lost',
    },
    {
      name: 'lost at once where it had started',
      of: pod({ ready: false, started: true, node: 'n1', createdAtMs: nowMs - 10_000 }),
      nodes: seen(unreachableSince(nowMs - 8_000)),
      word: 'lost',
    },
    {
      name: 'lost on a node that is vouched to be off',
      of: pod({ ready: false, node: 'n1', createdAtMs: nowMs - 60_000 }),
      nodes: seen(offSince(nowMs - 5_000)),
      word: 'lost',
    },
    {
      name: 'starting, for good, where it came to a node that was off already: its successor would land there too',
      of: pod({ ready: false, started: false, node: 'n1', createdAtMs: nowMs - 60_000 }),
      nodes: seen(offSince(nowMs - 90_000)),
      word: 'starting',
    },
    {
      name: 'starting on a node that is not yet given up',
      of: pod({ ready: false, node: 'n1' }),
      nodes: seen(unreachableSince(nowMs)),
      word: 'starting',
    },
  ])('is $name', ({ of, nodes, word }) => {
    expect(view(of, { nodes }).word).toBe(word);
  });

  it('is lost at once on a lost node that it does not tolerate, however young', () => {
    const young = pod({ ready: false, started: false, node: 'n1', createdAtMs: nowMs - 10_000 });
    const nodes = seen(unreachableSince(nowMs - 8_000));
    expect(view(young, { nodes, rules: { ...context.rules, toleratesLoss: false } }).word).toBe('lost');
  });

  it('that ended and is deleted has only to go', () => {
    expect(view(pod({ phase: 'Failed' }))).toMatchObject({ ended: true });
    expect(view(pod({ phase: 'Succeeded' }))).toMatchObject({ ended: true });
    expect(view(pod({ phase: 'Failed', deleting: true }))).toMatchObject({ ended: false });
  });

  it.each<{ name: string; of: Pod; mayServe: boolean }>([
    { name: 'is ready', of: withStatus(pod(), { containerStatuses: undefined }), mayServe: true },
    { name: 'started', of: pod({ ready: false, started: true }), mayServe: true },
    { name: 'never started', of: pod({ ready: false, started: false }), mayServe: false },
    {
      name: 'has restarted',
      of: withStatus(pod({ ready: false }), { containerStatuses: [{ started: false, restartCount: 1 }] }),
      mayServe: true,
    },
    {
      name: 'has one container that started',
      of: withStatus(pod({ ready: false }), {
        containerStatuses: [
          { started: false, restartCount: 0 },
          { started: true, restartCount: 0 },
        ],
      }),
      mayServe: true,
    },
  ])('that $name may serve: $mayServe', ({ of, mayServe }) => {
    expect(view(of).mayServe).toBe(mayServe);
  });

  it('counts as available once it was ready for long enough, and a second', () => {
    const rules = { ...context.rules, minReadyMs: 10_000 };
    expect(view(pod(), { rules })).toMatchObject({ readySinceMs: startMs + 1_000, availableAtMs: startMs + 12_000 });
    expect(view(pod({ ready: false }), { rules })).toMatchObject({ readySinceMs: undefined, availableAtMs: undefined });
    expect(view(withStatus(pod(), ready('True')))).toMatchObject({ readySinceMs: nowMs });
  });

  it('counts as available as soon as it is seen to be ready where no time is asked for, however late we believe it to be', () => {
    const lateMs = startMs + 400;
    expect(view(pod(), { nowMs: lateMs })).toMatchObject({ readySinceMs: startMs + 1_000, availableAtMs: lateMs });
  });

  it('has not been ready since its condition says so, and never since before it was made', () => {
    const at = (ms: number) => new Date(ms).toISOString();
    expect(view(withStatus(pod({ ready: false }), ready('False', at(startMs + 9_000)))).notReadySinceMs).toBe(startMs + 9_000);
    expect(view(withStatus(pod({ ready: false }), ready('False', at(startMs - 9_000)))).notReadySinceMs).toBe(startMs);
    expect(view(withStatus(pod({ ready: false }), ready('False'))).notReadySinceMs).toBe(startMs);
    expect(view(withStatus(pod({ ready: false }), { conditions: undefined })).notReadySinceMs).toBe(startMs);
    expect(view(withStatus(pod(), ready('True', at(startMs + 9_000)))).notReadySinceMs).toBe(startMs);
  });

  it('tells its trouble only while it is not ready', () => {
    const waiting = { reason: 'ErrImagePull', message: 'no such tag' };
    expect(view(pod({ ready: false, waiting })).trouble).toMatchObject({ reason: 'ImagePullFailed' });
    expect(view(pod({ waiting })).trouble).toBeUndefined();
  });

  it('is replaced later each time its forebears came to nothing, up to ten minutes', () => {
    const at = (failures?: string): number =>
      view(withAnnotations(pod(), failures === undefined ? {} : { [annotations.failures]: failures })).replaceAtMs - startMs;
    expect([undefined, '0', '1', '4', '5', '400'].map(at)).toEqual([31_000, 31_000, 61_000, 481_000, 601_000, 601_000]);
    expect(['-3', 'many', ''].map(at)).toEqual([31_000, 31_000, 31_000]);
    expect(view(withAnnotations(pod(), { [annotations.failures]: '400' })).failures).toBe(400);
  });

  it('is routed where the EndpointSlices say so, and nobody knows where they cannot be read', () => {
    expect(view(pod(), { routed: ['uid-performer-x'] }).routed).toBe(true);
    expect(view(pod(), { routed: [] }).routed).toBe(false);
    expect(view(pod()).routed).toBeUndefined();
  });

  it('offers the ports that our container declares by our name', () => {
    const containers = [
      { name: 'mesh', image: 'mesh:1', ports: [{ name: 'grpc', containerPort: 15_000 }] },
      {
        name: 'performer',
        image: 'avs:1',
        ports: [
          { name: 'metrics', containerPort: 9_100 },
          { name: 'grpc', containerPort: 9_000 },
        ],
      },
    ];
    expect(view({ ...pod(), spec: { containers } }).ports).toEqual([9_000]);
  });
});

describe('the revision of a pod', () => {
  const swapped = pod({ image: 'evil:1', generation: 2 });
  const stripped = withLabels(pod({ revision: null }), { [labels.index]: '0' });
  it.each<{ name: string; of: Pod; change?: Partial<PodContext>; revision: string; edited: boolean }>([
    { name: 'is the one of its label', of: pod({ revision: 'r9' }), revision: 'r9', edited: false },
    {
      name: 'is the present one of a pod of the original with the image of the spec',
      of: pod({ revision: null }),
      revision: revisionOf(),
      edited: false,
    },
    {
      name: 'is the present one of a pod of the original that is as old as the present spec',
      of: pod({ revision: null, createdAtMs: startMs }),
      change: { formerUntilMs: startMs },
      revision: revisionOf(),
      edited: false,
    },
    {
      name: 'is no known one of a pod of the original that stood when another spec was served: variables that changed are not in it',
      of: pod({ revision: null, createdAtMs: startMs }),
      change: { formerUntilMs: startMs + 1_000 },
      revision: 'unlabelled',
      edited: false,
    },
    {
      name: 'is no matter of age where a mark of ours is left',
      of: stripped,
      change: { allCurrent: true, formerUntilMs: Number.POSITIVE_INFINITY },
      revision: revisionOf(),
      edited: false,
    },
    {
      name: 'is the present one of a pod of ours that lost its label, where all are of it',
      of: stripped,
      change: { allCurrent: true },
      revision: revisionOf(),
      edited: false,
    },
    { name: 'is no known one of a pod of ours that lost its label otherwise', of: stripped, revision: 'unlabelled', edited: false },
    {
      name: 'is no known one of such a pod with another image',
      of: withLabels(pod({ revision: null, image: 'avs:0' }), { [labels.index]: '0' }),
      change: { allCurrent: true },
      revision: 'unlabelled',
      edited: false,
    },
    { name: 'is no known one with another image', of: pod({ revision: null, image: 'avs:0' }), revision: 'unlabelled', edited: false },
    {
      name: 'is no known one where only another container has the image of the spec',
      of: { ...pod({ revision: null }), spec: { containers: [{ name: 'mesh', image: 'avs:1' }] } },
      revision: 'unlabelled',
      edited: false,
    },
    {
      name: 'is no known one where the spec names no image',
      of: { ...pod({ revision: null }), spec: { containers: [{ name: 'performer' }] } },
      change: { image: undefined },
      revision: 'unlabelled',
      edited: false,
    },
    { name: 'is that of an edited pod once its image was swapped', of: swapped, revision: 'edited', edited: true },
    {
      name: 'stays until the swapped pod may be replaced',
      of: swapped,
      change: { nowMs: startMs + 30_999 },
      revision: revisionOf(),
      edited: true,
    },
    { name: 'changes at the very moment it may be', of: swapped, change: { nowMs: startMs + 31_000 }, revision: 'edited', edited: true },
    {
      name: 'is not edited by admission at creation',
      of: pod({ image: 'mirror/avs:1', generation: 1 }),
      revision: revisionOf(),
      edited: false,
    },
    { name: 'is not edited where no generation is told', of: pod({ image: 'mirror/avs:1' }), revision: revisionOf(), edited: false },
    { name: 'is not edited with the image of the spec', of: pod({ generation: 2 }), revision: revisionOf(), edited: false },
    {
      name: 'is not edited of a former spec',
      of: pod({ image: 'avs:0', revision: 'r9', generation: 2 }),
      revision: 'r9',
      edited: false,
    },
    {
      name: 'is not edited where the spec cannot be read',
      of: swapped,
      change: { image: undefined },
      revision: revisionOf(),
      edited: false,
    },
  ])('$name', ({ of, change = {}, revision, edited }) => {
    expect(view(of, change)).toMatchObject({ revision, edited });
  });
});

describe('the index of a pod', () => {
  const named = (name: string, label?: string): number =>
    view({ metadata: { name, ...(label === undefined ? {} : { labels: { [labels.index]: label } }) } }).index;
  it.each<{ name: string; label?: string; index: number }>([
    { name: 'performer-x', index: 0 },
    { name: 'performer-x', label: '0', index: 0 },
    { name: 'performer-x', label: '7', index: 7 },
    { name: 'performer-x-ab12-3', label: '12', index: 12 },
    { name: 'performer-x-ab12-3', label: '0', index: 3 },
    { name: 'performer-x-ab12-3', index: 3 },
    { name: 'performer-x-ab12-3', label: 'many', index: 3 },
    { name: 'performer-x-ab12-3', label: '12th', index: 3 },
    { name: 'performer-x-ab12-3', label: 'no12', index: 3 },
    { name: 'performer-x-ab12-3', label: '1234567890', index: 3 },
    { name: 'performer-x-ab12-345678901', index: 345_678_901 },
    { name: 'performer-x-ab12-3456789012', index: 0 },
    { name: 'performer-x-ab12-3-old', index: 0 },
    { name: 'performer-x-5', index: 0 },
    { name: 'performer-x-b-5', index: 0 },
    { name: 'restored', index: 0 },
  ])('$name with label $label is $index', ({ name, label, index }) => {
    expect(named(name, label)).toBe(index);
  });

  it('of the first pod of a Performer with a name like a later pod is what its label says', () => {
    expect(viewPod({ metadata: { name: 'performer-x-ab12-3' } }, { ...context, performerName: 'x-ab12-3' }).index).toBe(0);
  });

  it('of no name is 0', () => {
    expect(indexOfName(undefined)).toBe(0);
    expect(indexOfName('performer-x-ab12-30')).toBe(30);
  });
});

describe('the context of a view', () => {
  it('takes from the snapshot what a pod is seen with', () => {
    const world = snapshot({ nodes: { byName: {}, total: 1, unreachable: 0 }, routed: ['u'] });
    expect(contextOf(world)).toEqual({
      performerName: 'x',
      image: undefined,
      revision: '',
      allCurrent: false,
      formerUntilMs: Number.NEGATIVE_INFINITY,
      rules: { minReadyMs: 0, nodeLossMs: 3_000, replicas: 1, toleratesLoss: false },
      nodes: world.nodes,
      routed: ['u'],
      nowMs,
    });
  });

  const told = { observedGeneration: 2, revision: 'r2', replicas: 3, updatedReplicas: 3 };
  it.each([
    { name: 'of this spec, whose status counts all of it', status: told, all: true },
    { name: 'of no spec that status tells of', status: undefined, all: false },
    { name: 'of a spec that changed since', status: { ...told, observedGeneration: 1 }, all: false },
    { name: 'of another revision, as another CRD shows it', status: { ...told, revision: 'r1' }, all: false },
    { name: 'of two specs', status: { ...told, updatedReplicas: 2 }, all: false },
  ])('takes all pods to be $name: $all', ({ status, all }) => {
    const { performer } = snapshot();
    if (performer === undefined) throw new Error('the snapshot has a Performer');
    const world = snapshot({ performer: { ...performer, generation: 2, status: status as typeof performer.status } });
    expect(contextOf(world, { ...context, revision: 'r2' }).allCurrent).toBe(all);
  });

  it.each([
    {
      name: 'the Go original’s status, whatever upgrade it tells of',
      status: { lastUpgrade: formatTime(startMs) },
      untilMs: Number.NEGATIVE_INFINITY,
    },
    { name: 'no status', status: undefined, untilMs: Number.NEGATIVE_INFINITY },
    { name: 'a first spec that we serve', status: { revision: 'r2' }, untilMs: Number.NEGATIVE_INFINITY },
    { name: 'a spec that we serve since an upgrade', status: { revision: 'r2', lastUpgrade: formatTime(startMs) }, untilMs: startMs },
    {
      name: 'a spec that is still to be served',
      status: { revision: 'r1', lastUpgrade: formatTime(startMs) },
      untilMs: Number.POSITIVE_INFINITY,
    },
  ])('tells by $name which pods without marks are of a former spec', ({ status, untilMs }) => {
    const { performer } = snapshot();
    if (performer === undefined) throw new Error('the snapshot has a Performer');
    const world = snapshot({ performer: { ...performer, status: status as typeof performer.status } });
    expect(contextOf(world, { ...context, revision: 'r2' }).formerUntilMs).toBe(untilMs);
  });
});
