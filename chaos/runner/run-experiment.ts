import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { type Lab, until } from '../cluster/lab.ts';
import type { Load } from '../cluster/load.ts';
import { startRecorder } from '../cluster/recorder.ts';
import { chaosNamespace, type Experiment, performerNames, type SuiteName } from '../experiment.ts';
import { lastsIn } from '../experiments/catalogue.ts';
import type { Met, Observations } from '../observations.ts';
import { type Felt, feel } from '../probe.ts';
import { render, type Targets } from '../render.ts';
import type { ChaosRun } from '../report.ts';
import { recordRun } from '../run-record.ts';
import type { Trace } from '../trace/trace.ts';
import { aim, askedOf } from './aim.ts';
import { chaosMeshInjection, componentInjection, type Injection, type Said } from './injection.ts';
import type { Journal } from './journal.ts';
import { restoreService, serviceInjection } from './service-fault.ts';
import { ask, isSteady, unask } from './stage.ts';

export interface Stage {
  readonly lab: Lab;
  readonly load: Load;
  readonly nodes: readonly string[];
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

const baselineMs = 4_000;
/** Within which a fault must be injected and felt. */
const feelLimitMs = 20_000;
const quietMs = 6_000;
/** After all is as asked, an operator may have a last word about it. */
const lastWordMs = 1_000;
/** Chaos Mesh ends by itself what nobody is left to end. */
const deadManMs = 60_000;

/** One experiment from a steady state to a steady state. @throws TestbedError when there is none to begin with; whatever was injected is taken back */
export async function runExperiment(stage: Stage, plan: RunPlan): Promise<ChaosRun> {
  const { lab, load, nodes, report, signal } = stage;
  const { experiment, seed, round, attempt, judgesTimes } = plan;
  const steady = (limitMs: number): Promise<void> => until('a steady state', () => isSteady(lab, load, nodes), limitMs, signal);
  report.update('waiting for a steady state');
  await steady(experiment.convergesMs + 60_000).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new TestbedError(
      `experiment ${experiment.id}: no steady state to begin with (${load.unrest().join('; ') || 'Performers or nodes are not ready'})`,
      { cause: error },
    );
  });
  const beganMs = Date.now();
  const recorder = await startRecorder(lab, chaosNamespace, lab.subject.operator, (change) => load.onChange(change));
  const seen = (): Observations => ({ ...recorder.seen(), calls: load.calls(beganMs), begun: load.begun(beganMs), writes: undefined });
  try {
    report.update('baseline');
    await sleep(baselineMs, undefined, { signal });
    const { met, targets } = await aim(lab, experiment, seed, round);
    const injection = prepare(stage, plan, met, targets);
    const askedMs = Date.now();
    report.update(
      `injecting: ${experiment.title} (${met.pods.map(({ name }) => name).join()}${met.nodes.length === 0 ? '' : ` on ${met.nodes.join()}`})`,
    );
    const fault = await inflict(stage, plan, injection, met, seen, askedMs);
    report.update('waiting until all is as asked');
    const convergedMs = await steady(experiment.convergesMs).then(
      () => Date.now(),
      () => undefined,
    );
    signal.throwIfAborted();
    report.update('quiet');
    await sleep(quietMs, undefined, { signal });
    await load.catchUp(beganMs);
    const endedMs = Date.now();
    const whole: Observations = { ...seen(), writes: recorder.writes() };
    const trace = recorder.trace();
    if (trace !== undefined) stage.keepTrace(`${experiment.id.toLowerCase()}-${round}-${attempt}`, trace);
    const felt = feel(experiment.fault, whole, met, askedMs, fault.endsMs);
    const times = { beganMs, askedMs, feltMs: felt.atMs ?? askedMs, healedMs: fault.healedMs, convergedMs, endedMs };
    const quietFromMs = (convergedMs ?? endedMs) + lastWordMs;
    const { injected, recovered } = fault;
    return recordRun({
      subject: lab.subject,
      experiment,
      round,
      attempt,
      judgesTimes,
      met,
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
    if (experiment.fault.kind === 'service') for (const name of performerNames) await restoreService(lab, name);
    await unaskAll(stage, experiment, round);
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
  met: Met,
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
    await injection.inject();
    const isThere = async (): Promise<boolean> => {
      injected = injected.holds ? injected : await injection.status();
      felt = feel(experiment.fault, seen(), met, askedMs, Date.now());
      return injected.holds && felt.atMs !== undefined;
    };
    await until('the fault to be felt', isThere, feelLimitMs, signal).catch(() => signal.throwIfAborted());
    if (!injected.holds || felt.atMs === undefined) report.warn(`${experiment.id}: ${injected.holds ? felt.detail : injected.detail}`);
    if (met.asked !== undefined) await ask(lab, met.asked);
    const feltMs = felt.atMs ?? askedMs;
    // What is not there need not be held.
    if (injected.holds && felt.atMs !== undefined) {
      report.update(`holding for ${lastsMs / 1_000} s`);
      await sleep(Math.max(0, feltMs + lastsMs - Date.now()), undefined, { signal });
    }
    const endsMs = Date.now();
    const recovered = await heal();
    return { injected, recovered, endsMs, healedMs: lastsMs === 0 ? feltMs : Date.now() };
  } catch (error) {
    await heal();
    throw error;
  }
}

function prepare({ lab, journal }: Stage, { experiment, suite, round, attempt }: RunPlan, met: Met, targets: Targets): Injection {
  const lastsMs = lastsIn(experiment, suite);
  if (experiment.fault.kind === 'service') return serviceInjection(lab, met.performer, experiment.fault.does);
  if (experiment.fault.kind === 'control-plane') {
    const { part, does } = experiment.fault;
    if (lab.componentFaults === undefined)
      throw new TestbedError(
        `experiment ${experiment.id}: it needs a cluster of the testbed; leave it out, or run it without --kubeconfig`,
      );
    journal.add({ part, does });
    const injection = componentInjection(lab.componentFaults[does], part);
    const heal = async (): Promise<Said> => {
      const recovered = await injection.heal();
      if (recovered.holds) journal.remove({ part, does });
      return recovered;
    };
    return { ...injection, heal };
  }
  const name = `${experiment.id.toLowerCase()}-${round}-${attempt}`;
  return chaosMeshInjection(lab, render(experiment, targets, lastsMs + deadManMs, name), lastsMs > 0);
}

async function unaskAll({ lab, report }: Stage, experiment: Experiment, round: number): Promise<void> {
  await unask(lab, askedOf(experiment.id, round)).catch((error: unknown) => report.warn(String(error)));
}
