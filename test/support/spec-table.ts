import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import { teeTypes } from '../../src/api/v1alpha1/rules.ts';

/** Specs with the verdict both the schema and the API server must come to. */

export const avsAddress = '0x5a17c0ffee00000000000000000000000000a001';

export const smallestSpec = { avsAddress, image: 'registry.example/performer:1.0.0' } satisfies PerformerSpecInput;

export interface AcceptedRow {
  readonly name: string;
  readonly spec: Record<string, unknown>;
  /** The spec as stored and as parsed, apart from defaults at its top; absent: `spec`. */
  readonly stored?: Record<string, unknown>;
}

export interface RefusedRow {
  readonly name: string;
  readonly spec: unknown;
  /** The field that is wrong, as both name it. */
  readonly path: string;
  /** Earlier CRDs let it in, so what is stored is read all the same. */
  readonly tolerated?: true;
}

/** What the API server fills in at the top of every spec. */
export const filledIn = { imagePullPolicy: 'IfNotPresent', replicas: 1 };

const secretRef = { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'credentials', key: 'token', optional: true } } };
const configMapRef = { name: 'URL', valueFrom: { configMapKeyRef: { name: 'endpoints', key: 'l1' } } };
const inZone = { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a', 'b'] } as const;
const zoneTerm = {
  labelSelector: { matchLabels: { app: 'hourglass-performer' }, matchExpressions: [{ key: 'x', operator: 'Exists' as const }] },
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
  avsAddress: '0x5A17C0FFEE00000000000000000000000000a001',
  image: `registry.example:5000/team/performer:1.0@sha256:${'0f'.repeat(32)}`,
  imagePullPolicy: 'Always',
  version: 'v1.2.3+build',
  config: {
    grpcPort: 65535,
    environment: { EMPTY: '', 'dotted.name': 'x' },
    environmentFrom: [secretRef, configMapRef],
    env: [
      { name: 'PLAIN', value: '$(TOKEN)' },
      { name: 'EMPTY' },
      { name: 'POD_IP', value: '', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      { name: 'CPUS', valueFrom: { resourceFieldRef: { containerName: 'performer', resource: 'limits.cpu', divisor: '1m' } } },
      secretRef,
      configMapRef,
    ],
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
  replicas: 3,
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '0%' } },
  minReadySeconds: 2,
  progressDeadlineSeconds: 60,
  drainSeconds: 0,
  terminationGracePeriodSeconds: 86_400,
  nodeLossPolicy: 'Strict',
  nodeLossSeconds: 0,
  probes: {
    startup: { initialDelaySeconds: 0, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 300, successThreshold: 1 },
    readiness: { periodSeconds: 1, successThreshold: 2 },
    liveness: {},
  },
  security: { profile: 'restricted' },
  paused: true,
  managedBy: 'hourglass.eigenlayer.io/operator',
} satisfies PerformerSpecInput;

const withConfig = (config: unknown): Record<string, unknown> => ({ ...smallestSpec, config });

export const acceptedSpecs: readonly AcceptedRow[] = [
  { name: 'the smallest spec', spec: smallestSpec },
  { name: 'every field', spec: everyFieldSpec, stored: everyFieldSpec },
  { name: 'no config: no port is filled in', spec: smallestSpec, stored: smallestSpec },
  {
    name: 'an empty config: port 9090 is filled in',
    spec: withConfig({}),
    stored: withConfig({ grpcPort: 9090 }),
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
      resources: { claims: [{ name: 'gpu' }] },
      scheduling: { affinity: { nodeAffinity: {} } },
    },
  },
  {
    name: 'fields that are null count as left out',
    spec: { ...withConfig({ grpcPort: null, args: null, environment: { A: null } }), version: null, resources: null },
    stored: withConfig({ grpcPort: 9090, environment: {} }),
  },
  ...[
    'a',
    'a/b',
    'localhost/a',
    'localhost:5000/a',
    'Registry.Example:5000/a/b__c--d.e:V1_-.x',
    '[::1]:5000/a',
    `a@sha256:${'0'.repeat(64)}`,
  ].map((image) => ({
    name: `image ${image}`,
    spec: { ...smallestSpec, image },
  })),
  ...teeTypes.map((teeType) => ({
    name: `TEE ${teeType}`,
    spec: { ...smallestSpec, hardwareRequirements: { teeRequired: true, teeType } },
  })),
  {
    name: 'a TEE type nobody requires, and an empty GPU type',
    spec: { ...smallestSpec, hardwareRequirements: { teeRequired: false, teeType: 'enclave', gpuType: '' } },
  },
  { name: 'Recreate', spec: { ...smallestSpec, strategy: { type: 'Recreate' } } },
  { name: 'no surge', spec: { ...smallestSpec, strategy: { rollingUpdate: { maxSurge: '0%', maxUnavailable: 1 } } } },
  { name: 'no surge, and nothing said of the unavailable', spec: { ...smallestSpec, strategy: { rollingUpdate: { maxSurge: 0 } } } },
  { name: 'another manager', spec: { ...smallestSpec, managedBy: 'example.com/other' } },
  { name: 'no GPUs', spec: { ...smallestSpec, hardwareRequirements: { gpuCount: 0 } } },
];

