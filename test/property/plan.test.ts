import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { legacyFinalizer } from '../../src/api/v1alpha1/naming.ts';
import { controllerOf } from '../../src/kube/objects.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import { needsProof, takesAway } from '../../src/reconcile/plan/actions.ts';
import { checkPlan } from '../../src/reconcile/plan/check-plan.ts';
import { planPerformer } from '../../src/reconcile/plan/plan.ts';
import type { Snapshot } from '../../src/reconcile/plan/snapshot.ts';
import { key, performer, pod, revisionOf, service, settings, snapshot, startMs, uid } from '../support/snapshots.ts';

const changes = [{}, { image: 'avs:2' }, { config: { grpcPort: 9000 } }, { version: '3' }] as const;

const pods = fc.uniqueArray(
  fc.record({
    index: fc.integer({ min: 0, max: 6 }),
    revision: fc.constantFrom(revisionOf(), revisionOf({ image: 'avs:2' }), null),
    image: fc.constantFrom('avs:1', 'avs:2'),
    ready: fc.boolean(),
    started: fc.boolean(),
    deleting: fc.boolean(),
    phase: fc.constantFrom(undefined, 'Failed', 'Succeeded'),
    ownerUid: fc.constantFrom(uid, uid, uid, 'uid-former'),
    ownerKind: fc.constantFrom('Performer', 'Performer', 'Performer', 'Job'),
    withdrawnAtMs: fc.option(fc.integer({ min: startMs, max: startMs + 60_000 }), { nil: undefined }),
    unlabelled: fc.boolean(),
    createdAtMs: fc.integer({ min: startMs, max: startMs + 60_000 }),
    port: fc.constantFrom(8080, 9000),
  }),
  { maxLength: 6, selector: (facts) => facts.index },
);

const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    pods,
    change: fc.constantFrom(...changes),
    exists: fc.constantFrom(true, true, true, false),
    deleting: fc.constantFrom(false, false, false, true),
    finalizers: fc.subarray([legacyFinalizer, 'orphan', 'foregroundDeletion']),
    invalid: fc.constantFrom(false, false, false, true),
    service: fc.constantFrom('none', 'right', 'drifted', 'foreign', 'orphaned'),
    ready: fc.boolean(),
    lastPass: fc.boolean(),
    nowMs: fc.integer({ min: startMs, max: startMs + 1_000_000 }),
  })
  .map((facts) => {
    const named = facts.pods.map(({ phase, withdrawnAtMs, ...rest }) =>
      pod({
        ...rest,
        name: rest.index === 0 ? 'performer-x' : `performer-x-abcd-${rest.index}`,
        ...(phase === undefined ? {} : { phase }),
        ...(withdrawnAtMs === undefined ? {} : { withdrawnAtMs }),
      }),
    );
    const ours = service(facts.change);
    const services = {
      none: undefined,
      right: ours,
      drifted: { ...ours, spec: { ...ours.spec, selector: { app: 'other' }, ports: [] } },
      foreign: { metadata: { ...ours.metadata, labels: {}, ownerReferences: [] }, spec: {} },
      orphaned: { ...ours, metadata: { ...ours.metadata, ownerReferences: [] } },
    } as const;
    const view = performer(facts.change, {
      deleting: facts.deleting,
      finalizers: facts.finalizers,
      status: { observedGeneration: -1, ready: facts.ready },
      ...(facts.invalid ? { parsed: { valid: false as const, issues: [{ path: 'spec.image', message: 'missing' }] }, revision: '' } : {}),
    });
    return snapshot({
      pods: named,
      nowMs: facts.nowMs,
      lastPass: facts.lastPass,
      service: services[facts.service as keyof typeof services] as Snapshot['service'],
      performer: facts.exists ? view : undefined,
    });
  });

const plan = (world: Snapshot) => planPerformer(world, settings);

describe('any plan', () => {
  it('is the same for the same snapshot, whatever the order of its lists, and after a JSON round trip', () => {
    fc.assert(
      fc.property(snapshots, fc.integer({ min: 0, max: 5 }), (world, turn) => {
        const bytes = canonicalJson(plan(world));
        const turned = [...world.pods.slice(turn), ...world.pods.slice(0, turn)].toReversed();
        expect(canonicalJson(plan({ ...world, pods: turned }))).toBe(bytes);
        expect(canonicalJson(plan(JSON.parse(JSON.stringify(world)) as Snapshot))).toBe(bytes);
      }),
    );
  });

  it('keeps the rules that no state of the world suspends, and never touches what it does not own', () => {
    fc.assert(
      fc.property(snapshots, (world) => {
        const made = checkPlan(plan(world), world);
        for (const action of made.actions) {
          if (action.kind === 'create' || action.resource === 'Performer' || action.resource === 'PerformerStatus') continue;
          const seen = [...world.pods, ...(world.service === undefined ? [] : [world.service])];
          const object = seen.find((candidate) => candidate.metadata?.uid === action.target.uid);
          const owner = object === undefined ? undefined : controllerOf(object);
          if (action.kind === 'patch' && action.why === 'Adopt') {
            expect(owner).toBeUndefined();
            continue;
          }
          expect(owner?.kind).toBe('Performer');
          if (world.performer !== undefined && action.why !== 'FormerPerformer') expect(owner?.uid).toBe(uid);
        }
      }),
    );
  });

  it('never takes the last serving pod away from a living Performer', () => {
    fc.assert(
      fc.property(snapshots, (world) => {
        fc.pre(world.performer?.deleting === false);
        const serving = world.pods.filter(
          (candidate) =>
            controllerOf(candidate)?.uid === uid &&
            candidate.metadata?.labels?.['hourglass.eigenlayer.io/performer'] === key.name &&
            candidate.metadata.deletionTimestamp === undefined &&
            candidate.status?.phase === 'Running' &&
            candidate.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
        );
        const taken = plan(world).actions.filter(
          (action) =>
            takesAway(action) &&
            action.kind !== 'create' &&
            action.resource === 'Pod' &&
            serving.some((candidate) => candidate.metadata?.uid === action.target.uid),
        );
        if (serving.length > 0) expect(taken.length).toBeLessThan(serving.length);
      }),
    );
  });

  it('writes the status before anything is taken away', () => {
    fc.assert(
      fc.property(snapshots, (world) => {
        const { actions } = plan(world);
        const status = actions.findIndex((action) => action.resource === 'PerformerStatus');
        const removal = actions.findIndex((action) => needsProof(action));
        if (status >= 0 && removal >= 0) expect(status).toBeLessThan(removal);
      }),
    );
  });
});
