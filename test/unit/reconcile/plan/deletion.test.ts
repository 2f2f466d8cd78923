import { describe, expect, it } from 'vitest';
import { legacyFinalizer } from '../../../../src/api/v1alpha1/naming.ts';
import { planPerformer } from '../../../../src/reconcile/plan/plan.ts';
import type { Snapshot } from '../../../../src/reconcile/plan/snapshot.ts';
import { lines, performer, pod, service, settings, snapshot, withStatusOf } from '../../../support/snapshots.ts';

const plan = (world: Snapshot) => planPerformer(world, settings);
const pods = [pod({ name: 'performer-x-abcd-2' }), pod({ name: 'performer-x-abcd-1' }), pod({ name: 'performer-x-abcd-3' })];
const deleted = [
  'delete Service performer-x PerformerDeleted',
  'delete Pod performer-x-abcd-1 PerformerDeleted',
  'delete Pod performer-x-abcd-2 PerformerDeleted',
  'delete Pod performer-x-abcd-3 PerformerDeleted',
];
const going = performer({}, { deleting: true });
const deletingService = { ...service(), metadata: { ...service().metadata, deletionTimestamp: '2026-01-01T00:00:30Z' } };

describe('the end of a Performer', () => {
  it('takes its children in the order of their names, after the status', () => {
    const made = plan(snapshot({ performer: going, pods, service: service() }));
    expect(lines(made.actions)).toEqual(['patch PerformerStatus x Terminating', ...deleted]);
    expect(made.proof).toBe('performer');
    expect(plan(snapshot({ performer: going, pods: pods.toReversed(), service: service() }))).toEqual(made);
  });

  it('takes the old finalizer off and leaves those of others', () => {
    const made = plan(snapshot({ performer: { ...going, finalizers: ['a/b', legacyFinalizer, 'c/d'] }, pods, service: service() }));
    expect(lines(made.actions)).toEqual([...deleted, 'patch Performer x LegacyFinalizer']);
    expect(made.actions.at(-1)).toMatchObject({ patch: { metadata: { finalizers: ['a/b', 'c/d'] } } });
  });

  it('does nothing to what is going already, and nothing more once that is said', () => {
    const world = snapshot({ performer: going, pods: [pod({ deleting: true })], service: deletingService });
    expect(lines(plan(world).actions)).toEqual(['patch PerformerStatus x Terminating']);
    expect(plan(withStatusOf(plan(world), world))).toEqual({
      verdict: { kind: 'waiting', reason: 'Terminating', message: 'the Performer is being deleted' },
      actions: [],
      events: [],
      proof: 'none',
      unsaid: false,
    });
  });

  it('is no end of a rollout', () => {
    const stored = performer({}, { deleting: true, status: { observedGeneration: -1 } });
    const world = snapshot({ performer: stored, pods });
    expect(withStatusOf(plan(world), world).performer?.status?.lastUpgrade).toBeUndefined();
  });
});

describe('a Performer that is gone', () => {
  const gone = { performer: undefined };
  it.each<{ name: string; world: Snapshot; actions: string[]; verdict: string; proof: string }>([
    {
      name: 'leaves a Service to remove',
      world: snapshot({ ...gone, service: service() }),
      actions: ['delete Service performer-x PerformerGone'],
      verdict: 'waiting',
      proof: 'performer',
    },
    {
      name: 'waits for a Service that is going',
      world: snapshot({ ...gone, service: deletingService }),
      actions: [],
      verdict: 'waiting',
      proof: 'none',
    },
    {
      name: 'waits for a pod that is going',
      world: snapshot({ ...gone, pods: [pod({ deleting: true })] }),
      actions: [],
      verdict: 'waiting',
      proof: 'none',
    },
    {
      name: 'is done beside what others own',
      world: snapshot({ ...gone, pods: [pod({ ownerKind: 'Job' })] }),
      actions: [],
      verdict: 'settled',
      proof: 'none',
    },
  ])('$name', ({ world, actions, verdict, proof }) => {
    const made = plan(world);
    expect(lines(made.actions)).toEqual(actions);
    expect(made).toMatchObject({ verdict: { kind: verdict }, events: [], proof, unsaid: false });
  });

  it('waits in words that say for what', () => {
    expect(plan(snapshot({ ...gone, pods: [pod()] })).verdict.message).toBe('its pods and Service are going');
  });
});