export const refusedSpecs: readonly RefusedRow[] = [
  { name: 'no avsAddress', spec: { image: 'i' }, path: 'spec.avsAddress' },
  { name: 'an image that is null', spec: { avsAddress, image: null }, path: 'spec.image' },
  { name: 'a list item that is null', spec: withConfig({ args: [null] }), path: 'spec.config.args[0]' },
  { name: 'no image', spec: { avsAddress }, path: 'spec.image' },
  { name: 'an image that is no text', spec: { avsAddress, image: 7 }, path: 'spec.image' },
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
    spec: withConfig({ environmentFrom: [{ valueFrom: configMapRef.valueFrom }] }),
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
    tolerated: true,
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
    tolerated: true,
  },
  ...['', '0xab', `${avsAddress}0`, avsAddress.slice(2), avsAddress.replace('0x', '0X'), ` ${avsAddress}`].map((address) => ({
    name: `address '${address}'`,
    spec: { ...smallestSpec, avsAddress: address },
    path: 'spec.avsAddress',
    tolerated: true as const,
  })),
  ...[
    '',
    ' a',
    'a ',
    'a b',
    'A',
    'Team/a',
    'registry.example/A',
    'registry:',
    'a:',
    'a@',
    'a@sha256:0f',
    'a//b',
    '/a',
    'a/',
    'https://a/b',
    'a:b:c',
    'a\n',
  ].map((image) => ({
    name: `image ${JSON.stringify(image)}`,
    spec: { ...smallestSpec, image },
    path: 'spec.image',
    tolerated: true as const,
  })),
  ...[{}, { teeType: '' }, { teeType: 'SGX' }, { teeType: 'enclave' }].map((hardware) => ({
    name: `a required TEE with ${JSON.stringify(hardware)}`,
    spec: { ...smallestSpec, hardwareRequirements: { teeRequired: true, ...hardware } },
    path: 'spec.hardwareRequirements.teeType',
    tolerated: true as const,
  })),
  ...[{}, { gpuCount: 0 }].map((hardware) => ({
    name: `a GPU type with ${JSON.stringify(hardware)}`,
    spec: { ...smallestSpec, hardwareRequirements: { gpuType: 'nvidia-a100', ...hardware } },
    path: 'spec.hardwareRequirements.gpuCount',
    tolerated: true as const,
  })),
  ...['environmentFrom', 'env'].flatMap((field) => [
    {
      name: `${field} from nowhere`,
      spec: withConfig({ [field]: [{ name: 'A', valueFrom: {} }] }),
      path: `spec.config.${field}[0].valueFrom`,
      tolerated: true as const,
    },
    {
      name: `${field} from two sources`,
      spec: withConfig({ [field]: [{ name: 'A', valueFrom: { ...secretRef.valueFrom, ...configMapRef.valueFrom } }] }),
      path: `spec.config.${field}[0].valueFrom`,
      tolerated: true as const,
    },
    {
      name: `the same name twice in ${field}`,
      spec: withConfig({ [field]: [secretRef, configMapRef, { ...configMapRef, name: 'TOKEN' }] }),
      path: `spec.config.${field}[2]`,
      tolerated: true as const,
    },
    {
      name: `${field} with a name no variable can have`,
      spec: withConfig({ [field]: [{ ...secretRef, name: 'A=B' }] }),
      path: `spec.config.${field}[0].name`,
    },
  ]),
  {
    name: 'env with a value and a source',
    spec: withConfig({ env: [{ ...secretRef, value: 'x' }] }),
    path: 'spec.config.env[0]',
    tolerated: true,
  },
  {
    name: 'a text longer than any',
    spec: withConfig({ serviceAccountName: 'a'.repeat(254) }),
    path: 'spec.config.serviceAccountName',
    tolerated: true,
  },
  {
    name: 'more pull secrets than any',
    spec: { ...smallestSpec, imagePullSecrets: Array.from({ length: 257 }, () => ({})) },
    path: 'spec.imagePullSecrets',
    tolerated: true,
  },
  ...[0, 101, '1', 1.5].map((replicas) => ({
    name: `replicas ${JSON.stringify(replicas)}`,
    spec: { ...smallestSpec, replicas },
    path: 'spec.replicas',
  })),
  ...[-1, 101, '101%', '-1%', '1', 'all', 0.5, true].map((maxSurge) => ({
    name: `maxSurge ${JSON.stringify(maxSurge)}`,
    spec: { ...smallestSpec, strategy: { rollingUpdate: { maxSurge } } },
    path: 'spec.strategy.rollingUpdate.maxSurge',
  })),
  ...[
    { maxSurge: 0, maxUnavailable: 0 },
    { maxSurge: '0%', maxUnavailable: 0 },
  ].map((rollingUpdate) => ({
    name: `a rollout that cannot move, ${JSON.stringify(rollingUpdate)}`,
    spec: { ...smallestSpec, strategy: { rollingUpdate } },
    path: 'spec.strategy.rollingUpdate',
    tolerated: true as const,
  })),
  {
    name: 'Recreate with steps',
    spec: { ...smallestSpec, strategy: { type: 'Recreate', rollingUpdate: {} } },
    path: 'spec.strategy.rollingUpdate',
    tolerated: true,
  },
  { name: 'an unknown strategy', spec: { ...smallestSpec, strategy: { type: 'BlueGreen' } }, path: 'spec.strategy.type' },
  { name: 'an unknown security profile', spec: { ...smallestSpec, security: { profile: 'Restricted' } }, path: 'spec.security.profile' },
  { name: 'an unknown policy for lost nodes', spec: { ...smallestSpec, nodeLossPolicy: 'Wait' }, path: 'spec.nodeLossPolicy' },
  { name: 'no deadline', spec: { ...smallestSpec, progressDeadlineSeconds: 0 }, path: 'spec.progressDeadlineSeconds' },
  { name: 'a drain without end', spec: { ...smallestSpec, drainSeconds: 3601 }, path: 'spec.drainSeconds' },
  {
    name: 'a probe all the time',
    spec: { ...smallestSpec, probes: { readiness: { periodSeconds: 0 } } },
    path: 'spec.probes.readiness.periodSeconds',
  },
  {
    name: 'two successes of a liveness probe',
    spec: { ...smallestSpec, probes: { liveness: { successThreshold: 2 } } },
    path: 'spec.probes.liveness.successThreshold',
  },
  {
    name: 'an unknown operator of a toleration',
    spec: { ...smallestSpec, scheduling: { tolerations: [{ operator: 'In' }] } },
    path: 'spec.scheduling.tolerations[0].operator',
  },
  { name: 'a spec that is a text', spec: 'x', path: 'spec' },
];

function manyEntries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`V${index}`, '']));
}
