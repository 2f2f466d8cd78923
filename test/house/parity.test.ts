import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findNotPassed, findParityTests, findTitles, findUnproven, renderParity } from '../../scripts/parity.ts';
import { parity } from '../parity/catalogue.ts';
import { projectRoot, readSources } from '../support/sources.ts';

const test = { id: 'OP-3', says: 'rolls $image without a gap', file: 'test/parity/a.test.ts' };
const reportOf = (...results: readonly (readonly [string, string])[]) => ({
  testResults: [{ assertionResults: results.map(([title, status]) => ({ title, status })) }],
});

describe('the parity page', () => {
  it('has a test for each of its rows', () => {
    expect(parity.map(({ id }) => id)).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
    expect(findUnproven(findParityTests())).toEqual([]);
  });

  it('is what the catalogue and the tests give; otherwise: npx tsx scripts/parity.ts', async () => {
    expect(await readFile(join(projectRoot, 'docs/parity.md'), 'utf8')).toBe(renderParity(findParityTests()));
  });

  it('rests on no test that is skipped', () => {
    const files = new Set(findParityTests().map(({ file }) => file));
    const sources = readSources((path) => files.has(path));
    expect(sources.size).toBe(files.size);
    const skipped = [...sources].filter(([, text]) => /\b(?:it|describe|test)\.(?:skip|todo|only|runIf|skipIf|fails)\b/.test(text));
    expect(skipped.map(([path]) => path)).toEqual([]);
  });

  it('finds titles of tests and of tables of tests, and nothing else', () => {
    const text = `it('OP-3 rolls', async () => {});\nit.each(rows)(\n  'FM-19 for $what', run);\n// OP-4 is elsewhere\nconst id = 'FM-20';`;
    expect(findTitles('a', text)).toEqual([
      { id: 'OP-3', says: 'rolls', file: 'a' },
      { id: 'FM-19', says: 'for $what', file: 'a' },
    ]);
  });

  it.each([
    {
      name: 'every row passed',
      report: reportOf(['OP-3 rolls a without a gap', 'passed'], ['OP-3 rolls b without a gap', 'passed']),
      wrong: [],
    },
    {
      name: 'it did not run',
      report: reportOf(['OP-3 rolls', 'passed']),
      wrong: ['test/parity/a.test.ts: OP-3 rolls $image without a gap: did not run'],
    },
    {
      name: 'a row was skipped',
      report: reportOf(['OP-3 rolls a without a gap', 'passed'], ['OP-3 rolls b without a gap', 'skipped']),
      wrong: ['test/parity/a.test.ts: OP-3 rolls b without a gap: skipped'],
    },
  ])('takes a test by what came of it: $name', ({ report, wrong }) => {
    expect(findNotPassed([test], report)).toEqual(wrong);
  });

  it('finds a row without a test, and a number without a row', () => {
    const others = findParityTests().filter(({ id }) => id !== 'OP-3');
    expect(findUnproven([...others, { ...test, id: 'OP-99' }])).toEqual(['OP-3: no test has it', 'OP-99: the catalogue does not have it']);
  });
});
