import { createRandom } from '../lib/seeded-random.ts';
import { formatElapsed } from '../testbed/progress.ts';
import type { Block } from './bench-report.ts';
import type { BlockPlan } from './block.ts';
import { floor } from './goals.ts';
import { formatTable } from './report.ts';
import type { Scenario } from './scenarios.ts';
import type { Subject } from './subjects.ts';

export interface RunPlan {
  readonly timed: readonly BlockPlan[];
  readonly counted: readonly BlockPlan[];
}

export interface PlanOptions {
  readonly scenarios: readonly Scenario[];
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seed: number;
  /** Whether the cluster is started by the bench: only there calls can be counted. */
  readonly isOurs: boolean;
}

/** Everything a run does. Counts hardly differ from run to run, but the log costs time: one round, on a cluster of its own. Pure. */
export function planRun({ scenarios, subjects, rounds, seed, isOurs }: PlanOptions): RunPlan {
  const plan = (kind: Block['kind'], most: number): readonly BlockPlan[] => planBlocks(scenarios, subjects, most, kind, createRandom(seed));
  return { timed: plan('timed', rounds), counted: isOurs ? plan('counted', 1) : [] };
}

/** Rounds, in each every scenario that has as many, in each every subject in an order drawn anew, so that no one always comes first. Pure. */
export function planBlocks(
  scenarios: readonly Scenario[],
  subjects: readonly Subject[],
  rounds: number,
  kind: Block['kind'],
  random: () => number,
): readonly BlockPlan[] {
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    scenarios
      .filter((scenario) => round < (scenario.rounds?.[kind] ?? rounds))
      .flatMap((scenario) =>
        shuffle(subjects, random)
          .filter((subject) => whyBeyond(scenario, subject) === undefined)
          .map((subject) => ({ scenario, subject, round, kind })),
      ),
  );
}

/** Why a load is not for this operator, which would only wait for its time to be over. */
function whyBeyond({ script }: Scenario, { name }: Subject): string | undefined {
  if (script === 'update' && [floor, 'floor-headless', 'floor-without-service'].includes(name))
    return 'it takes no notice of a changed spec';
  return name === 'floor-without-service' && script !== 'create' ? 'no Service of it ever goes' : undefined;
}

/** What is not run, each with its reason. Pure. */
export function describeLeftOut({ scenarios, subjects }: Pick<PlanOptions, 'scenarios' | 'subjects'>): readonly string[] {
  return scenarios.flatMap((scenario) =>
    subjects.flatMap((subject) => {
      const why = whyBeyond(scenario, subject);
      return why === undefined ? [] : [`${scenario.name} of ${subject.name}: ${why}`];
    }),
  );
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, drawn: random() }))
    .toSorted((a, b) => a.drawn - b.drawn)
    .map(({ item }) => item);
}

/** To start a cluster, and until its garbage collector knows Performers. */
const clusterSeconds = 40;

/** What would run, and for how long on a machine that does nothing else. Pure. */
export function formatPlan({ timed, counted }: RunPlan): string {
  const all = [...timed, ...counted];
  const groups = [...Map.groupBy(all, ({ scenario, kind }) => `${scenario.name} ${kind}`).values()].map((plans) => {
    const [first] = plans;
    if (first === undefined) return [];
    const { scenario, kind } = first;
    const rounds = new Set(plans.map(({ round }) => round)).size;
    const cells = [scenario.count, rounds, plans.length, secondsEach(first)].map(String);
    return [scenario.name, kind, ...cells, formatElapsed(secondsOf(plans) * 1_000)];
  });
  const seconds = secondsOf(all) + [timed, counted].filter(({ length }) => length > 0).length * clusterSeconds;
  const head = ['scenario', 'kind', 'Performers', 'rounds', 'blocks', 's each', 'together'];
  return `${formatTable(head, groups)}\n\n${all.length} blocks, about ${formatElapsed(seconds * 1_000)} on two quiet cores`;
}

/** An observed minute with nothing to do comes on top where only some blocks have it. */
function secondsEach({ scenario: { seconds, afterwards }, kind }: BlockPlan): number {
  return seconds + (typeof afterwards === 'object' && afterwards[kind] === 'rest' ? 62 : 0);
}

const secondsOf = (plans: readonly BlockPlan[]): number => plans.reduce((sum, plan) => sum + secondsEach(plan), 0);

/** How long the rest takes: what is known of each scenario, and how this machine compares. */
export class Pace {
  readonly #left: BlockPlan[];
  #plannedMs = 0;
  #spentMs = 0;

  constructor(plans: readonly BlockPlan[]) {
    this.#left = [...plans];
  }

  /** @param ms 0 for a block that was left out */
  tookMs(plan: BlockPlan, ms: number): void {
    this.#left.splice(this.#left.indexOf(plan), 1);
    if (ms === 0) return;
    this.#plannedMs += secondsEach(plan) * 1_000;
    this.#spentMs += ms;
  }

  describeLeft(): string {
    const ratio = this.#plannedMs === 0 ? 1 : this.#spentMs / this.#plannedMs;
    return `about ${formatElapsed(secondsOf(this.#left) * 1_000 * ratio)} left`;
  }
}
