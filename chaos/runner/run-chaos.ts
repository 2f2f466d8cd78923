import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMachine } from '../../src/bench/machine.ts';
import { isKubeFault } from '../../src/kube/faults.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { planOrder } from '../choose.ts';
import { type Lab, until } from '../cluster/lab.ts';
import { Load } from '../cluster/load.ts';
import { type Experiment, load as loadShape, type SuiteName } from '../experiment.ts';
import type { ChaosReport, ChaosRun } from '../report.ts';
import { whyNot } from '../subject.ts';
import { Journal } from './journal.ts';
import { healExperiments, healJournal } from './leftovers.ts';
import { checkRights, waitForCluster } from './preflight.ts';
import { runExperiment, type Stage } from './run-experiment.ts';
import { runSoak, type SoakPlan } from './run-soak.ts';
import { testInjectors } from './self-test.ts';
import { clearStage, isSteady, readNodes, setStage } from './stage.ts';

export interface ChaosOptions {
  readonly experiments: readonly Experiment[];
  readonly suite: SuiteName;
  readonly seed: number;
  readonly repeat: number;
  readonly judgesTimes: boolean;
  /** Of the suite `soak`. */
  readonly soak?: SoakPlan;
  /** Where report.json goes. */
  readonly outDir: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly timers?: string;
  /** Whether the cluster is gone afterwards anyway. */
  readonly leavesCluster: boolean;
  readonly report: ProgressReporter;
  readonly signal: AbortSignal;
}

/** From the first caller on; on a busy machine images and pods take their time. */
const steadyLimitMs = 180_000;

type Draft = { -readonly [Key in keyof ChaosReport]: ChaosReport[Key] };

/**
 * Takes back what an earlier run left, proves that faults bite here, then runs the experiments one after the other in the order of the seed.
 * `report.json` is kept as it stands after each. An inconclusive experiment is run once more, and both stand in the report.
 *
 * @throws TestbedError when nothing can be run at all
 */
export async function runChaos(lab: Lab, options: ChaosOptions): Promise<ChaosReport> {
  const { suite, seed, repeat, judgesTimes, outDir, report, signal } = options;
  mkdirSync(outDir, { recursive: true });
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
  draft.leftOut = options.experiments.flatMap((one) => {
    const needsOurs = one.injector === 'testbed' && lab.componentFaults === undefined;
    const why = needsOurs ? 'it needs a cluster of the testbed' : whyNot(one, lab.subject);
    return why === undefined ? [] : [{ id: one.id, title: one.title, why }];
  });
  for (const { id, title, why } of draft.leftOut) report.warn(`${id} is left out: ${title}: ${why}`);
  const experiments = options.experiments.filter(({ id }) => draft.leftOut?.some((out) => out.id === id) !== true);
  try {
    await setStage(lab, nodes, signal);
    await until('the load to be steady', () => isSteady(lab, load, nodes), steadyLimitMs, signal).catch((error: unknown) => {
      throw new TestbedError(`${error instanceof Error ? error.message : String(error)}: ${load.unrest().join('; ')}`, { cause: error });
    });
    report.step('Making sure that faults bite');
    const believed = await testInjectors(lab, load, report, signal);
    if (believed.holds) report.done(`Faults bite: ${believed.detail}`);
    else draft.partialBecause = `faults cannot be believed here: ${believed.detail}`;
    const stage: Stage = { lab, load, nodes, journal, report, signal };
    const keep = (run: ChaosRun): void => {
      draft.runs.push(run);
      writeReport(outDir, draft);
      tell(report, run);
    };
    const { soak } = options;
    if (believed.holds && soak !== undefined)
      await runSoak(stage, experiments, { ...soak, seed, judgesTimes }, (run, outside) => {
        draft.soak = { ...soak, outside };
        keep(run);
      });
    for (const { experiment, round } of believed.holds && soak === undefined ? planOrder(experiments, seed, repeat) : []) {
      for (const attempt of [1, 2]) {
        report.step(`${experiment.id} · ${experiment.title}${repeat === 1 ? '' : ` · round ${round + 1}`}`);
        const run = await runExperiment(stage, { experiment, suite, seed, round, attempt, judgesTimes });
        keep(run);
        if (run.verdict !== 'inconclusive') break;
      }
    }
  } catch (error) {
    // What a bug throws is no verdict.
    if (!signal.aborted && !(error instanceof TestbedError) && !isKubeFault(error)) throw error;
    draft.partialBecause = signal.aborted ? 'it was interrupted' : error instanceof Error ? error.message : String(error);
  } finally {
    load.close();
    if (options.leavesCluster) await clearStage(lab);
  }
  if (draft.partialBecause !== undefined) report.warn(draft.partialBecause);
  writeReport(outDir, draft);
  return draft;
}

function tell(report: ProgressReporter, { id, title, verdict, findings }: ChaosRun): void {
  const [why] = findings.filter(({ says }) => says === (verdict === 'failed' ? 'fails' : 'unsure'));
  if (verdict === 'passed' || why === undefined) report.done(`${id} passed: ${title}`);
  else report.warn(`${id} ${verdict}: ${why.what}: ${why.detail}`);
}

function startReport({ config, subject }: Lab, options: ChaosOptions, nodes: number): Draft {
  const { suite, seed, repeat, judgesTimes, versions, timers, soak } = options;
  const now = new Date().toISOString();
  return {
    version: 1,
    startedAt: now,
    finishedAt: now,
    subject: subject.name,
    suite,
    ...(soak === undefined ? {} : { soak: { ...soak, outside: { sent: 0, failed: 0 } } }),
    seed,
    repeat,
    judgesTimes,
    machine: describeMachine(),
    versions: { ...versions },
    cluster: { server: config.server, nodes, ...(timers === undefined ? {} : { timers }) },
    load: { ...loadShape },
    runs: [],
  };
}

/** In one step: a reader never sees half of it. */
function writeReport(outDir: string, draft: Draft): void {
  draft.finishedAt = new Date().toISOString();
  const path = join(outDir, 'report.json');
  writeFileSync(`${path}.part`, `${JSON.stringify(draft)}\n`);
  renameSync(`${path}.part`, path);
}
