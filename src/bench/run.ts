import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ProgressReporter } from '../testbed/progress.ts';
import { ensureTool, findInCheckout, readVersions } from '../testbed/tools.ts';
import { BenchCluster } from './bench-cluster.ts';
import type { BenchReport, Block } from './bench-report.ts';
import { type BlockContext, type BlockPlan, NotReadyError, namespacesOf, runBlock } from './block.ts';
import { describeMachine } from './machine.ts';
import { type OwnCluster, type OwnClusterOptions, startOwnCluster } from './own-cluster.ts';
import { describeLeftOut, Pace, planRun } from './plan.ts';
import { checkSameRun, isKept, keptBlocks } from './resume.ts';
import type { Scenario } from './scenarios.ts';
import type { Subject } from './subjects.ts';

export interface BenchOptions {
  /** A cluster of the user's; without it embedded ones are started and removed again. */
  readonly kubeconfig?: string;
  readonly profile: OwnClusterOptions['profile'];
  readonly scenarios: readonly Scenario[];
  /** The first is the one that others are compared with. */
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seed: number;
  /** Of the pods. */
  readonly image: string;
  readonly allowExisting: boolean;
  readonly quietMs: number;
  /** Where report.json and the logs go. */
  readonly outDir: string;
  /** What the run had measured before it was interrupted; only what is missing is run. */
  readonly earlier?: BenchReport;
  /** What is installed where it is missing. */
  readonly crd: object;
  readonly productVersion: string;
  readonly report: ProgressReporter;
  readonly signal: AbortSignal;
}

type Draft = { -readonly [Key in keyof BenchReport]: BenchReport[Key] };

/**
 * Runs every block that is missing and keeps `report.json` as it stands after each. What goes wrong with one block is told and marked; only
 * what makes the rest pointless ends the run, and then the report says that it is partial.
 *
 * @throws ArgumentError when the earlier part of the run was of other programs, or elsewhere
 * @throws TestbedError when nothing can be measured at all
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { report, kubeconfig, outDir, earlier, signal } = options;
  const draft = startReport(options);
  if (earlier !== undefined) goOn(draft, earlier);
  const whole = planRun({ ...options, isOurs: kubeconfig === undefined });
  const missing = (plans: readonly BlockPlan[]): readonly BlockPlan[] => plans.filter((plan) => !isKept(draft.blocks, plan));
  const [timed, counted] = [missing(whole.timed), missing(whole.counted)];
  const pace = new Pace([...timed, ...counted]);
  report.done(`${timed.length + counted.length} blocks are to run, ${pace.describeLeft()}`);
  const k6 = await ensureTool('k6', report);
  mkdirSync(join(outDir, 'logs'), { recursive: true });
  const leftOut = new Set<Subject>();
  try {
    for (const plans of [timed, counted].filter(({ length }) => length > 0))
      await onCluster(options, plans === counted, async (cluster) => {
        for (const plan of plans) {
          signal.throwIfAborted();
          const context = { ...options, cluster, k6, logDir: join(outDir, 'logs') };
          if (leftOut.has(plan.subject)) pace.tookMs(plan, 0);
          else draft.blocks.push(...(await runOne(plan, context, { report, pace, draft, leftOut })));
          writeReport(outDir, draft);
        }
      });
  } catch (error) {
    if (draft.blocks.length === 0 && !signal.aborted) throw error;
    draft.partialBecause = signal.aborted ? 'it was interrupted' : String(error instanceof Error ? error.message : error);
  }
  // A rival that never worked, a generator that was killed: what is missing is missing, however it came.
  const [all, kept] = [[...whole.timed, ...whole.counted], keptBlocks(draft)];
  const lost = all.filter((plan) => !isKept(kept, plan)).length;
  if (lost > 0) draft.partialBecause ??= `${lost} of ${all.length} blocks were not measured`;
  if (draft.partialBecause !== undefined) report.warn(`the results are partial: ${draft.partialBecause}`);
  writeReport(outDir, draft);
  return draft;
}

/** @throws ArgumentError when blocks of the two cannot stand side by side */
function goOn(draft: Draft, earlier: BenchReport): void {
  checkSameRun(earlier, draft);
  draft.blocks.push(...keptBlocks(earlier));
  draft.resumedAt = [...(earlier.resumedAt ?? []), draft.startedAt];
  draft.startedAt = earlier.startedAt;
}

