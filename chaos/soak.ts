import { randomOf } from './choose.ts';
import type { Experiment } from './experiment.ts';
import type { LoadCall } from './observations.ts';
import type { ChaosReport, ChaosRun } from './report.ts';

/** Of tasks that no fault could touch, the share that must be answered. */
const leastShare = 0.999;
const longestPauseMs = 10_000;

/** One step of a random walk: a fault of the catalogue with a duration of its own, and for how long nothing happens before it. */
export interface SoakStep {
  readonly experiment: Experiment;
  readonly pauseMs: number;
}

/**
 * A step by the seed and its number and by nothing else, so that any of them can be done again alone. Pure.
 *
 * @param candidates of which there must be one or more
 * @param step from 1
 */
export function planSoakStep(candidates: readonly Experiment[], seed: number, step: number): SoakStep {
  const random = randomOf(`${seed} soak ${step}`);
  const sorted = candidates.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const drawn = sorted[Math.floor(random() * sorted.length)];
  if (drawn === undefined) throw new RangeError('soak: there is no experiment to choose from');
  const { smoke, full } = drawn.lastsMs;
  const leastMs = smoke ?? full / 2;
  const lastsMs = Math.min(full, leastMs + Math.round((random() * leastMs) / 2_000) * 1_000);
  // However long it lasts, not every statement is put to the test each time.
  return { experiment: { ...drawn, lastsMs: { full: lastsMs }, steady: [] }, pauseMs: Math.round(random() * longestPauseMs) };
}

export type Outside = NonNullable<ChaosReport['soak']>['outside'];

/** Tasks that were under way at no time between a fault and all being as asked again. Pure. */
export function countOutside(calls: readonly LoadCall[], runs: readonly Pick<ChaosRun, 'times'>[]): Outside {
  const isOutside = ({ atMs, tookMs }: LoadCall): boolean =>
    runs.every(({ times: { askedMs, convergedMs, endedMs } }) => atMs + tookMs < askedMs || atMs > (convergedMs ?? endedMs));
  const outside = calls.filter(isOutside);
  return { sent: outside.length, failed: outside.filter(({ kind }) => kind === 'failed').length };
}

const shareOf = ({ sent, failed }: Outside): number => (sent === 0 ? 0 : 1 - failed / sent);

/** A step that is open is told and no more; most of them are to be conclusive. Pure. */
export function judgeSoak({ runs, partialBecause }: ChaosReport, { outside }: NonNullable<ChaosReport['soak']>): ChaosRun['verdict'] {
  const count = (verdict: ChaosRun['verdict']): number => runs.filter((run) => run.verdict === verdict).length;
  if (count('failed') > 0 || (outside.sent > 0 && shareOf(outside) < leastShare)) return 'failed';
  return partialBecause === undefined && count('passed') > count('inconclusive') ? 'passed' : 'inconclusive';
}

/** In words, with how to do it again. Pure. */
export function describeSoak({ runs, seed }: ChaosReport, { minutes, fromStep, outside }: NonNullable<ChaosReport['soak']>): string {
  const wrong = runs.flatMap(({ round, id, findings }) =>
    findings.filter(({ says }) => says === 'fails').map(({ what, detail }) => `  step ${round + 1}, ${id}: ${what}: ${detail}`),
  );
  const open = runs.filter(({ verdict }) => verdict === 'inconclusive').length;
  return [
    `Soak of ${minutes} min, seed ${seed}, steps ${fromStep} to ${fromStep + runs.length - 1}: violations ${wrong.length}, ${open} of ${runs.length} steps inconclusive.`,
    `Outside of faults ${outside.sent} tasks, ${outside.failed} failed: ${(shareOf(outside) * 100).toFixed(3)} % answered, at least ${leastShare * 100} %.`,
    `One step again: --suite soak --seed ${seed} --minutes 1 --from-step STEP`,
    ...wrong,
  ].join('\n');
}
