/** What runs after the load of a scenario, while its Performers are still there. */
export type Afterwards = 'rest' | 'restart' | 'once';

export interface Scenario {
  readonly name: string;
  /** File of `k6/scenarios`, without its ending. */
  readonly script: 'create' | 'delete' | 'update' | 'churn';
  readonly count: number;
  /** `serial`, `burst`, or requests a second. */
  readonly arrivals: string;
  /** 1 unless told. */
  readonly namespaces?: number;
  readonly afterwards?: Afterwards;
  /** Whether the operator is killed, and started anew, when half of the load is carried out. */
  readonly kill?: boolean;
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
  { name: 'create-20-per-second', script: 'create', count: 400, arrivals: '20', seconds: 60 },
  { name: 'burst-50', script: 'create', count: 50, arrivals: 'burst', quickCount: 50, seconds: 22 },
  { name: 'burst-200', script: 'create', count: 200, arrivals: 'burst', seconds: 35 },
  { name: 'burst-1000', script: 'create', count: 1_000, arrivals: 'burst', seconds: 130 },
  { name: 'delete-serial', script: 'delete', count: 20, arrivals: 'serial', quickCount: 10, seconds: 22 },
  { name: 'delete-at-once', script: 'delete', count: 180, arrivals: 'burst', seconds: 35 },
  { name: 'update-serial', script: 'update', count: 8, arrivals: 'serial', quickCount: 2, seconds: 70 },
  { name: 'update-at-once', script: 'update', count: 100, arrivals: 'burst', seconds: 45 },
  { name: 'churn', script: 'churn', count: 100, arrivals: '5', seconds: 50 },
  { name: 'namespaces-10', script: 'create', count: 200, arrivals: '10', namespaces: 10, seconds: 50 },
  { name: 'namespaces-50', script: 'create', count: 200, arrivals: '10', namespaces: 50, seconds: 55 },
  { name: 'rest', script: 'create', count: 200, arrivals: 'burst', afterwards: 'rest', seconds: 95 },
  { name: 'restart', script: 'create', count: 200, arrivals: 'burst', afterwards: 'restart', seconds: 45 },
  { name: 'kill-in-burst', script: 'create', count: 200, arrivals: 'burst', kill: true, seconds: 45 },
  { name: 'once-100', script: 'create', count: 100, arrivals: 'burst', afterwards: 'once', seconds: 35 },
  { name: 'once-1000', script: 'create', count: 1_000, arrivals: 'burst', afterwards: 'once', seconds: 140 },
];

export type Extent = 'quick' | 'usual' | 'full';

const usual = ['create-2-per-second', 'burst-200', 'delete-serial', 'delete-at-once', 'update-serial'];

/** The scenarios of a run. @throws RangeError for a name that is none */
export function chooseScenarios(names: readonly string[], extent: Extent): readonly Scenario[] {
  const unknown = names.find((name) => !scenarios.some((one) => one.name === name));
  if (unknown !== undefined) throw new RangeError(`scenario ${unknown}: there are ${scenarios.map(({ name }) => name).join(', ')}`);
  const isChosen = ({ name, quickCount }: Scenario): boolean => {
    if (names.length > 0) return names.includes(name);
    return extent === 'full' || (extent === 'quick' ? quickCount !== undefined : usual.includes(name));
  };
  const chosen = scenarios.filter(isChosen);
  return extent === 'quick' ? chosen.map((one) => ({ ...one, count: one.quickCount ?? Math.min(one.count, 20), seconds: 15 })) : chosen;
}
