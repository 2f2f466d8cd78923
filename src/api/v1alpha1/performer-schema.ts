import * as z from 'zod/mini';
import {
  bool,
  bounded,
  countOrShare,
  describeIssue,
  int32,
  int64,
  list,
  mapList,
  object,
  oneOf,
  optional,
  options,
  rules,
  text,
  textMap,
  time,
} from '../fields.ts';
import { withoutNullMembers } from '../without-null-members.ts';
import {
  affinity,
  condition,
  environmentSource,
  environmentVariable,
  localObjectReference,
  resourceRequirements,
  toleration,
} from './core.ts';
import * as defaults from './defaults.ts';
import * as rule from './rules.ts';
import { teeTypes } from './rules.ts';

const config = options({
  grpcPort: z._default(int32('Port the performer serves gRPC on; the Service offers the same.', 1, 65_535), defaults.portWithConfig),
  environment: textMap('Environment variables of the container, by name.', 262_144),
  environmentFrom: mapList(environmentSource, 'name', 'Environment variables whose value stands in a Secret or ConfigMap.', 1024),
  env: mapList(
    environmentVariable,
    'name',
    'Environment variables as a Pod has them, after `environment` and `environmentFrom`; a name wins over theirs.',
    1024,
  ),
  args: list(bounded(131_072), 'Arguments of the command.', 1024),
  command: list(bounded(131_072), 'Command of the container. Left out: that of the image.', 1024),
  serviceAccountName: text('Service account of the pods. Left out: the default one, and no token in the container.', 253),
});

const scheduling = options({
  nodeSelector: textMap('Labels a node must have.'),
  tolerations: list(toleration, 'Taints that are tolerated.'),
  affinity,
  runtimeClass: text('RuntimeClass of the pods.', 253),
  priorityClassName: text('PriorityClass of the pods.', 253),
});

const hardwareRequirements = options({
  gpuType: text('Model of the GPU; decides which nodes are chosen.', 253),
  gpuCount: int32('How many GPUs each pod gets.', 0),
  teeRequired: bool('Whether the pods must run on nodes with a trusted execution environment.'),
  teeType: text(`Kind of the trusted execution environment: ${teeTypes.join(', ')}.`, 253),
  customLabels: textMap('Further labels a node must have.'),
});

/** @param maxSuccesses 1 where Pods allow no other `successThreshold` */
function probe(description: string, maxSuccesses: number) {
  return options({
    initialDelaySeconds: int32('Seconds from the start of the container to the first probe.', 0, 3600),
    periodSeconds: int32('Seconds from one probe to the next.', 1, 3600),
    timeoutSeconds: int32('Seconds after which a probe without an answer has failed.', 1, 3600),
    failureThreshold: int32('How many probes in a row must fail to count as a failure.', 1, 3600),
    successThreshold: int32('How many probes in a row must succeed after a failure to count as a success.', 1, maxSuccesses),
  }).check(z.describe(description));
}

const probes = options({
  startup: probe('Timings of the startup probe: until it succeeds, the other two wait; when it fails, the container is restarted.', 1),
  readiness: probe('Timings of the readiness probe: while it fails, the pod gets no new connections.', 3600),
  liveness: probe('Timings of the liveness probe: when it fails, the container is restarted.', 1),
});

const strategy = options({
  type: oneOf(
    ['RollingUpdate', 'Recreate'],
    `RollingUpdate: new pods serve before old ones go. Recreate: the old ones go first. ${defaults.strategyType} when left out.`,
  ),
  rollingUpdate: options({
    maxSurge: countOrShare(
      `How many pods may exist above \`replicas\` during a rollout, as number or percentage, rounded up. ${defaults.maxSurge} when left out.`,
    ),
    maxUnavailable: countOrShare(
      `How many pods of \`replicas\` may be missing during a rollout, as number or percentage, rounded down. ${defaults.maxUnavailable} when left out.`,
    ),
  }).check(z.describe('How far a rollout may go above and below `replicas`.'), ...rules(rule.rolloutMoves)),
});

const security = options({
  profile: oneOf(
    ['privileged', 'baseline', 'restricted'],
    'Level of the Pod Security Standards the pods are built for. privileged: nothing is added to the pods.',
  ),
});

/** A time in whole seconds that the operator knows a default for. */
function seconds(description: string, whenLeftOut: number, min = 0, max = 3600) {
  return int32(`${description} ${whenLeftOut} when left out.`, min, max);
}

