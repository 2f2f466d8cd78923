import type { Chance } from '../chance.ts';
import type { MemoryServer } from '../memory-server.ts';
import { SimNodes } from './sim-nodes.ts';
import { type Range, stockTimings } from './timings.ts';

const certain: Chance = {
  next: () => 0,
  int: (least) => least,
  hits: () => false,
  pick: (from) => from[0] as (typeof from)[number],
};

/**
 * One node, `node-1`, with room for every pod, on which nothing is left to chance.
 *
 * @param delayMs from a pod's creation to Ready, half of it until it is placed; and from its deletion to its end, unless its grace period is shorter
 */
export function startSteadyNode(server: MemoryServer, delayMs: number): SimNodes {
  const none: Range = [0, 0];
  const half: Range = [delayMs / 2, delayMs / 2];
  const fixed = {
    scheduling: half,
    kubeletSync: none,
    sandbox: half,
    startup: none,
    readiness: none,
    stop: [delayMs, delayMs] as const,
    cleanup: none,
  };
  const timings = { ...stockTimings, ...fixed, endpoints: none, kubeProxy: none };
  return new SimNodes({ server, chance: () => certain, timings, count: 1, describe: () => ({ allocatable: { pods: '100000' } }) });
}
