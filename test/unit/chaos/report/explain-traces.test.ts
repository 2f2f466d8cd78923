import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainTraces } from '../../../../chaos/report/explain-traces.ts';
import { writeTrace } from '../../../../chaos/report/write-report.ts';
import type { Trace } from '../../../../chaos/trace/trace.ts';
import { projectRoot } from '../../../support/sources.ts';

const fixture = join(projectRoot, 'test/fixtures/chaos/kill-and-rollout.json.gz');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hourglass-traces-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('explainTraces', () => {
  it('replays one trace, or all of a run', async () => {
    const one = await explainTraces(fixture);
    expect(one).toEqual({ isWhole: true, text: expect.stringMatching(/^kill-and-rollout: explained 15 of 15 writes/) });
    mkdirSync(join(dir, 'traces'));
    for (const name of ['c1-0-1', 'c5-0-1']) cpSync(fixture, join(dir, 'traces', `${name}.json.gz`));
    expect((await explainTraces(dir)).text.split('\n').map((line) => line.split(':')[0])).toEqual(['c1-0-1', 'c5-0-1']);
  });

  it('tells of each that is not whole what is missing', async () => {
    const trace = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as Trace;
    writeTrace(dir, 'c1-0-1', { ...trace, entries: trace.entries.filter(({ verb }) => verb !== 'create') });
    const { text, isWhole } = await explainTraces(dir);
    expect(isWhole).toBe(false);
    expect(text).toMatch(/^ {2}2026-\S+Z pods performer-gamma changes by nobody: no write of the audit log makes version \d+$/m);
  });

  it.each([
    { name: 'a folder without any', file: undefined, says: 'no run has left a trace there' },
    { name: 'a file that is cut off', file: gzipSync('{"sights":[]}').subarray(0, 12), says: 'unexpected end of file' },
    { name: 'a file of something else', file: gzipSync('{"runs":[]}'), says: 'not a trace as `hourglass chaos` writes it' },
  ])('refuses $name', async ({ file, says }) => {
    mkdirSync(join(dir, 'traces'));
    if (file !== undefined) writeFileSync(join(dir, 'traces', 'a.json.gz'), file);
    await expect(explainTraces(dir)).rejects.toThrow(says);
  });
});
