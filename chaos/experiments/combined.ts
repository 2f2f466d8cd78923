import type { Experiment } from '../experiment.ts';
import { always, counted, second, timed } from './bounds.ts';

/** The same again and again, and several at once. */
export const combinedExperiments: readonly Experiment[] = [
  {
    id: 'C10a',
    title: "a performer's pod is killed while the operator is cut off from the API server",
    fault: {
      kind: 'together',
      faults: [
        { kind: 'partition', between: 'operator-api' },
        { kind: 'pod-kill', graceSeconds: 0 },
      ],
    },
    lastsMs: { full: 60 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S7', 'L1'],
    bounds: [
      ...always,
      counted('G5', 'pods created', 1),
      timed('G5', 'heal to work taken up ms', 12 * second),
      timed('G5', 'heal to replacement ready ms', 20 * second),
    ],
    twin: 'operator-cut',
    convergesMs: 60 * second,
  },
  {
    id: 'C11',
    title: "a performer's pod is killed every 20 s",
    fault: { kind: 'pod-kill', graceSeconds: 0, everyMs: 20 * second },
    lastsMs: { full: 600 * second },
    injector: 'chaos-mesh',
    steady: ['S1', 'S7', 'L1'],
    bounds: [
      ...always,
      counted('G16', 'pods created beyond one for each kill'),
      timed('G1', 'deletion to creation ms', 500),
      timed('G1', 'outage ms', 8 * second),
    ],
    walks: false,
    twin: 'pod-force-deleted',
    convergesMs: 60 * second,
  },
];
