import { describe, expect, it } from 'vitest';
import { addTallies, emptyTally, formatTally, refuseSkips, tallyVitest } from '../../scripts/suites/tally.ts';

const file = (name: string, statuses: readonly string[], change: object = {}): object => ({
  name: `/project/test/unit/${name}`,
  status: statuses.includes('failed') ? 'failed' : 'passed',
  assertionResults: statuses.map((status, index) => ({ fullName: `case ${index}`, status })),
  ...change,
});
const tally = (files: readonly object[], exitCode: number): ReturnType<typeof tallyVitest> =>
  tallyVitest('unit', JSON.stringify({ testResults: files }), exitCode, '/project');

describe('a suite', () => {
  it('counts what passed, failed and was skipped, by name', () => {
    expect(tally([file('a.test.ts', ['passed', 'passed', 'failed', 'skipped', 'todo'])], 1)).toEqual({
      passed: 2,
      failed: ['test/unit/a.test.ts: case 2'],
      skipped: ['test/unit/a.test.ts: case 3', 'test/unit/a.test.ts: case 4'],
    });
  });

  it('says what a failed test expected, and where', () => {
    const stack = [
      '\u001B[31mAssertionError: expected 3 to be 5\u001B[39m',
      '    at chai (/project/node_modules/chai/index.js:1:2)',
      '    at /project/test/unit/a.test.ts:7:9',
    ];
    const failed = { fullName: 'counts', status: 'failed', failureMessages: [stack.join('\n')] };
    const line = 'test/unit/a.test.ts: counts\n    AssertionError: expected 3 to be 5\n    at test/unit/a.test.ts:7:9';
    expect(tally([file('a.test.ts', ['failed'], { assertionResults: [failed] })], 1).failed).toEqual([line]);
  });

  it.each([
    {
      name: 'a file does not load',
      seen: tally([file('a.test.ts', ['passed']), file('b.test.ts', [], { status: 'failed', message: 'no such module\n  at b' })], 1),
      failed: ['test/unit/b.test.ts: no such module'],
    },
    {
      name: 'a hook fails around tests that passed',
      seen: tally([file('a.test.ts', ['passed'], { status: 'failed', message: 'afterAll broke' })], 1),
      failed: ['test/unit/a.test.ts: afterAll broke'],
    },
    { name: 'no test ran', seen: tally([], 0), failed: ['unit: no test ran'] },
    { name: 'every test was skipped', seen: tally([file('a.test.ts', ['skipped'])], 0), failed: ['unit: no test ran'] },
    {
      name: 'the exit code tells of more than the tests do',
      seen: tally([file('a.test.ts', ['passed'])], 1),
      failed: ['unit: vitest ended with exit code 1, which no failed test explains'],
    },
    { name: 'there is no report', seen: tallyVitest('unit', undefined, 137), failed: ['unit: vitest wrote no report (exit code 137)'] },
    { name: 'the report is cut off', seen: tallyVitest('unit', '{"testRes', 0), failed: ['unit: vitest wrote no report (exit code 0)'] },
  ])('fails when $name', ({ seen, failed }) => {
    expect(seen.failed).toEqual(failed);
  });

  it('passes when every test did', () => {
    expect(tally([file('a.test.ts', ['passed', 'passed'])], 0)).toEqual({ passed: 2, failed: [], skipped: [] });
  });
});

describe('the closing line', () => {
  const seen = { passed: 3, failed: ['a'], skipped: ['b', 'c'] };
  it.each([
    { tally: emptyTally, line: '0 passed, 0 failed' },
    { tally: seen, line: '3 passed, 1 failed, 2 skipped' },
    { tally: refuseSkips(seen), line: '3 passed, 3 failed' },
    { tally: addTallies(seen, seen), line: '6 passed, 2 failed, 4 skipped' },
  ])('is "$line"', ({ tally: total, line }) => {
    expect(formatTally(total)).toBe(line);
  });

  it('names what was skipped where that is a failure', () => {
    expect(refuseSkips(seen).failed).toEqual(['a', 'b (skipped)', 'c (skipped)']);
  });
});
