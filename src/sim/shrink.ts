import { keyText } from '../kube/objects.ts';
import { clockRatesOf } from './clock-rates.ts';
import { type RunResult, runPlan } from './run.ts';
import type { Mode, RunPlan } from './run-plan.ts';

export interface Shrunk {
  readonly plan: RunPlan;
  readonly result: RunResult;
  readonly runs: number;
}

/**
 * A smaller plan that violates the same oracle: fewer faults, then fewer Performers, then less around them, then less time. Greedy, halves first.
 *
 * @param budget runs at most
 */
export async function shrinkPlan(
  plan: RunPlan,
  oracle: string,
  budget: number,
  onProgress: (plan: RunPlan) => void = () => undefined,
): Promise<Shrunk> {
  let best = plan;
  let result = await runPlan(plan);
  let runs = 1;
  const attempt = async (smaller: RunPlan): Promise<boolean> => {
    if (runs >= budget) return false;
    runs += 1;
    const now = await runPlan(smaller);
    if (!now.violations.some((violation) => violation.oracle === oracle)) return false;
    best = smaller;
    result = now;
    onProgress(best);
    return true;
  };
  const thin = async <T>(
    read: (plan: RunPlan) => readonly T[],
    without: (plan: RunPlan, gone: ReadonlySet<T>) => RunPlan,
  ): Promise<void> => {
    for (let size = Math.ceil(read(best).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < read(best).length; ) {
        const gone = new Set(read(best).slice(from, from + size));
        if (!(await attempt(without(best, gone)))) from += size;
      }
    }
  };
  for (let before = -1; before !== runs && runs < budget; ) {
    const from = best;
    before = runs;
    await thin(
      ({ faults }) => faults,
      (from, gone) => ({ ...from, faults: from.faults.filter((step) => !gone.has(step)) }),
    );
    await thin(namesOf, (from, gone) => ({ ...from, users: from.users.filter((step) => !gone.has(subjectOf(step))) }));
    await thin(
      ({ users }) => users,
      (from, gone) => ({ ...from, users: from.users.filter((step) => !gone.has(step)) }),
    );
    for (const part of ['operators', 'fronts', 'nodes'] as const) {
      const least = part === 'nodes' ? 3 : 1;
      if (best[part] > least) await attempt({ ...best, [part]: least });
    }
    const { clockRates: _rates, ...plain } = best;
    if (clockRatesOf(best).some((rate) => rate !== 1)) await attempt({ ...plain, clockRate: 1 });
    if (best.timings !== 'fast') await attempt({ ...best, timings: 'fast' });
    for (const mode of modes.slice(0, modes.indexOf(best.mode))) if (await attempt({ ...best, mode })) break;
    for (let place = 0; place < best.faults.length; place += 1) {
      for (let shorter = withHalf(best, place); shorter !== undefined && (await attempt(shorter)); ) shorter = withHalf(best, place);
    }
    const activeMs = lastMs(best) + afterMs;
    if (activeMs < best.activeMs) await attempt({ ...best, activeMs });
    if (best === from) break;
  }
  return { plan: best, result, runs };
}

/** The plainer ones first. */
const modes: readonly Mode[] = ['watch', 'once', 'both'];
/** What the last step of a plan brings about has this long until all is healed. */
const afterMs = 15_000;
/** No fault is made shorter than this. */
const shortestMs = 2_000;

/** The plan with one of its faults lasting half as long; undefined where it lasts no time, or hardly any. */
function withHalf(plan: RunPlan, place: number): RunPlan | undefined {
  const step = plan.faults[place];
  if (step === undefined || !('forMs' in step) || step.forMs < 2 * shortestMs) return undefined;
  return { ...plan, faults: plan.faults.with(place, { ...step, forMs: Math.floor(step.forMs / 2) }) };
}

function lastMs({ users, faults }: RunPlan): number {
  return Math.max(0, ...[...users, ...faults].map((step) => ('atMs' in step ? step.atMs + ('forMs' in step ? step.forMs : 0) : 0)));
}

function subjectOf(step: RunPlan['users'][number]): string {
  return 'key' in step ? keyText(step.key) : step.namespace;
}

function namesOf(plan: RunPlan): readonly string[] {
  return [...new Set(plan.users.map(subjectOf))];
}
