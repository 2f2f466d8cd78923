import type { PerformerCondition } from './performer.ts';

export interface ReasonRow {
  /** What has happened, for the catalogue in the documentation. */
  readonly cause: string;
  /** Value of the Ready condition under this reason. */
  readonly ready: boolean;
  /** Only a user can change it: `Stalled` is set and `once --wait` does not wait for it. */
  readonly stalls: boolean;
  /** `Progressing` under this reason. */
  readonly progressing: boolean;
  /** Recorded as a Warning Event when a Performer comes to it. */
  readonly warns: boolean;
  /** A healthy start: the status may stay unwritten for a moment, since most starts are over before anybody looks. */
  readonly quiet: boolean;
  /** Nothing that is watched may tell when it ends (the object in the way need not carry a label of ours): looked at again by the clock. */
  readonly rechecks: boolean;
  /** What a user can do, appended to the message; '' when there is nothing to do. */
  readonly nextStep: string;
}

const serves = { ready: true, stalls: false, progressing: false, warns: false, quiet: false, rechecks: false, nextStep: '' } as const;
const healthy = { ready: false, stalls: false, progressing: true, warns: false, quiet: true, rechecks: false, nextStep: '' } as const;
const trouble = { ready: false, stalls: false, progressing: true, warns: true, quiet: false, rechecks: false } as const;
const stalled = { ready: false, stalls: true, progressing: false, warns: true, quiet: false, rechecks: true } as const;
/** Refused by the API server: tried again by back-off, heals by itself when the cause goes. */
const denied = { ...trouble, rechecks: false } as const;

/** Every reason a Performer can be in, as one table; no reason is named outside it. The same word is the reason of the condition and of the Event. */
export const reasons = {
  Serving: { ...serves, cause: 'The newest spec is what serves.' },
  Draining: { ...serves, cause: 'Said of a pass, never stored: it serves, and former pods are on their way out.' },
  Repairing: { ...serves, cause: 'Said of a pass, never stored: it serves, and differences are being put right.' },
  Gone: { ...serves, cause: 'Said of a pass, never stored: there is no Performer, and nothing of it.' },
  ManagedElsewhere: { ...serves, cause: 'Said of a pass, never stored: `spec.managedBy` names another controller; nothing is written.' },
  Starting: { ...healthy, cause: 'Pods are being made or are not ready yet.' },
  RolloutInProgress: { ...healthy, cause: 'A changed spec is rolled out.' },
  Terminating: { ...healthy, quiet: false, cause: 'The Performer is being deleted.' },
  WaitingForLeftover: { ...healthy, quiet: false, rechecks: true, cause: 'Objects of a former Performer of this name are going.' },
  Paused: {
    ...healthy,
    progressing: false,
    quiet: false,
    cause: '`spec.paused` holds back a changed spec.',
    nextStep: 'Set spec.paused to false to roll it out.',
  },
  NodeLost: {
    ...trouble,
    cause: 'The node of a pod is unreachable.',
    nextStep: 'Bring the node back, delete its Node object, or taint it node.kubernetes.io/out-of-service once it is off.',
  },
  Unschedulable: {
    ...trouble,
    cause: 'No node fits the pod.',
    nextStep: 'Add a node that fits, or change spec.scheduling, spec.resources or spec.hardwareRequirements.',
  },
  SurgeUnschedulable: {
    ...trouble,
    cause: 'No node fits the new pod while the old one holds its place.',
    nextStep: 'Set spec.strategy.type to Recreate, or maxSurge to 0 and maxUnavailable to 1, or add a node that fits.',
  },
  ImagePullFailed: {
    ...trouble,
    cause: 'The node cannot pull the image.',
    nextStep: 'Check spec.image, spec.imagePullPolicy and spec.imagePullSecrets.',
  },
  ContainerConfigFailed: {
    ...trouble,
    cause: 'The container cannot be made, mostly since a Secret or ConfigMap is missing.',
    nextStep: 'Create the Secret or ConfigMap named, or change spec.config.',
  },
  CrashLooping: { ...trouble, cause: 'The container ends again and again.', nextStep: 'See the container log: kubectl logs --previous.' },
  OOMKilled: {
    ...trouble,
    cause: 'The container ends again and again for want of memory.',
    nextStep: 'Raise spec.resources.limits.memory.',
  },
  ProbeFailing: {
    ...trouble,
    cause: 'The container has run for 30 s and does not answer its probes.',
    nextStep: 'Check that it serves grpc.health.v1 on its gRPC port, and spec.probes.',
  },
  Evicted: {
    ...trouble,
    cause: 'The node evicted the pod.',
    nextStep: 'Another pod follows by itself. See what the node lacks: kubectl describe node.',
  },
  Preempted: {
    ...trouble,
    cause: 'A pod of higher priority took the place.',
    nextStep: 'Another pod follows by itself. See spec.scheduling.priorityClassName.',
  },
  PodFailed: {
    ...trouble,
    cause: 'A pod ended for good.',
    nextStep: 'See the node that refused or ended it: kubectl describe pod. Another pod follows by itself.',
  },
  ProgressDeadlineExceeded: {
    ...stalled,
    rechecks: true,
    cause: 'New pods are not ready within `spec.progressDeadlineSeconds`. The rollout goes on.',
    nextStep: 'See the pod: kubectl describe pod. Put the former spec back to end the rollout.',
  },
  QuotaExceeded: {
    ...denied,
    cause: 'A ResourceQuota leaves no room.',
    nextStep: 'Raise the ResourceQuota of the namespace, or ask for less.',
  },
  LimitExceeded: {
    ...denied,
    cause: 'A LimitRange refuses the pod.',
    nextStep: 'Bring spec.resources within the LimitRange of the namespace.',
  },
  PodSecurityViolation: {
    ...denied,
    cause: 'Pod Security Admission refuses the pod.',
    nextStep: 'Set spec.security.profile to the level the namespace enforces.',
  },
  WebhookDenied: {
    ...denied,
    cause: 'An admission webhook or policy refuses a write, or does not answer.',
    nextStep: 'Ask whoever runs the webhook or policy named.',
  },
  ReferenceMissing: {
    ...denied,
    cause: 'A ServiceAccount, RuntimeClass or PriorityClass that the pod names does not exist.',
    nextStep: 'Create the object named, or change spec.config.serviceAccountName or spec.scheduling.',
  },
  NamespaceTerminating: { ...denied, warns: false, cause: 'The namespace is going.', nextStep: '' },
  WriteDenied: {
    ...denied,
    cause: 'The API server refuses a write.',
    nextStep: 'Check admission policies of the namespace, and the rights of the operator.',
  },
  InvalidSpec: { ...stalled, cause: 'The stored spec cannot be carried out.', nextStep: 'Change the fields named.' },
  NameConflict: {
    ...stalled,
    cause: 'An object of somebody else holds a name the Performer needs.',
    nextStep: 'Delete or rename that object, or give the Performer another name.',
  },
  ForeignPod: {
    ...trouble,
    cause: 'The Service selects a pod that is not ours. Calls reach it.',
    nextStep: 'Take the label hourglass.eigenlayer.io/performer off that pod, or delete it.',
  },
  ForeignWriter: {
    ...trouble,
    cause: 'Somebody else makes pods of the Performer, or keeps putting back its Service. What they wrote is left alone.',
    nextStep: 'Stop the other writer; a former operator must be scaled to 0.',
  },
} as const satisfies Record<string, ReasonRow>;

