import { type Shape, shapeOf } from '../../../src/oracle/differential.ts';
import { type FaultStep, writeFaultIds } from '../../../src/sim/faults/faults.ts';
import { type RunResult, runPlan, type SeenEvent } from '../../../src/sim/run.ts';
import type { Mode, RunPlan } from '../../../src/sim/run-plan.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';
import { tellStory } from '../../../src/sim/story.ts';

/** What a run without faults of its own does: the places at which single faults are tried, and the end they must not change. */
export interface Probe {
  readonly name: string;
  readonly plan: RunPlan;
  readonly writes: number;
  readonly steps: number;
  readonly seen: readonly SeenEvent[];
  readonly end: Shape;
}

export async function probeScenarios(mode: Mode): Promise<readonly Probe[]> {
  const probes: Probe[] = [];
  for (const { name, plan } of scenarios) {
    const own = { ...plan, mode };
    const { operatorWrites: writes, steps, seen, view } = await runPlan(own);
    probes.push({ name: `${name} (${mode})`, plan: own, writes, steps, seen, end: shapeOf(view) });
  }
  return probes;
}

export function everyWriteFault({ writes }: Probe): readonly FaultStep[] {
  return writeFaultIds.flatMap((id) => Array.from({ length: writes }, (_, index): FaultStep => ({ id, atWrite: index + 1 })));
}

export function everyStep({ steps }: Probe): readonly FaultStep[] {
  return Array.from({ length: steps }, (_, index): FaultStep => ({ id: 'crash-at-step', step: index + 1 }));
}

/**
 * Each event that an operator watches for, unseen until each later write. A pair whose write was sent before its event is that with the
 * first write after it, and EndpointSlices are listed, not watched: both would be the same run again.
 */
export function everyBlockedEvent({ seen, writes }: Probe): readonly FaultStep[] {
  return seen.flatMap(({ order, kind, writes: sent }) =>
    kind === 'endpointSlices'
      ? []
      : Array.from({ length: writes - sent }, (_, later): FaultStep => {
          return { id: 'event-blocked', event: order, untilWrite: sent + later + 1 };
        }),
  );
}

export interface VariantsResult {
  /** How often each fault came. */
  readonly came: ReadonlyMap<FaultStep['id'], number>;
  /** A line per run that went wrong, with its story for the first of them. */
  readonly wrong: readonly string[];
}

export async function runVariants(probe: Probe, faults: readonly FaultStep[]): Promise<VariantsResult> {
  const wrong: string[] = [];
  const came = new Map<FaultStep['id'], number>();
  for (const fault of faults) {
    const plan: RunPlan = { ...probe.plan, faults: [...probe.plan.faults, fault] };
    const result = await runPlan(plan, { endsAs: probe.end });
    came.set(fault.id, (came.get(fault.id) ?? 0) + (result.faults.get(fault.id) ?? 0));
    if (result.violations.length > 0) wrong.push(await describe(probe, fault, plan, result, wrong.length === 0));
  }
  return { came, wrong };
}

async function describe({ name, end }: Probe, fault: FaultStep, plan: RunPlan, result: RunResult, whole: boolean): Promise<string> {
  const [violation] = result.violations;
  if (violation === undefined) return '';
  const line = `${name} with ${JSON.stringify(fault)}: ${violation.oracle} ${violation.key}: ${violation.message}`;
  if (!whole) return line;
  const { lines } = await runPlan(plan, { keeps: 2_000, endsAs: end });
  return [line, ...tellStory(violation, lines, '')].join('\n');
}
