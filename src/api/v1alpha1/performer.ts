import * as z from 'zod';
import type { KubeObject, Resource } from '../../kube/objects.ts';
import { bool, int32, int64, list, mapList, name, oneOf, text, textMap, time } from '../fields.ts';
import { withoutNullMembers } from '../without-null-members.ts';
import { affinity, condition, keySelector, localObjectReference, resourceRequirements, toleration } from './core.ts';
import * as defaults from './defaults.ts';
import { group, version } from './naming.ts';

const environmentSource = z.object({
  name: name('Name of the environment variable.'),
  valueFrom: z
    .object({
      secretKeyRef: keySelector('Secret').describe('The entry of a Secret that holds the value.').optional(),
      configMapKeyRef: keySelector('ConfigMap').describe('The entry of a ConfigMap that holds the value.').optional(),
    })
    .describe('Where the value comes from.'),
});

const config = z.object({
  grpcPort: int32('Port the performer serves gRPC on; the Service offers the same.', 1, 65_535).default(defaults.portWithConfig),
  environment: textMap('Environment variables of the container, by name.', 262_144).optional(),
  environmentFrom: list(environmentSource, 'Environment variables whose value stands in a Secret or ConfigMap.', 1024).optional(),
  args: list(z.string(), 'Arguments of the command.', 1024).optional(),
  command: list(z.string(), 'Command of the container. Left out: that of the image.', 1024).optional(),
  serviceAccountName: text('Service account of the pods. Left out: the default one, and no token in the container.', 253).optional(),
});

const scheduling = z.object({
  nodeSelector: textMap('Labels a node must have.').optional(),
  tolerations: list(toleration, 'Taints that are tolerated.').optional(),
  affinity: affinity.describe('Rules that draw the pods to nodes and to other pods, or keep them away.').optional(),
  runtimeClass: text('RuntimeClass of the pods.', 253).optional(),
  priorityClassName: text('PriorityClass of the pods.', 253).optional(),
});

const hardwareRequirements = z.object({
  gpuType: text('Model of the GPU, as the nodes are labelled.', 253).optional(),
  gpuCount: int32('How many GPUs each pod gets.', 0).optional(),
  teeRequired: bool('Whether the pods must run on nodes with a trusted execution environment.').optional(),
  teeType: text('Kind of the trusted execution environment: sgx, tdx or sev.', 253).optional(),
  customLabels: textMap('Further labels a node must have.').optional(),
});

/** What a user asks for. */
export const performerSpecSchema = z.object({
  avsAddress: text('Address of the AVS the performer works for.'),
  image: text('Image of the performer.'),
  imagePullPolicy: oneOf(['Always', 'Never', 'IfNotPresent'], 'When the node pulls the image.').default(defaults.imagePullPolicy),
  version: text('Version of the performer, for people; a change rolls out new pods.').optional(),
  config: config
    .describe(`How the performer is started. Left out altogether: gRPC on port ${defaults.portWithoutConfig}, no environment.`)
    .optional(),
  resources: resourceRequirements.describe('CPU, memory and other resources of the container.').optional(),
  scheduling: scheduling.describe('Where the pods may run.').optional(),
  hardwareRequirements: hardwareRequirements.describe('Special hardware the pods need.').optional(),
  imagePullSecrets: list(localObjectReference, 'Secrets with credentials for the image registry.').optional(),
});

/** What the operator reports. */
export const performerStatusSchema = z.object({
  phase: oneOf(['Pending', 'Running', 'Upgrading', 'Terminating', 'Failed'], 'The state in one word. The conditions tell more.').optional(),
  ready: bool('Whether a pod serves now.').optional(),
  podName: text('Name of the pod that serves, or of the last one that did.', 253).optional(),
  podIP: text('Address of that pod.', 64).optional(),
  serviceName: text('Name of the Service.', 253).optional(),
  grpcEndpoint: text('DNS name of the Service, without the port.').optional(),
  conditions: mapList(condition, 'type', 'What holds and what does not. `Ready` is the last one.').optional(),
  lastUpgrade: time('When the last rollout of a change was completed.').optional(),
  readyTime: time('When a pod of the Performer first became ready.').optional(),
  observedGeneration: int64('Generation of the spec this status is about; -1 before the first look.')
    .default(defaults.unobservedGeneration)
    .optional(),
  revision: text('Revision of the spec that the pod runs.', 253).optional(),
});

/** The whole object, less `apiVersion`, `kind` and `metadata`. `spec` stays optional, so that stored objects without one can be edited. */
export const performerSchema = z.object({
  spec: performerSpecSchema.describe('What is wanted.').optional(),
  status: performerStatusSchema
    .describe('What is; written by the operator.')
    .default({ observedGeneration: defaults.unobservedGeneration })
    .optional(),
});

/** A zod type as the JSON that is read: readonly all the way down, and an optional member is absent, never `undefined`. */
type ReadJson<T> = T extends readonly (infer Item)[]
  ? readonly ReadJson<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: ReadJson<Exclude<T[Key], undefined>> }
    : T;

/** A spec that was parsed: defaults are in, unknown fields are out. */
export type PerformerSpec = ReadJson<z.output<typeof performerSpecSchema>>;
/** A spec as users write it: fields with a default may be left out. */
export type PerformerSpecInput = ReadJson<z.input<typeof performerSpecSchema>>;
export type PerformerStatus = ReadJson<z.input<typeof performerStatusSchema>>;
export type PerformerPhase = NonNullable<PerformerStatus['phase']>;
export type PerformerCondition = ReadJson<z.output<typeof condition>>;

/** A stored Performer. `spec` is `unknown`, since an older CRD may have let anything through: `parsePerformerSpec` reads it. */
export interface Performer extends KubeObject {
  readonly spec?: unknown;
  readonly status?: PerformerStatus;
}

export const performers: Resource<Performer> = { group, version, kind: 'Performer', plural: 'performers', namespaced: true };

export interface SpecIssue {
  /** Where in the object, e.g. `spec.config.grpcPort`. */
  readonly path: string;
  /** What is wrong there. Holds no value of the object. */
  readonly message: string;
}

export type ParsedSpec =
  | { readonly valid: true; readonly spec: PerformerSpec }
  | { readonly valid: false; readonly issues: readonly SpecIssue[] };

/** Reads the spec of a stored Performer: defaults are filled in, unknown fields and nulls left out. Pure; never throws. */
export function parsePerformerSpec(spec: unknown): ParsedSpec {
  const result = performerSpecSchema.safeParse(withoutNullMembers(spec ?? undefined), {
    error: (issue) => (issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined),
  });
  if (result.success) return { valid: true, spec: result.data as PerformerSpec };
  return {
    valid: false,
    issues: result.error.issues.map((issue) => ({ path: fieldPath(['spec', ...issue.path]), message: issue.message })),
  };
}

function fieldPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    const key = String(segment);
    if (path === '') return key;
    return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, '');
}
