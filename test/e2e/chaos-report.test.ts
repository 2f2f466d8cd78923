import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experiments } from '../../chaos/experiments/catalogue.ts';
import type { ChaosRun } from '../../chaos/report.ts';
import { makeChaosReport, makeChaosRun } from '../support/chaos-reports.ts';
import { openPage, type Page } from '../support/chromium.ts';
import { hourglass } from '../support/cli.ts';
import { findPale } from '../support/pale-texts.ts';
import { projectRoot } from '../support/sources.ts';

const dir = mkdtempSync(join(tmpdir(), 'chaos-report-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const operator = { actor: 'operator o', name: 'a-1', result: 'ok' };
/** A pod that is lost and replaced while its tasks fail, beside one of a Performer that is left alone. */
const eventful: Partial<ChaosRun> = {
  load: Array.from({ length: 20 }, (_, second) => {
    const isDown = second >= 5 && second < 9;
    const alpha = { second, performer: 'alpha', answered: isDown ? 1 : 10, failed: isDown ? 9 : 0 };
    return [
      { ...alpha, inside: false },
      { ...alpha, inside: true },
      { second, performer: 'beta', inside: false, answered: 10, failed: 0 },
    ];
  }).flat(),
  pods: [
    {
      name: 'a-0',
      uid: 'u0',
      performer: 'alpha',
      node: 'n1',
      seenMs: 0,
      wasThere: true,
      ready: [{ fromMs: 0, toMs: 6_000 }],
      withdrawnMs: 7_000,
      deletingMs: 8_000,
      goneMs: 12_000,
    },
    { name: 'a-1', uid: 'u1', performer: 'alpha', node: 'n2', seenMs: 7_000, wasThere: false, ready: [{ fromMs: 9_000 }] },
    { name: 'b-0', uid: 'u2', performer: 'beta', node: 'n3', seenMs: 0, wasThere: true, ready: [{ fromMs: 0 }] },
  ],
  writes: [
    { ...operator, atMs: 6_500, verb: 'patch', plural: 'performers/status' },
    { ...operator, atMs: 7_000, verb: 'create', plural: 'pods' },
    { ...operator, atMs: 9_500, verb: 'delete', plural: 'pods', result: 'conflict' },
  ],
  conditions: [
    { atMs: 10, performer: 'alpha', ready: 'True Serving' },
    { atMs: 10, performer: 'beta', ready: 'True Serving' },
    { atMs: 6_500, performer: 'alpha', ready: 'False Starting' },
    { atMs: 9_500, performer: 'alpha', ready: 'True Serving' },
  ],
};
const instant = { beganMs: 0, askedMs: 4_000, feltMs: 5_000, healedMs: 5_000, endedMs: 20_000 };
const { writes: _, ...unaudited } = makeChaosRun('failed', { ...eventful, id: 'C2', title: 'a <b>bold</b> & "sly" title', times: instant });
const runs = [
  makeChaosRun('passed', eventful),
  unaudited,
  makeChaosRun('inconclusive', { id: 'C3' }),
  makeChaosRun('passed', { id: 'C3', attempt: 2 }),
];
const report = makeChaosReport(runs, { partialBecause: 'it was interrupted' });
const folder = join(dir, 'run');
mkdirSync(folder);
writeFileSync(join(folder, 'report.json'), JSON.stringify(report));

describe('chaos.html in a browser', () => {
  const url = pathToFileURL(join(folder, 'chaos.html')).href;
  let page: Page;
  beforeAll(async () => {
    const { code, stdout, stderr } = await hourglass(['chaos', 'report', folder]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(join(folder, 'chaos.html'));
    page = await openPage(url);
  }, 400_000);
  afterAll(() => page?.close());
  const textOf = (selector: string): Promise<string> =>
    page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).textContent`);

  it('asks for nothing but itself, has no script, and the browser has nothing to complain of', async () => {
    expect(page.requests).toEqual([url]);
    expect(page.complaints).toEqual([]);
    expect(await page.evaluate('document.scripts.length')).toBe(0);
  });

  it('says on top what each experiment came to, and leads to it', async () => {
    const rows = await page.evaluate<readonly string[]>(
      `[...document.querySelectorAll('section')[0].querySelectorAll('tbody tr')].map((one) => one.innerText.replaceAll('\\t', ' | '))`,
    );
    expect(rows.map((row) => row.split(' | ').slice(0, 6).join(' | '))).toEqual([
      'C1 | a pod is killed | passed | 82 % of 200 | 100 % of 200 | 2.0 s',
      'C2 | a <b>bold</b> & "sly" title | failed | 82 % of 200 | 100 % of 200 | never',
      'C3 | a pod is killed | inconclusive | – | – | 2.0 s',
      'C3 again | a pod is killed | passed | – | – | 2.0 s',
    ]);
    expect(rows[1]).toContain('S1 ns/alpha: two pods serve');
    const links = `[...document.querySelectorAll('a[href^="#"]')].map((one) => document.querySelector('section' + one.getAttribute('href')) !== null)`;
    expect(await page.evaluate(links)).toEqual([true, true, true, true]);
  });

  it('draws a timeline of each run: tasks, pods, writes and conditions, with the fault behind them', async () => {
    const marks = (shape: string): string =>
      `[...one.querySelectorAll('.mark-${shape} path')].filter((mark) => { const { width, height } = mark.getBoundingClientRect(); return width + height > 4; })`;
    const count = `[...document.querySelectorAll('.timeline svg')].map((one) => [${marks('rect')}.length, ${marks('symbol')}.length, ${marks('rect')}.filter((mark) => mark.getAttribute('fill') === 'var(--bad)' && mark.getAttribute('opacity') === '0.1').length])`;
    const [whole, blind, bare] = await page.evaluate<readonly (readonly number[])[]>(count);
    // Tasks to alpha and to beta, states of pods, conditions, and the fault in five panels.
    expect(whole).toEqual([28 + 20 + 7 + 4 + 5, 3, 5]);
    expect(blind?.[1]).toBe(0);
    expect(bare?.[1]).toBe(0);
    const words = await textOf('#c1-1-1 svg');
    for (const word of [
      'Tasks sent to alpha each second',
      'Tasks sent to beta each second',
      '→ a-0 · n1',
      'healed, 5.0 s',
      'Starting',
      'performers/status',
    ])
      expect(words).toContain(word);
    expect(await textOf('#c3-1-1 svg')).toContain('Writes of the operator: none');
    expect(await textOf('#c2-1-1 svg')).not.toContain('Writes of the operator');
  });

  it('keeps every label of a drawing within it', async () => {
    const outside = `[...document.querySelectorAll('.timeline svg')].flatMap((svg) => { const box = svg.getBoundingClientRect(); return [...svg.querySelectorAll('text')].filter((text) => { const { left, right, top, bottom } = text.getBoundingClientRect(); return left < box.left || right > box.right || top < box.top || bottom > box.bottom; }).map((text) => text.textContent); })`;
    expect(await page.evaluate(outside)).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('is readable when it is %s', async (scheme) => {
    await page.show({ scheme });
    const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    expect(back).toBe(scheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(15, 18, 22)');
    expect(await page.evaluate<readonly string[]>(findPale(4.5))).toEqual([]);
  });

  it('fits a phone: only tables and timelines are wider than the window, and those scroll on their own', async () => {
    await page.show({ scheme: 'light', width: 390 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });

  it('says why it says less than it might', async () => {
    const text = await textOf('.caveats');
    for (const why of ['it was interrupted', 'what C3 would have shown', 'told and not judged', 'could not be seen in C2'])
      expect(text).toContain(why);
  });

  it('holds the raw data', async () => {
    const data = await page.evaluate<string>(`document.querySelector('a[download]').href`);
    expect(JSON.parse(gunzipSync(Buffer.from(data.split(',')[1] ?? '', 'base64')).toString())).toEqual(report);
  });
});

describe('the other commands of docs/chaos.md that need no cluster', () => {
  it('name the experiments there are, with all that can be asked for', async () => {
    const { code, stdout } = await hourglass(['chaos', '--experiment', 'list']);
    expect([code, stdout.split('\n').filter((line) => /^C\d+\w* +\S/.test(line)).length]).toEqual([0, experiments.length]);
    expect((await hourglass(['chaos', '--help'])).stdout).toContain('--yes-break-this-cluster <context>');
  });

  it('replay what a run has left beside its report', async () => {
    mkdirSync(join(folder, 'traces'));
    cpSync(join(projectRoot, 'test/fixtures/chaos/kill-and-rollout.json.gz'), join(folder, 'traces', 'c1-0-1.json.gz'));
    const { code, stdout, stderr } = await hourglass(['chaos', 'explain', folder]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^c1-0-1: explained 15 of 15 writes/);
  });
});

describe('chaos report', () => {
  it('takes the file as well, and writes elsewhere when it is told to, with a JUnit file', async () => {
    const out = join(dir, 'elsewhere');
    expect((await hourglass(['chaos', 'report', join(folder, 'report.json'), '--out', out])).code).toBe(0);
    expect(await readFile(join(out, 'junit.xml'), 'utf8')).toContain('<testsuites name="chaos" tests="5" failures="2" skipped="1">');
    expect(await readFile(join(out, 'chaos.html'), 'utf8')).toContain('Chaos 2026-01-01 00:00: failed');
  });

  it.each([
    { name: 'a folder without a report', path: dir, says: 'name the folder that `hourglass chaos` wrote (--out), or its report.json' },
    { name: 'what is no report', content: '{"runs":[]}', says: 'not a report of `hourglass chaos`: it has no version' },
    { name: 'a report that is cut off', content: '{"version":1,', says: 'cut off in the middle' },
    { name: 'a report of another version', content: '{"version":2}', says: 'a report of version 2; this hourglass reads version 1' },
  ])('says what is wrong with $name', async ({ path = join(dir, 'bad.json'), content, says }) => {
    if (content !== undefined) writeFileSync(path, content);
    const { code, stderr } = await hourglass(['chaos', 'report', path]);
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });
});
