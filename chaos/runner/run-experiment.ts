import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeTimers } from '../../src/testbed/nodes/node-plan.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { type Lab, until } from '../cluster/lab.ts';
import type { Load } from '../cluster/load.ts';
import { startRecorder } from '../cluster/recorder.ts';
import { chaosNamespace, type Experiment, isTestbedFault, load as loadShape, performerNames, type SuiteName } from '../experiment.ts';
import { lastsIn } from '../experiments/catalogue.ts';
import { feelLimitMs } from '../experiments/timers.ts';
import type { Met, Observations } from '../observations.ts';
import { type Felt, feel } from '../probe.ts';
import type { Targets } from '../render.ts';
import type { ChaosRun } from '../report.ts';
import { recordRun } from '../run-record.ts';
import type { Trace } from '../trace/trace.ts';
import { aim, askedOf } from './aim.ts';
import { hold, type Injection, type Said } from './injection.ts';
import type { Journal } from './journal.ts';
import { healJournal } from './leftovers.ts';
import { untilListening } from './listening.ts';
import { meshInjection } from './mesh-injection.ts';
import { restoreService } from './service-fault.ts';
import { setUp } from './set-up.ts';
import { ask, isSteady, unaskLeftovers } from './stage.ts';
import { type Means, testbedInjection } from './testbed-injection.ts';
import { tellTrouble } from './trouble.ts';

export interface Stage {
  readonly lab: Lab;
  readonly load: Load;
  readonly nodes: readonly string[];
  readonly timers: NodeTimers;
  readonly journal: Journal;
  readonly report: ProgressReporter;
  readonly signal: AbortSignal;
  /** Where what a run leaves is kept. */
  readonly keepTrace: (name: string, trace: Trace) => void;
}

export interface RunPlan {
  readonly experiment: Experiment;
  readonly suite: SuiteName;
  readonly seed: number;
  readonly round: number;
  readonly attempt: number;
  readonly judgesTimes: boolean;
}

/** An operator's Lease is seen to be renewed twice at least. */
const baselineMs = 6_000;
const quietMs = 6_000;
/** After all is as asked, an operator may have a last word about it. */
const lastWordMs = 1_000;
/** By then the first tasks that a fault cost have been told of. */
const heardMs = loadShape.deadlineMs + 1_000;

/**
 * One experiment from a steady state to a steady state.
 *
 * @throws TestbedError or KubeFault when there is none to begin with, or the cluster fails a call; what was injected is then taken back as
 *   far as it goes, and the journal has the rest
 */
export async function runExperiment(stage: Stage, plan: RunPlan): Promise<ChaosRun> {
  const { lab, journal, report } = stage;
  const { experiment, seed, round } = plan;
  report.update('setting up');
  // The end of the run before it may have had no API server to speak to.
  await healJournal(lab, journal, report);
  const { means, clear } = await setUp(lab, experiment.fault, journal, askedOf(experiment.id, round), seed);
  try {
    return await runFrom(stage, plan, means);
  } finally {
    report.update('clearing up');
    await unaskLeftovers(lab).catch(tellTrouble(report));
    await clear().catch(tellTrouble(report));
  }
}

