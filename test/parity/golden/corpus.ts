import type { PerformerSpecInput } from '../../../src/api/v1alpha1/performer.ts';
import type { DifferenceName } from './differences.ts';

export interface GoldenRow {
  readonly name: string;
  readonly spec: Partial<PerformerSpecInput>;
  /** Beyond what every pod has. */
  readonly differs?: readonly DifferenceName[];
}

const secretKeyRef = { name: 'keys', key: 'k' };
const affinity = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
    },
  },
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 1,
        podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'hourglass-performer' } } },
      },
    ],
  },
} as const;

/** Performers of every kind the original was given, with what our pod has that its pod has not. */
export const corpus: readonly GoldenRow[] = [
  { name: 'the smallest', spec: {} },
  { name: 'an empty config', spec: { config: { grpcPort: 9090 } } },
  { name: 'port 8080 in a config', spec: { config: { grpcPort: 8080 } } },
  { name: 'another port', spec: { config: { grpcPort: 50_051 } } },
  { name: 'pull policy Never, as executors write it', spec: { imagePullPolicy: 'Never', config: { grpcPort: 8080 } } },
  { name: 'pull policy Always', spec: { imagePullPolicy: 'Always' } },
  { name: 'an image by digest', spec: { image: `registry.example/team/avs@sha256:${'0a'.repeat(32)}` } },
  { name: 'an image of a registry with a port', spec: { image: 'registry.example:5000/avs:1.2.3' } },
  { name: 'a version', spec: { version: 'v1.2.3' }, differs: ['version label'] },
  { name: 'an empty version', spec: { version: '' } },
  { name: 'one variable', spec: { config: { environment: { A: '1' } } } },
  { name: 'variables in name order', spec: { config: { environment: { A: '1', B: '2', C: '$(A)' } } } },
  { name: 'variables in another order', spec: { config: { environment: { B: '2', A: '1' } } }, differs: ['environment'] },
  { name: 'a variable from a Secret', spec: { config: { environmentFrom: [{ name: 'KEY', valueFrom: { secretKeyRef } }] } } },
  {
    name: 'a variable from a ConfigMap',
    spec: { config: { environmentFrom: [{ name: 'KEY', valueFrom: { configMapKeyRef: { name: 'm', key: 'k', optional: true } } }] } },
  },
  {
    name: 'variables of both kinds',
    spec: { config: { environment: { A: '1' }, environmentFrom: [{ name: 'KEY', valueFrom: { secretKeyRef } }] } },
  },
  {
    name: 'a name in both kinds',
    spec: { config: { environment: { A: '1' }, environmentFrom: [{ name: 'A', valueFrom: { secretKeyRef } }] } },
    differs: ['environment'],
  },
  {
    name: 'a source that is empty',
    spec: { config: { environment: { A: '1' }, environmentFrom: [{ name: 'B', valueFrom: {} }] } },
    differs: ['environment'],
  },
  { name: 'arguments', spec: { config: { args: ['--level', 'debug', ''] } } },
  { name: 'a command', spec: { config: { command: ['/bin/avs', 'serve'] } } },
  { name: 'an empty command', spec: { config: { command: [] } }, differs: ['empty lists'] },
  { name: 'no arguments', spec: { config: { args: [] } }, differs: ['empty lists'] },
  { name: 'a service account', spec: { config: { serviceAccountName: 'signer' } } },
  { name: 'an empty service account', spec: { config: { serviceAccountName: '' } } },
  { name: 'resources', spec: { resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: 1, memory: '1Gi' } } } },
  { name: 'empty resources', spec: { resources: {} } },
  { name: 'a node selector', spec: { scheduling: { nodeSelector: { 'node.kubernetes.io/instance-type': 'm5.large' } } } },
  {
    name: 'tolerations',
    spec: {
      scheduling: {
        tolerations: [{ key: 'bottlerocket', operator: 'Equal', value: 'true', effect: 'NoSchedule' }, { operator: 'Exists' }],
      },
    },
  },
  { name: 'an affinity', spec: { scheduling: { affinity } } },
  { name: 'a runtime class', spec: { scheduling: { runtimeClass: 'gvisor' } } },
  { name: 'a priority class', spec: { scheduling: { priorityClassName: 'high' } }, differs: ['priority class'] },
  { name: 'pull secrets', spec: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] } },
  { name: 'a GPU', spec: { hardwareRequirements: { gpuCount: 1 } } },
  { name: 'GPUs beside resources', spec: { resources: { limits: { cpu: '8' } }, hardwareRequirements: { gpuCount: 2 } } },
  {
    name: 'GPUs of a model',
    spec: { hardwareRequirements: { gpuCount: 2, gpuType: 'nvidia-a100' } },
    differs: ['GPU resource', 'hardware nodes'],
  },
  { name: 'no GPU', spec: { hardwareRequirements: { gpuCount: 0 } } },
  { name: 'a TEE', spec: { hardwareRequirements: { teeRequired: true, teeType: 'sgx' } }, differs: ['hardware nodes'] },
  {
    name: 'a TEE with a runtime',
    spec: { hardwareRequirements: { teeRequired: true, teeType: 'tdx' } },
    differs: ['hardware nodes', 'runtime class'],
  },
  {
    name: 'a TEE beside an affinity',
    spec: { scheduling: { affinity }, hardwareRequirements: { teeRequired: true, teeType: 'sev' } },
    differs: ['hardware nodes', 'runtime class'],
  },
  { name: 'custom labels', spec: { hardwareRequirements: { customLabels: { disk: 'nvme' } } }, differs: ['custom labels'] },
  { name: 'an address in capitals with underscores', spec: { avsAddress: '0xABCDEF_01' } },
  { name: 'an address longer than a label', spec: { avsAddress: `0x${'a'.repeat(80)}` } },
  { name: 'an address no label can hold', spec: { avsAddress: 'My AVS!' }, differs: ['valid AVS label'] },
  {
    name: 'everything at once',
    spec: {
      avsAddress: '0x00000000000000000000000000000000000000A1',
      image: 'registry.example/avs:2',
      imagePullPolicy: 'Always',
      version: '2',
      config: {
        grpcPort: 9000,
        environment: { A: '1', B: '2' },
        environmentFrom: [{ name: 'KEY', valueFrom: { secretKeyRef } }],
        args: ['-v'],
        command: ['avs'],
        serviceAccountName: 'signer',
      },
      resources: { requests: { cpu: '1' } },
      scheduling: {
        nodeSelector: { pool: 'avs' },
        tolerations: [{ operator: 'Exists' }],
        affinity,
        runtimeClass: 'gvisor',
        priorityClassName: 'high',
      },
      hardwareRequirements: { gpuCount: 1 },
      imagePullSecrets: [{ name: 'a' }],
    },
    differs: ['version label', 'priority class'],
  },
];
