import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';

/** Specs with the verdict both the schema and the API server must come to. */

export const smallestSpec = { avsAddress: '0xab', image: 'registry.example/performer:1.0.0' } satisfies PerformerSpecInput;

export interface AcceptedRow {
  readonly name: string;
  readonly spec: Record<string, unknown>;
  /** The spec as stored and as parsed; absent: `spec` with `imagePullPolicy` filled in. */
  readonly stored?: Record<string, unknown>;
}

export interface RefusedRow {
  readonly name: string;
  readonly spec: unknown;
  /** The field that is wrong, as both name it. */
  readonly path: string;
}

const secretRef = { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'credentials', key: 'token', optional: true } } };
const configMapRef = { name: 'URL', valueFrom: { configMapKeyRef: { name: 'endpoints', key: 'l1' } } };
const inZone = { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a', 'b'] };
const zoneTerm = {
  labelSelector: { matchLabels: { app: 'hourglass-performer' }, matchExpressions: [{ key: 'x', operator: 'Exists' }] },
  matchLabelKeys: ['v'],
  mismatchLabelKeys: ['w'],
  namespaces: ['team-a'],
  namespaceSelector: {},
  topologyKey: 'topology.kubernetes.io/zone',
};
const podTerms = {
  requiredDuringSchedulingIgnoredDuringExecution: [zoneTerm],
  preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname' } }],
};

export const everyFieldSpec = {
  avsAddress: '0xAB_cd',
  image: 'registry.example/performer@sha256:0f',
  imagePullPolicy: 'Always',
  version: 'v1.2.3+build',
  config: {
    grpcPort: 65535,
    environment: { EMPTY: '', 'dotted.name': 'x' },
    environmentFrom: [secretRef, configMapRef],
    args: ['--a', ''],
    command: ['/performer'],
    serviceAccountName: 'avs',
  },
  resources: {
    limits: { cpu: 2, memory: '1Gi', 'example.com/device': '1' },
    requests: { cpu: '500m', memory: '1.5e3', 'ephemeral-storage': '.5G' },
    claims: [{ name: 'gpu' }, { name: 'nic', request: 'fast' }],
  },
  scheduling: {
    nodeSelector: { 'node.kubernetes.io/os': 'bottlerocket' },
    tolerations: [{ operator: 'Exists' }, { key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 5 }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [inZone], matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [inZone] } }],
      },
      podAffinity: podTerms,
      podAntiAffinity: podTerms,
    },
    runtimeClass: 'kata',
    priorityClassName: 'high',
  },
  hardwareRequirements: { gpuType: 'nvidia-a100', gpuCount: 2, teeRequired: true, teeType: 'sgx', customLabels: { a: 'b' } },
  imagePullSecrets: [{ name: 'pull' }, {}],
} satisfies PerformerSpecInput;

const withConfig = (config: unknown): Record<string, unknown> => ({ ...smallestSpec, config });

export const acceptedSpecs: readonly AcceptedRow[] = [
  { name: 'the smallest spec', spec: smallestSpec },
  { name: 'every field', spec: everyFieldSpec, stored: everyFieldSpec },
  { name: 'no config: no port is filled in', spec: smallestSpec, stored: { ...smallestSpec, imagePullPolicy: 'IfNotPresent' } },
  {
    name: 'an empty config: port 9090 is filled in',
    spec: withConfig({}),
    stored: { ...withConfig({ grpcPort: 9090 }), imagePullPolicy: 'IfNotPresent' },
  },
  {
    name: 'environmentFrom is kept as it is',
    spec: withConfig({ grpcPort: 8080, environmentFrom: [secretRef, configMapRef] }),
  },
  {
    name: 'what an executor writes',
    spec: {
      ...withConfig({ grpcPort: 8080, environment: { AVS_ADDRESS: '0xab', GRPC_PORT: '8080' } }),
      imagePullPolicy: 'Never',
      version: '1.0.0',
      resources: {},
    },
  },
  {
    name: 'unknown fields at any depth are left out',
    spec: {
      ...withConfig({ grpcPort: 1, later: true }),
      invented: { deep: 1 },
      resources: { claims: [{ name: 'gpu', later: 1 }] },
      scheduling: { affinity: { nodeAffinity: {}, later: {} } },
    },
    stored: {
      ...withConfig({ grpcPort: 1 }),
      imagePullPolicy: 'IfNotPresent',
      resources: { claims: [{ name: 'gpu' }] },
      scheduling: { affinity: { nodeAffinity: {} } },
    },
  },
  {
    name: 'fields that are null count as left out',
    spec: { ...withConfig({ grpcPort: null, args: null, environment: { A: null } }), version: null, resources: null },
    stored: { ...withConfig({ grpcPort: 9090, environment: {} }), imagePullPolicy: 'IfNotPresent' },
  },
  { name: 'an address of any form', spec: { ...smallestSpec, avsAddress: '' } },
  { name: 'no GPUs', spec: { ...smallestSpec, hardwareRequirements: { gpuCount: 0 } } },
];

