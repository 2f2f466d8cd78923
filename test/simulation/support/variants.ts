import { type FaultStep, writeFaultIds } from '../../../src/sim/faults/faults.ts';
import { type RunResult, runPlan } from '../../../src/sim/run.ts';
import type { Mode, RunPlan } from '../../../src/sim/run-plan.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';
import { tellStory } from '../../../src/sim/story.ts';

/** What a run without faults of its own does: the places at which single faults are tried. */
export interface Probe {
  readonly name: string;
  readonly plan: RunPlan;
  readonly writes: number;
  readonly steps: number;
  readonly seen: number;
}

export async function probeScenarios(mode: Mode): Promise<readonly Probe[]> {
  const probes: Probe[] = [];
  for (const { name, plan } of scenarios) {
    const own = { ...plan, mode };
    const result = await runPlan(own);
    probes.push({ name: `${name} (${mode})`, plan: own, writes: result.operatorWrites, steps: result.steps, seen: result.seen });
  }
  return probes;
}

export function everyWriteFault({ writes }: Probe): readonly FaultStep[] {
  return writeFaultIds.flatMap((id) => Array.from({ length: writes }, (_, index): FaultStep => ({ id, atWrite: index + 1 })));
}

export function everyStep({ steps }: Probe): readonly FaultStep[] {
  return Array.from({ length: steps }, (_, index): FaultStep => ({ id: 'crash-at-step', step: index + 1 }));
}

/** @returns a line per run that went wrong, with its story for the first of them */
export async function runVariants(
  probe: Probe,
  faults: readonly FaultStep[],
): Promise<{ readonly came: number; readonly wrong: readonly string[] }> {
  const wrong: string[] = [];
  let came = 0;
  for (const fault of faults) {
    const plan: RunPlan = { ...probe.plan, faults: [...probe.plan.faults, fault] };
    const result = await runPlan(plan);
    came += result.faults.get(fault.id) ?? 0;
    if (result.violations.length > 0) wrong.push(await describe(probe.name, fault, plan, result, wrong.length === 0));
  }
  return { came, wrong };
}

async function describe(name: string, fault: FaultStep, plan: RunPlan, result: RunResult, whole: boolean): Promise<string> {
  const [violation] = result.violations;
  if (violation === undefined) return '';
  const line = `${name} with ${JSON.stringify(fault)}: ${violation.oracle} ${violation.key}: ${violation.message}`;
  if (!whole) return line;
  const { lines } = await runPlan(plan, { keeps: 2_000 });
  return [line, ...tellStory(violation, lines, '')].join('\n');
}
