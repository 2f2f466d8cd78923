import { TestbedError } from '../../src/testbed/testbed-error.ts';
import type { ChaosRun } from '../report.ts';
import { identifyRun } from '../run-record.ts';
import type { RunPlan } from './run-experiment.ts';
import { isTrouble } from './trouble.ts';

/** After so many runs in a row that the cluster did not come back from, the next one would only wait for it, too. */
const mostLost = 2;

/** The cluster does not come back: nothing more can be run. */
export class ClusterLost extends TestbedError {
  /** Those that ended early one after the other; they say nothing of what they were to show. */
  readonly runs: readonly ChaosRun[];

  constructor(runs: readonly ChaosRun[], why: string) {
    const ids = [...new Set(runs.map(({ id }) => id))].join(' and ');
    super(`${ids}: ${runs.length} runs in a row ended early, and the cluster does not come back: ${why}; see what it lacks with kubectl`);
    this.runs = runs;
  }
}

interface Deeds {
  readonly run: (plan: RunPlan) => Promise<ChaosRun>;
  /** Takes back what the run before it may have left, and waits until all stands again. @throws TestbedError or KubeFault when it does not */
  readonly putRight: () => Promise<void>;
}

/** One run after the other, whatever becomes of one of them. */
export class Attempts {
  readonly #deeds: Deeds;
  readonly #signal: AbortSignal;
  #lost: readonly ChaosRun[] = [];

  constructor(deeds: Deeds, signal: AbortSignal) {
    this.#deeds = deeds;
    this.#signal = signal;
  }

  /**
   * A run that a call or the cluster failed is inconclusive: it ended early, which is nobody's verdict.
   *
   * @param keep told of the run in any case
   * @throws ClusterLost when the cluster has not come back from this run, nor from the one before; what is a bug; what interrupts
   */
  async make(plan: RunPlan, keep: (run: ChaosRun) => void): Promise<ChaosRun> {
    const beganMs = Date.now();
    try {
      const run = await this.#deeds.run(plan);
      this.#lost = [];
      keep(run);
      return run;
    } catch (error) {
      if (this.#signal.aborted || !isTrouble(error)) throw error;
      const failedMs = Date.now();
      const lack = await this.#putRight();
      const run = recordEarlyEnd(plan, { beganMs, failedMs, endedMs: Date.now() }, error.message, lack);
      keep(run);
      this.#lost = lack === undefined ? [] : [...this.#lost, run];
      if (lack !== undefined && this.#lost.length >= mostLost) throw new ClusterLost(this.#lost, lack);
      return run;
    }
  }

  /** @returns what stands in the way; undefined when all stands again */
  async #putRight(): Promise<string | undefined> {
    try {
      await this.#deeds.putRight();
      return undefined;
    } catch (error) {
      if (this.#signal.aborted || !isTrouble(error)) throw error;
      return error.message;
    }
  }
}

/** What is kept of a run that was not finished. All of its time counts as its fault's. Pure. */
function recordEarlyEnd(
  { experiment, round, attempt }: RunPlan,
  { beganMs, failedMs, endedMs }: { readonly beganMs: number; readonly failedMs: number; readonly endedMs: number },
  why: string,
  lack: string | undefined,
): ChaosRun {
  const times = { beganMs, askedMs: beganMs, feltMs: beganMs, healedMs: failedMs, endedMs };
  const back = `${((endedMs - failedMs) / 1_000).toFixed(1)} s after it`;
  return {
    ...identifyRun(experiment, round, attempt),
    target: { performer: '', pods: [], nodes: [] },
    times: lack === undefined ? { ...times, convergedMs: endedMs } : times,
    verdict: 'inconclusive',
    findings: [
      { what: 'it ended early', says: 'unsure', detail: why },
      { what: 'as asked again', says: lack === undefined ? 'holds' : 'unsure', detail: lack ?? back },
    ],
    goals: experiment.bounds.map((bound) => ({ ...bound })),
    evaluated: {},
    load: [],
    pods: [],
    conditions: [],
  };
}
