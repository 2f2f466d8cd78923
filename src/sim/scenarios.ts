import type { PerformerSpecInput } from '../api/v1alpha1/performer.ts';
import type { FaultStep } from './faults/faults.ts';
import type { RunPlan, UserStep } from './run-plan.ts';

/** A run without chance in its plan: small, and whole in itself, so that every fault can be tried at every place of it. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly plan: RunPlan;
}

const key = { namespace: 'team-0', name: 'x' };
const first: PerformerSpecInput = { avsAddress: '0x00000000000000000000000000000000000000a1', image: 'avs:1', drainSeconds: 2 };

const create = (atMs = 1_000, spec: Partial<PerformerSpecInput> = {}): UserStep => ({
  atMs,
  do: 'create',
  key,
  spec: { ...first, ...spec },
});
const change = (atMs: number, spec: Partial<PerformerSpecInput>): UserStep => ({ atMs, do: 'change', key, spec });
const remove = (atMs: number, propagation: 'Background' | 'Foreground' | 'Orphan' = 'Background'): UserStep => ({
  atMs,
  do: 'delete',
  key,
  propagation,
});

function scenario(name: string, about: string, users: readonly UserStep[], faults: readonly FaultStep[] = []): Scenario {
  const ends = [...users, ...faults].map((step) => ('atMs' in step ? step.atMs + ('forMs' in step ? step.forMs : 0) : 0));
  const activeMs = Math.max(...ends) + 15_000;
  const world = {
    seed: 1,
    mode: 'watch',
    operators: 1,
    nodes: 3,
    fronts: 1,
    timings: 'fast',
    clockRate: 1,
    onceEveryMs: 10_000,
    namespaces: ['team-0'],
  } as const;
  // Sooner than the resync, which would hide that nobody looks again.
  return { name, about, plan: { ...world, activeMs, restMs: 10_000, livenessMs: 120_000, users, faults } };
}

export const scenarios: readonly Scenario[] = [
  scenario('create', 'one Performer is asked for', [create()]),
  scenario('create-replicas', 'three pods are asked for', [create(1_000, { replicas: 3 })]),
  scenario('image', 'another image, one pod', [create(), change(20_000, { image: 'avs:2' })]),
  scenario('image-replicas', 'another image, three pods', [create(1_000, { replicas: 3 }), change(20_000, { image: 'avs:2' })]),
  scenario('image-twice', 'another image while the last one still rolls', [
    create(),
    change(20_000, { image: 'avs:2' }),
    change(21_500, { image: 'avs:3' }),
  ]),
  scenario('bad-image', 'an image that cannot be pulled, and back', [
    create(),
    change(20_000, { image: 'avs:pull-fails' }),
    change(50_000, { image: 'avs:1' }),
  ]),
  scenario('recreate', 'another image under Recreate', [
    create(1_000, { strategy: { type: 'Recreate' } }),
    change(20_000, { image: 'avs:2' }),
  ]),
  scenario('scale', 'one pod, three, one', [create(), change(20_000, { replicas: 3 }), change(40_000, { replicas: 1 })]),
  scenario('port', 'another port', [create(1_000, { config: { grpcPort: 9_000 } }), change(20_000, { config: { grpcPort: 9_001 } })]),
  scenario('paused', 'another image while paused, then not', [
    create(),
    change(20_000, { image: 'avs:2', paused: true }),
    change(40_000, { paused: false }),
  ]),
  scenario('delete', 'it is deleted', [create(), remove(20_000)]),
  scenario('delete-foreground', 'it is deleted in the foreground', [create(), remove(20_000, 'Foreground')]),
  scenario('delete-orphan', 'it goes without its pod, and comes back', [create(), remove(20_000, 'Orphan'), create(30_000)]),
  scenario('name-again', 'deleted, and at once another one of the name', [create(), remove(20_000), create(20_100, { image: 'avs:2' })]),
  scenario('delete-in-rollout', 'deleted while another image rolls', [create(), change(20_000, { image: 'avs:2' }), remove(21_000)]),
  scenario(
    'unready-in-rollout',
    'the new pod stops being Ready before it counts as available',
    [create(1_000, { minReadySeconds: 8 }), change(20_000, { image: 'avs:2' })],
    [{ id: 'pod-unready', atMs: 23_000, forMs: 20_000, draw: 0.9 }],
  ),
  scenario('scale-back', 'three pods, one, and at once three again', [
    create(1_000, { replicas: 3 }),
    change(20_000, { replicas: 1 }),
    change(20_030, { replicas: 3 }),
  ]),
  scenario('revert', 'another image, and back before it serves', [
    create(),
    change(20_000, { image: 'avs:2' }),
    change(21_820, { image: 'avs:1' }),
  ]),
  scenario('pod-deleted', 'somebody deletes the pod', [create()], [{ id: 'pod-deleted', atMs: 20_000, draw: 0 }]),
  scenario('service-edited', 'somebody edits the Service', [create()], [{ id: 'service-edited', atMs: 20_000, draw: 0 }]),
  scenario('node-off', 'the node loses power and comes back', [create()], [{ id: 'node-off', atMs: 20_000, forMs: 60_000, draw: 0.1 }]),
  scenario(
    'node-off-strict',
    'the same under Strict',
    [create(1_000, { nodeLossPolicy: 'Strict' })],
    [{ id: 'node-off', atMs: 20_000, forMs: 60_000, draw: 0.1 }],
  ),
  scenario('namespace', 'the namespace is deleted', [create(), { atMs: 20_000, do: 'delete-namespace', namespace: 'team-0' }]),
];
