import type { RunPlan } from './run-plan.ts';

/** How fast the clock of each operator runs: of those that watch in their order, then of the CronJob. Pure. */
export function clockRatesOf({ mode, operators, clockRate, clockRates }: RunPlan): readonly number[] {
  const count = (mode === 'once' ? 0 : operators) + (mode === 'watch' ? 0 : 1);
  return Array.from({ length: count }, (_, index) => clockRates?.[index] ?? clockRate);
}
