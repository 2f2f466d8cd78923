import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../experiment.ts';
import type { ChaosRun } from '../report.ts';
import { countOutside, type Outside, planSoakStep } from '../soak.ts';
import type { Attempts } from './attempts.ts';
import type { Stage } from './run-experiment.ts';

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
  { load, report, signal }: Stage,
  attempts: Attempts,
  experiments: readonly Experiment[],
  { minutes, fromStep, seed, judgesTimes }: SoakPlan & { readonly seed: number; readonly judgesTimes: boolean },
  keep: (run: ChaosRun, outside: Outside) => void,
): Promise<void> {
  const beganMs = Date.now();
  const runs: ChaosRun[] = [];
  for (let step = fromStep; Date.now() - beganMs < minutes * 60_000; step += 1) {
    const { experiment, pauseMs } = planSoakStep(experiments, seed, step);
    report.step(`Step ${step} · ${experiment.id} · ${experiment.title}`);
    await sleep(pauseMs, undefined, { signal });
    await attempts.make({ experiment, suite: 'soak', seed, round: step - 1, attempt: 1, judgesTimes }, (run) => {
      runs.push(run);
      keep(run, countOutside(load.calls(beganMs), runs));
    });
  }
}
