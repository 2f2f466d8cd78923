import { describe, expect, it } from 'vitest';
import {
  type Action,
  describeAction,
  nameOf,
  needsProof,
  performerTarget,
  takesAway,
  targetOf,
} from '../../../../src/reconcile/plan/actions.ts';
import { key, pod } from '../../../support/snapshots.ts';

const target = { name: 'performer-x', uid: 'uid-1', resourceVersion: '7' };
const patch = (why: 'Withdraw' | 'Adopt' | 'Mark' | 'Drift' | 'LegacyFinalizer' | 'Serving'): Action => ({
  kind: 'patch',
  resource: 'Pod',
  target,
  patch: {},
  why,
});
const remove = (why: 'Drained' | 'FormerPerformer'): Action => ({ kind: 'delete', resource: 'Pod', target, why });
const create: Action = { kind: 'create', resource: 'Service', object: { metadata: { name: 'performer-x' } } };

describe('an action', () => {
  it.each<{ action: Action; says: string; takes: boolean; proof: boolean }>([
    { action: create, says: 'creating Service performer-x', takes: false, proof: false },
    { action: patch('Withdraw'), says: 'patching Pod performer-x (Withdraw)', takes: true, proof: true },
    { action: patch('Adopt'), says: 'patching Pod performer-x (Adopt)', takes: false, proof: true },
    { action: patch('Mark'), says: 'patching Pod performer-x (Mark)', takes: false, proof: false },
    { action: patch('Serving'), says: 'patching Pod performer-x (Serving)', takes: false, proof: false },
    { action: remove('Drained'), says: 'deleting Pod performer-x (Drained)', takes: true, proof: true },
    { action: remove('FormerPerformer'), says: 'deleting Pod performer-x (FormerPerformer)', takes: false, proof: true },
  ])('$says: takes away $takes, needs proof $proof', ({ action, says, takes, proof }) => {
    expect(describeAction(action)).toBe(says);
    expect(takesAway(action)).toBe(takes);
    expect(needsProof(action)).toBe(proof);
    expect(nameOf(action)).toBe('performer-x');
  });

  it('targets an object as it was seen', () => {
    expect(targetOf(pod())).toEqual({ name: 'performer-x', uid: 'uid-performer-x', resourceVersion: '20' });
    expect(performerTarget(key, { uid: 'u', resourceVersion: '3' })).toEqual({ name: 'x', uid: 'u', resourceVersion: '3' });
  });

  it('on an object without metadata has no precondition, which no plan may have', () => {
    expect(targetOf({})).toEqual({ name: '', uid: '', resourceVersion: '' });
    expect(targetOf({ metadata: {} })).toEqual({ name: '', uid: '', resourceVersion: '' });
    expect(nameOf({ kind: 'create', resource: 'Pod', object: {} })).toBe('');
    expect(nameOf({ kind: 'create', resource: 'Pod', object: { metadata: {} } })).toBe('');
  });
});
