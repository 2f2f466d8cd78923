import { join, resolve } from 'node:path';
import { renderCrd } from '../api/crd/performer-crd.ts';
import { ArgumentError } from '../bench/argument-error.ts';
import { performerImage } from '../bench/own-cluster.ts';
import { formatPlan, planRun } from '../bench/plan.ts';
import { formatReport } from '../bench/report/tables.ts';
import { writeReport } from '../bench/report/write-report.ts';
import { type BenchRequest, claimFolder, readRun } from '../bench/resume.ts';
import { runBench } from '../bench/run.ts';
import { chooseScenarios } from '../bench/scenarios.ts';
import { readSubject, type Subject } from '../bench/subjects.ts';
import { createProgress, type ProgressReporter } from '../testbed/progress.ts';
import { exitCodes } from './exit-codes.ts';
import type { ConnectOptions } from './options.ts';
import { productVersion } from './version.ts';

export interface BenchCommandOptions extends ConnectOptions, Omit<BenchRequest, 'extent' | 'kubeconfig'> {
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly out?: string;
  readonly resume?: string;
}

/** @returns exit code: 4 when the results are partial */
export async function runBenchCommand(options: BenchCommandOptions): Promise<number> {
  const report = createProgress(process.stderr);
  const outDir = resolve(options.resume ?? options.out ?? join('bench-results', new Date().toISOString().replace(/[:.]/g, '-')));
  const { request, ...before } = options.resume === undefined ? { request: requestOf(options) } : readRun(outDir);
  const { extent, compare, repeat, kubeconfig, allowExisting = false, profile, seed } = request;
  const onNodes = profile === 'nodes' && kubeconfig === undefined;
  const image = request.image ?? (onNodes ? performerImage : 'registry.invalid/performer:1');
  const scenarios = chooseScenarios(request.scenario, extent, onNodes);
  const rounds = repeat ?? { quick: 1, usual: 3, full: 5 }[extent];
  if (options.dryRun === true) {
    const named = ['ours', ...compare].map((name) => ({ name, command: '' }));
    process.stdout.write(`${formatPlan(planRun({ scenarios, subjects: named, rounds, seed, isOurs: kubeconfig === undefined }))}\n`);
    return exitCodes.ok;
  }
  const subjects: Subject[] = [];
  for (const text of ['ours', ...compare]) subjects.push(await readSubject(text, report));
  const twice = subjects.find(({ name }, index) => subjects.findIndex((one) => one.name === name) !== index);
  if (twice !== undefined) throw new ArgumentError(`--compare ${twice.name}: the name is taken`);
  if (options.resume === undefined) claimFolder(outDir, request);
  const result = await runBench({
    ...before,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    profile,
    scenarios,
    subjects,
    rounds,
    seed,
    image,
    allowExisting,
    quietMs: extent === 'usual' ? 5_000 : 2_000,
    outDir,
    crd: renderCrd(),
    productVersion,
    report,
    signal: endOnSignals(report),
  });
  const { html } = await writeReport(result, outDir);
  process.stdout.write(`${options.json === true ? JSON.stringify(result) : formatReport(result)}\n`);
  report.done(`raw data: ${join(outDir, 'report.json')}, drawn: ${html}`);
  if (result.partialBecause === undefined) return exitCodes.ok;
  report.warn(`to go on: bench --resume ${outDir}`);
  return exitCodes.inconclusive;
}

function requestOf({ profile, scenario, compare, repeat, seed, image, quick, full, ...options }: BenchCommandOptions): BenchRequest {
  const { allowExisting, kubeconfig } = options;
  return {
    profile,
    extent: full === true ? 'full' : quick === true ? 'quick' : 'usual',
    scenario: [...scenario],
    compare: [...compare],
    seed,
    ...(image === undefined ? {} : { image }),
    ...(repeat === undefined ? {} : { repeat }),
    ...(allowExisting === undefined ? {} : { allowExisting }),
    ...(kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) }),
  };
}

/** Aborts at the first signal. Those that follow change nothing: what was started must end, and that takes seconds, not minutes. */
function endOnSignals(report: ProgressReporter): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(name, () => {
      report.warn(controller.signal.aborted ? 'ending already: what was started is being ended' : `${name}: ending`);
      controller.abort(new Error(`interrupted by ${name}`));
    });
  return controller.signal;
}
