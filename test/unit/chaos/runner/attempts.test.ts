import { describe, expect, it } from 'vitest';
import { experiments } from '../../../../chaos/experiments/catalogue.ts';
import { renderChaosHtml } from '../../../../chaos/report/chaos-html.ts';
import { type ChaosRun, chaosReport } from '../../../../chaos/report.ts';
import { Attempts, ClusterLost } from '../../../../chaos/runner/attempts.ts';
import type { RunPlan } from '../../../../chaos/runner/run-experiment.ts';
import { countOutside } from '../../../../chaos/soak.ts';
import { formatChaos } from '../../../../chaos/table.ts';
import { KubeFault } from '../../../../src/kube/faults.ts';
import { TestbedError } from '../../../../src/testbed/testbed-error.ts';
import { makeChaosReport, makeChaosRun } from '../../../support/chaos-reports.ts';
import { call } from '../support.ts';

const [experiment] = experiments;
if (experiment === undefined) throw new Error('the catalogue is empty');
const plan: RunPlan = { experiment, suite: 'smoke', seed: 1, round: 0, attempt: 1, judgesTimes: false };
const refused = new KubeFault('forbidden', 'creating PodChaos ns/c1-0-1: not now');

/** Runs that end in turn as these do: with a verdict, or by what they throw; after each early end the cluster stands again, or lacks something. */
function setUp(
  ends: readonly (ChaosRun['verdict'] | Error)[],
  lacks: readonly (string | undefined)[] = [],
  signal = new AbortController().signal,
) {
  const [run, putRight] = [ends.values(), lacks.values()];
  const kept: ChaosRun[] = [];
  const attempts = new Attempts(
    {
      run: async () => {
        const end = run.next().value;
        if (typeof end === 'string') return makeChaosRun(end);
        throw end ?? new Error('one run too many');
      },
      putRight: async () => {
        const lack = putRight.next().value;
        if (lack !== undefined) throw new TestbedError(lack);
      },
    },
    signal,
  );
  return { kept, make: () => attempts.make(plan, (one) => kept.push(one)) };
}

describe('a run that the cluster fails', () => {
  it.each([
    { name: 'by a call', error: refused },
    { name: 'by a target that is not there', error: new TestbedError('experiment C1: its target is not there') },
  ])('is inconclusive $name, says why, and the next one is run', async ({ error }) => {
    const { kept, make } = setUp([error, 'passed']);
    const run = await make();
    expect(run).toMatchObject({ id: experiment.id, round: 0, attempt: 1, verdict: 'inconclusive' });
    expect(run.findings).toEqual([
      { what: 'it ended early', says: 'unsure', detail: error.message },
      { what: 'as asked again', says: 'holds', detail: expect.stringMatching(/^\d+\.\d s after it$/) },
    ]);
    expect((await make()).verdict).toBe('passed');
    expect(kept.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'passed']);
  });

  it('stands in the report as any other', async () => {
    const run = await setUp([refused]).make();
    const report = chaosReport.parse(JSON.parse(JSON.stringify(makeChaosReport([run]))));
    expect(formatChaos(report)).toContain('it ended early: creating PodChaos ns/c1-0-1: not now');
    expect(await renderChaosHtml(report)).toContain('it ended early');
  });

  it('says nothing of tasks that failed meanwhile', async () => {
    const { times } = await setUp([refused]).make();
    expect(countOutside([call(times.beganMs, undefined), call(times.beganMs - 10_000, 'a-0')], [{ times }])).toEqual({
      sent: 1,
      failed: 0,
    });
  });
});

describe('a cluster that does not come back', () => {
  it('ends all with its second run in a row, which are both kept', async () => {
    const { kept, make } = setUp([refused, refused], ['n1 → alpha: not heard', 'nodes: 2 are Ready']);
    expect((await make()).findings.at(-1)).toEqual({ what: 'as asked again', says: 'unsure', detail: 'n1 → alpha: not heard' });
    const lost = await make().catch((error: unknown) => error);
    expect(lost).toBeInstanceOf(ClusterLost);
    expect(String(lost)).toMatch(/C1: 2 runs in a row ended early, and the cluster does not come back: nodes: 2 are Ready; see/);
    expect(kept).toHaveLength(2);
    expect((lost as ClusterLost).runs).toEqual(kept);
  });

  it.each([
    { name: 'it stood again after the one between', ends: [refused, refused, refused], lacks: ['no load', undefined, 'no load'] },
    { name: 'the one between had a verdict', ends: [refused, 'failed' as const, refused], lacks: ['no load', 'no load'] },
  ])('ends nothing where $name', async ({ ends, lacks }) => {
    const { kept, make } = setUp(ends, lacks);
    for (let count = 0; count < 3; count += 1) await make();
    expect(kept).toHaveLength(3);
  });
});

describe('what is no verdict', () => {
  it('is a bug, which is thrown on', async () => {
    const { kept, make } = setUp([new RangeError('experiment C1: it is made of nothing')]);
    await expect(make()).rejects.toThrow(RangeError);
    expect(kept).toEqual([]);
  });

  it('is an interrupt, whatever it made fail', async () => {
    const { kept, make } = setUp([refused], [], AbortSignal.abort());
    await expect(make()).rejects.toBe(refused);
    expect(kept).toEqual([]);
  });
});
