import { join, resolve } from 'node:path';
import { renderCrd } from '../api/crd/performer-crd.ts';
import { performerImage } from '../bench/own-cluster.ts';
import { formatReport } from '../bench/report/tables.ts';
import { writeReport } from '../bench/report/write-report.ts';
import { runBench } from '../bench/run.ts';
import { chooseScenarios, type Extent } from '../bench/scenarios.ts';
import { readSubject, type Subject } from '../bench/subjects.ts';
import { createProgress } from '../testbed/progress.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { abortOnSignals } from './operator.ts';
import type { ConnectOptions } from './options.ts';
import { productVersion } from './version.ts';

export interface BenchCommandOptions extends ConnectOptions {
  readonly profile: 'instant' | 'node-like' | 'nodes';
  readonly scenario: readonly string[];
  readonly quick?: boolean;
  readonly full?: boolean;
  readonly compare: readonly string[];
  readonly repeat?: number;
  readonly seed: number;
  readonly image?: string;
  readonly allowExisting?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

/** @returns exit code: 4 when the results are partial */
export async function runBenchCommand(options: BenchCommandOptions): Promise<number> {
  const report = createProgress(process.stderr);
  const extent: Extent = options.full === true ? 'full' : options.quick === true ? 'quick' : 'usual';
  const onNodes = options.profile === 'nodes' && options.kubeconfig === undefined;
  const scenarios = chosen(options.scenario, extent, onNodes);
  const subjects: Subject[] = [];
  for (const text of ['ours', ...options.compare]) subjects.push(await readSubject(text, report));
  const twice = subjects.find(({ name }, index) => subjects.findIndex((one) => one.name === name) !== index);
  if (twice !== undefined) throw new CliError(`--compare ${twice.name}: the name is taken`, exitCodes.usage);
  const outDir = resolve(options.out ?? join('bench-results', new Date().toISOString().replace(/[:.]/g, '-')));
  const result = await runBench({
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
    profile: options.profile,
    scenarios,
    subjects,
    rounds: options.repeat ?? { quick: 1, usual: 3, full: 5 }[extent],
    seed: options.seed,
    image: options.image ?? (onNodes ? performerImage : 'registry.invalid/performer:1'),
    allowExisting: options.allowExisting === true,
    quietMs: extent === 'quick' ? 2_000 : 5_000,
    outDir,
    crd: renderCrd(),
    productVersion,
    report,
    signal: abortOnSignals('SIGHUP'),
  });
  const { html } = await writeReport(result, outDir);
  process.stdout.write(`${options.json === true ? JSON.stringify(result) : formatReport(result)}\n`);
  report.done(`raw data: ${join(outDir, 'report.json')}, drawn: ${html}`);
  return result.partialBecause === undefined ? exitCodes.ok : exitCodes.inconclusive;
}

function chosen(names: readonly string[], extent: Extent, onNodes: boolean) {
  try {
    return chooseScenarios(names, extent, onNodes);
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error), exitCodes.usage);
  }
}
