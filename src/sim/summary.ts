import { hashHex } from '../lib/hash.ts';
import type { Violation } from '../oracle/oracle.ts';
import { circumstanceIds } from './faults/circumstances.ts';
import { faultIds } from './faults/faults.ts';
import type { RunResult } from './run.ts';
import type { RunPlan } from './run-plan.ts';

/** What is kept of a run among many. */
export interface SeedResult {
  readonly seed: number;
  readonly hash: string;
  readonly performers: number;
  readonly writes: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  readonly evaluated: Readonly<Record<string, number>>;
  readonly states: readonly string[];
  readonly violations: readonly Violation[];
}

export function seedResultOf(plan: RunPlan, result: RunResult): SeedResult {
  const { hash, performers, writes, simulatedMs, evaluated, violations } = result;
  return {
    seed: plan.seed,
    hash,
    performers,
    writes,
    faults: Object.fromEntries(result.faults),
    simulatedMs,
    evaluated,
    states: [...result.states],
    violations: violations.slice(0, 5),
  };
}

export interface Size {
  readonly performers: number;
  readonly writes: number;
  readonly faults: number;
  readonly simulatedMs: number;
}

/** What many runs came to, added up as they come in. */
export class RunSums {
  seeds = 0;
  violated = 0;
  simulatedMs = 0;
  readonly faults: Record<string, number> = {};
  readonly evaluated: Record<string, number> = {};
  readonly states = new Set<string>();
  readonly #hashes = new Map<number, string>();
  readonly #each: Size[] = [];

  add(result: SeedResult): void {
    const { seed, hash, performers, writes, simulatedMs } = result;
    this.seeds += 1;
    this.violated += result.violations.length > 0 ? 1 : 0;
    this.simulatedMs += simulatedMs;
    for (const state of result.states) this.states.add(state);
    addCounts(this.faults, result.faults);
    addCounts(this.evaluated, result.evaluated);
    this.#hashes.set(seed, hash);
    const injected = Object.entries(result.faults).filter(([id]) => !(circumstanceIds as readonly string[]).includes(id));
    this.#each.push({ performers, writes, simulatedMs, faults: injected.reduce((sum, [, count]) => sum + count, 0) });
  }

  /** Of the seeds: what the one in the middle has of each. */
  median(): Size {
    const of = (read: (one: Size) => number): number =>
      this.#each.map(read).toSorted((a, b) => a - b)[Math.floor(this.#each.length / 2)] ?? 0;
    return {
      performers: of((one) => one.performers),
      writes: of((one) => one.writes),
      faults: of((one) => one.faults),
      simulatedMs: of((one) => one.simulatedMs),
    };
  }

  /** The one line that stays the same for the same seeds and version, however they were spread over processes. */
  line(): string {
    const faults = this.#each.reduce((sum, one) => sum + one.faults, 0);
    const which = [...this.#hashes.keys()].toSorted((a, b) => a - b);
    const range = which.length === 1 ? `seed ${which[0]}` : `seeds ${which[0]}..${which.at(-1)}`;
    const minutes = (this.simulatedMs / 60_000).toFixed(1);
    return `${range}: ${this.seeds} run, ${this.violated} violated, ${faults} faults, ${minutes} simulated minutes, trace ${this.hash()}`;
  }

  hash(): string {
    const [only] = this.#hashes.values();
    if (this.#hashes.size === 1) return only ?? '';
    const ordered = [...this.#hashes].toSorted(([a], [b]) => a - b);
    return hashHex(ordered.map(([seed, hash]) => `${seed} ${hash}`).join('\n'));
  }
}

/** So many seeds bring everything, or something is wrong with how they are drawn. */
const manySeeds = 1_000;

/** The faults that never came in many seeds and the oracles that were never put to a test, a line each. */
export function lacksOf({ seeds, faults, evaluated }: Pick<RunSums, 'seeds' | 'faults' | 'evaluated'>): readonly string[] {
  if (seeds < manySeeds) return [];
  const never = faultIds.filter((id) => (faults[id] ?? 0) === 0);
  const idle = Object.entries(evaluated).flatMap(([id, times]) => (times === 0 ? [id] : []));
  return [...never.map((id) => `fault ${id} never came`), ...idle.map((id) => `oracle ${id} was never put to a test`)];
}

function addCounts(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}
