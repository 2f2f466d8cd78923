import { describe, expect, it } from 'vitest';
import type { PerformerSpecInput } from '../../../../src/api/v1alpha1/performer.ts';
import { buildPod } from '../../../../src/reconcile/plan/pod.ts';
import { key, spec, uid } from '../../../support/snapshots.ts';

const build = (change: Partial<PerformerSpecInput> = {}, index = 0) => buildPod(key, uid, spec(change), 'rev', index);
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
      expected: { nodeSelector: { 'intel.feature.node.kubernetes.io/sgx': 'true' } },
      of: 'pod',
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
