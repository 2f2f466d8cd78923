import { describe, expect, it } from 'vitest';
import type { PerformerSpecInput } from '../../../../src/api/v1alpha1/performer.ts';
import { buildPod } from '../../../../src/reconcile/plan/pod.ts';
import { key, settings, spec, uid } from '../../../support/snapshots.ts';

const build = (change: Partial<PerformerSpecInput> = {}, index = 0) =>
  buildPod(key, uid, spec(change), { revision: 'rev', index, failures: 0 }, settings);
const needsNode = (...terms: object[][]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms.map((matchExpressions) => ({ matchExpressions })) },
    },
  },
});
const container = (change: Partial<PerformerSpecInput> = {}) => build(change).spec?.containers[0];

describe('buildPod', () => {
  it('makes the pod that users of the contract rely on', () => {
    const pod = build();
    expect(pod.metadata).toMatchObject({
      name: 'performer-x',
      namespace: 'team-a',
      labels: {
        app: 'hourglass-performer',
        'hourglass.eigenlayer.io/performer': 'x',
        'hourglass.eigenlayer.io/avs': '0xabc',
        'app.kubernetes.io/instance': 'x',
        'hourglass.eigenlayer.io/revision': 'rev',
        'hourglass.eigenlayer.io/index': '0',
      },
      ownerReferences: [{ apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', name: 'x', uid, controller: true }],
    });
    expect(pod.spec).toMatchObject({ restartPolicy: 'Always', enableServiceLinks: false, automountServiceAccountToken: false });
    expect(pod.spec?.containers).toHaveLength(1);
    expect(container()).toMatchObject({
      name: 'performer',
      image: 'avs:1',
      imagePullPolicy: 'IfNotPresent',
      ports: [{ name: 'grpc', containerPort: 8080, protocol: 'TCP' }],
      readinessProbe: { grpc: { port: 8080 }, periodSeconds: 1 },
    });
  });

  it('gives later pods a name of their own', () => {
    expect(build({}, 3).metadata?.name).toMatch(/^performer-x-[0-9a-f]{4}-3$/);
  });

  it('asks every probe at the port of the spec', () => {
    const { startupProbe, readinessProbe, livenessProbe } = container({ config: { grpcPort: 9000 } }) ?? {};
    expect([startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.grpc?.port)).toEqual([9000, 9000, 9000]);
  });

  it.each<{ name: string; change: Partial<PerformerSpecInput>; expected: unknown; of: 'pod' | 'container' }>([
    {
      name: 'command and arguments',
      change: { config: { command: ['/run'], args: ['-v'] } },
      expected: { command: ['/run'], args: ['-v'] },
      of: 'container',
    },
    { name: 'the pull policy', change: { imagePullPolicy: 'Always' }, expected: { imagePullPolicy: 'Always' }, of: 'container' },
    {
      name: 'resources',
      change: { resources: { limits: { cpu: '1' } } },
      expected: { resources: { limits: { cpu: '1' } } },
      of: 'container',
    },
    {
      name: 'GPUs, as what the device plugin advertises',
      change: { hardwareRequirements: { gpuType: 'nvidia-a100', gpuCount: 2 } },
      expected: { resources: { limits: { 'nvidia.com/gpu': '2' }, requests: { 'nvidia.com/gpu': '2' } } },
      of: 'container',
    },
    {
      name: 'GPUs counted by the user as the user counts them',
      change: {
        hardwareRequirements: { gpuCount: 2 },
        resources: { limits: { 'nvidia.com/gpu': '1' }, requests: { 'nvidia.com/gpu': '1' } },
      },
      expected: { resources: { limits: { 'nvidia.com/gpu': '1' } } },
      of: 'container',
    },
    {
      name: 'a TEE as a node label, also without any scheduling',
      change: { hardwareRequirements: { teeRequired: true, teeType: 'sgx' } },
      expected: needsNode(
        [{ key: 'feature.node.kubernetes.io/cpu-security.sgx.enabled', operator: 'In', values: ['true'] }],
        [{ key: 'intel.feature.node.kubernetes.io/sgx', operator: 'In', values: ['true'] }],
      ),
      of: 'pod',
    },
    {
      name: 'a TEE that pods enter by a RuntimeClass',
      change: { hardwareRequirements: { teeRequired: true, teeType: 'tdx' } },
      expected: { runtimeClassName: 'kata-qemu-tdx' },
      of: 'pod',
    },
    {
      name: 'the RuntimeClass of the user before that of the TEE',
      change: { hardwareRequirements: { teeRequired: true, teeType: 'tdx' }, scheduling: { runtimeClass: 'mine' } },
      expected: { runtimeClassName: 'mine' },
      of: 'pod',
    },
    {
      name: 'a GPU model nobody knows by the label an administrator sets, beside the affinity of the user',
      change: {
        hardwareRequirements: { gpuType: 'acme-9', gpuCount: 1 },
        scheduling: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
              },
            },
          },
        },
      },
      expected: needsNode(
        [
          { key: 'zone', operator: 'In', values: ['a'] },
          { key: 'nvidia.com/gpu.product', operator: 'In', values: ['acme-9'] },
        ],
        [
          { key: 'zone', operator: 'In', values: ['a'] },
          { key: 'hourglass.eigenlayer.io/gpu-type', operator: 'In', values: ['acme-9'] },
        ],
      ),
      of: 'pod',
    },
    {
      name: 'the security profile restricted',
      change: { security: { profile: 'restricted' } },
      expected: { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
      of: 'pod',
    },
    {
      name: 'the security profile restricted in the container',
      change: { security: { profile: 'restricted' } },
      expected: { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
      of: 'container',
    },
    { name: 'the grace period', change: { terminationGracePeriodSeconds: 90 }, expected: { terminationGracePeriodSeconds: 90 }, of: 'pod' },
    {
      name: 'timings of probes, the rest as it is',
      change: { probes: { readiness: { periodSeconds: 15 } } },
      expected: { readinessProbe: { grpc: { port: 8080 }, periodSeconds: 15, failureThreshold: 3 } },
      of: 'container',
    },
    {
      name: 'custom labels as node labels, the selector of the user first',
      change: { hardwareRequirements: { customLabels: { rack: 'a', zone: 'b' } }, scheduling: { nodeSelector: { rack: 'c' } } },
      expected: { nodeSelector: { rack: 'c', zone: 'b' } },
      of: 'pod',
    },
    {
      name: 'the priority class',
      change: { scheduling: { priorityClassName: 'high' } },
      expected: { priorityClassName: 'high' },
      of: 'pod',
    },
    { name: 'the RuntimeClass', change: { scheduling: { runtimeClass: 'kata' } }, expected: { runtimeClassName: 'kata' }, of: 'pod' },
    {
      name: 'tolerations',
      change: { scheduling: { tolerations: [{ key: 'sgx', operator: 'Exists' }] } },
      expected: { tolerations: [{ key: 'sgx', operator: 'Exists' }] },
      of: 'pod',
    },
    { name: 'pull secrets', change: { imagePullSecrets: [{ name: 's' }] }, expected: { imagePullSecrets: [{ name: 's' }] }, of: 'pod' },
    {
      name: 'a service account, whose token comes with it',
      change: { config: { serviceAccountName: 'sa' } },
      expected: { serviceAccountName: 'sa', automountServiceAccountToken: true },
      of: 'pod',
    },
  ])('honours $name', ({ change, expected, of }) => {
    expect(of === 'pod' ? build(change).spec : container(change)).toMatchObject(expected as object);
  });

  it('orders the environment by name, then what comes from elsewhere; the later of two with one name wins', () => {
    const from = { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } };
    const env = container({ config: { environment: { C: '3', B: '2', A: '1' }, environmentFrom: [from] } })?.env;
    expect(env).toEqual([{ name: 'A', value: '1' }, { name: 'C', value: '3' }, from]);
  });
});
