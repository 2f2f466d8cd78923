import type { Pod } from '../../../src/kube/objects.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type Change, observeCluster, type SeenKinds } from '../../../src/oracle/kit.ts';
import type { NodesCluster } from './nodes-cluster.ts';

/** Whether a change of the cluster ends a phase. */
export type PhaseEnd = (change: Change) => boolean;

export interface TimedPhases {
  /** When each phase ended, by the clock of this process, in the order in which they did. */
  readonly endedAtMs: ReadonlyMap<string, number>;
  readonly stop: () => void;
}

/** Notes when each phase ends first, by one observer's clock, as a namespace and the nodes are watched. */
export async function timePhases(
  { kube }: NodesCluster,
  namespace: string,
  phases: Readonly<Record<string, PhaseEnd>>,
): Promise<TimedPhases> {
  const endedAtMs = new Map<string, number>();
  const stop = new AbortController();
  const onChange = (change: Change): void => {
    for (const [phase, ends] of Object.entries(phases)) if (!endedAtMs.has(phase) && ends(change)) endedAtMs.set(phase, Date.now());
  };
  await observeCluster({ kube, clock: systemClock, signal: stop.signal, random: Math.random, namespace, onChange });
  return { endedAtMs, stop: () => stop.abort() };
}

/** The object after the change, if it is of this kind and still there. */
export function objectOf<Kind extends keyof SeenKinds>(kind: Kind, change: Change): SeenKinds[Kind] | undefined {
  return change.kind === kind ? (change.after as SeenKinds[Kind] | undefined) : undefined;
}

export function isPodReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** `p50 12 ms, max 15 ms, n 3`. */
export function renderTimes(timesMs: readonly number[]): string {
  const sorted = timesMs.map(Math.round).toSorted((a, b) => a - b);
  return `p50 ${sorted[(sorted.length - 1) >> 1]} ms, max ${sorted.at(-1)} ms, n ${sorted.length}`;
}
