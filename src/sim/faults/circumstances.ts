import type { Pod } from '../../kube/objects.ts';

/** What users bring about by what they ask for. It is no fault of its own, but must come as surely as one. */
export const circumstanceIds = [
  'namespace-deleted',
  'pod-unschedulable',
  'image-unpullable',
  'container-crash-loop',
  'container-out-of-memory',
] as const;
export type CircumstanceId = (typeof circumstanceIds)[number];

/** Those that a pod is in. Pure. */
export function circumstancesOf({ status }: Pod): readonly CircumstanceId[] {
  const containers = status?.containerStatuses ?? [];
  const waits = (...reasons: readonly string[]): boolean => containers.some(({ state }) => reasons.includes(state?.waiting?.reason ?? ''));
  const ended = containers.map(({ state, lastState }) => (state?.terminated ?? lastState?.terminated)?.reason);
  const isUnbound = status?.conditions?.some((one) => one.type === 'PodScheduled' && one.status === 'False') === true;
  return [
    ...(isUnbound ? (['pod-unschedulable'] as const) : []),
    ...(waits('ErrImagePull', 'ImagePullBackOff') ? (['image-unpullable'] as const) : []),
    ...(waits('CrashLoopBackOff') ? (['container-crash-loop'] as const) : []),
    ...(ended.includes('OOMKilled') ? (['container-out-of-memory'] as const) : []),
  ];
}
