import type { PerformerStatus } from '../../../src/api/v1alpha1/performer.ts';

/** What of a status must be the same whichever way it came about: no names of pods, addresses, times or counts of generations. Pure. */
export function comparableStatus(status: PerformerStatus = {}): unknown {
  const { phase, ready, serviceName, selector, replicas, readyReplicas, updatedReplicas, revision, conditions = [] } = status;
  const present = (['podName', 'podIP', 'readyTime', 'grpcEndpoint'] as const).filter((field) => status[field] !== undefined);
  const said = conditions.map(({ type, status: holds, reason }) => `${type} ${holds} ${reason}`);
  return { phase, ready, serviceName, selector, replicas, readyReplicas, updatedReplicas, revision, present, said };
}
