import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, homedir, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../lib/seeded-random.ts';
import { formatElapsed, type ProgressReporter } from '../testbed/progress.ts';
import { ensureTool, findInCheckout, readVersions } from '../testbed/tools.ts';
import { BenchCluster } from './bench-cluster.ts';
import type { BenchReport, Block } from './bench-report.ts';
import { type BlockContext, type BlockPlan, NotReadyError, namespacesOf, runBlock } from './block.ts';
import { type OwnCluster, type OwnClusterOptions, startOwnCluster } from './own-cluster.ts';
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
  /** What is installed where it is missing. */
  readonly crd: object;
  readonly productVersion: string;
  readonly report: ProgressReporter;
  readonly signal: AbortSignal;
}

type Draft = { -readonly [Key in keyof BenchReport]: BenchReport[Key] };

/**
 * Runs every block and keeps `report.json` as it stands after each. What goes wrong with one block is told and marked; only what makes the
 * rest pointless ends the run, and then the report says that it is partial.
 *
 * @throws TestbedError when nothing can be measured at all
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const { report, subjects, scenarios, rounds, seed, kubeconfig, outDir, signal } = options;
  const k6 = await ensureTool('k6', report);
  mkdirSync(join(outDir, 'logs'), { recursive: true });
  const draft = startReport(options);
  const timed = planBlocks(scenarios, subjects, rounds, 'timed', createRandom(seed));
  // Counts hardly differ from run to run, but the log costs time: one round, on a cluster of its own.
  const counted = kubeconfig === undefined ? planBlocks(scenarios, subjects, 1, 'counted', createRandom(seed)) : [];
  const pace = new Pace([...timed, ...counted]);
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
    report.warn(`the results are partial: ${draft.partialBecause}`);
  }
  writeReport(outDir, draft);
  return draft;
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

/** Rounds, in each every scenario, in each every subject in an order drawn anew, so that no one always comes first. */
export function planBlocks(
  scenarios: readonly Scenario[],
  subjects: readonly Subject[],
  rounds: number,
  kind: Block['kind'],
  random: () => number,
): readonly BlockPlan[] {
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    scenarios.flatMap((scenario) => shuffle(subjects, random).map((subject) => ({ scenario, subject, round, kind }))),
  );
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, drawn: random() }))
    .toSorted((a, b) => a.drawn - b.drawn)
    .map(({ item }) => item);
}

/** Gives a cluster, and takes everything down again whatever happens. */
async function onCluster(options: BenchOptions, audit: boolean, use: (cluster: BenchCluster) => Promise<void>): Promise<void> {
  const { kubeconfig, crd, allowExisting } = options;
  const scratch = mkdtempSync(join(tmpdir(), 'hourglass-bench-'));
  let own: OwnCluster | undefined;
  let cluster: BenchCluster | undefined;
  try {
    if (kubeconfig === undefined) own = await startOwnCluster({ ...options, audit });
    cluster = await BenchCluster.open(kubeconfig ?? own?.embedded.kubeconfig ?? '', scratch, own);
    await cluster.prepare(crd, allowExisting);
    await use(cluster);
  } finally {
    if (own === undefined) await cluster?.removeNamespaces([...new Set(options.scenarios.flatMap(namespacesOf))]);
    cluster?.close();
    await own?.embedded.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function startReport({ profile, kubeconfig, seed, subjects, productVersion }: BenchOptions): Draft {
  const isOurs = kubeconfig === undefined;
  const { kubernetes, etcd, kwok, k6 } = readVersions();
  const now = new Date().toISOString();
  const elsewhere = ['calls of the operator: no access to the audit log', 'etcd writes: no access to its metrics'];
  return {
    version: 1,
    startedAt: now,
    finishedAt: now,
    seed,
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      system: `${type()} ${release()}`,
    },
    versions: { k6, node: process.versions.node, hourglass: productVersion, ...(isOurs ? { kubernetes, etcd, kwok } : {}) },
    cluster: isOurs ? { profile, etcdFsync: true } : { profile: 'given' },
    subjects: subjects.map(({ name, command }) => ({ name, command: withoutPaths(command) })),
    blocks: [],
    notMeasurable: [
      ...(isOurs ? elsewhere.slice(profile === 'nodes' ? 1 : 2) : elsewhere),
      ...(process.platform === 'linux' ? [] : ['CPU and memory: there is no /proc']),
      ...(availableParallelism() >= 2 ? [] : ['absolute times: one core is shared by the generator and all it measures']),
    ],
  };
}

/** The same command whoever's machine it is. */
function withoutPaths(command: string): string {
  const root = findInCheckout('tools/versions.json').replace(/tools\/versions\.json$/, '');
  return command.replaceAll(process.execPath, 'node').replaceAll(root, '').replaceAll(homedir(), '~');
}

/** In one step: a reader never sees half of it. */
function writeReport(outDir: string, draft: Draft): void {
  draft.finishedAt = new Date().toISOString();
  const path = join(outDir, 'report.json');
  writeFileSync(`${path}.part`, `${JSON.stringify(draft)}\n`);
  renameSync(`${path}.part`, path);
}

/** How long the rest takes: what is known of each scenario, and how this machine compares. */
class Pace {
  readonly #left: BlockPlan[];
  #plannedMs = 0;
  #spentMs = 0;

  constructor(plans: readonly BlockPlan[]) {
    this.#left = [...plans];
  }

  /** @param ms 0 for a block that was left out */
  tookMs(plan: BlockPlan, ms: number): void {
    this.#left.splice(this.#left.indexOf(plan), 1);
    if (ms === 0) return;
    this.#plannedMs += plan.scenario.seconds * 1_000;
    this.#spentMs += ms;
  }

  describeLeft(): string {
    const ratio = this.#plannedMs === 0 ? 1 : this.#spentMs / this.#plannedMs;
    return `about ${formatElapsed(this.#left.reduce((sum, { scenario }) => sum + scenario.seconds * 1_000 * ratio, 0))} left`;
  }
}
