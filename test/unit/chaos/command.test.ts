import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

describe('a cluster that is not one of the testbed', () => {
  const goTo = async (kubeconfig: string, meant?: string): Promise<unknown> => {
    const path = join(out, 'kubeconfig');
    writeFileSync(path, kubeconfig);
    const change = { resume: false, subject: ['ours'], kubeconfig: path, ...(meant === undefined ? {} : { yesBreakThisCluster: meant }) };
    return run(change).then(
      () => 'it was run',
      (error: Error) => error.message,
    );
  };
  const prod = 'current-context: prod\n';

  it.each([
    {
      name: 'that nobody named',
      kubeconfig: prod,
      says: 'it is not one of the testbed; experiments kill pods, cut networks and lose nodes',
    },
    { name: 'whose context is another', kubeconfig: prod, meant: 'staging', says: 'its context is prod, not staging' },
    { name: 'whose context has no name', kubeconfig: 'current-context: ""', meant: '', says: 'it has no current-context' },
    { name: 'whose kubeconfig is empty', kubeconfig: '', meant: 'prod', says: 'give it one: kubectl config use-context NAME' },
    { name: 'whose kubeconfig is none', kubeconfig: 'a: [', meant: 'prod', says: 'it cannot be read (' },
  ])('is left alone: one $name', async ({ kubeconfig, meant, says }) => {
    expect(await goTo(kubeconfig, meant)).toContain(says);
  });

  it('is named with the option that would take it', async () => {
    expect(await goTo(prod)).toContain('say that you mean it with --yes-break-this-cluster prod');
  });

  it('that was named is gone to: the refusal is then about what it is', async () => {
    expect(await goTo(prod, 'prod')).toContain("there is no context 'prod' (it has no contexts)");
  });

  it('is not named by a kubeconfig that cannot be read', async () => {
    await expect(run({ resume: false, subject: ['ours'], kubeconfig: join(out, 'none') })).rejects.toThrow(
      /none: it cannot be read .*name another/,
    );
  });
});
