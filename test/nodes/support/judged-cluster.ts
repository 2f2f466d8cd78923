import { startRecorder } from '../../../chaos/cluster/recorder.ts';
import { type Judgement, judge } from '../../../chaos/judge.ts';
import { ourSubject } from '../../../chaos/subject.ts';
import type { NodesCluster } from './nodes-cluster.ts';

export interface JudgedCluster {
  /** Says that all is done that was asked for, and holds what was seen so far against the oracles of the simulation. */
  judge(): Judgement;
  stop(): void;
}

/** Watches the objects of a namespace, and what is written there, from now on; where nothing is broken on purpose. */
export async function judgeCluster({ kube, cluster }: NodesCluster, namespace: string): Promise<JudgedCluster> {
  const beganMs = Date.now();
  const { auditLog = '' } = cluster;
  const recorder = await startRecorder({ kube, auditLog }, namespace, ourSubject('').operator);
  return {
    judge: () => {
      const endedMs = Date.now();
      const never = Number.POSITIVE_INFINITY;
      const times = { beganMs, askedMs: never, feltMs: never, healedMs: never, convergedMs: beganMs, endedMs };
      const seen = { ...recorder.seen(), writes: recorder.readLog().writes, requests: undefined, calls: [], begun: [], hangUps: [] };
      return judge(seen, times, { performer: '', pods: [], nodes: [] }, endedMs);
    },
    stop: () => recorder.stop(),
  };
}