export const refusedSpecs: readonly RefusedRow[] = [
  { name: 'no avsAddress', spec: { image: 'i' }, path: 'spec.avsAddress' },
  { name: 'an image that is null', spec: { avsAddress: 'a', image: null }, path: 'spec.image' },
  { name: 'a list item that is null', spec: withConfig({ args: [null] }), path: 'spec.config.args[0]' },
  { name: 'no image', spec: { avsAddress: 'a' }, path: 'spec.image' },
  { name: 'an image that is no text', spec: { avsAddress: 'a', image: 7 }, path: 'spec.image' },
  { name: 'an unknown pull policy', spec: { ...smallestSpec, imagePullPolicy: 'Sometimes' }, path: 'spec.imagePullPolicy' },
  { name: 'port 0', spec: withConfig({ grpcPort: 0 }), path: 'spec.config.grpcPort' },
  { name: 'a port too high', spec: withConfig({ grpcPort: 65536 }), path: 'spec.config.grpcPort' },
  { name: 'a port as text', spec: withConfig({ grpcPort: '8080' }), path: 'spec.config.grpcPort' },
  { name: 'a port with a fraction', spec: withConfig({ grpcPort: 80.5 }), path: 'spec.config.grpcPort' },
  { name: 'a config that is no object', spec: withConfig('x'), path: 'spec.config' },
  {
    name: 'an environment value that is no text',
    spec: withConfig({ environment: { DEBUG: true } }),
    path: 'spec.config.environment.DEBUG',
  },
  { name: 'args that are no list', spec: withConfig({ args: '--a' }), path: 'spec.config.args' },
  { name: 'an arg that is no text', spec: withConfig({ args: ['--a', 1] }), path: 'spec.config.args[1]' },
  {
    name: 'environmentFrom without a name',
    spec: withConfig({ environmentFrom: [{ valueFrom: {} }] }),
    path: 'spec.config.environmentFrom[0].name',
  },
  {
    name: 'environmentFrom without a source',
    spec: withConfig({ environmentFrom: [{ name: 'A' }] }),
    path: 'spec.config.environmentFrom[0].valueFrom',
  },
  {
    name: 'a secret reference without a key',
    spec: withConfig({ environmentFrom: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }] }),
    path: 'spec.config.environmentFrom[0].valueFrom.secretKeyRef.key',
  },
  {
    name: 'a quantity that is none',
    spec: { ...smallestSpec, resources: { limits: { memory: '1 Gi' } } },
    path: 'spec.resources.limits.memory',
  },
  {
    name: 'a quantity that is a truth value',
    spec: { ...smallestSpec, resources: { requests: { cpu: true } } },
    path: 'spec.resources.requests.cpu',
  },
  { name: 'a fraction as a number', spec: { ...smallestSpec, resources: { requests: { cpu: 0.5 } } }, path: 'spec.resources.requests.cpu' },
  {
    name: 'the same claim twice',
    spec: { ...smallestSpec, resources: { claims: [{ name: 'a' }, { name: 'a' }] } },
    path: 'spec.resources.claims[1]',
  },
  {
    name: 'fewer than no GPUs',
    spec: { ...smallestSpec, hardwareRequirements: { gpuCount: -1 } },
    path: 'spec.hardwareRequirements.gpuCount',
  },
  {
    name: 'a TEE flag as text',
    spec: { ...smallestSpec, hardwareRequirements: { teeRequired: 'yes' } },
    path: 'spec.hardwareRequirements.teeRequired',
  },
  {
    name: 'a pod affinity without a topology key',
    spec: { ...smallestSpec, scheduling: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{}] } } } },
    path: 'spec.scheduling.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey',
  },
  {
    name: 'more environment variables than any pod can have',
    spec: withConfig({ environment: manyEntries(1025) }),
    path: 'spec.config.environment',
  },
  { name: 'a spec that is a text', spec: 'x', path: 'spec' },
];

function manyEntries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`V${index}`, '']));
}
