import { describe, expect, it } from 'vitest';
import type { Action, ActionTarget, Plan } from '../../../../src/reconcile/plan/actions.ts';
import { checkPlan } from '../../../../src/reconcile/plan/check-plan.ts';
import type { Snapshot } from '../../../../src/reconcile/plan/snapshot.ts';
import { performer, pod, service, snapshot, uid } from '../../../support/snapshots.ts';

const mine = pod();
const former = pod({ name: 'performer-x-abcd-1', ownerUid: 'uid-former' });
const orphan = pod({ name: 'performer-x-abcd-2', ownerKind: null });
const foreign = pod({ name: 'performer-x-abcd-3', ownerKind: 'Job' });
const world = snapshot({ pods: [mine, former, orphan, foreign], service: service() });

const target = (name: string, change: Partial<ActionTarget> = {}): ActionTarget => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '20',
  ...change,
});
const ourService = target('performer-x', { uid: 'uid-service' });
const create = (name: string, namespace = 'team-a'): Action => ({
  kind: 'create',
  resource: 'Pod',
  object: { metadata: { name, namespace } },
});
const remove = (of: ActionTarget, why: 'Drained' | 'FormerPerformer' = 'Drained'): Action => ({
  kind: 'delete',
  resource: 'Pod',
  target: of,
  why,
});
const patch = (
  resource: 'Pod' | 'Service' | 'Performer' | 'PerformerStatus',
  of: ActionTarget,
  why: 'Withdraw' | 'Adopt' | 'Drift' | 'Serving' = 'Withdraw',
): Action => ({ kind: 'patch', resource, target: of, patch: {}, why });
const self = target('x', { uid });
const planOf = (...actions: Action[]): Plan => ({
  verdict: { kind: 'waiting', reason: 'Repairing', message: '' },
  actions,
  events: [],
  proof: 'none',
  unsaid: false,
});

describe('checkPlan', () => {
  it.each<{ name: string; actions: Action[]; seen?: Snapshot }>([
    { name: 'no action', actions: [] },
    { name: 'the creation of a pod in the namespace of its Performer', actions: [create('performer-x-abcd-9')] },
    { name: 'the removal of a pod of ours', actions: [remove(target('performer-x'))] },
    { name: 'the removal of what a former Performer left', actions: [remove(target('performer-x-abcd-1'), 'FormerPerformer')] },
    { name: 'the adoption of an orphan', actions: [patch('Pod', target('performer-x-abcd-2'), 'Adopt')] },
    { name: 'a patch of our Service', actions: [patch('Service', ourService, 'Drift')] },
    {
      name: 'one patch of the Performer and one of its status',
      actions: [patch('Performer', self), patch('PerformerStatus', self, 'Serving')],
    },
    { name: 'a pod and a Service of one name', actions: [remove(target('performer-x')), patch('Service', ourService, 'Drift')] },
    {
      name: 'the removal of children of a Performer that is gone',
      actions: [remove(target('performer-x')), remove(target('performer-x-abcd-1'))],
      seen: { ...world, performer: undefined },
    },
    { name: 'as many actions as a large Performer needs', actions: Array.from({ length: 107 }, (_, index) => create(`p-${index}`)) },
  ])('passes $name through', ({ actions, seen = world }) => {
    const plan = planOf(...actions);
    expect(checkPlan(plan, seen)).toBe(plan);
  });

  const bug = 'bug: plan for team-a/x:';
  it.each<{ name: string; actions: Action[]; message: string; seen?: Snapshot }>([
    {
      name: 'a second action on one object',
      actions: [patch('Pod', target('performer-x')), remove(target('performer-x'))],
      message: `${bug} deleting Pod performer-x (Drained): a second action on one object`,
    },
    {
      name: 'a creation in another namespace',
      actions: [create('performer-x', 'team-b')],
      message: `${bug} creating Pod performer-x: another namespace`,
    },
    {
      name: 'a creation without a namespace',
      actions: [{ kind: 'create', resource: 'Pod', object: {} }],
      message: `${bug} creating Pod : another namespace`,
    },
    {
      name: 'a removal without the uid that was seen',
      actions: [remove(target('performer-x', { uid: '' }))],
      message: `${bug} deleting Pod performer-x (Drained): no precondition`,
    },
    {
      name: 'a patch without the resourceVersion that was seen',
      actions: [patch('Service', { ...ourService, resourceVersion: '' }, 'Drift')],
      message: `${bug} patching Service performer-x (Drift): no precondition`,
    },
    {
      name: 'a pod that was not seen',
      actions: [remove(target('performer-x', { uid: 'uid-other' }))],
      message: `${bug} deleting Pod performer-x (Drained): an object that was not seen`,
    },
    {
      name: 'a Service that was not seen',
      actions: [patch('Service', { ...ourService, uid: 'uid-other' }, 'Drift')],
      message: `${bug} patching Service performer-x (Drift): an object that was not seen`,
    },
    {
      name: 'a Service where there is none',
      actions: [patch('Service', ourService, 'Drift')],
      seen: { ...world, service: undefined },
      message: `${bug} patching Service performer-x (Drift): an object that was not seen`,
    },
    {
      name: 'the uid of a pod for the Service',
      actions: [patch('Service', target('performer-x'), 'Drift')],
      message: `${bug} patching Service performer-x (Drift): an object that was not seen`,
    },
    {
      name: 'a pod of somebody else',
      actions: [remove(target('performer-x-abcd-3'))],
      message: `${bug} deleting Pod performer-x-abcd-3 (Drained): an object that is not ours`,
    },
    {
      name: 'a pod of somebody else as one of a former Performer',
      actions: [remove(target('performer-x-abcd-3'), 'FormerPerformer')],
      message: `${bug} deleting Pod performer-x-abcd-3 (FormerPerformer): an object that is not ours`,
    },
    {
      name: 'a pod of a former Performer as one of ours',
      actions: [remove(target('performer-x-abcd-1'))],
      message: `${bug} deleting Pod performer-x-abcd-1 (Drained): an object that is not ours`,
    },
    {
      name: 'the withdrawal of an orphan',
      actions: [patch('Pod', target('performer-x-abcd-2'))],
      message: `${bug} patching Pod performer-x-abcd-2 (Withdraw): an object that is not ours`,
    },
    {
      name: 'the adoption of a pod that somebody controls',
      actions: [patch('Pod', target('performer-x-abcd-3'), 'Adopt')],
      message: `${bug} patching Pod performer-x-abcd-3 (Adopt): an object that is not ours`,
    },
    {
      name: 'the status of another Performer',
      actions: [patch('PerformerStatus', target('x', { uid: 'uid-other' }), 'Serving')],
      message: `${bug} patching PerformerStatus x (Serving): another Performer`,
    },
    {
      name: 'the status of a Performer that is gone',
      actions: [patch('PerformerStatus', self, 'Serving')],
      seen: { ...world, performer: undefined },
      message: `${bug} patching PerformerStatus x (Serving): another Performer`,
    },
    {
      name: 'more actions than any state of the world asks for',
      actions: Array.from({ length: 108 }, (_, index) => create(`p-${index}`)),
      message: 'bug: plan for x has 108 actions',
    },
  ])('throws on $name', ({ actions, message, seen = world }) => {
    expect(() => checkPlan(planOf(...actions), seen)).toThrow(new Error(message));
  });

  it('reads the uid of the Performer that was seen', () => {
    const seen = { ...world, performer: performer({}, { uid: 'uid-former' }) };
    const plan = planOf(remove(target('performer-x-abcd-1')));
    expect(checkPlan(plan, seen)).toBe(plan);
  });
});