export type Reason = keyof typeof reasons;

/** Condition types that stand for one more fact each and exist only while it holds. */
export const factTypes = ['NodeLost', 'Paused', 'ForeignPod', 'ForeignWriter', 'Scheduled'] as const;

/** Condition types of ours, in the order they are written. `Ready` comes last: executors of the original show the last condition's message. */
export const conditionTypes = [...factTypes, 'Available', 'Progressing', 'Degraded', 'Reconciling', 'Stalled', 'Ready'] as const;

export type ConditionType = (typeof conditionTypes)[number];

export interface WantedCondition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False';
  readonly reason: Reason;
  readonly message: string;
}

/** The message with the next step a user can take. Pure. */
export function withNextStep(reason: Reason, message: string): string {
  const { nextStep } = reasons[reason];
  return nextStep === '' ? message : `${message}. ${nextStep}`;
}

/**
 * The list to store: foreign conditions first and as they were, then ours in fixed order.
 * `lastTransitionTime` moves only when the condition's status does. Pure.
 *
 * @param nowText RFC 3339 server time
 */
export function mergeConditions(
  stored: readonly PerformerCondition[],
  wanted: readonly WantedCondition[],
  generation: number,
  nowText: string,
): readonly PerformerCondition[] {
  const ours = new Set<string>(conditionTypes);
  const foreign = stored.filter((condition) => !ours.has(condition.type));
  const merged = conditionTypes.flatMap((type) => {
    const next = wanted.find((condition) => condition.type === type);
    if (next === undefined) return [];
    const before = stored.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : nowText;
    return [{ ...next, observedGeneration: generation, lastTransitionTime }];
  });
  return [...foreign, ...merged];
}

/** The stored condition of that type, if any. Pure. */
export function findCondition(conditions: readonly PerformerCondition[] | undefined, type: string): PerformerCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
