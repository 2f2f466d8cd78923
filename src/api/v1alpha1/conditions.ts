import type { PerformerCondition } from './performer.ts';

export interface ReasonRow {
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

/** Every reason a Performer can be in, as one table; no reason is named outside it. The same word is the reason of the condition and of the Event. */
export const reasons = {
  Serving: serves,
  Draining: serves,
  Repairing: serves,
  Gone: serves,
  ManagedElsewhere: serves,
  Starting: healthy,
  RolloutInProgress: healthy,
  Terminating: { ...healthy, quiet: false },
  WaitingForLeftover: { ...healthy, quiet: false, rechecks: true },
  Paused: {
    ...healthy,
    progressing: false,
    quiet: false,
    nextStep: 'Set spec.paused to false to roll it out.',
  },
  NodeLost: {
    ...trouble,
    nextStep: 'Bring the node back, delete its Node object, or taint it node.kubernetes.io/out-of-service once it is off.',
  },
  Unschedulable: {
    ...trouble,
    nextStep: 'Add a node that fits, or change spec.scheduling, spec.resources or spec.hardwareRequirements.',
  },
  SurgeUnschedulable: {
    ...trouble,
    nextStep: 'Set spec.strategy.type to Recreate, or maxSurge to 0 and maxUnavailable to 1, or add a node that fits.',
  },
  ImagePullFailed: {
    ...trouble,
    nextStep: 'Check spec.image, spec.imagePullPolicy and spec.imagePullSecrets.',
  },
  ContainerConfigFailed: {
    ...trouble,
    nextStep: 'Create the Secret or ConfigMap named, or change spec.config.',
  },
  CrashLooping: { ...trouble, nextStep: 'See the container log: kubectl logs --previous.' },
  OOMKilled: {
    ...trouble,
    nextStep: 'Raise spec.resources.limits.memory.',
  },
  ProbeFailing: {
    ...trouble,
    nextStep: 'Check that it serves grpc.health.v1 on its gRPC port, and spec.probes.',
  },
  Evicted: {
    ...trouble,
    nextStep: 'Another pod follows by itself. See what the node lacks: kubectl describe node.',
  },
  Preempted: {
    ...trouble,
    nextStep: 'Another pod follows by itself. See spec.scheduling.priorityClassName.',
  },
  PodFailed: {
    ...trouble,
    nextStep: 'See the node that refused or ended it: kubectl describe pod. Another pod follows by itself.',
  },
  ProgressDeadlineExceeded: {
    ...stalled,
    nextStep: 'See the pod: kubectl describe pod. Put the former spec back to end the rollout.',
  },
  QuotaExceeded: {
    ...trouble,
    nextStep: 'Raise the ResourceQuota of the namespace, or ask for less.',
  },
  LimitExceeded: {
    ...trouble,
    nextStep: 'Bring spec.resources within the LimitRange of the namespace.',
  },
  PodSecurityViolation: {
    ...trouble,
    nextStep: 'Set spec.security.profile to the level the namespace enforces.',
  },
  WebhookDenied: {
    ...trouble,
    nextStep: 'Ask whoever runs the webhook or policy named.',
  },
  ReferenceMissing: {
    ...trouble,
    nextStep: 'Create the object named, or change spec.config.serviceAccountName or spec.scheduling.',
  },
  NamespaceTerminating: { ...trouble, warns: false, nextStep: '' },
  WriteDenied: {
    ...trouble,
    nextStep: 'Check admission policies of the namespace, and the rights of the operator.',
  },
  InvalidSpec: { ...stalled, nextStep: 'Change the fields named.' },
  NameConflict: {
    ...stalled,
    nextStep: 'Delete or rename that object, or give the Performer another name.',
  },
  ForeignPod: {
    ...trouble,
    nextStep: 'Take the label hourglass.eigenlayer.io/performer off that pod, or delete it.',
  },
  ForeignWriter: {
    ...trouble,
    nextStep: 'Stop the other writer: a former operator must be scaled to 0. Then delete the pods it made.',
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
