import type { NodeTimers } from '../../src/testbed/nodes/node-plan.ts';
import type { Experiment, FigureName } from '../experiment.ts';
import { second } from './bounds.ts';

/** Within which a fault must be injected and felt: a node counts as silent after half the time of its Lease, which stock kubelets renew every 10 s. */
export const feelLimitMs: Readonly<Record<NodeTimers, number>> = { fast: 20 * second, stock: 45 * second };

interface Change {
  readonly lastsMs: Experiment['lastsMs'];
  readonly atMost?: Readonly<Partial<Record<FigureName, number>>>;
  readonly convergesMs?: number;
}

/**
 * What is another where nodes are lost by the timers that Kubernetes comes with: a node is given up 50 s after its last word, so a fault
 * lasts until another pod has served for a while, and that pod comes later. The catalogue has what holds under the testbed's fast ones.
 */
const onStock: Readonly<Record<string, Change>> = {
  C6: {
    lastsMs: { smoke: 100 * second, full: 120 * second },
    atMost: { 'fault to first answer of another pod ms': 70 * second },
  },
  C7: {
    lastsMs: { smoke: 100 * second, full: 120 * second },
    atMost: { 'fault to loss said ms': 57 * second, 'fault to first answer of another pod ms': 70 * second },
  },
  C7b: { lastsMs: { full: 120 * second }, atMost: { 'fault to first answer of another pod ms': 70 * second } },
  C7c: { lastsMs: { full: 120 * second }, atMost: { 'fault to first answer of another pod ms': 70 * second } },
  C7e: {
    lastsMs: { full: 120 * second },
    atMost: { 'fault to loss said ms': 57 * second, 'fault to first answer of another pod ms': 70 * second },
  },
  // A kubelet takes back that its disk is full after five minutes without pressure, which it looks at every 10 s.
  C7g: { lastsMs: { full: 90 * second }, convergesMs: 420 * second },
  // The Lease is over long before the node is given up.
  C7h: {
    lastsMs: { full: 120 * second },
    atMost: { 'fault to loss said ms': 57 * second, 'fault to replacement ready ms': 70 * second },
  },
  C8: { lastsMs: { full: 120 * second } },
};

/** The experiment as it is on a cluster with these timers. Pure. */
export function onTimers(experiment: Experiment, timers: NodeTimers): Experiment {
  const change = timers === 'stock' ? onStock[experiment.id] : undefined;
  if (change === undefined) return experiment;
  const bounds = experiment.bounds.map((bound) => ({ ...bound, atMost: change.atMost?.[bound.figure] ?? bound.atMost }));
  return { ...experiment, lastsMs: change.lastsMs, bounds, convergesMs: change.convergesMs ?? experiment.convergesMs };
}
