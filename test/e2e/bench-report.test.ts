import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBenchReport } from '../support/bench-reports.ts';
import { openPage, type Page } from '../support/chromium.ts';
import { hourglass } from '../support/cli.ts';
import { findPale } from '../support/pale-texts.ts';

const dir = mkdtempSync(join(tmpdir(), 'bench-report-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const subjects = [{ name: 'ours' }, { name: 'floor' }, { name: '<peer> & tuned', slowness: 1.6, writes: 6, command: 'run "<it>"' }];
const made = makeBenchReport({ seed: 1, rounds: 3, subjects });
const report = { ...made, partialBecause: 'interrupted after 84 of 90 blocks', notMeasurable: ['writes at rest: no metrics of etcd'] };
const write = (name: string, content: object): string => {
  const path = join(dir, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
};
const file = write('report.json', report);

describe('report.html in a browser', () => {
  let page: Page;
  beforeAll(async () => {
    const { code, stdout } = await hourglass(['bench', 'report', file, '--out', dir]);
    expect(code, stdout).toBe(0);
    page = await openPage(pathToFileURL(join(dir, 'report.html')).href);
  }, 400_000);
  afterAll(() => page?.close());

  it('asks for nothing but itself, and the browser has nothing to complain of', () => {
    expect(page.requests).toEqual([pathToFileURL(join(dir, 'report.html')).href]);
    expect(page.complaints).toEqual([]);
  });

  it('has no script', async () => {
    expect(await page.evaluate('document.scripts.length')).toBe(0);
  });

  it('draws every chart: each load has its steps, distributions, progress and resources, with marks of some size', async () => {
    const drawn = await page.evaluate<readonly (readonly [string, number])[]>(
      `[...document.querySelectorAll('figure')].map((one) => [one.closest('section').querySelector('h2').textContent + ': ' + one.querySelector('h3').textContent,
        [...one.querySelectorAll('.mark-rect path, .mark-line path')].filter((mark) => { const { width, height } = mark.getBoundingClientRect(); return width + height > 5; }).length])`,
    );
    const titles = drawn.map(([title]) => title);
    for (const scenario of new Set(report.blocks.map((block) => block.scenario))) {
      for (const title of [
        'Median of each step',
        'Done over time, each round a line',
        'CPU per Performer',
        'Peak memory of the operator',
        'Calls of the operator per Performer',
      ])
        expect(titles).toContain(`${scenario}: ${title}`);
    }
    expect(titles).toContain('create-2-per-second: Until status ready');
    expect(titles).toContain('delete-at-once: Until performer gone');
    expect(titles).toContain('update-serial: Until new pod ready');
    // Every operator has its mark in every chart.
    expect(drawn.filter(([, marks]) => marks < subjects.length)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('is readable when it is %s', async (scheme) => {
    await page.show({ scheme });
    const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect(back).toBe(scheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(15, 18, 22)');
    expect(await page.evaluate<readonly string[]>(findPale(4.5))).toEqual([]);
    expect(await page.evaluate<readonly string[]>(findPale(30))).not.toEqual([]);
  });

  it('fits a phone: only tables are wider than the window, and those scroll on their own', async () => {
    await page.show({ scheme: 'light', width: 390 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });

  it('says why it says less than it might, in the words of the run', async () => {
    const text = await page.evaluate<string>(`document.querySelector('.caveats').textContent`);
    expect(text).toContain('interrupted after 84 of 90 blocks');
    expect(text).toContain('writes at rest: no metrics of etcd');
  });

  it('has the ratio of each row with its interval, and names of operators as they are', async () => {
    const heads = await page.evaluate<readonly string[]>(
      `[...document.querySelectorAll('.forest thead th')].map((one) => one.textContent)`,
    );
    expect(heads.slice(0, 4)).toEqual(['', 'ours', 'floor', '<peer> & tuned']);
    const first = await page.evaluate<string>(`document.querySelector('.forest tbody tr:nth-child(2)').innerText`);
    expect(first).toMatch(/^p50 ms\s+[\d.]+\s+× [\d.]+ [\d.]+…[\d.]+\s+× 1\.[\d.]+ [\d.]+…[\d.]+/);
  });

  it('holds the raw data', async () => {
    const url = await page.evaluate<string>(`document.querySelector('a[download]').href`);
    expect(JSON.parse(gunzipSync(Buffer.from(url.split(',')[1] ?? '', 'base64')).toString())).toEqual(report);
  });
});

it('stands beside a JUnit file with the goals', async () => {
  await hourglass(['bench', 'report', file, '--out', join(dir, 'new')]);
  expect(await readFile(join(dir, 'new', 'junit.xml'), 'utf8')).toMatch(
    /<testsuites name="hourglass bench" tests="24" failures="\d+" skipped="\d+">/,
  );
});

it('has no table of goals when none of them was measured', async () => {
  const alone = write('alone.json', makeBenchReport({ seed: 1, rounds: 1, scenarios: ['burst-50'] }));
  const draw = async (from: string): Promise<string> => {
    await hourglass(['bench', 'report', from, '--out', join(dir, 'alone')]);
    return readFile(join(dir, 'alone', 'report.html'), 'utf8');
  };
  expect(await draw(file)).toContain('<h2>Goals</h2>');
  expect(await draw(alone)).not.toContain('<h2>Goals</h2>');
  expect(await draw(alone)).toContain('<b>24</b><span>goals not measured</span>');
});

describe('bench compare', () => {
  const ours = [{ name: 'ours' }, { name: 'floor' }];
  const before = write('before.json', makeBenchReport({ seed: 1, subjects: ours }));
  const same = write('same.json', makeBenchReport({ seed: 2, subjects: ours }));
  const slow = write('slow.json', makeBenchReport({ seed: 3, subjects: [{ name: 'ours', msPerWrite: 10 }, { name: 'floor' }] }));

  it('ends with 0 for two runs that differ by noise', async () => {
    const { code, stdout } = await hourglass(['bench', 'compare', before, same]);
    expect(stdout).toContain('corrected by what floor differs by');
    expect(stdout).toMatch(/\n0 worse, /);
    expect(code).toBe(0);
  });

  it('ends with 3 for a slow-down, and says where in the table and in a JUnit file', async () => {
    const { code, stdout } = await hourglass(['bench', 'compare', before, slow, '--junit', join(dir, 'compare.xml')]);
    expect(stdout).toMatch(/^create-2-per-second +p50 ms .* WORSE$/m);
    expect(await readFile(join(dir, 'compare.xml'), 'utf8')).toContain('<testcase classname="create-2-per-second" name="p50"><failure');
    expect(code).toBe(3);
  });

  it('compares two operators of one report', async () => {
    const { code, stdout } = await hourglass(['bench', 'compare', slow, slow, '--subjects', 'floor,ours', '--json']);
    const { rows } = JSON.parse(stdout) as { rows: { measure: string; verdict: string }[] };
    expect(rows.find(({ measure }) => measure === 'p50')?.verdict).toBe('worse');
    expect(code).toBe(3);
  });

  it.each([
    { name: 'a file that is not there', args: ['none.json', 'none.json'], code: 2, says: 'none.json' },
    { name: 'one report alone', args: [before, before], code: 2, says: '--subjects before,after' },
    {
      name: 'an operator that is not in it',
      args: [before, same, '--subjects', 'ours,theirs'],
      code: 2,
      says: 'no operator theirs in it, only ours, floor',
    },
    { name: 'a report cut off', args: [before, write('cut.json', {})], code: 2, says: 'cut.json: not a report of `hourglass bench`' },
  ])('says what is wrong with $name', async ({ args, code, says }) => {
    const result = await hourglass(['bench', 'compare', ...args]);
    expect(result.stderr).toContain(says);
    expect(result.code).toBe(code);
  });

  it('ends with 4 when nothing can be judged', async () => {
    const once = write('once.json', makeBenchReport({ seed: 1, rounds: 1, scenarios: [] }));
    expect((await hourglass(['bench', 'compare', once, before])).code).toBe(4);
  });

  it('ends with 4 when the second run lost a scenario, and names it', async () => {
    const half = write('half.json', makeBenchReport({ seed: 2, subjects: ours, scenarios: ['create-2-per-second'] }));
    const { code, stdout } = await hourglass(['bench', 'compare', before, half]);
    expect(stdout).toMatch(/^burst-200 .*not judged: measured before, and in no round after$/m);
    expect(code).toBe(4);
  });
});
