import { describe, expect, it } from 'vitest';
import { planDeletion } from '../../../src/sim/deletion.ts';
import type { AnyObject } from '../../../src/sim/stored-object.ts';

type Options = Parameters<typeof planDeletion>[2];

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const marked = (seconds: number): object => ({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: seconds });
const objectOf = (metadata: object, rest: object = {}): AnyObject => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'x', ...metadata },
  ...rest,
});
const onNode = { spec: { nodeName: 'n', terminationGracePeriodSeconds: 20 } };

describe('deleting', () => {
  it.each<{ name: string; object: AnyObject; graceful?: true; options?: Options; step: object }>([
    { name: 'takes at once what nothing holds', object: objectOf({}), step: { kind: 'remove' } },
    {
      name: 'marks a pod without a node before it goes',
      graceful: true,
      object: objectOf({ generation: 1 }),
      step: { kind: 'mark', ends: true, object: { metadata: { generation: 2, deletionGracePeriodSeconds: 0 } } },
    },
    {
      name: 'gives a pod on a node its time',
      graceful: true,
      object: objectOf({}, onNode),
      step: {
        kind: 'mark',
        ends: false,
        object: { metadata: { deletionTimestamp: '2026-01-01T00:00:20Z', deletionGracePeriodSeconds: 20 } },
      },
    },
    {
      name: 'takes a negative time for a second',
      graceful: true,
      object: objectOf({}, onNode),
      options: { gracePeriodSeconds: -1 },
      step: { kind: 'mark', object: { metadata: { deletionGracePeriodSeconds: 1 } } },
    },
    {
      name: 'changes nothing while a grace period runs, the policy included',
      graceful: true,
      object: objectOf(marked(30), onNode),
      options: { propagationPolicy: 'Orphan' },
      step: { kind: 'unchanged' },
    },
    {
      name: 'makes no grace period longer',
      graceful: true,
      object: objectOf(marked(30), onNode),
      options: { gracePeriodSeconds: 60 },
      step: { kind: 'unchanged' },
    },
    {
      name: 'makes it shorter, to nothing',
      graceful: true,
      object: objectOf(marked(30), onNode),
      options: { gracePeriodSeconds: 0 },
      step: { kind: 'mark', ends: true, object: { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } } },
    },
    {
      name: 'waits for a finalizer',
      object: objectOf({ finalizers: ['a/b'] }),
      step: { kind: 'mark', ends: false, object: { metadata: { finalizers: ['a/b'] } } },
    },
    {
      name: 'adds what a policy needs',
      object: objectOf({}),
      options: { propagationPolicy: 'Foreground' },
      step: { kind: 'mark', object: { metadata: { finalizers: ['foregroundDeletion'] } } },
    },
    {
      name: 'lets a later policy take the place of an earlier one',
      object: objectOf({ ...marked(0), finalizers: ['a/b', 'foregroundDeletion'] }),
      options: { propagationPolicy: 'Orphan' },
      step: { kind: 'mark', object: { metadata: { finalizers: ['a/b', 'orphan'] } } },
    },
    {
      name: 'lets the background end a deletion that waits in the foreground',
      object: objectOf({ ...marked(0), finalizers: ['foregroundDeletion'] }),
      options: { propagationPolicy: 'Background' },
      step: { kind: 'remove' },
    },
    {
      name: 'keeps the policy where none is named',
      object: objectOf({ ...marked(0), finalizers: ['foregroundDeletion'] }),
      step: { kind: 'unchanged' },
    },
  ])('$name', ({ object, graceful = false, options = {}, step }) => {
    expect(planDeletion(object, graceful, options, nowMs)).toMatchObject(step);
  });
});
