import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FaultStep, momentFaultIds, spanFaultIds, writeFaultIds } from '../../../src/sim/faults/faults.ts';
import { parseRunFile } from '../../../src/sim/run-file.ts';
import type { Mode, RunPlan } from '../../../src/sim/run-plan.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';
import type { Catch } from './mutants.ts';
import { plansByName } from './workloads.ts';

/** What goes on after a fault before all faults end. */
const afterFaultMs = 20_000;

/** @throws Error for a scenario that does not exist */
export function planOf({ scenario, mode, fault }: Catch): RunPlan {
  const plan = plansByName.get(scenario) ?? readCorpus(scenario);
  if (plan === undefined) throw new Error(`no scenario is called ${scenario}`);
  const own = { ...plan, ...(mode === undefined ? {} : { mode }) };
  if (fault === undefined) return own;
  const endMs = 'atMs' in fault ? fault.atMs + ('forMs' in fault ? fault.forMs : 0) : 0;
  return { ...own, activeMs: Math.max(plan.activeMs, endMs + afterFaultMs), faults: [...plan.faults, fault] };
}

function readCorpus(scenario: string): RunPlan | undefined {
  const path = fileURLToPath(new URL(`../${scenario}.json`, import.meta.url));
  return scenario.startsWith('corpus/') ? parseRunFile(path, readFileSync(path, 'utf8'), (message) => new Error(message)).plan : undefined;
}

/** The scenarios in which nothing goes wrong but by the operator: a bad one that fails here needs no faults to be found. */
export const faultFree: readonly Catch[] = scenarios
  .filter(({ plan }) => plan.faults.length === 0)
  .flatMap(({ name }) => (['watch', 'once'] as const).map((mode) => ({ scenario: name, mode })));

const draws = [0, 0.5, 0.9] as const;

/** Every scenario under single faults, the cheap and telling ones first. */
export function* singleFaults(modes: readonly Mode[]): Generator<Catch> {
  for (const mode of modes) {
    for (const scenario of plansByName.keys()) yield { scenario, mode };
    for (const [scenario, plan] of plansByName) for (const fault of faultsOf(plan)) yield { scenario, mode, fault };
  }
}

function* faultsOf({ users, activeMs }: RunPlan): Generator<FaultStep> {
  const times = [...new Set(users.flatMap(({ atMs }) => [atMs - 500, atMs + 300, atMs + 1_500]))].filter((ms) => ms < activeMs);
  for (const id of writeFaultIds) for (let atWrite = 1; atWrite <= 10; atWrite += 1) yield { id, atWrite };
  for (const id of spanFaultIds) for (const atMs of times) for (const draw of draws) yield { id, atMs, forMs: 60_000, draw };
  for (const id of momentFaultIds) for (const atMs of [...times, activeMs - 20_000]) yield { id, atMs, draw: 0.5 };
  for (let event = 1; event <= 40; event += 1)
    for (let untilWrite = 2; untilWrite <= 12; untilWrite += 2) yield { id: 'event-blocked', event, untilWrite };
}
