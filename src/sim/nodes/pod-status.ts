import type { Pod } from '../../kube/objects.ts';
import { formatTime } from '../../lib/time.ts';

type PodStatus = NonNullable<Pod['status']>;
type PodCondition = NonNullable<PodStatus['conditions']>[number];
export type ContainerState = NonNullable<NonNullable<PodStatus['containerStatuses']>[number]['state']>;

/** What a kubelet knows of a pod it runs. */
export interface PodFacts {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly reason?: string;
  readonly message?: string;
  readonly state: ContainerState;
  readonly lastState?: ContainerState;
  readonly restartCount: number;
  readonly started: boolean;
  readonly ready: boolean;
  readonly startTime?: string;
  /** Absent without a sandbox. */
  readonly podIP?: string;
}

/**
 * The status of a pod from what its kubelet knows; conditions of others stay. A kubelet keeps the times of its own conditions: what others
 * wrote meanwhile (the node controller's Ready=False) leaves no trace in them.
 *
 * @param times of the conditions, by type; brought up to date
 */
export function buildPodStatus(
  pod: Pod,
  facts: PodFacts,
  times: Map<string, { readonly status: string; readonly since: string }>,
  hostIP: string,
  nowMs: number,
): PodStatus {
  const { phase, reason, message, startTime, podIP } = facts;
  const names = pod.spec?.containers?.map(({ name }) => name).join(' ');
  const unready = phase === 'Succeeded' ? { reason: 'PodCompleted' } : phase === 'Failed' ? { reason: 'PodFailed' } : notReady(names);
  const condition = (type: string, holds: boolean, why: object = {}): PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = times.get(type);
    const since = before?.status === status ? before.since : formatTime(nowMs);
    times.set(type, { status, since });
    return { type, status, lastTransitionTime: since, ...(holds ? {} : why) };
  };
  const own = [
    condition('PodReadyToStartContainers', podIP !== undefined),
    condition('Initialized', true),
    condition('Ready', facts.ready, unready),
    condition('ContainersReady', facts.ready, unready),
    ...(reason === 'Evicted' ? [condition('DisruptionTarget', true)].map((one) => ({ ...one, reason: 'TerminationByKubelet' })) : []),
  ];
  const foreign = (pod.status?.conditions ?? []).filter(({ type }) => !own.some((one) => one.type === type));
  const { podIP: _ip, podIPs: _ips, ...others } = pod.status ?? {};
  return {
    ...others,
    phase,
    conditions: [...own, ...foreign],
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    ...(startTime === undefined ? {} : { containerStatuses: pod.spec?.containers?.map((container) => containerStatus(container, facts)) }),
  } as PodStatus;
}

function notReady(names: string | undefined): object {
  return { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` };
}

function containerStatus({ name, image = '' }: { readonly name: string; readonly image?: string }, facts: PodFacts): object {
  const { state, lastState = {}, restartCount, started, ready } = facts;
  const imageID = state.waiting?.reason === 'ContainerCreating' ? '' : image;
  return { name, image, imageID, state, lastState, restartCount, started, ready };
}
