import { keyText } from '../kube/objects.ts';
import { type RunResult, runPlan } from './run.ts';
import type { RunPlan } from './run-plan.ts';

export interface Shrunk {
  readonly plan: RunPlan;
  readonly result: RunResult;
  readonly runs: number;
}

/**
 * A smaller plan that violates the same oracle: fewer faults, then fewer Performers, then less around them. Greedy, halves first.
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
    const size = sizeOf(best);
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
    for (const part of ['operators', 'fronts', 'nodes'] as const)
      if (best[part] > 1) await attempt({ ...best, [part]: part === 'nodes' ? 3 : 1 });
    if (sizeOf(best) === size) break;
  }
  return { plan: best, result, runs };
}

function sizeOf({ faults, users, operators, fronts, nodes }: RunPlan): number {
  return faults.length + users.length + operators + fronts + nodes;
}

function subjectOf(step: RunPlan['users'][number]): string {
  return 'key' in step ? keyText(step.key) : step.namespace;
}

function namesOf(plan: RunPlan): readonly string[] {
  return [...new Set(plan.users.map(subjectOf))];
}
