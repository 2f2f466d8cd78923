import type { Experiment, SuiteName } from '../experiment.ts';
import { always, counted, second, timed } from './bounds.ts';
import { combinedExperiments } from './combined.ts';
import { nodeExperiments } from './nodes.ts';
import { testbedExperiments } from './testbed.ts';

/** In the order in which they are told of; a run shuffles them by its seed. */
export const experiments: readonly Experiment[] = [
  {
    id: 'C1',
    title: "a performer's pod is killed",
    fault: { kind: 'pod-kill', graceSeconds: 0 },
    lastsMs: { smoke: 0, full: 0 },
    injector: 'chaos-mesh',
    steady: ['S1', 'S7', 'L1'],
    bounds: [
      ...always,
      timed('G1', 'deletion to creation ms', 500),
      timed('G1', 'fault to replacement ready ms', 8 * second),
      counted('G1', 'pods created', 1),
    ],
    twin: 'pod-force-deleted',
    convergesMs: 30 * second,
  },
  {
    id: 'C1b',
    title: "a performer's pod is asked to go",
    fault: { kind: 'pod-kill', graceSeconds: 30 },
    lastsMs: { full: 0 },
    injector: 'chaos-mesh',
    steady: ['S1', 'S7', 'L1'],
    bounds: [
      ...always,
      timed('G1', 'deletion to creation ms', 500),
      timed('G1', 'fault to replacement ready ms', 8 * second),
      counted('G1', 'pods created', 1),
    ],
    twin: 'pod-deleted',
    convergesMs: 60 * second,
  },
  {
    id: 'C2a',
    title: "a performer's container is killed",
    fault: { kind: 'container-kill', of: 'performer' },
    lastsMs: { smoke: 0, full: 0 },
    injector: 'chaos-mesh',
    steady: ['S1', 'L1'],
    bounds: [...always, counted('G2', 'operator writes to pods'), timed('G2', 'outage ms', 15 * second)],
    twin: 'container-killed',
    convergesMs: 60 * second,
  },
  {
    id: 'C2b',
    title: "the operator's container is killed",
    fault: { kind: 'container-kill', of: 'operator' },
    lastsMs: { smoke: 0, full: 0 },
    injector: 'chaos-mesh',
    steady: ['S1', 'L1'],
    bounds: [
      ...always,
      counted('G10', 'failed throughout'),
      counted('G10', 'operator writes to pods'),
      timed('G10', 'heal to work taken up ms', 17 * second),
    ],
    twin: 'operator-kill',
    convergesMs: 60 * second,
  },
  {
    id: 'C3',
    title: "a performer's images are swapped for one that does nothing",
    fault: { kind: 'pod-failure' },
    lastsMs: { full: 60 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S7', 'L1'],
    bounds: [...always, timed('G3', 'fault to replacement ready ms', 10 * second), counted('G3', 'pods created', 1)],
    twin: 'image-swapped',
    convergesMs: 60 * second,
  },
  {
    id: 'C4a',
    title: 'clients and one pod of a performer are cut apart',
    fault: { kind: 'partition', between: 'clients-pod' },
    lastsMs: { full: 30 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'L4'],
    bounds: [...always, counted('G4', 'failed after heal'), counted('G4', 'operator writes to pods')],
    convergesMs: 30 * second,
  },
  {
    id: 'C4b',
    title: "clients and a performer's Service are cut apart",
    fault: { kind: 'partition', between: 'clients-service' },
    lastsMs: { smoke: 10 * second, full: 30 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'L4'],
    bounds: [...always, counted('G4', 'failed after heal'), counted('G4', 'operator writes to pods')],
    convergesMs: 30 * second,
  },
  {
    id: 'C5',
    title: 'the operator and the API server are cut apart',
    fault: { kind: 'partition', between: 'operator-api' },
    lastsMs: { smoke: 30 * second, full: 60 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'L1'],
    bounds: [
      ...always,
      counted('G5', 'failed throughout'),
      counted('G5', 'pods created', 1),
      timed('G5', 'heal to work taken up ms', 12 * second),
    ],
    twin: 'operator-cut',
    convergesMs: 60 * second,
  },
  {
    id: 'C6',
    title: 'a kubelet and the API server are cut apart',
    fault: { kind: 'partition', between: 'kubelet-api' },
    lastsMs: { smoke: 45 * second, full: 120 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S6', 'R3', 'L1'],
    bounds: [
      ...always,
      counted('G7', 'answers of a replaced pod'),
      timed('G7', 'fault to first answer of another pod ms', 20 * second),
      timed('G7', 'heal to one pod left ms', 30 * second),
      counted('G7', 'pods created', 1),
    ],
    twin: 'node-cut',
    convergesMs: 90 * second,
  },
  {
    id: 'C7',
    title: 'a node loses its power',
    fault: { kind: 'node', does: 'power-off' },
    lastsMs: { smoke: 30 * second, full: 60 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S6', 'L1'],
    bounds: [
      ...always,
      timed('G6', 'fault to loss said ms', 10 * second),
      timed('G6', 'fault to first answer of another pod ms', 20 * second),
      counted('G6', 'pods created', 1),
    ],
    twin: 'node-off',
    convergesMs: 90 * second,
  },
  {
    id: 'C7b',
    title: 'a node stands still, with all that runs on it, and goes on',
    fault: { kind: 'node', does: 'freeze' },
    lastsMs: { full: 60 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S6', 'L1'],
    bounds: [
      ...always,
      timed('G7', 'fault to first answer of another pod ms', 20 * second),
      timed('G7', 'heal to one pod left ms', 30 * second),
      counted('G7', 'pods created', 1),
    ],
    convergesMs: 90 * second,
  },
  {
    id: 'C7c',
    title: 'a kubelet hangs',
    fault: { kind: 'node', does: 'kubelet-hang' },
    lastsMs: { full: 60 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S6', 'R3', 'L1'],
    bounds: [
      ...always,
      counted('G7', 'answers of a replaced pod'),
      timed('G7', 'fault to first answer of another pod ms', 20 * second),
      timed('G7', 'heal to one pod left ms', 30 * second),
      counted('G7', 'pods created', 1),
    ],
    convergesMs: 90 * second,
  },
  ...nodeExperiments,
  ...combinedExperiments,
  ...testbedExperiments,
];

/** Those of a suite, or those named: `C2` is every C2 with a letter where there is none without. @throws RangeError for a name that is none */
export function chooseExperiments(suite: SuiteName, ids: readonly string[] = []): readonly Experiment[] {
  const isOf: Readonly<Record<SuiteName, (one: Experiment) => boolean>> = {
    smoke: ({ lastsMs }) => lastsMs.smoke !== undefined,
    full: () => true,
    soak: ({ walks }) => walks !== false,
  };
  if (ids.length === 0) return experiments.filter(isOf[suite]);
  const named = ids.flatMap((name) => {
    const exact = experiments.filter(({ id }) => id.toLowerCase() === name.toLowerCase());
    const lettered = experiments.filter(({ id }) => id.replace(/[a-z]$/, '') === name.toUpperCase());
    if (exact.length + lettered.length === 0)
      throw new RangeError(`experiment ${name}: there are ${experiments.map(({ id }) => id).join(', ')}`);
    return exact.length > 0 ? exact : lettered;
  });
  return experiments.filter((one) => named.includes(one));
}

/** Pure; an experiment that is not in the smoke suite, and is named there, lasts as in the full one. */
export function lastsIn({ lastsMs }: Experiment, suite: SuiteName): number {
  return suite === 'smoke' ? (lastsMs.smoke ?? lastsMs.full) : lastsMs.full;
}
