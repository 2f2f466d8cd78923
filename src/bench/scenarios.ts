import { ArgumentError } from './argument-error.ts';
import type { Block } from './bench-report.ts';

/** What runs after the load of a scenario, while its Performers are still there. */
export type Afterwards = 'rest' | 'restart' | 'once' | 'delete';

export interface Scenario {
  readonly name: string;
  /** File of `k6/scenarios`, without its ending. */
  readonly script: 'create' | 'delete' | 'update' | 'churn';
  readonly count: number;
  /** Performers that are there before: made, and settled, but not measured. */
  readonly present?: number;
  /** `serial`, `burst`, or requests a second, with `poisson:` before them when they come by chance. */
  readonly arrivals: string;
  /** Only by its own name, in no group. */
  readonly alone?: true;
  /** 1 unless told. */
  readonly namespaces?: number;
  /** The same in both kinds of block, or of each its own. */
  readonly afterwards?: Afterwards | Readonly<Record<Block['kind'], Afterwards>>;
  /** Whether the operator is killed, and started anew, when half of the load is carried out. */
  readonly kill?: boolean;
  /** Only where pods really run and Services route. */
  readonly onNodes?: true;
  /** Whether one more Performer is sent tasks all the while; an update changes it, too. */
  readonly tasks?: true;
  /** Part of `--quick`, which runs it with fewer Performers. */
  readonly quickCount?: number;
  /** Part of `--full`, with so many Performers and so many rounds at most: enough for each goal, and an hour for four operators. */
  readonly full?: { readonly count?: number; readonly timed: number; readonly counted: number };
  /** At most, whatever is asked for. */
  readonly rounds?: { readonly timed: number; readonly counted: number };
  /** How long a block takes on two quiet cores with everything around it, over the operators that are shipped. */
  readonly seconds: number;
}

type Rounds = NonNullable<Scenario['full']>;
const every: Rounds = { timed: 5, counted: 1 };
const timedOnly: Rounds = { timed: 5, counted: 0 };

export function afterwardsOf({ afterwards }: Scenario, kind: Block['kind']): Afterwards | undefined {
  return typeof afterwards === 'object' ? afterwards[kind] : afterwards;
}

/** In the order they run. */
export const scenarios: readonly Scenario[] = [
  { name: 'create-serial', script: 'create', count: 100, arrivals: 'serial', seconds: 25 },
  { name: 'create-2-per-second', script: 'create', count: 80, arrivals: '2', quickCount: 20, full: { ...every, count: 40 }, seconds: 51 },
  { name: 'create-5-per-second', script: 'create', count: 200, arrivals: '5', seconds: 60 },
  { name: 'create-10-per-second', script: 'create', count: 300, arrivals: '10', seconds: 55 },
  { name: 'create-10-per-second-poisson', script: 'create', count: 300, arrivals: 'poisson:10', seconds: 55 },
  { name: 'create-20-per-second', script: 'create', count: 400, arrivals: '20', seconds: 60 },
  { name: 'burst-50', script: 'create', count: 50, arrivals: 'burst', quickCount: 50, seconds: 22 },
  {
    name: 'burst-200',
    script: 'create',
    count: 200,
    arrivals: 'burst',
    afterwards: { timed: 'restart', counted: 'rest' },
    full: every,
    seconds: 35,
  },
  {
    name: 'burst-1000',
    script: 'create',
    count: 1_000,
    arrivals: 'burst',
    afterwards: 'delete',
    full: { timed: 1, counted: 0 },
    seconds: 118,
  },
  { name: 'delete-serial', script: 'delete', count: 20, arrivals: 'serial', quickCount: 20, full: timedOnly, seconds: 13 },
  { name: 'delete-at-once', script: 'delete', count: 180, arrivals: 'burst', full: every, seconds: 29 },
  { name: 'update-serial', script: 'update', count: 8, arrivals: 'serial', quickCount: 2, full: { timed: 1, counted: 0 }, seconds: 63 },
  { name: 'update-at-once', script: 'update', count: 100, arrivals: 'burst', seconds: 45 },
  { name: 'churn', script: 'churn', count: 100, arrivals: '5', seconds: 50 },
  { name: 'namespaces-1', script: 'create', count: 200, arrivals: '10', seconds: 45 },
  { name: 'namespaces-10', script: 'create', count: 200, arrivals: '10', namespaces: 10, seconds: 50 },
  { name: 'namespaces-50', script: 'create', count: 200, arrivals: '10', namespaces: 50, seconds: 55 },
  { name: 'rest', script: 'create', count: 200, arrivals: 'burst', afterwards: 'rest', seconds: 95 },
  { name: 'kill-in-burst', script: 'create', count: 200, arrivals: 'burst', kill: true, seconds: 45 },
  { name: 'once-0', script: 'delete', count: 20, arrivals: 'burst', afterwards: 'once', seconds: 35 },
  { name: 'once-100', script: 'create', count: 100, arrivals: 'burst', afterwards: 'once', seconds: 35 },
  { name: 'nodes-create-serial', script: 'create', count: 20, arrivals: 'serial', onNodes: true, seconds: 60 },
  { name: 'nodes-create-under-tasks', script: 'create', count: 20, arrivals: '1', onNodes: true, tasks: true, seconds: 50 },
  { name: 'nodes-delete-under-tasks', script: 'delete', count: 20, arrivals: 'serial', onNodes: true, tasks: true, seconds: 60 },
  { name: 'nodes-update-under-tasks', script: 'update', count: 5, arrivals: 'serial', onNodes: true, tasks: true, seconds: 90 },
  { name: 'once-1000', script: 'create', count: 1_000, arrivals: 'burst', afterwards: 'once', seconds: 140 },
  { name: 'once-10000', script: 'create', count: 40, present: 9_960, arrivals: 'burst', afterwards: 'once', alone: true, seconds: 780 },
  ...[100, 300, 1_000, 3_000, 10_000].map(scale),
];

