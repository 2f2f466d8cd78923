import type { Pod } from '../../kube/objects.ts';

/** What a pod does, chosen by this annotation, which may change while it runs, or by an image tag that ends in the word. */
const behaviorAnnotation = 'hourglass.test/behavior';

const behaviors = ['pull-fails', 'config-fails', 'rejected', 'crashes', 'oom', 'exits', 'never-ready', 'slow', 'runs'] as const;
/** `runs` is the behavior of every pod that names none. `rejected`: the kubelet does not admit it. */
export type Behavior = (typeof behaviors)[number];

export function behaviorOf(pod: Pod): Behavior {
  const asked = pod.metadata?.annotations?.[behaviorAnnotation];
  return behaviors.find((word) => word === asked) ?? behaviors.find((word) => imageOf(pod).endsWith(word)) ?? 'runs';
}

export function imageOf(pod: Pod): string {
  return pod.spec?.containers?.[0]?.image ?? '';
}

/** How containers of a behavior end by themselves, with their exit code and the runtime's word for it. */
export const ends: Partial<Record<Behavior, readonly [exitCode: number, reason: string]>> = {
  crashes: [1, 'Error'],
  oom: [137, 'OOMKilled'],
  exits: [0, 'Completed'],
};
