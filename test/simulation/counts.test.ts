import { describe, expect, it } from 'vitest';
import type { TraceLine } from '../../src/sim/trace.ts';
import { countsOf, findUnexplained } from './support/counts.ts';

const line = (what: string, change: Partial<TraceLine> = {}): TraceLine => ({
  atMs: 1,
  lane: 'write',
  who: 'operator-0',
  what,
  of: 'team-0/x',
  ...change,
});
const made = line('create pods team-0/performer-x: ok');

describe('what was made and deleted', () => {
  it('is counted by Performer and kind, where it took effect', () => {
    const others = [
      line('patch pods team-0/performer-x: ok'),
      line('create pods team-0/performer-x: alreadyExists'),
      line('comes', { lane: 'pod', who: 'team-0/performer-x' }),
    ];
    const gone = line('delete services team-0/performer-y: ok', { of: 'team-0/y' });
    expect(countsOf([made, made, gone, ...others])).toEqual({ 'team-0/x create pods': 2, 'team-0/y delete services': 1 });
  });

  it.each([
    { name: 'as often', found: [made], wrong: 0 },
    { name: 'less often', found: [], wrong: 0 },
    { name: 'more often', found: [made, made], wrong: 1 },
    { name: 'more often by a kill', found: [made, made], id: 'crash-after', wrong: 1 },
    { name: 'once more after somebody deleted it', found: [made, made], id: 'target-gone', wrong: 0 },
    { name: 'twice more after somebody deleted it', found: [made, made, made], id: 'target-gone', wrong: 1 },
    { name: 'more often where a spec stood for a moment', found: [made, made, made], scenario: 'scale-back', wrong: 0 },
  ] as const)('$name than without the fault: $wrong unexplained', ({ found, wrong, ...more }) => {
    const { id = 'write-500', scenario = 'image' } = more as { id?: 'write-500' | 'crash-after' | 'target-gone'; scenario?: string };
    expect(findUnexplained(countsOf([made]), countsOf(found), scenario, { id, atWrite: 1 }, false)).toHaveLength(wrong);
  });

  it.each([
    { isDeleted: true, deletions: 1, wrong: 0 },
    { isDeleted: true, deletions: 2, wrong: 1 },
    { isDeleted: false, deletions: 1, wrong: 1 },
  ])('is deleted once by whoever is faster, where it goes with its Performer: $isDeleted, $deletions, $wrong unexplained', (row) => {
    const gone = Array.from({ length: row.deletions }, () => line('delete pods team-0/performer-x: ok'));
    const found = countsOf([made, ...gone]);
    expect(findUnexplained(countsOf([made]), found, 'delete', { id: 'write-500', atWrite: 1 }, row.isDeleted)).toHaveLength(row.wrong);
  });
});
