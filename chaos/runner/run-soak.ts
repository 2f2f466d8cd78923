import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../experiment.ts';
import type { ChaosRun } from '../report.ts';
import { countOutside, type Outside, planSoakStep } from '../soak.ts';
import { runExperiment, type Stage } from './run-experiment.ts';

export interface SoakPlan {
  /** No step begins later. */
  readonly minutes: number;
  /** From 1. */
  readonly fromStep: number;
}

/**
 * One step after the other until the time is over; the last one is finished.
 *
 * @param keep told after each step, with what was answered outside of all faults so far
 */
export async function runSoak(
  stage: Stage,
  experiments: readonly Experiment[],
  { minutes, fromStep, seed, judgesTimes }: SoakPlan & { readonly seed: number; readonly judgesTimes: boolean },
  keep: (run: ChaosRun, outside: Outside) => void,
): Promise<void> {
  const beganMs = Date.now();
  const runs: ChaosRun[] = [];
  for (let step = fromStep; Date.now() - beganMs < minutes * 60_000; step += 1) {
    const { experiment, pauseMs } = planSoakStep(experiments, seed, step);
    stage.report.step(`Step ${step} · ${experiment.id} · ${experiment.title}`);
    await sleep(pauseMs, undefined, { signal: stage.signal });
    const run = await runExperiment(stage, { experiment, suite: 'soak', seed, round: step - 1, attempt: 1, judgesTimes });
    runs.push(run);
    keep(run, countOutside(stage.load.calls(beganMs), runs));
  }
}
