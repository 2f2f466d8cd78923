import { describeMachine } from '../../src/bench/machine.ts';
import type { NodeTimers } from '../../src/testbed/nodes/node-plan.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { type Lab, until } from '../cluster/lab.ts';
import { Load } from '../cluster/load.ts';
import { type Experiment, load as loadShape, type SuiteName } from '../experiment.ts';
import { writeReport, writeTrace } from '../report/write-report.ts';
import type { ChaosReport, ChaosRun } from '../report.ts';
import { checkSamePlan, describePlan, missingRuns, type PlanFacts } from '../resume.ts';
import { needsAgent, type Subject, whyLeftOut } from '../subject.ts';
import { Attempts, ClusterLost } from './attempts.ts';
import type { Said } from './injection.ts';
import { Journal } from './journal.ts';
import { healExperiments, healJournal } from './leftovers.ts';
import { checkRights, waitForCluster } from './preflight.ts';
import { runExperiment, type Stage } from './run-experiment.ts';
import { runSoak, type SoakPlan } from './run-soak.ts';
import { testAgent, testInjectors } from './self-test.ts';
import { isSteady, leaveStage, readNodes, setStage } from './stage.ts';
import { isTrouble } from './trouble.ts';

export interface ChaosOptions {
  readonly experiments: readonly Experiment[];
  readonly suite: SuiteName;
  readonly seed: number;
  readonly repeat: number;
  readonly judgesTimes: boolean;
  /** Of the suite `soak`. */
  readonly soak?: SoakPlan;
  /** What a run of the same plan had come to when it ended. */
  readonly earlier?: ChaosReport;
  /** Where report.json goes. */
  readonly outDir: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly timers: NodeTimers;
  /** Whether the cluster is gone afterwards anyway. */
  readonly leavesCluster: boolean;
  readonly report: ProgressReporter;
  readonly signal: AbortSignal;
}

/** From the first caller on; on a busy machine images and pods take their time. */
const steadyLimitMs = 180_000;
/** After a run that ended early. */
const returnLimitMs = 60_000;
/** As the report says between two runs: whoever reads it then reads a part. */
const underWay = 'it is under way, or was killed';

type Draft = { -readonly [Key in keyof ChaosReport]: ChaosReport[Key] };

/**
 * Takes back what an earlier run left, proves that faults bite here, then runs the experiments one after the other in the order of the seed.
 * `report.json` is kept as it stands after each. An inconclusive experiment is run once more, and both stand in the report; so is one that
 * a call or the cluster failed. Only a cluster that does not come back ends it all.
 * What an earlier run has a verdict for stands as it is.
 *
 * @throws TestbedError when nothing can be run at all, ArgumentError when the earlier run is of another plan
 */
export async function runChaos(lab: Lab, options: ChaosOptions): Promise<ChaosReport> {
  const { suite, seed, repeat, judgesTimes, earlier, outDir, report, signal } = options;
  if (earlier !== undefined) checkSamePlan(earlier, factsOf(options, lab.subject, lab.config.server));
  report.step('Looking at the cluster');
  const journal = new Journal(lab.config.server);
  await healJournal(lab, journal, report);
  await checkRights(lab);
  // Before nodes and operator are looked for: it may be these that were taken away.
  await healExperiments(lab, report);
  await waitForCluster(lab, report, signal);
  const nodes = await readNodes(lab);
  report.step(`Starting Performers and their load on ${nodes.length} nodes`);
  const load = new Load(lab, nodes);
  const draft = startReport(lab, options, nodes.length);
  const keepReport = (): void =>
    writeReport({ ...draft, finishedAt: new Date().toISOString(), partialBecause: draft.partialBecause ?? underWay }, outDir);
  keepReport();
  const leaveOut = (all: readonly Experiment[], hasAgent: boolean): readonly Experiment[] => {
    const armed = { isTestbeds: lab.componentFaults !== undefined, hasAgent };
    const judged = all.map((one) => ({ one, why: whyLeftOut(one, lab.subject, armed) }));
    const out = judged.flatMap(({ one: { id, title }, why }) => (why === undefined ? [] : [{ id, title, why }]));
    for (const { id, title, why } of out) report.warn(`${id} is left out: ${title}: ${why}`);
    draft.leftOut = [...(draft.leftOut ?? []), ...out];
    return judged.flatMap(({ one, why }) => (why === undefined ? [one] : []));
  };
  const possible = leaveOut(options.experiments, true);
  const keepTrace: Stage['keepTrace'] = (name, trace) => writeTrace(outDir, name, trace);
  try {
    await setStage(lab, nodes, signal);
    await until('the load to be steady', () => isSteady(lab, load, nodes), steadyLimitMs, signal).catch((error: unknown) => {
      throw new TestbedError(`${error instanceof Error ? error.message : String(error)}: ${load.unrest().join('; ')}`, { cause: error });
    });
    report.step('Making sure that faults bite');
    const stage: Stage = { lab, load, nodes, timers: options.timers, journal, report, signal, keepTrace };
    const { hasAgent, ...believed } = await selfTest(stage, possible);
    const experiments = leaveOut(possible, hasAgent);
    if (believed.holds) report.done(`Faults bite: ${believed.detail}`);
    else draft.partialBecause = `faults cannot be believed here: ${believed.detail}`;
    const keep = (run: ChaosRun): void => {
      draft.runs.push(run);
      keepReport();
      tell(report, run);
    };
    const attempts = new Attempts({ run: (plan) => runExperiment(stage, plan), putRight: () => putRight(stage) }, signal);
    const { soak } = options;
    if (soak !== undefined && experiments.length === 0) draft.partialBecause ??= 'nothing that was asked for can be done here';
    else if (believed.holds && soak !== undefined)
      await runSoak(stage, attempts, experiments, { ...soak, seed, judgesTimes }, (run, outside) => {
        draft.soak = { ...soak, outside };
        keep(run);
      });
    const missing = believed.holds && soak === undefined ? missingRuns(experiments, seed, repeat, draft.runs) : [];
    if (earlier !== undefined) report.done(`${draft.runs.length} runs are kept; experiments that are left: ${missing.length}`);
    for (const { experiment, round, attempts: left } of missing) {
      for (const attempt of left) {
        report.step(`${experiment.id} · ${experiment.title}${repeat === 1 ? '' : ` · round ${round + 1}`}`);
        const run = await attempts.make({ experiment, suite, seed, round, attempt, judgesTimes }, keep);
        if (run.verdict !== 'inconclusive') break;
      }
    }
  } catch (error) {
    // What a bug throws is no verdict.
    if (!signal.aborted && !isTrouble(error)) throw error;
    // Without a verdict they are run anew by whoever goes on with it.
    if (error instanceof ClusterLost && options.soak === undefined) draft.runs = draft.runs.filter((run) => !error.runs.includes(run));
    draft.partialBecause = isTrouble(error) && !signal.aborted ? error.message : 'it was interrupted';
  } finally {
    load.close();
    if (options.leavesCluster) await leaveStage(lab, report);
  }
  if (draft.partialBecause !== undefined) report.warn(draft.partialBecause);
  draft.finishedAt = new Date().toISOString();
  writeReport(draft, outDir);
  return draft;
}