async function runFrom(stage: Stage, plan: RunPlan, means: Means): Promise<ChaosRun> {
  const { lab, load, nodes, report, signal } = stage;
  const { experiment, seed, round, attempt, judgesTimes } = plan;
  const { fault } = experiment;
  const steady = (limitMs: number): Promise<void> => until('a steady state', () => isSteady(lab, load, nodes), limitMs, signal);
  // Of a task that is lost one hears only when its time is over.
  const steadyAfter = (fromMs: number, limitMs: number): Promise<void> =>
    until('a steady state', async () => Date.now() >= fromMs + heardMs && (await isSteady(lab, load, nodes)), limitMs, signal);
  report.update('waiting for a steady state');
  await steady(experiment.convergesMs + 60_000).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new TestbedError(
      `experiment ${experiment.id}: no steady state to begin with (${load.unrest().join('; ') || 'Performers or nodes are not ready'})`,
      { cause: error },
    );
  });
  report.update('waiting until Chaos Mesh listens');
  await untilListening(lab, experiment, signal);
  signal.throwIfAborted();
  const beganMs = Date.now();
  const recorder = await startRecorder(lab, chaosNamespace, lab.subject.operator, (change) => load.onChange(change));
  // The log is long: it is read while the fault lasts only where it alone tells of it.
  const readRequests = (): Observations['requests'] => (fault.kind === 'api-squeeze' ? recorder.readLog().requests : undefined);
  const loaded = () => ({ ...recorder.seen(), calls: load.calls(beganMs), begun: load.begun(beganMs), hangUps: load.hangUps(beganMs) });
  const seen = (): Observations => ({ ...loaded(), writes: undefined, requests: readRequests() });
  try {
    report.update('baseline');
    await sleep(baselineMs, undefined, { signal });
    const { met, targets } = await aim(lab, experiment, seed, round);
    const injection = await prepare(stage, plan, met, targets, means);
    const metNow = (): Met => ({ ...met, pods: [...met.pods, ...(injection.alsoMet?.() ?? [])] });
    const askedMs = Date.now();
    report.update(
      `injecting: ${experiment.title} (${met.pods.map(({ name }) => name).join()}${met.nodes.length === 0 ? '' : ` on ${met.nodes.join()}`})`,
    );
    const inflicted = await inflict(stage, plan, injection, metNow, seen, askedMs);
    report.update('waiting until all is as asked');
    const convergedMs = await steadyAfter(inflicted.healedMs, experiment.convergesMs).then(
      () => Date.now(),
      () => undefined,
    );
    signal.throwIfAborted();
    report.update('quiet');
    await sleep(quietMs, undefined, { signal });
    await load.catchUp(beganMs);
    const endedMs = Date.now();
    const { trace, ...logged } = recorder.readLog();
    if (trace !== undefined) stage.keepTrace(`${experiment.id.toLowerCase()}-${round}-${attempt}`, trace);
    const whole: Observations = { ...loaded(), ...logged };
    const felt = feel(fault, whole, metNow(), askedMs, inflicted.endsMs);
    const times = { beganMs, askedMs, feltMs: felt.atMs ?? askedMs, healedMs: inflicted.healedMs, convergedMs, endedMs };
    const quietFromMs = (convergedMs ?? endedMs) + lastWordMs;
    const { injected, recovered } = inflicted;
    return recordRun({
      subject: lab.subject,
      experiment,
      round,
      attempt,
      judgesTimes,
      met: metNow(),
      times,
      quietFromMs,
      seen: whole,
      trace,
      injected,
      felt,
      recovered,
    });
  } finally {
    recorder.stop();
    if (fault.kind === 'service') for (const name of performerNames) await restoreService(lab, name).catch(tellTrouble(report));
  }
}

interface Inflicted {
  readonly injected: Said;
  readonly recovered: Said;
  /** Until when it must have been felt. */
  readonly endsMs: number;
  readonly healedMs: number;
}

/** Injects, holds and heals; heals also when it is interrupted. */
async function inflict(
  stage: Stage,
  plan: RunPlan,
  injection: Injection,
  metNow: () => Met,
  seen: () => Observations,
  askedMs: number,
): Promise<Inflicted> {
  const { lab, report, signal } = stage;
  const { experiment, suite } = plan;
  const lastsMs = lastsIn(experiment, suite);
  let injected: Said = { holds: false, detail: 'it was not asked for' };
  let felt: Felt = { atMs: undefined, detail: '' };
  const heal = async (): Promise<Said> => {
    report.update('healing');
    const recovered = await injection.heal();
    if (!recovered.holds) report.warn(`${experiment.id}: not taken back: ${recovered.detail}`);
    return recovered;
  };
  try {
    signal.throwIfAborted();
    await injection.inject(signal);
    const isThere = async (): Promise<boolean> => {
      injected = injected.holds ? injected : await injection.status();
      felt = feel(experiment.fault, seen(), metNow(), askedMs, Date.now());
      return injected.holds && felt.atMs !== undefined;
    };
    await until('the fault to be felt', isThere, feelLimitMs[stage.timers], signal).catch(() => signal.throwIfAborted());
    if (!injected.holds || felt.atMs === undefined) report.warn(`${experiment.id}: ${injected.holds ? felt.detail : injected.detail}`);
    const { asked } = metNow();
    if (asked !== undefined) await ask(lab, asked);
    const feltMs = felt.atMs ?? askedMs;
    // What is not there need not be held.
    if (injected.holds && felt.atMs !== undefined) {
      report.update(`holding for ${lastsMs / 1_000} s`);
      await hold(injection, feltMs + lastsMs - Date.now(), signal);
    }
    // What goes on meeting others was not all there at first.
    if (injected.holds && injection.alsoMet !== undefined) injected = await injection.status();
    const endsMs = Date.now();
    const recovered = await heal();
    return { injected, recovered, endsMs, healedMs: lastsMs === 0 ? feltMs : Date.now() };
  } catch (error) {
    await heal().catch(tellTrouble(report));
    throw error;
  }
}

async function prepare(
  { lab }: Stage,
  { experiment, suite, seed, round, attempt }: RunPlan,
  met: Met,
  targets: Targets,
  means: Means,
): Promise<Injection> {
  const lastsMs = lastsIn(experiment, suite);
  const { fault } = experiment;
  if (isTestbedFault(fault)) return await testbedInjection(lab, fault, met, means);
  const name = `${experiment.id.toLowerCase()}-${round}-${attempt}`;
  return meshInjection(lab, { experiment, lastsMs, name, targets, aimAgain: () => aim(lab, experiment, seed, round) });
}
