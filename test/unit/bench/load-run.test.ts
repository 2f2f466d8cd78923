import { describe, expect, it } from 'vitest';
import type { BenchLine } from '../../../src/bench/bench-lines.ts';
import { gather } from '../../../src/bench/block.ts';
import { parseLines, readRun } from '../../../src/bench/load-run.ts';
import type { Sample } from '../../../src/bench/observer.ts';

const sample = (key: string, askedAtMs: number, phases: Sample['phases'], rest: Partial<Sample> = {}): Sample => ({
  key,
  ask: 'create',
  askedAtMs,
  complete: true,
  phases,
  ...rest,
});
const line = (one: Sample): BenchLine => ({ line: 'sample', ...one });
const begin: BenchLine = { line: 'begin', atMs: 1_000, requests: 2 };
const end: BenchLine = { line: 'end', atMs: 1_500, lateMs: 3 };

describe('what a k6 script told', () => {
  const samples = [sample('ns/b', 1_200, { 'status ready': 90 }), sample('ns/a', 1_100, { 'status ready': 50 })];

  it('is in the order of the requests, and counts when it has an end', () => {
    const run = readRun([begin, ...samples.map(line), end], 'cut off');
    expect(run).toMatchObject({ samples: [samples[1], samples[0]], beganAtMs: 1_000, endedAtMs: 1_500, requests: 2, lateMs: 3 });
  });

  it.each([
    { name: 'it has no end', lines: [begin, ...samples.map(line)], why: 'cut off' },
    { name: 'it never began', lines: [end], why: 'cut off' },
    { name: 'a watch was lost', lines: [begin, { line: 'trouble', what: 'watch closed' } as const, end], why: 'watch closed' },
    {
      name: 'requests were sent late',
      lines: [begin, { ...end, lateMs: 900 }],
      why: 'requests were sent up to 900 ms late: the generator was the limit',
    },
  ])('is void when $name', ({ lines, why }) => {
    expect(readRun(lines, 'cut off').voidBecause).toBe(why);
  });

  it('counts when its time was over before all was carried out: that is the operator', () => {
    const late: BenchLine = { line: 'late', what: 'not carried out within 300 s: 1 of the requests' };
    expect(readRun([begin, ...samples.map(line), late, end], 'cut off')).not.toHaveProperty('voidBecause');
  });

  it('keeps the samples of a run that was cut off', () => {
    expect(readRun([begin, ...samples.map(line)], 'cut off').samples).toHaveLength(2);
  });

  it('stands between lines of k6 itself', () => {
    expect(parseLines(`${JSON.stringify(begin)}\ntime="…" level=warning\n${JSON.stringify(end)}\n`)).toEqual([begin, end]);
  });
});

describe('the phases of a block', () => {
  it('of deletions are those of the ones that are over: each ends with its last', () => {
    const gone = { acknowledged: 4, 'pod deleting': 5, 'pod gone': 20, 'service gone': 30, 'performer gone': 25 };
    const samples = [
      sample('ns/a', 1_100, { acknowledged: 4, 'performer gone': 900 }, { ask: 'delete', complete: false }),
      sample('ns/b', 1_200, gone, { ask: 'delete' }),
    ];
    expect(gather({ samples, beganAtMs: 1_000 }).phases['performer gone']).toEqual([25]);
  });

  it('are lists by phase, with the end of each complete request from the start of the block', () => {
    const samples = [
      sample('ns/a', 1_100, { acknowledged: 4, 'status ready': 50 }),
      sample('ns/b', 1_200, { acknowledged: 6 }, { complete: false }),
    ];
    expect(gather({ samples, beganAtMs: 1_000 })).toEqual({
      phases: { acknowledged: [4, 6], 'status ready': [50] },
      doneAtMs: [150],
    });
  });

  it('do not count a gap as an end', () => {
    const samples = [sample('ns/a', 0, { 'old pod gone': 20, 'without a ready pod': 500 }, { ask: 'update' })];
    expect(gather({ samples, beganAtMs: 0 }).doneAtMs).toEqual([20]);
  });

  it('keep answers to creations and to deletions apart where both are measured', () => {
    const samples = [sample('ns/a', 0, { acknowledged: 4 }), sample('ns/b', 1, { acknowledged: 70, 'pod gone': 80 }, { ask: 'delete' })];
    expect(gather({ samples, beganAtMs: 0 }).phases).toEqual({ acknowledged: [4], 'pod gone': [80] });
  });
});
