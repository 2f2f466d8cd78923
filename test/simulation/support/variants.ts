import { type Shape, shapeOf } from '../../../src/oracle/differential.ts';
import { besideFaultIds, type FaultStep, type WriteFaultId, writeFaultIds } from '../../../src/sim/faults/faults.ts';
import { type RunResult, runPlan, type SeenEvent } from '../../../src/sim/run.ts';
import type { Mode, RunPlan } from '../../../src/sim/run-plan.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';
import { tellStory } from '../../../src/sim/story.ts';
import { type Counts, countsOf, findUnexplained } from './counts.ts';

/** What a run without faults of its own does: the places at which single faults are tried, and the end they must not change. */
export interface Probe {
  readonly name: string;
  readonly scenario: string;
  readonly plan: RunPlan;
  /** All of them come before faults end. */
  readonly writes: number;
  /** Writes of Leases and Events. */
  readonly besideWrites: number;
  readonly steps: number;
  readonly seen: readonly SeenEvent[];
  readonly end: Shape;
  readonly counts: Counts;
}

/** More than the lines of any scenario. */
const keeps = 5_000;
/** Those that are tried once more with two operators before two API servers. */
const inPairs: readonly string[] = ['image', 'scale'];

export async function probeScenarios(mode: Mode): Promise<readonly Probe[]> {
  const probes: Probe[] = [];
  for (const { name, plan } of scenarios) {
    probes.push(await probe(name, `${name} (${mode})`, { ...plan, mode }));
    if (mode !== 'watch' || !inPairs.includes(name)) continue;
    probes.push(await probe(name, `${name} (${mode}, two operators)`, { ...plan, mode, operators: 2, fronts: 2 }));
  }
  return probes;
}

async function probe(scenario: string, name: string, plan: RunPlan): Promise<Probe> {
  const { operatorWrites: writes, besideWrites, steps, seen, view, lines } = await runPlan(plan, { keeps });
  const writesInTime = lines.filter(({ lane, atMs }) => lane === 'write' && atMs < plan.activeMs).length;
  // A write that comes after the faults have ended would be tried by none.
  if (writesInTime < writes) return await probe(scenario, name, { ...plan, activeMs: plan.activeMs + plan.onceEveryMs });
  return { name, scenario, plan, writes, besideWrites, steps, seen, end: shapeOf(view), counts: countsOf(lines) };
}

/** What can become of any write. */
export const fittingAll: readonly WriteFaultId[] = [
  'crash-before',
  'crash-after',
  'timeout-applied',
  'timeout-lost',
  'write-500',
  'write-503',
  'write-429',
  'write-forbidden',
  'write-invalid',
];

export function everyWriteFault({ writes }: Probe): readonly FaultStep[] {
  return writeFaultIds.flatMap((id) => Array.from({ length: writes }, (_, index): FaultStep => ({ id, atWrite: index + 1 })));
}

/** A Lease is renewed for as long as a run lasts: the first writes say what the others do. */
const besidePlaces = 10;

/** What can become of each of the first writes of a Lease or an Event. */
export function everyBesideFault({ besideWrites }: Probe): readonly FaultStep[] {
  const places = Array.from({ length: Math.min(besidePlaces, besideWrites) }, (_, index) => index + 1);
  return besideFaultIds.flatMap((id) => places.map((atBeside): FaultStep => ({ id, atBeside })));
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
  const isDeleted = probe.plan.users.some((step) => step.do === 'delete' || step.do === 'delete-namespace');
  for (const fault of faults) {
    const plan: RunPlan = { ...probe.plan, faults: [...probe.plan.faults, fault] };
    const result = await runPlan(plan, { endsAs: probe.end, keeps });
    came.set(fault.id, (came.get(fault.id) ?? 0) + (result.faults.get(fault.id) ?? 0));
    const unexplained = findUnexplained(probe.counts, countsOf(result.lines), probe.scenario, fault, isDeleted);
    wrong.push(...unexplained.map((line) => `${probe.name} with ${JSON.stringify(fault)}: D1 ${line}`));
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
