import { describe, expect, it } from 'vitest';
import type { PodView } from '../../../../src/reconcile/plan/pod-view.ts';
import type { Rules } from '../../../../src/reconcile/plan/rules.ts';
import { isAvailable, isGone, isHeld, isInService, isRouted, routedAtMs } from '../../../../src/reconcile/plan/standing.ts';

const view = (word: PodView['word'], change: Partial<PodView> = {}): PodView =>
  ({ word, ended: false, node: { word: 'well', name: 'n1' }, ...change }) as PodView;
const strict = { strictNodeLoss: true } as Rules;
const route = { strictNodeLoss: false } as Rules;
const on = (word: PodView['node']['word'], name: string | undefined = 'n1') => ({ node: { word, name } });

describe('a pod', () => {
  it('is in service while the Service selects it', () => {
    const words = ['starting', 'serving', 'out', 'leaving', 'lost'] as const;
    expect(words.filter((word) => isInService(view(word)))).toEqual(['starting', 'serving', 'lost']);
  });

  it('is available from its time on, while it serves', () => {
    expect(isAvailable(view('serving', { availableAtMs: 5 }), 5)).toBe(true);
    expect(isAvailable(view('serving', { availableAtMs: 5 }), 4)).toBe(false);
    expect(isAvailable(view('serving', { availableAtMs: undefined }), 5)).toBe(false);
    expect(isAvailable(view('out', { availableAtMs: 5 }), 9)).toBe(false);
  });

  it('is routed when slices say so, else three seconds after it was ready', () => {
    const ready = view('serving', { readySinceMs: 1_000 });
    expect(routedAtMs(ready)).toBe(4_000);
    expect(isRouted(ready, 4_000)).toBe(true);
    expect(isRouted(ready, 3_999)).toBe(false);
    expect(isRouted({ ...ready, routed: true }, 0)).toBe(true);
    expect(isRouted({ ...ready, routed: false }, 9_000)).toBe(false);
    expect(routedAtMs(view('starting'))).toBe(3_000);
  });

  it.each<{ name: string; pod: PodView; rules?: Rules; held: boolean }>([
    { name: 'lost with its node', pod: view('lost', on('lost')), held: true },
    { name: 'lost where that need not be proven', pod: view('lost', on('lost')), rules: route, held: false },
    { name: 'lost with a node that is gone', pod: view('lost', on('gone')), held: false },
    { name: 'terminating on a lost node', pod: view('leaving', on('lost')), held: true },
    { name: 'terminating on a node nobody sees', pod: view('leaving', on('unknown')), held: true },
    { name: 'terminating on a node that is well', pod: view('leaving', on('well')), held: false },
    { name: 'terminating on a node that is gone', pod: view('leaving', on('gone')), held: false },
    { name: 'terminating before it had a node', pod: view('leaving', { node: { word: 'unknown', name: undefined } }), held: false },
    { name: 'ended on a lost node', pod: view('leaving', { ...on('lost'), ended: true }), held: false },
    { name: 'out on a lost node', pod: view('out', on('lost')), held: false },
    { name: 'serving on a node nobody sees', pod: view('serving', on('unknown')), held: false },
  ])('$name keeps its place: $held', ({ pod, rules = strict, held }) => {
    expect(isHeld(pod, rules)).toBe(held);
  });

  it('counts as gone with its node, and with a lost one where that need not be proven', () => {
    expect([isGone(view('out', on('gone')), strict), isGone(view('out', on('lost')), strict)]).toEqual([true, false]);
    expect([isGone(view('out', on('gone')), route), isGone(view('out', on('lost')), route)]).toEqual([true, true]);
    expect([isGone(view('out', on('unknown')), route), isGone(view('out', on('well')), route)]).toEqual([false, false]);
  });
});
