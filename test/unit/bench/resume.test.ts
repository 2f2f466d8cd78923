import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BenchReport } from '../../../src/bench/bench-report.ts';
import { planBlocks } from '../../../src/bench/plan.ts';
import { type BenchRequest, checkSameRun, claimFolder, isKept, keptBlocks, readRun } from '../../../src/bench/resume.ts';
import { chooseScenarios } from '../../../src/bench/scenarios.ts';
import { createRandom } from '../../../src/lib/seeded-random.ts';
import { makeBenchReport } from '../../support/bench-reports.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hourglass-resume-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const request: BenchRequest = { profile: 'instant', extent: 'usual', scenario: [], compare: ['floor'], seed: 4, image: 'a:1' };
const report = makeBenchReport({ seed: 4, rounds: 2, scenarios: ['burst-200'], subjects: [{ name: 'ours' }, { name: 'floor' }] });

describe('the folder of a run', () => {
  it('tells what was asked for and what was measured', () => {
    claimFolder(dir, request);
    expect(readRun(dir)).toEqual({ request });
    writeFileSync(join(dir, 'report.json'), JSON.stringify(report));
    expect(readRun(dir)).toEqual({ request, earlier: report });
  });

  it('is given to no second run', () => {
    writeFileSync(join(dir, 'report.json'), JSON.stringify(report));
    expect(() => claimFolder(dir, request)).toThrow(`it holds the results of a run; go on with that by --resume ${dir}`);
  });

  it('cannot be a file', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(() => claimFolder(join(dir, 'file'), request)).toThrow(`--out ${join(dir, 'file')}: EEXIST`);
  });

  it.each([
    { name: 'there is no run', text: undefined, says: 'no run of bench was kept there' },
    { name: 'what was asked for is cut off', text: '{"seed":', says: 'run.json: not as bench writes it: ' },
    { name: 'what was asked for is something else', text: '{"profile":"other"}', says: 'profile' },
  ])('is refused where $name', ({ text, says }) => {
    if (text !== undefined) writeFileSync(join(dir, 'run.json'), text);
    expect(() => readRun(dir)).toThrow(says);
  });
});

describe('a run goes on', () => {
  const other = (change: Partial<BenchReport>): BenchReport => ({ ...report, ...change });
  it.each([
    { name: 'another Node', now: other({ versions: { ...report.versions, node: '25.0.0' } }), says: 'node was 24.21.0 and is 25.0.0' },
    { name: 'another bundle', now: other({ versions: { ...report.versions, bundle: 'f00' } }), says: 'bundle was absent and is f00' },
    { name: 'another machine', now: other({ machine: { ...report.machine, cores: 4 } }), says: 'the machine was 2 × Example CPU' },
    { name: 'one operator less', now: other({ subjects: report.subjects.slice(1) }), says: 'the command of ours was run ours' },
  ])('not with $name', ({ now, says }) => {
    expect(() => checkSameRun(report, now)).toThrow(says);
    expect(() => checkSameRun(report, report)).not.toThrow();
  });

  it('with the blocks that are missing or void, and no others', () => {
    const [first, ...rest] = report.blocks;
    const interrupted = rest.slice(0, 3).concat(first === undefined ? [] : [{ ...first, voidBecause: 'it was interrupted' }]);
    const kept = keptBlocks(other({ blocks: interrupted }));
    expect(kept).toEqual(rest.slice(0, 3));
    const subjects = report.subjects.map(({ name }) => ({ name, command: name }));
    const plan = planBlocks(chooseScenarios(['burst-200'], 'usual'), subjects, 2, 'timed', createRandom(1));
    const missing = plan.filter((one) => !isKept(kept, one)).map(({ subject, round }) => `${subject.name} ${round}`);
    expect(missing.toSorted()).toEqual(['floor 1', 'ours 0', 'ours 1']);
  });
});