/** After so many were made: an operator gives memory back within a minute. */
export function settleSeconds(present: number): number {
  return 3 + Math.ceil(present / 200);
}

/** What a creation takes beside so many Performers; to make them and to delete them takes most of the time. */
function scale(present: number): Scenario {
  return {
    name: `scale-${present}`,
    script: 'create',
    count: 40,
    present,
    arrivals: '2',
    seconds: Math.ceil(42 + present / 15 + settleSeconds(present)),
  };
}

export type Extent = 'quick' | 'usual' | 'full';

/** Names for many: everything but the slow ones, and those. */
const groups = ['all', 'scale'];
const usual = ['create-2-per-second', 'burst-200', 'delete-serial', 'delete-at-once', 'update-serial'];

/** The scenarios of a run. @throws ArgumentError for a name that is none, or that needs real nodes where there are none */
export function chooseScenarios(names: readonly string[], extent: Extent, onNodes = false): readonly Scenario[] {
  const unknown = names.find((name) => !groups.includes(name) && !scenarios.some((one) => one.name === name));
  if (unknown !== undefined)
    throw new ArgumentError(`scenario ${unknown}: there are ${groups.join(', ')}, ${scenarios.map(({ name }) => name).join(', ')}`);
  const stranded = scenarios.find((one) => one.onNodes === true && !onNodes && names.includes(one.name));
  if (stranded !== undefined) throw new ArgumentError(`scenario ${stranded.name}: it needs pods that really run; give --profile nodes`);
  const isChosen = ({ name, quickCount, full, present, ...one }: Scenario): boolean => {
    if (names.includes(name)) return true;
    if (onNodes || one.onNodes === true) return names.length === 0 && onNodes && one.onNodes === true;
    if (names.length > 0) return one.alone !== true && names.includes(present === undefined ? 'all' : 'scale');
    return extent === 'full' ? full !== undefined : extent === 'quick' ? quickCount !== undefined : usual.includes(name);
  };
  const chosen = scenarios.filter(isChosen);
  if (extent === 'quick') return chosen.map(shrink);
  return extent === 'full' && names.length === 0 ? chosen.map(trim) : chosen;
}

function trim(scenario: Scenario): Scenario {
  const { full: { count = scenario.count, ...rounds } = every, arrivals } = scenario;
  const lessSeconds = Number.isNaN(Number(arrivals)) ? 0 : (scenario.count - count) / Number(arrivals);
  return { ...scenario, count, rounds, seconds: scenario.seconds - lessSeconds };
}

const quickCount = 20;

/** With fewer Performers it is another load, and has another name: nothing of it is held to what the whole one must reach. */
function shrink(scenario: Scenario): Scenario {
  const { name, count, present } = scenario;
  if (present !== undefined) return scenario;
  const fewer = scenario.quickCount ?? Math.min(count, quickCount);
  return {
    ...scenario,
    count: fewer,
    name: fewer === count ? name : `${name.replace(new RegExp(`-${count}$`), '')}-${fewer}`,
    seconds: 15,
  };
}
