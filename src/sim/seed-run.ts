import { type RunResult, runPlan } from './run.ts';
import type { RunPlan } from './run-plan.ts';
import { type SeedResult, seedResultOf } from './summary.ts';

/**
 * What the plan of a seed comes to, whatever happens: a simulator that throws is a violation like another.
 *
 * @param isTwice runs it twice, and both must come to the same
 * @param run what runs a plan
 */
export async function runSeed(
  plan: RunPlan,
  { isTwice }: { readonly isTwice: boolean },
  run: (plan: RunPlan) => Promise<RunResult> = runPlan,
): Promise<SeedResult> {
  try {
    const result = seedResultOf(plan, await run(plan));
    const again = isTwice ? (await run(plan)).hash : result.hash;
    if (again === result.hash) return result;
    const message = `ran twice: trace hash ${result.hash}, then ${again}`;
    return { ...result, violations: [...result.violations, { oracle: 'B4', atMs: 0, key: `seed ${plan.seed}`, message }] };
  } catch (error) {
    return unendedSeed(plan.seed, `the run threw: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Of a seed that came to no end: nothing is known of it but that. */
export function unendedSeed(seed: number, message: string): SeedResult {
  const nothing = { hash: '', performers: 0, writes: 0, faults: {}, simulatedMs: 0, evaluated: {}, states: [] };
  return { seed, ...nothing, violations: [{ oracle: 'B3', atMs: 0, key: `seed ${seed}`, message }] };
}
