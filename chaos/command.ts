import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { devStatus } from '../src/testbed/dev-clusters.ts';
import type { NodeTimers } from '../src/testbed/nodes/node-plan.ts';
import { createProgress, type ProgressReporter } from '../src/testbed/progress.ts';
import { TestbedError } from '../src/testbed/testbed-error.ts';
import { readVersions } from '../src/testbed/tools.ts';
import type { SuiteName } from './experiment.ts';
import { chooseExperiments, experiments } from './experiments/catalogue.ts';
import { onTimers } from './experiments/timers.ts';
import { formatPeers } from './peers-table.ts';
import { readChaosReport, writeChaosReport, writePeers, writeReport } from './report/write-report.ts';
import type { ChaosReport, ChaosRun } from './report.ts';
import { checkSamePlan, isWhole } from './resume.ts';
import { fingerprintImages, images, openGivenLab, readTimers, startOwnLab } from './runner/own-cluster.ts';
import { type ChaosOptions, factsOf, runChaos } from './runner/run-chaos.ts';
import { readSubject } from './runner/subjects.ts';
import type { Subject } from './subject.ts';
import { formatChaos, overallVerdict, worstVerdict } from './table.ts';

export interface ChaosCommandOptions {
  readonly kubeconfig?: string;
  /** Of every command; refused here. */
  readonly context?: string;
  readonly suite: SuiteName;
  readonly experiment?: readonly string[];
  readonly seed: number;
  readonly repeat: number;
  readonly timers?: NodeTimers;
  readonly subject?: readonly string[];
  readonly minutes?: number;
  readonly fromStep?: number;
  readonly judgeTimes?: boolean;
  readonly performerImage?: string;
  readonly pauseImage?: string;
  readonly yesBreakThisCluster?: string;
  readonly json?: boolean;
  readonly out?: string;
  readonly resume?: boolean;
}

export interface Around {
  readonly productVersion: string;
  readonly signal: AbortSignal;
}

/**
 * Runs the experiments that were asked for, on a cluster of its own or on a given one, and writes report.json, chaos.html and junit.xml.
 *
 * @returns what to print, and what it all comes to
 * @throws RangeError for an experiment that there is none of, or a context, TestbedError for what a user can act on
 */
export async function runChaosCommand(
  options: ChaosCommandOptions,
  around: Around,
): Promise<{ readonly text: string; readonly verdict: ChaosRun['verdict'] }> {
  const { suite, experiment, seed, repeat, json } = options;
  if (options.context !== undefined)
    throw new RangeError(
      `--context ${options.context}: what is broken is the cluster of a kubeconfig's own context, so that nobody means another; write one: kubectl config view --minify --flatten --context ${options.context} > chaos.kubeconfig`,
    );
  if (experiment?.includes('list') === true)
    return { text: experiments.map(({ id, title }) => `${id.padEnd(4)} ${title}`).join('\n'), verdict: 'passed' };
  if (suite !== 'soak' && (options.minutes ?? options.fromStep) !== undefined)
    throw new RangeError('--minutes, --from-step: they are of a random walk; add --suite soak');
  if (options.resume === true && (suite === 'soak' || options.out === undefined))
    throw new RangeError(
      suite === 'soak'
        ? '--resume: a soak goes on from any step by --from-step'
        : '--resume: say with --out where the report is that is to be gone on with',
    );
  const kubeconfig = options.kubeconfig === undefined ? undefined : resolve(options.kubeconfig);
  const timers = chooseTimers(options.timers, kubeconfig);
  const chosen = chooseExperiments(suite, experiment).map((one) => onTimers(one, timers));
  if (kubeconfig !== undefined) await checkMeant(kubeconfig, options.yesBreakThisCluster);
  const { productVersion, signal } = around;
  const report = createProgress(process.stderr);
  const subjects = await readSubjects(options, report);
  const outDir = resolve(options.out ?? join('chaos-results', new Date().toISOString().replace(/[:.]/g, '-')));
  const { kubernetes, 'chaos-mesh': chaosMesh } = readVersions();
  const isOwn = kubeconfig === undefined;
  const plan: ChaosOptions = {
    experiments: chosen,
    suite,
    seed,
    repeat,
    judgesTimes: suite === 'full' || options.judgeTimes === true,
    outDir,
    versions: {
      hourglass: productVersion,
      node: process.versions.node,
      ...(isOwn ? { kubernetes, 'chaos-mesh': chaosMesh, ...fingerprintImages() } : {}),
    },
    timers,
    ...(suite === 'soak' ? { soak: { minutes: options.minutes ?? 20, fromStep: options.fromStep ?? 1 } } : {}),
    leavesCluster: !isOwn,
    report,
    signal,
  };
  const results: ChaosReport[] = [];
  for (const subject of subjects) {
    const dir = subjects.length === 1 ? outDir : join(outDir, subject.name);
    const earlier = options.resume === true ? await readChaosReport(dir) : undefined;
    if (options.resume === true && earlier === undefined) report.warn(`there is no report in ${dir} yet: it begins with the first run`);
    const one = { ...plan, outDir: dir, ...(earlier === undefined ? {} : { earlier }) };
    const result = isOwn ? await onOwnCluster(one, subject) : await onGivenCluster(one, kubeconfig, options);
    results.push(result);
    const html = await writeChaosReport(result, dir);
    report.done(`raw data: ${join(dir, 'report.json')}, drawn: ${html}`);
    if (subjects.length > 1) await writePeers(results, outDir);
    if (signal.aborted) break;
  }
  const [result] = results;
  if (results.length > 1 || result === undefined) {
    const texts = results.map((one) => `${one.subject}\n\n${formatChaos(one)}\n`);
    return { text: json === true ? JSON.stringify(results) : [...texts, formatPeers(results)].join('\n'), verdict: worstVerdict(results) };
  }
  return { text: json === true ? JSON.stringify(result) : formatChaos(result), verdict: overallVerdict(result) };
}

