import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChaosCommandOptions, runChaosCommand } from '../../../chaos/command.ts';
import { chooseExperiments } from '../../../chaos/experiments/catalogue.ts';
import { writeReport } from '../../../chaos/report/write-report.ts';
import { chaosReport } from '../../../chaos/report.ts';
import { fingerprintImages } from '../../../chaos/runner/own-cluster.ts';
import { factsOf } from '../../../chaos/runner/run-chaos.ts';
import { plainDeployment } from '../../../chaos/subject.ts';
import { describeMachine } from '../../../src/bench/machine.ts';
import { readVersions } from '../../../src/testbed/tools.ts';
import { makeChaosReport, makeChaosRun } from '../../support/chaos-reports.ts';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'hourglass-chaos-'));
});
afterEach(() => rmSync(out, { recursive: true }));

const asked: ChaosCommandOptions = { suite: 'smoke', experiment: ['C1'], seed: 1, repeat: 1, timers: 'fast', subject: ['deployment'] };
const run = (change: Partial<ChaosCommandOptions>): ReturnType<typeof runChaosCommand> =>
  runChaosCommand({ ...asked, out, resume: true, ...change }, { productVersion: '1', signal: new AbortController().signal });

/** As a killed run leaves it: all of it was run, and it does not know. */
function leaveReport(): void {
  const { kubernetes, 'chaos-mesh': chaosMesh } = readVersions();
  const versions = { hourglass: '1', node: process.versions.node, kubernetes, 'chaos-mesh': chaosMesh, ...fingerprintImages() };
  const facts = factsOf(
    {
      experiments: chooseExperiments('smoke', ['C1']),
      suite: 'smoke',
      seed: 1,
      repeat: 1,
      judgesTimes: false,
      versions,
      timers: 'fast',
      leavesCluster: false,
    },
    plainDeployment,
  );
  const report = makeChaosReport([makeChaosRun('passed')], { ...facts, cluster: { ...facts.cluster, nodes: 3 } });
  writeReport({ ...report, machine: describeMachine(), partialBecause: 'it was killed' }, out);
}

describe('chaos --resume', () => {
  it('tells what was run where nothing is left, and starts nothing', async () => {
    leaveReport();
    const { text, verdict } = await run({});
    expect(verdict).toBe('passed');
    expect(text).toContain('C1');
    expect(text).not.toContain('Not all of it was run');
    expect(chaosReport.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))).partialBecause).toBeUndefined();
  });

  it('goes on with no other plan', async () => {
    leaveReport();
    await expect(run({ seed: 2 })).rejects.toThrow('this run cannot go on: the seed was 1 and is 2');
  });

  it.each([
    { name: 'without a folder', change: { out: undefined }, says: '--resume: say with --out' },
    { name: 'of a soak', change: { suite: 'soak' }, says: '--resume: a soak goes on from any step by --from-step' },
  ] as const)('is refused $name', async ({ change, says }) => {
    await expect(run(change as Partial<ChaosCommandOptions>)).rejects.toThrow(says);
  });
});
