import { systemClock } from '../../../src/lib/clock.ts';
import { calmContext, createOracles, OracleBoard, observeCluster } from '../../../src/oracle/kit.ts';
import type { NodesCluster } from './nodes-cluster.ts';

export interface JudgedCluster {
  /** What was wrong so far, a line each. */
  violations(): readonly string[];
  /** Says that all is done that was asked for: what must hold at rest is put to the test. */
  rest(): void;
  /** Oracles whose statement was put to a test. */
  evaluated(): readonly string[];
  stop(): void;
}

/** Holds the objects of a namespace against the oracles of the simulation from now on; where nothing is broken on purpose. */
export async function judgeCluster({ kube }: NodesCluster, namespace: string): Promise<JudgedCluster> {
  const board = new OracleBoard(createOracles({ ...calmContext, knowsWrites: false }));
  const stop = new AbortController();
  await observeCluster({
    kube,
    clock: systemClock,
    signal: stop.signal,
    random: Math.random,
    namespace,
    onChange: (change) => board.change(change),
  });
  return {
    violations: () => board.violations.map(({ oracle, key, message }) => `${oracle} ${key}: ${message}`),
    rest: () => board.rest({ atMs: kube.serverNowMs(), silentWrites: [], instances: undefined }),
    evaluated: () => board.oracles.filter((one) => one.evaluated() > 0).map(({ id }) => id),
    stop: () => stop.abort(),
  };
}