/** A cluster of the testbed is known, any other one is as Kubernetes comes unless it is said. @throws RangeError for what a cluster is known not to have */
function chooseTimers(said: NodeTimers | undefined, kubeconfig: string | undefined): NodeTimers {
  if (kubeconfig === undefined) return said ?? 'fast';
  const known = readTimers(kubeconfig);
  if (known !== undefined && said !== undefined && said !== known)
    throw new RangeError(`--timers ${said}: the cluster of ${kubeconfig} runs with ${known} timers; leave it out`);
  return known ?? said ?? 'stock';
}

/** @throws RangeError for a subject that is none, and for one that a given cluster would have to be changed for */
async function readSubjects(
  { subject = ['ours'], kubeconfig }: ChaosCommandOptions,
  report: ProgressReporter,
): Promise<readonly Subject[]> {
  if (kubeconfig !== undefined && subject.some((name) => name !== 'ours'))
    throw new RangeError('--subject: what is compared is installed on clusters of its own; leave out --kubeconfig');
  const names = [...new Set(subject)];
  const subjects: Subject[] = [];
  for (const name of names) subjects.push(await readSubject(name, images.performer, report));
  return subjects;
}

/** Refuses before anything is started, and starts nothing where all has a verdict. */
async function onOwnCluster(plan: ChaosOptions, subject: Subject): Promise<ChaosReport> {
  const { earlier, experiments, report } = plan;
  if (earlier !== undefined) checkSamePlan(earlier, factsOf(plan, subject));
  if (earlier !== undefined && isWhole(earlier, experiments)) {
    report.done(`All of ${subject.name} was run: ${earlier.runs.length} runs are kept`);
    const { partialBecause: _, ...whole } = earlier;
    // Killed between its last run and its end it still says that it is under way.
    writeReport(whole, plan.outDir);
    return whole;
  }
  const { lab, cluster } = await startOwnLab(plan.report, plan.signal, plan.timers, subject);
  try {
    return await runChaos(lab, plan);
  } finally {
    lab.kube.close();
    await cluster.stop();
  }
}

async function onGivenCluster(plan: ChaosOptions, kubeconfig: string, options: ChaosCommandOptions): Promise<ChaosReport> {
  const lab = await openGivenLab(kubeconfig, options, plan.report);
  try {
    return await runChaos(lab, plan);
  } finally {
    lab.kube.close();
  }
}

/** Clusters of the testbed are there to be broken; any other one only by its name. */
async function checkMeant(kubeconfig: string, meant: string | undefined): Promise<void> {
  if (devStatus().some((one) => one.kubeconfig === kubeconfig)) return;
  const unreadable = (error: unknown): never => {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new TestbedError(`kubeconfig ${kubeconfig}: it cannot be read (${why}); name another with --kubeconfig`, { cause: error });
  };
  const text = await readFile(kubeconfig, 'utf8').catch(unreadable);
  let context: unknown;
  try {
    context = parse(text)?.['current-context'];
  } catch (error) {
    unreadable(error);
  }
  if (typeof context !== 'string' || context === '')
    throw new TestbedError(
      `kubeconfig ${kubeconfig}: it has no current-context, by which the cluster is named that may be broken; give it one: kubectl config use-context NAME`,
    );
  if (meant === context) return;
  const said = meant === undefined ? 'it is not one of the testbed' : `its context is ${context}, not ${meant}`;
  throw new TestbedError(
    `kubeconfig ${kubeconfig}: ${said}; experiments kill pods, cut networks and lose nodes: say that you mean it with --yes-break-this-cluster ${context}`,
  );
}