const choices = options({
  version: text('Version of the performer, for people; a change rolls out new pods.'),
  config: config.check(
    z.describe(`How the performer is started. Left out altogether: gRPC on port ${defaults.portWithoutConfig}, no environment.`),
  ),
  resources: resourceRequirements.check(z.describe('CPU, memory and other resources of the container.')),
  scheduling: scheduling.check(z.describe('Where the pods may run.')),
  hardwareRequirements: hardwareRequirements.check(
    z.describe('Special hardware the pods need.'),
    ...rules(rule.teeHasType, rule.gpuHasCount),
  ),
  imagePullSecrets: list(localObjectReference, 'Secrets with credentials for the image registry.'),
  strategy: strategy.check(z.describe('How pods of a changed spec take the place of those before.'), ...rules(rule.recreateHasNoSteps)),
  minReadySeconds: seconds(
    'Seconds a new pod must have been ready without a break before it counts as available.',
    defaults.minReadySeconds,
  ),
  progressDeadlineSeconds: seconds(
    'Seconds without progress after which a rollout says so; it goes on.',
    defaults.progressDeadlineSeconds,
    1,
    86_400,
  ),
  drainSeconds: seconds('Seconds between taking a pod out of the Service and deleting it, for calls on their way.', defaults.drainSeconds),
  terminationGracePeriodSeconds: int64(
    `Seconds a container has from the signal to end until it is killed. ${defaults.terminationGracePeriodSeconds} when left out.`,
    0,
    86_400,
  ),
  nodeLossPolicy: oneOf(
    ['Route', 'Strict'],
    `What follows when a node cannot be reached. Route: its pods are taken out of the Service and replaced. Strict: only once they are known to be gone. ${defaults.nodeLossPolicy} when left out.`,
  ),
  nodeLossSeconds: seconds('Seconds a node must have been unreachable before its pods count as lost.', defaults.nodeLossSeconds),
  probes: probes.check(z.describe('Timings of the gRPC health probes.')),
  security: security.check(z.describe('What the pods are allowed.')),
  paused: bool('While true no rollout starts. Repairs, scaling and deletion go on.'),
  managedBy: text(`Who looks after this Performer. Anything but ${defaults.managedBy}: the operator writes nothing, status included.`, 253),
});

/** What a user asks for. */
export const performerSpecSchema = object({
  avsAddress: text('Address of the AVS the performer works for.').check(...rules(rule.addressForm, rule.addressIsKept)),
  image: text('Image of the performer.').check(...rules(rule.imageForm)),
  imagePullPolicy: z._default(oneOf(['Always', 'Never', 'IfNotPresent'], 'When the node pulls the image.'), defaults.imagePullPolicy),
  // A default of the CRD, too: the scale subresource answers with an error where the field is absent.
  replicas: z._default(int32('How many pods serve.', 1, 100), defaults.replicas),
  ...choices.shape,
}).check(...rules(rule.managerIsKept));

/** What the operator reports. */
export const performerStatusSchema = options({
  phase: oneOf(['Pending', 'Running', 'Upgrading', 'Terminating', 'Failed'], 'The state in one word. The conditions tell more.'),
  ready: bool('Whether a pod serves now.'),
  podName: text('Name of the pod that serves, or of the last one that did.', 253),
  podIP: text('Address of that pod.', 64),
  serviceName: text('Name of the Service.', 253),
  grpcEndpoint: text('DNS name of the Service, without the port.'),
  conditions: mapList(condition, 'type', 'What holds and what does not. `Ready` is the last one.'),
  lastUpgrade: time('When the last rollout of a change was completed.'),
  readyTime: time('When the Performer became ready the last time.'),
  observedGeneration: z._default(
    int64('Generation of the spec this status is about; -1 before the first look.'),
    defaults.unobservedGeneration,
  ),
  revision: text('Revision of the spec that the pods run.', 253),
  replicas: int32('How many pods are in service or about to be.', 0),
  readyReplicas: int32('How many of them are ready.', 0),
  updatedReplicas: int32('How many of them run the present revision.', 0),
  selector: text('Label selector of the pods in service, for autoscalers.'),
});

/** The whole object, less `apiVersion`, `kind` and `metadata`. `spec` stays optional, so that stored objects without one can be edited. */
export const performerSchema = object({
  spec: optional(performerSpecSchema.check(z.describe('What is wanted.'))),
  status: optional(
    z._default(performerStatusSchema.check(z.describe('What is; written by the operator.')), {
      observedGeneration: defaults.unobservedGeneration,
    }),
  ),
});

/** What zod makes of a value, with every breach of it: unlike `safeParse` it gives the value in any case. Pure. */
export function readWith(schema: z.ZodMiniType, input: unknown): { readonly value: unknown; readonly issues: readonly z.core.$ZodIssue[] } {
  const { value, issues } = schema._zod.run({ value: withoutNullMembers(input), issues: [] }, { async: false }) as z.core.ParsePayload;
  return { value, issues: issues.map((issue) => z.util.finalizeIssue(issue, { error: describeIssue }, z.config())) };
}
