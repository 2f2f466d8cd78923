/** What runs after the load of a scenario, while its Performers are still there. */
export type Afterwards = 'rest' | 'restart' | 'once';

export interface Scenario {
  readonly name: string;
  /** File of `k6/scenarios`, without its ending. */
  readonly script: 'create' | 'delete' | 'update' | 'churn';
  readonly count: number;
  /** `serial`, `burst`, or requests a second, with `poisson:` before them when they come by chance. */
  readonly arrivals: string;
  /** 1 unless told. */
  readonly namespaces?: number;
  readonly afterwards?: Afterwards;
  /** Whether the operator is killed, and started anew, when half of the load is carried out. */
  readonly kill?: boolean;
  /** Only where pods really run and Services route. */
  readonly onNodes?: true;
  /** Whether one more Performer is sent tasks all the while; an update changes it, too. */
  readonly tasks?: true;
  /** Part of `--quick`, which runs it with fewer Performers. */
  readonly quickCount?: number;
  /** How long a block takes on two cores with everything around it, for the time that is left. */
  readonly seconds: number;
}

/** In the order they run. */
export const scenarios: readonly Scenario[] = [
  { name: 'create-serial', script: 'create', count: 100, arrivals: 'serial', seconds: 25 },
  { name: 'create-2-per-second', script: 'create', count: 80, arrivals: '2', quickCount: 20, seconds: 60 },
  { name: 'create-5-per-second', script: 'create', count: 200, arrivals: '5', seconds: 60 },
  { name: 'create-10-per-second', script: 'create', count: 300, arrivals: '10', seconds: 55 },
  { name: 'create-10-per-second-poisson', script: 'create', count: 300, arrivals: 'poisson:10', seconds: 55 },
  { name: 'create-20-per-second', script: 'create', count: 400, arrivals: '20', seconds: 60 },
  { name: 'burst-50', script: 'create', count: 50, arrivals: 'burst', quickCount: 50, seconds: 22 },
  { name: 'burst-200', script: 'create', count: 200, arrivals: 'burst', seconds: 35 },
  { name: 'burst-1000', script: 'create', count: 1_000, arrivals: 'burst', seconds: 130 },
  { name: 'delete-serial', script: 'delete', count: 20, arrivals: 'serial', quickCount: 10, seconds: 22 },
  { name: 'delete-at-once', script: 'delete', count: 180, arrivals: 'burst', seconds: 35 },
  { name: 'update-serial', script: 'update', count: 8, arrivals: 'serial', quickCount: 2, seconds: 70 },
  { name: 'update-at-once', script: 'update', count: 100, arrivals: 'burst', seconds: 45 },
  { name: 'churn', script: 'churn', count: 100, arrivals: '5', seconds: 50 },
  { name: 'namespaces-1', script: 'create', count: 200, arrivals: '10', seconds: 45 },
  { name: 'namespaces-10', script: 'create', count: 200, arrivals: '10', namespaces: 10, seconds: 50 },
  { name: 'namespaces-50', script: 'create', count: 200, arrivals: '10', namespaces: 50, seconds: 55 },
  { name: 'rest', script: 'create', count: 200, arrivals: 'burst', afterwards: 'rest', seconds: 95 },
  { name: 'restart', script: 'create', count: 200, arrivals: 'burst', afterwards: 'restart', seconds: 45 },
  { name: 'kill-in-burst', script: 'create', count: 200, arrivals: 'burst', kill: true, seconds: 45 },
  { name: 'once-100', script: 'create', count: 100, arrivals: 'burst', afterwards: 'once', seconds: 35 },
  { name: 'nodes-create-serial', script: 'create', count: 20, arrivals: 'serial', onNodes: true, seconds: 60 },
  { name: 'nodes-create-under-tasks', script: 'create', count: 20, arrivals: '1', onNodes: true, tasks: true, seconds: 50 },
  { name: 'nodes-delete-under-tasks', script: 'delete', count: 20, arrivals: 'serial', onNodes: true, tasks: true, seconds: 60 },
  { name: 'nodes-update-under-tasks', script: 'update', count: 5, arrivals: 'serial', onNodes: true, tasks: true, seconds: 90 },
  { name: 'once-1000', script: 'create', count: 1_000, arrivals: 'burst', afterwards: 'once', seconds: 140 },
];

export type Extent = 'quick' | 'usual' | 'full';

const usual = ['create-2-per-second', 'burst-200', 'delete-serial', 'delete-at-once', 'update-serial'];

/** The scenarios of a run. @throws RangeError for a name that is none, or that needs real nodes where there are none */
export function chooseScenarios(names: readonly string[], extent: Extent, onNodes = false): readonly Scenario[] {
  const unknown = names.find((name) => !scenarios.some((one) => one.name === name));
  if (unknown !== undefined) throw new RangeError(`scenario ${unknown}: there are ${scenarios.map(({ name }) => name).join(', ')}`);
  const stranded = scenarios.find((one) => one.onNodes === true && !onNodes && names.includes(one.name));
  if (stranded !== undefined) throw new RangeError(`scenario ${stranded.name}: it needs pods that really run; give --profile nodes`);
  const isChosen = ({ name, quickCount, ...one }: Scenario): boolean => {
    if (names.length > 0) return names.includes(name);
    if (onNodes || one.onNodes === true) return onNodes && one.onNodes === true;
    return extent === 'full' || (extent === 'quick' ? quickCount !== undefined : usual.includes(name));
  };
  const chosen = scenarios.filter(isChosen);
  return extent === 'quick' ? chosen.map((one) => ({ ...one, count: one.quickCount ?? Math.min(one.count, 20), seconds: 15 })) : chosen;
}
