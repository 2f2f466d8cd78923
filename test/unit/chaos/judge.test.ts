import { describe, expect, it } from 'vitest';
import { judge } from '../../../chaos/judge.ts';
import type { Observations, Renewal, Times } from '../../../chaos/observations.ts';
import { type KubeObject, keyOf } from '../../../src/kube/objects.ts';
import type { Change, Write } from '../../../src/oracle/kit.ts';
import { performer, pod as podOf, ready, service, startMs } from '../oracle/world.ts';
import { change, observed, pod, victim } from './support.ts';

const times: Times = { beganMs: 0, askedMs: 10_000, feltMs: 10_000, healedMs: 20_000, convergedMs: 25_000, endedMs: 60_000 };
const violated = (seen: Partial<Observations>, quietFromMs = 50_000): readonly string[] =>
  judge(observed(seen), times, victim, quietFromMs).violations.map(({ oracle }) => oracle);
const before = pod('a-0');
const deletion = (atMs: number, preconditions: Write['preconditions']): Write => ({
  atMs,
  actor: 'operator op-1',
  verb: 'delete',
  plural: 'pods',
  key: { namespace: 'ns', name: 'a-0' },
  sent: undefined,
  preconditions,
  result: 'ok',
  before,
  after: undefined,
});
const guarded = { uid: before.metadata?.uid ?? '', resourceVersion: before.metadata?.resourceVersion ?? '' };
const renewal = (holder: string, atMs: number): Renewal => ({ of: 'operator', holder, atMs, durationMs: 15_000 });

describe('what was seen, told to the oracles', () => {
  it('lets a write without its preconditions be found, and one with them pass', () => {
    const changes = [change(0, undefined, before), change(12_000, before, undefined)];
    expect(violated({ changes, writes: [deletion(11_000, {})] })).toContain('W1');
    expect(violated({ changes, writes: [deletion(11_000, guarded)] })).not.toContain('W1');
  });

  it('makes writes of the changes of a Lease', () => {
    const taken = [renewal('op-1', 1_000), renewal('op-1', 11_000), renewal('op-2', 11_500)];
    expect(violated({ renewals: taken })).toEqual(['E1']);
    expect(violated({ renewals: [renewal('op-1', 1_000), renewal('op-2', 20_000)] })).toEqual([]);
  });

  it('takes two renewals for two, though they were heard in the same millisecond', () => {
    expect(violated({ renewals: [renewal('op-1', 1_000), renewal('op-1', 3_000), renewal('op-1', 3_000)] })).toEqual([]);
  });

  it('finds a write in the time when nothing is to be written', () => {
    const write = { ...deletion(55_000, guarded), verb: 'patch' as const, after: before };
    expect(violated({ changes: [change(0, undefined, before)], writes: [write] })).toContain('L4');
    expect(violated({ changes: [change(0, undefined, before)], writes: [{ ...write, atMs: 30_000 }] })).not.toContain('L4');
  });

  it('says which oracles are blind where nobody could see writes', () => {
    const blind = (writes: Observations['writes']): readonly string[] => judge(observed({ writes }), times, victim, 50_000).blind;
    expect(blind(undefined)).toEqual(expect.arrayContaining(['S7', 'L4']));
    expect(blind(undefined)).not.toContain('L1');
    expect(blind([])).toEqual([]);
  });

  it.each([
    { name: 'changed a moment before the end', agoMs: 900, found: [] },
    { name: 'changed a second before the end', agoMs: 1_000, found: ['L1'] },
  ])('lets status take a second to follow a pod: one that $name', ({ agoMs, found }) => {
    const endedMs = startMs + 600_000;
    const put = (kind: Change['kind'], after: KubeObject, atMs = startMs): Change =>
      ({ atMs, kind, key: keyOf(after), before: undefined, after }) as Change;
    const changes = [
      put('performers', performer({}, { status: ready() })),
      put('services', service()),
      put('pods', podOf()),
      put('pods', podOf({ ready: false }), endedMs - agoMs),
    ];
    const never = { ...times, beganMs: startMs, askedMs: endedMs, feltMs: endedMs, healedMs: endedMs, endedMs };
    const { violations } = judge(observed({ changes }), never, victim, endedMs);
    expect(violations.map(({ oracle }) => oracle)).toEqual(found);
  });

  it('does not take silence for tested where nobody listened', () => {
    const calm = performer({}, { status: ready() });
    const looked = { atMs: 0, kind: 'performers', key: keyOf(calm), before: undefined, after: calm } as const;
    const tested = (writes: Observations['writes'], changes: readonly Change[] = [looked]): number | undefined =>
      judge(observed({ writes, changes }), times, victim, 50_000).evaluated.L4;
    expect([tested([]), tested(undefined), tested([], [])]).toEqual([1, 0, 0]);
  });
});