/** A subject that fails is left out of the block; the reason stands in the report. */
async function runOne(
  plan: BlockPlan,
  context: Omit<BlockContext, 'update' | 'warn'>,
  { report, pace, draft, leftOut }: { report: ProgressReporter; pace: Pace; draft: Draft; leftOut: Set<Subject> },
): Promise<readonly Block[]> {
  const title = `${plan.scenario.name} · ${plan.subject.name} · round ${plan.round + 1}${plan.kind === 'counted' ? ' · counted' : ''}`;
  report.step(title);
  const startMs = performance.now();
  try {
    const update = (text: string): void => report.update(`${text} · ${pace.describeLeft()}`);
    const block = await runBlock(plan, { ...context, update, warn: (text) => report.warn(text) });
    if (block.voidBecause !== undefined) report.warn(`void: ${block.voidBecause}`);
    report.done(title);
    return [block];
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof NotReadyError) leftOut.add(plan.subject);
    const rest = leftOut.has(plan.subject) ? '; left out from here on' : '';
    const why = `${title}: ${error instanceof Error ? error.message : String(error)}${rest}`;
    report.warn(why);
    draft.notMeasurable = [...draft.notMeasurable, why];
    return [];
  } finally {
    pace.tookMs(plan, performance.now() - startMs);
  }
}

/** Gives a cluster, and takes everything down again whatever happens. */
async function onCluster(options: BenchOptions, audit: boolean, use: (cluster: BenchCluster) => Promise<void>): Promise<void> {
  const { kubeconfig, crd, allowExisting } = options;
  const namespaces = [...new Set(options.scenarios.flatMap(namespacesOf))];
  const scratch = mkdtempSync(join(tmpdir(), 'hourglass-bench-'));
  let own: OwnCluster | undefined;
  let cluster: BenchCluster | undefined;
  try {
    if (kubeconfig === undefined) own = await startOwnCluster({ ...options, audit });
    cluster = await BenchCluster.open(kubeconfig ?? own?.embedded.kubeconfig ?? '', scratch, own);
    await cluster.prepare(crd, allowExisting, options.signal);
    // What a run that was killed has left there.
    if (own === undefined) {
      await cluster.makeNamespaces(namespaces);
      await cluster.clean(namespaces, 60_000, options.signal);
    }
    await use(cluster);
  } finally {
    try {
      if (own === undefined) await cluster?.removeNamespaces(namespaces);
    } finally {
      cluster?.close();
      await own?.embedded.stop();
      rmSync(scratch, { recursive: true, force: true });
    }
  }
}

function startReport({ profile, kubeconfig, seed, subjects, scenarios, productVersion }: BenchOptions): Draft {
  const isOurs = kubeconfig === undefined;
  const { kubernetes, etcd, kwok, k6 } = readVersions();
  const now = new Date().toISOString();
  const noEtcd = 'etcd writes: no access to its metrics';
  const elsewhere = ['calls of the operator: no access to the audit log', noEtcd, 'CPU and memory of the control plane: it runs elsewhere'];
  return {
    version: 1,
    startedAt: now,
    finishedAt: now,
    seed,
    machine: describeMachine(),
    versions: {
      k6,
      node: process.versions.node,
      hourglass: productVersion,
      bundle: digestBundle(),
      ...(isOurs ? { kubernetes, etcd, kwok } : {}),
    },
    cluster: isOurs ? { profile, etcdFsync: true } : { profile: 'given' },
    subjects: subjects.map(({ name, command }) => ({ name, command: withoutPaths(command) })),
    blocks: [],
    notMeasurable: [
      ...(isOurs ? [] : elsewhere),
      ...(isOurs && profile === 'nodes' ? [noEtcd] : []),
      ...describeLeftOut({ scenarios, subjects }),
      ...(process.platform === 'linux' ? [] : ['CPU and memory: there is no /proc']),
      ...(availableParallelism() >= 2 ? [] : ['absolute times: one core is shared by the generator and all it measures']),
    ],
  };
}

/** Of what `ours` runs: sources may change and leave the version as it is. */
function digestBundle(): string {
  const dir = dirname(findInCheckout('dist/hourglass.js'));
  const files = existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\.m?js$/.test(name)) : [];
  const hash = createHash('sha256');
  for (const name of files.toSorted()) hash.update(readFileSync(join(dir, name)));
  return hash.digest('hex').slice(0, 12);
}

/** The same command whoever's machine it is, and whichever ports were free. */
function withoutPaths(command: string): string {
  const root = findInCheckout('tools/versions.json').replace(/tools\/versions\.json$/, '');
  return command
    .replaceAll(process.execPath, 'node')
    .replaceAll(root, '')
    .replaceAll(homedir(), '~')
    .replace(/(127\.0\.0\.1:)[1-9]\d*/g, '$1{port}');
}

/** In one step: a reader never sees half of it. */
function writeReport(outDir: string, draft: Draft): void {
  draft.finishedAt = new Date().toISOString();
  const path = join(outDir, 'report.json');
  writeFileSync(`${path}.part`, `${JSON.stringify(draft)}\n`);
  renameSync(`${path}.part`, path);
}
