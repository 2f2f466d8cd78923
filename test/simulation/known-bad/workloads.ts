import type { PerformerSpecInput } from '../../../src/api/v1alpha1/performer.ts';
import type { FaultStep } from '../../../src/sim/faults/faults.ts';
import type { RunPlan, UserStep } from '../../../src/sim/run-plan.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';

const key = { namespace: 'team-0', name: 'x' };
const first: PerformerSpecInput = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1', drainSeconds: 2 };
const create = (spec: Partial<PerformerSpecInput> = {}, finalizers: readonly string[] = []): UserStep => ({
  atMs: 1_000,
  do: 'create',
  key,
  spec: { ...first, ...spec },
  ...(finalizers.length === 0 ? {} : { finalizers }),
});
const change = (atMs: number, spec: Partial<PerformerSpecInput>): UserStep => ({ atMs, do: 'change', key, spec });

interface Workload {
  readonly users: readonly UserStep[];
  readonly faults?: readonly FaultStep[];
  readonly activeMs: number;
  readonly more?: Partial<RunPlan>;
}

const remove = (atMs: number): UserStep => ({ atMs, do: 'delete', key, propagation: 'Background' });
/** No event of that kind comes through. */
const hides = (kind: 'pods' | 'performers', atMs: number, forMs: number): FaultStep => ({
  id: 'watch-reordered',
  atMs,
  forMs,
  draw: kind === 'pods' ? 0 : 0.9,
});
const off = { id: 'node-off', atMs: 20_000, forMs: 200_000, draw: 0.1 } as const;
const secret = { grpcPort: 9_000, environment: { TOKEN: 'a-value-of-the-environment' } };

