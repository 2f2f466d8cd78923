import type { Reason } from '../../api/v1alpha1/conditions.ts';
import type { Pod } from '../../kube/objects.ts';
import { parseTime } from '../../lib/time.ts';

/** A cause that keeps a pod from becoming ready. */
export interface PodTrouble {
  readonly reason: Extract<
    Reason,
    | 'Unschedulable'
    | 'ImagePullFailed'
    | 'ContainerConfigFailed'
    | 'CrashLooping'
    | 'OOMKilled'
    | 'ProbeFailing'
    | 'Evicted'
    | 'Preempted'
    | 'PodFailed'
  >;
  readonly message: string;
  /** Server time before which it is no trouble yet. */
  readonly fromMs?: number;
}

const pullReasons = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
  'ImageInspectError',
]);
const configReasons = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PostStartHookError',
]);
/** A container that runs for this long and is not ready does not answer its probes. */
const probePatienceMs = 30_000;

/** What keeps a pod that is not ready from becoming ready, in words that stay the same while the cause does. Pure. */
export function findTrouble(pod: Pod): PodTrouble | undefined {
  const { status } = pod;
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return describeEnd(pod);
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const waiting = container.state?.waiting;
    const text = waiting?.message ?? waiting?.reason ?? '';
    if (pullReasons.has(waiting?.reason ?? ''))
      return { reason: 'ImagePullFailed', message: `${container.image ?? ''}: ${pullText(text)}` };
    if (configReasons.has(waiting?.reason ?? '')) return { reason: 'ContainerConfigFailed', message: text };
    const ended = container.lastState?.terminated ?? container.state?.terminated;
    // Between two tries it runs or lies ended; the words hold no count, so that they stay the same.
    if (waiting?.reason === 'CrashLoopBackOff' || (container.ready !== true && container.restartCount >= 2 && ended !== undefined)) {
      if (ended?.reason === 'OOMKilled') {
        return { reason: 'OOMKilled', message: `container ${container.name} uses more memory than its limit allows` };
      }
      const code = ended === undefined ? '' : `, with exit code ${ended.exitCode}`;
      return { reason: 'CrashLooping', message: `container ${container.name} ends again and again${code}` };
    }
    const startedMs = parseTime(container.state?.running?.startedAt);
    if (startedMs !== undefined && container.ready !== true && status?.phase === 'Running') {
      const message = `container ${container.name} runs but does not answer its probes`;
      return { reason: 'ProbeFailing', message, fromMs: startedMs + probePatienceMs };
    }
  }
  const scheduled = status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return { reason: 'Unschedulable', message: scheduled.message ?? 'no node fits' };
  }
  return undefined;
}

function describeEnd(pod: Pod): PodTrouble {
  const { phase, reason, message } = pod.status ?? {};
  const text = [reason, message].filter((part) => part !== undefined && part !== '').join(': ');
  const disruption = pod.status?.conditions?.find((condition) => condition.type === 'DisruptionTarget' && condition.status === 'True');
  const said = text === '' ? `ended in phase ${phase}` : text;
  if (disruption?.reason === 'PreemptionByScheduler' || reason === 'Preempting') return { reason: 'Preempted', message: said };
  if (reason === 'Evicted' || disruption?.reason === 'TerminationByKubelet') return { reason: 'Evicted', message: said };
  return { reason: 'PodFailed', message: said };
}

/** The kubelet tells the cause in turns with and without its word of backing off; it stays one cause. */
function pullText(text: string): string {
  const cause = text.replace(/^Back-off pulling image "[^"]*"(: (ErrImagePull: )?)?/, '');
  return cause === '' ? 'cannot be pulled' : cause;
}