/** The agent of the testbed's nodes is as much a part of it as Chaos Mesh; where others have none, what needs one is left out. */
async function selfTest(
  { lab, load, nodes, report, signal }: Stage,
  experiments: readonly Experiment[],
): Promise<Said & { readonly hasAgent: boolean }> {
  const biting = testInjectors(lab, load, report, signal);
  const refusing = experiments.some(needsAgent) ? testAgent(lab, nodes, report, signal) : Promise.resolve(undefined);
  // Each takes back what it made, also where the other one fails.
  await Promise.allSettled([biting, refusing]);
  const [cut, agent] = await Promise.all([biting, refusing]);
  const isOthers = lab.nodes === undefined && agent?.holds === false;
  if (isOthers) report.warn(agent.detail);
  const all = agent === undefined || isOthers ? [cut] : [cut, agent];
  const failed = all.filter((one) => !one.holds);
  return {
    holds: failed.length === 0,
    hasAgent: !isOthers,
    detail: (failed.length === 0 ? all : failed).map(({ detail }) => detail).join('; '),
  };
}

/** What a run that ended early may have left. @throws TestbedError or KubeFault when not all stands again */
async function putRight({ lab, load, nodes, journal, report, signal }: Stage): Promise<void> {
  report.update('putting right what it may have left');
  await healJournal(lab, journal, report);
  await healExperiments(lab, report);
  await until('a steady state', () => isSteady(lab, load, nodes), returnLimitMs, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new TestbedError([error instanceof Error ? error.message : String(error), ...load.unrest()].join('; '), { cause: error });
  });
}

function tell(report: ProgressReporter, { id, title, verdict, findings }: ChaosRun): void {
  const [why] = findings.filter(({ says }) => says === (verdict === 'failed' ? 'fails' : 'unsure'));
  if (verdict === 'passed' || why === undefined) report.done(`${id} passed: ${title}`);
  else report.warn(`${id} ${verdict}: ${why.what}: ${why.detail}`);
  const tasks = findings.find(({ what }) => what === 'tasks that failed');
  if (verdict !== 'passed' && tasks !== undefined) report.warn(`${tasks.what}: ${tasks.detail}`);
}

type AskedFor = Pick<ChaosOptions, 'experiments' | 'suite' | 'seed' | 'repeat' | 'judgesTimes' | 'versions' | 'timers' | 'leavesCluster'>;

/** What says which run it is. @param server undefined where the cluster is not there yet, since it is one of its own */
export function factsOf(options: AskedFor, subject: Subject, server = ''): PlanFacts {
  const { experiments, suite, seed, repeat, judgesTimes, versions, timers, leavesCluster } = options;
  const plan = describePlan(experiments, subject);
  const cluster = { server, timers, isOwn: !leavesCluster };
  return { plan, subject: subject.name, suite, seed, repeat, judgesTimes, machine: describeMachine(), versions: { ...versions }, cluster };
}

function startReport({ config, subject }: Lab, options: ChaosOptions, nodes: number): Draft {
  const { soak, earlier } = options;
  const now = new Date().toISOString();
  const { cluster, ...facts } = factsOf(options, subject, config.server);
  return {
    version: 1,
    startedAt: earlier?.startedAt ?? now,
    finishedAt: now,
    ...(earlier === undefined ? {} : { resumedAt: [...(earlier.resumedAt ?? []), now] }),
    ...facts,
    ...(soak === undefined ? {} : { soak: { ...soak, outside: { sent: 0, failed: 0 } } }),
    cluster: { ...cluster, nodes },
    load: { ...loadShape },
    runs: [...(earlier?.runs ?? [])],
  };
}