/** What the scenarios lack to show a defect: small runs that stand on bad images, lost nodes, a second replica. */
const workloads: Readonly<Record<string, Workload>> = {
  'never-ready': { users: [create(), change(20_000, { image: 'avs:never-ready' })], activeMs: 60_000 },
  unpullable: { users: [create({ image: 'avs:pull-fails' })], activeMs: 200_000 },
  'crashing-next': {
    users: [create(), change(20_000, { image: 'avs:crashes' }), change(50_000, { image: 'avs:2' })],
    activeMs: 80_000,
  },
  // Between two runs of the CronJob: which variables the pod has no label tells any more.
  stripped: {
    users: [create({ config: secret }), change(50_000, { config: { environment: { TOKEN: 'another-value' } } })],
    faults: [{ id: 'revision-removed', atMs: 45_000, draw: 0 }],
    activeMs: 100_000,
    more: { mode: 'once' },
  },
  rejected: { users: [create({ image: 'avs:rejected' })], activeMs: 400_000 },
  secret: { users: [create({ image: 'avs:crashes', config: secret })], activeMs: 120_000 },
  environment: {
    users: [create({ config: secret }), change(20_000, { config: { environment: { TOKEN: 'another-value' } } })],
    activeMs: 60_000,
  },
  invalid: { users: [create({ hardwareRequirements: { teeRequired: true, teeType: 'unheard-of' as 'sgx' } })], activeMs: 60_000 },
  'legacy-finalizer': {
    users: [create({}, ['hourglass.eigenlayer.io/performer-finalizer']), remove(20_000)],
    activeMs: 60_000,
  },
  'two-operators': { users: [create(), change(50_000, { image: 'avs:2' })], activeMs: 100_000, more: { operators: 2 } },
  'lost-node': { users: [create()], faults: [off], activeMs: 240_000 },
  'lost-node-strict': { users: [create({ nodeLossPolicy: 'Strict' })], faults: [off], activeMs: 240_000 },
  corpse: { users: [create()], faults: [off, { id: 'pod-deleted', atMs: 21_000, draw: 0 }], activeMs: 240_000 },
  // The old pod is wanted again long before the new one may stand in for it, and no event tells.
  'back-unseen': {
    users: [create({ minReadySeconds: 90 }), change(20_000, { image: 'avs:2' }), change(30_000, { image: 'avs:1' })],
    faults: [hides('performers', 29_000, 100_000)],
    activeMs: 140_000,
  },
  // Ready again, by a view in which the newest spec is not.
  'ready-of-the-former': {
    users: [create(), change(22_000, { image: 'avs:2' })],
    faults: [{ id: 'pod-unready', atMs: 15_000, forMs: 10_000, draw: 0 }, hides('performers', 21_000, 30_000)],
    activeMs: 60_000,
  },
  'name-held': { users: [{ atMs: 500, do: 'stranger', key: { ...key, name: 'performer-x' } }, create()], activeMs: 60_000 },
  'new-one-unseen': {
    users: [create(), remove(20_000), { ...create(), atMs: 110_000 }],
    faults: [hides('performers', 100_000, 60_000), { id: 'second-leader', atMs: 115_000, forMs: 40_000, draw: 0 }],
    activeMs: 180_000,
  },
  'scaled-while-pods-unseen': {
    users: [create({ replicas: 2 }), change(100_000, { replicas: 1 })],
    faults: [hides('pods', 20_000, 120_000), { id: 'pod-force-deleted', atMs: 22_000, draw: 0 }],
    activeMs: 150_000,
  },
  'deletion-missed': {
    users: [create()],
    faults: [
      { id: 'deletion-missed', atMs: 19_000, draw: 0 },
      { id: 'pod-force-deleted', atMs: 20_000, draw: 0 },
    ],
    activeMs: 60_000,
  },
  'slices-forbidden': {
    users: [create(), change(20_000, { image: 'avs:2', paused: true }), change(100_000, { paused: false })],
    faults: [{ id: 'rights-revoked', atMs: 95_000, forMs: 30_000, draw: 0.75 }],
    activeMs: 140_000,
  },
  held: {
    users: [create({}, ['example.com/held']), remove(20_000)],
    faults: [{ id: 'pod-force-deleted', atMs: 40_000, draw: 0 }],
    activeMs: 60_000,
  },
  'handed-over': {
    users: [create({ image: 'avs:crashes' }), change(20_000, { managedBy: 'example.com/other' }), change(50_000, { image: 'avs:2' })],
    activeMs: 80_000,
  },
  'two-leaders': {
    users: [create(), change(20_000, { image: 'avs:2' })],
    faults: [{ id: 'second-leader', atMs: 10_000, forMs: 100_000, draw: 0 }],
    activeMs: 120_000,
  },
  'beside-a-stalled': {
    users: [
      create({ hardwareRequirements: { teeRequired: true, teeType: 'unheard-of' as 'sgx' } }),
      { atMs: 40_000, do: 'create', key: { ...key, name: 'y' }, spec: first },
    ],
    activeMs: 80_000,
  },
  // Ready in a second that `Date` shows only later.
  'ready-in-the-next-second': { users: [{ ...create(), atMs: 1_700 }], activeMs: 20_000 },
  // The original makes its pod anew for the image that is asked for now, a moment before ours comes, and stays when the one beside which it did goes.
  'made-anew-by-the-original': {
    users: [create({ minReadySeconds: 15 }), change(20_000, { image: 'avs:2' }), change(60_980, { image: 'avs:3' })],
    faults: [
      { id: 'original-writes', atMs: 40_986, forMs: 100_000, draw: 0 },
      { id: 'pod-force-deleted', atMs: 60_983, draw: 0 },
    ],
    activeMs: 160_000,
    more: { restMs: 60_000, livenessMs: 700_000 },
  },
  'long-drain': { users: [create({ drainSeconds: 20 }), change(20_000, { image: 'avs:2' })], activeMs: 80_000 },
  'most-nodes-cut': {
    users: [create({ replicas: 3, nodeLossSeconds: 150 })],
    faults: [
      { id: 'node-cut', atMs: 20_000, forMs: 250_000, draw: 0.1 },
      { id: 'node-cut', atMs: 30_000, forMs: 240_000, draw: 0.5 },
    ],
    activeMs: 300_000,
  },
  'strict-deleted': {
    users: [create({ nodeLossPolicy: 'Strict' })],
    faults: [
      { id: 'node-cut', atMs: 20_000, forMs: 250_000, draw: 0.1 },
      { id: 'pod-deleted', atMs: 150_000, draw: 0 },
    ],
    activeMs: 300_000,
  },
};

const calm = scenarios[0]?.plan as RunPlan;

/** By name: the scenarios, and the workloads here. */
export const plansByName: ReadonlyMap<string, RunPlan> = new Map<string, RunPlan>([
  ...scenarios.map(({ name, plan }) => [name, plan] as const),
  ...Object.entries(workloads).map(
    ([name, { users, faults = [], activeMs, more }]) => [name, { ...calm, activeMs, users, faults, ...more }] as const,
  ),
]);
