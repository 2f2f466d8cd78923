import { describe, expect, it } from 'vitest';
import type { Node } from '../../../../src/kube/objects.ts';
import { nodeStateOf } from '../../../../src/reconcile/plan/node-state.ts';

const unreachable = (effect: string, timeAdded?: string) => ({
  key: 'node.kubernetes.io/unreachable',
  effect,
  ...(timeAdded === undefined ? {} : { timeAdded }),
});
const node = (taints: readonly object[], ready = 'Unknown'): Node =>
  ({ metadata: { name: 'n1' }, spec: { taints }, status: { conditions: [{ type: 'Ready', status: ready }] } }) as unknown as Node;
const since = '2026-01-01T00:00:00Z';
const sinceMs = Date.parse(since);

describe('nodeStateOf', () => {
  it.each([
    { name: 'is well without a sign', of: node([], 'True'), word: 'well' },
    { name: 'is gone where a live read found no such node', of: null, word: 'gone' },
    { name: 'is doubtful at the first sign', of: node([unreachable('NoSchedule')]), word: 'doubtful' },
    { name: 'is doubtful while the taint is young', of: node([unreachable('NoExecute', since)]), nowMs: sinceMs + 3_999, word: 'doubtful' },
    {
      name: 'is lost once the taint has stood for the time asked, and the second its clock may be off',
      of: node([unreachable('NoExecute', since)]),
      nowMs: sinceMs + 4_000,
      word: 'lost',
    },
    {
      name: 'is no longer lost once it reports again, and not well before its taints are off',
      of: node([unreachable('NoExecute', since)], 'True'),
      nowMs: sinceMs + 4_000,
      word: 'doubtful',
    },
    {
      name: 'is gone when somebody vouches that it is off',
      of: node([{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }]),
      word: 'gone',
    },
    {
      name: 'is well when it is ready whatever is vouched for',
      of: node([{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }], 'True'),
      word: 'well',
    },
    {
      name: 'is only doubtful while most nodes look gone',
      of: node([unreachable('NoExecute', since)]),
      nowMs: sinceMs + 60_000,
      lost: 6,
      word: 'doubtful',
    },
  ])('$name', ({ of, nowMs = sinceMs, lost = 1, word }) => {
    expect(nodeStateOf('n1', { byName: { n1: of }, total: 10, unreachable: lost }, 3_000, nowMs).word).toBe(word);
  });

  it('is unknown where nothing is known of it', () => {
    expect(nodeStateOf('n1', undefined, 3_000, sinceMs)).toEqual({ word: 'unknown' });
    expect(nodeStateOf(undefined, { byName: {}, total: 1, unreachable: 1 }, 3_000, sinceMs)).toEqual({ word: 'unknown' });
  });
});
