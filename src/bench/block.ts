import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestbedError } from '../testbed/testbed-error.ts';
import { findInCheckout } from '../testbed/tools.ts';
import { type Aftermath, findNextPod, measureDeletion, measureOnce, measureRest, measureRestart } from './afterwards.ts';
import { countCalls, subtractCounts } from './audit-calls.ts';
import type { BenchCluster } from './bench-cluster.ts';
import { buildPerformer } from './bench-lines.ts';
import type { Block } from './bench-report.ts';
import { type Command, startCommand } from './command.ts';
import { type LoadOptions, type LoadRun, runLoad } from './load-run.ts';
import type { Sample } from './observer.ts';
import { type Afterwards, afterwardsOf, type Scenario, settleSeconds } from './scenarios.ts';
import { median } from './statistics.ts';
import type { Subject } from './subjects.ts';
import { startTasks } from './task-load.ts';
import { UsageMeter } from './usage.ts';

export interface BlockPlan {
  readonly scenario: Scenario;
  readonly subject: Subject;
  readonly round: number;
  readonly kind: Block['kind'];
}

export interface BlockContext {
  readonly cluster: BenchCluster;
  readonly k6: string;
  /** For logs and lines of this run. */
  readonly logDir: string;
  /** Of the pods; one that the cluster's nodes can run. */
  readonly image: string;
  /** How long etcd must be quiet before a block. */
  readonly quietMs: number;
  readonly signal: AbortSignal;
  readonly update: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** An operator that does not work: to try it again in every scenario would only take time. */
export class NotReadyError extends TestbedError {}

const readyWithinMs = 60_000;
const loadTimeoutSeconds = 300;
/** Garbage collectors are slow, and API servers take a few a second from a client that fills them. */
const cleanWithinMs = ({ present = 0 }: Scenario): number => 120_000 + present * 100;
const loadWithinSeconds = ({ present = 0 }: Scenario): number => loadTimeoutSeconds + present / 10;
/** Writes that a load causes and that come after its last answer: endpoints, Events. */
const trailMs = 1_000;

/** One subject under one load: fresh operator, then the load, then everything is deleted. @throws NotReadyError when the subject never works */
export async function runBlock(plan: BlockPlan, context: BlockContext): Promise<Block> {
  const { scenario, subject, round, kind } = plan;
  const { cluster, update, signal } = context;
  const startedAt = new Date();
  const name = `${scenario.name}-${subject.name}-${round}-${kind}`.replace(/[^\w.-]/g, '_');
  const namespaces = namespacesOf(scenario);
  update('starting the operator');
  await cluster.makeNamespaces(namespaces);
  const start = (): Command =>
    startCommand(['sh', '-c', subject.command], { KUBECONFIG: cluster.kubeconfig }, join(context.logDir, `${name}-operator.log`));
  const running = { operator: start() };
  try {
    const probeMs = await probe(running.operator, namespaces[0] ?? '', context);
    update('waiting for a quiet cluster');
    if (!(await cluster.waitQuiet(context.quietMs))) context.warn(`${name}: the cluster was not quiet before it`);
    const measured = await measure(plan, context, name, { running, start });
    const figures = { 'start to first Performer ready ms': probeMs, ...measured.figures };
    return { scenario: scenario.name, subject: subject.name, round, kind, startedAt: startedAt.toISOString(), ...measured, figures };
  } finally {
    update('deleting what it made');
    const left = await cluster.clean(namespaces, cleanWithinMs(scenario), signal).catch(String);
    if (left !== undefined) context.warn(`${name}: the operator did not remove ${left}`);
    await running.operator.stop();
  }
}

/** Where a scenario's Performers live; they stay until all blocks have run. */
export function namespacesOf({ namespaces = 1 }: Scenario): readonly string[] {
  return Array.from({ length: namespaces }, (_, index) => `hourglass-bench-${index}`);
}

/** Whether the operator works at all: one Performer becomes ready and goes again. @returns milliseconds until it was ready */
async function probe(operator: Command, namespace: string, { cluster, image, signal }: BlockContext): Promise<number> {
  const startMs = performance.now();
  const path = `/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/${namespace}/performers`;
  await cluster.calls.ask('POST', path, buildPerformer(`${namespace}/probe`, image, Date.now()));
  let death: string | undefined;
  void operator.ended.then((how) => {
    death = how;
  });
  const until = async (holds: () => Promise<boolean>, what: string): Promise<void> => {
    while (!(await holds())) {
      signal.throwIfAborted();
      if (death !== undefined) throw new NotReadyError(`the operator ended (${death}) before it was ready`);
      if (performance.now() - startMs > readyWithinMs) throw new NotReadyError(`${what} not within ${readyWithinMs / 1_000} s`);
      await sleep(20);
    }
  };
  const isReady = async (): Promise<boolean> => {
    const { status } = await cluster.calls.ask<{ readonly status?: { readonly ready?: boolean } }>('GET', `${path}/probe`);
    return status?.ready === true;
  };
  await until(isReady, 'its first Performer was ready');
  const tookMs = performance.now() - startMs;
  const left = await cluster.clean([namespace], readyWithinMs, signal);
  if (left !== undefined) throw new NotReadyError(`${left} of the first Performer did not go within ${readyWithinMs / 1_000} s`);
  return tookMs;
}

const takeAfterwards: Readonly<Record<Afterwards, (aftermath: Aftermath) => Promise<Readonly<Record<string, number>>>>> = {
  rest: (aftermath) => measureRest(aftermath, 60_000),
  restart: measureRestart,
  once: (aftermath) => measureOnce(aftermath, 10),
  delete: measureDeletion,
};

type Measured = Omit<Block, 'scenario' | 'subject' | 'round' | 'kind' | 'startedAt'>;

async function measure(
  { scenario, subject, kind }: BlockPlan,
  context: BlockContext,
  name: string,
  { running, start }: Pick<Aftermath, 'running' | 'start'>,
): Promise<Measured> {
  const { cluster, update, signal, image } = context;
  let killedAtMs: number | undefined;
  const killOnce = (): void => {
    killedAtMs = Date.now();
    running.operator.kill('SIGKILL');
    running.operator = start();
    watchOver(running.operator);
  };
  // Without its operator a load would only wait for its time to be over.
  const died = new AbortController();
  const watchOver = (operator: Command): void =>
    void operator.ended.then((how) => {
      if (running.operator === operator) died.abort(`the operator ended (${how})`);
    });
  watchOver(running.operator);
  const [namespace = ''] = namespacesOf(scenario);
  if (scenario.tasks === true) update('waiting for tasks to be answered');
  const tasks =
    scenario.tasks === true ? await startTasks({ ...context, namespace, logPath: join(context.logDir, `${name}-tasks.log`) }) : undefined;
  let meter: UsageMeter | undefined;
  let writesBefore: Promise<number | undefined> = Promise.resolve(undefined);
  // It is a long page: where counts have blocks of their own, timed ones are spared it.
  const seesRequests = kind === 'counted' || !cluster.isOurs;
  const lookAtRequests = async () => (seesRequests ? await cluster.requests().catch(() => undefined) : undefined);
  let requestsBefore: ReturnType<typeof lookAtRequests> = Promise.resolve(undefined);
  const load: LoadOptions = {
    k6: [...cluster.inside.prefix, context.k6],
    script: findInCheckout(`k6/scenarios/${scenario.script}.ts`),
    env: {
      ...cluster.k6Env,
      BENCH_LINES: '1',
      BENCH_KEEP: '1',
      BENCH_COUNT: String(scenario.count),
      BENCH_PRESENT: String(scenario.present ?? 0),
      BENCH_QUIET_SECONDS: String(settleSeconds(scenario.present ?? 0)),
      BENCH_ARRIVALS: scenario.arrivals,
      BENCH_NAMESPACES: namespacesOf(scenario).join(','),
      BENCH_TIMEOUT_SECONDS: String(loadWithinSeconds(scenario)),
      BENCH_IMAGE: image,
    },
    linesPath: join(context.logDir, `${name}-lines.jsonl`),
    logPath: join(context.logDir, `${name}-k6.log`),
    signal: AbortSignal.any([signal, died.signal]),
    onBegin: (generator) => {
      meter = new UsageMeter({ ...cluster.processes, operator: () => running.operator.pids(), generator: () => generator.pids() });
      writesBefore = cluster.etcdWrites();
      requestsBefore = lookAtRequests();
      if (scenario.script === 'update') void tasks?.change(`${image}-next`).catch((error: unknown) => context.warn(String(error)));
    },
    onProgress: (samples, requests) => {
      update(describeProgress(samples, requests));
      if (scenario.kill === true && killedAtMs === undefined && requests > 0 && samples.length >= requests / 2) killOnce();
    },
  };
  const run = await runLoad(load).catch(async (error: unknown) => {
    await tasks?.stop();
    throw error;
  });
  const taskFigures = (await tasks?.stop()) ?? {};
  // What comes afterwards may end it on purpose.
  const death = died.signal.aborted ? String(died.signal.reason) : undefined;
  // Two processes in turn are not one.
  const { operator: ofOperator, ...ofOthers }: Block['usage'] = meter?.stop() ?? {};
  const usage: Block['usage'] = { ...ofOthers, ...(ofOperator === undefined || killedAtMs !== undefined ? {} : { operator: ofOperator }) };
  await sleep(trailMs);
  const [before, after] = [await writesBefore, await cluster.etcdWrites()];
  const [requestsFrom, requestsTo] = [await requestsBefore, await lookAtRequests()];
  const calls = kind === 'counted' ? await countCalls(cluster.auditLog, run.beganAtMs, Date.now()) : undefined;
  const aftermath = { cluster, subject, namespace, image, performers: run.requests, running, start, signal };
  const next = signal.aborted || death !== undefined ? undefined : afterwardsOf(scenario, kind);
  if (next !== undefined) update(`afterwards: ${next}`);
  const afterwards = next === undefined ? {} : await takeAfterwards[next](aftermath);
  const wallMs = run.endedAtMs - run.beganAtMs;
  const voidBecause = death ?? run.voidBecause ?? findLimit(usage.generator?.cpuMs, wallMs);
  return {
    wallMs,
    performers: run.requests,
    ...(voidBecause === undefined ? {} : { voidBecause }),
    ...gather(run),
    usage,
    ...(calls === undefined ? {} : { calls }),
    ...(requestsFrom === undefined || requestsTo === undefined ? {} : { requests: subtractCounts(requestsTo, requestsFrom) }),
    ...(before === undefined || after === undefined ? {} : { etcdWrites: after - before }),
    figures: {
      'requests late ms': run.lateMs,
      ...taskFigures,
      ...afterwards,
      ...(killedAtMs === undefined ? {} : findNextPod(run.samples, killedAtMs)),
    },
  };
}

/** A generator that needs most of a core measures itself. */
function findLimit(cpuMs: number | undefined, wallMs: number): string | undefined {
  const share = (cpuMs ?? 0) / wallMs;
  return share > 0.8 ? `the generator used ${Math.round(share * 100)} % of a core: it was the limit` : undefined;
}

/** Samples by phase, in the order of the requests. Of a churn the deletions are left their own phases: both kinds are acknowledged. Pure. */
export function gather({ samples, beganAtMs }: Pick<LoadRun, 'samples' | 'beganAtMs'>): Pick<Block, 'phases' | 'doneAtMs'> {
  const phases: Record<string, number[]> = {};
  const isMixed = new Set(samples.map(({ ask }) => ask)).size > 1;
  for (const sample of samples) {
    // Of a deletion the last phase counts, whichever that is: one that is not over has none.
    if (sample.ask === 'delete' && !sample.complete) continue;
    for (const [phase, ms] of Object.entries(sample.phases)) {
      if (isMixed && sample.ask === 'delete' && phase === 'acknowledged') continue;
      phases[phase] ??= [];
      phases[phase].push(ms);
    }
  }
  const doneAtMs = samples.flatMap(({ complete, askedAtMs, phases: reached }) => {
    const { 'without a ready pod': _, ...times } = reached;
    return complete ? [askedAtMs - beganAtMs + Math.max(...Object.values(times))] : [];
  });
  return { phases, doneAtMs };
}

function describeProgress(samples: readonly Sample[], requests: number): string {
  if (requests === 0) return 'preparing the load';
  const done = samples.filter(({ complete }) => complete);
  const last = done.map(({ phases }) => phases['status ready'] ?? phases['pod gone'] ?? phases['old pod gone'] ?? Number.NaN);
  const p50 = done.length === 0 ? '' : ` · p50 ${Math.round(median(last))} ms`;
  return `${done.length}/${requests}${p50}`;
}
