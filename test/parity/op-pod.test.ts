import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avsLabelValue, labels } from '../../src/api/v1alpha1/naming.ts';
import type { PerformerSpecInput } from '../../src/api/v1alpha1/performer.ts';
import { parsePerformerSpec } from '../../src/api/v1alpha1/performer.ts';
import type { Pod } from '../../src/kube/objects.ts';
import { buildPod } from '../../src/reconcile/plan/pod.ts';
import { key, settings, spec, specInput, uid } from '../support/snapshots.ts';
import { servedPerformer, statusOf } from './support/world.ts';

const podOf = (change: Partial<PerformerSpecInput> = {}, profile = settings.securityProfile): Pod =>
  buildPod(key, uid, spec(change), { revision: 'r', index: 0, failures: 0 }, { securityProfile: profile });
const containerOf = (pod: Pod): NonNullable<Pod['spec']>['containers'][number] => pod.spec?.containers[0] ?? { name: '' };
const termsOf = (pod: Pod) => pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
const keysOf = (pod: Pod): readonly string[] => termsOf(pod).flatMap((term) => (term.matchExpressions ?? []).map((one) => one.key));

describe('hardware', () => {
  it('OP-9 GPUs are asked for as device plugins advertise them, and the model as a node label', () => {
    const pod = podOf({ hardwareRequirements: { gpuCount: 2, gpuType: 'nvidia-a100' } });
    expect(containerOf(pod).resources).toEqual({ limits: { 'nvidia.com/gpu': '2' }, requests: { 'nvidia.com/gpu': '2' } });
    expect(keysOf(pod)).toContain('nvidia.com/gpu.product');
    expect(keysOf(pod)).toContain('hourglass.eigenlayer.io/gpu-type');
  });

  it('OP-9 GPUs the user counts in resources are not counted twice', () => {
    const resources = { limits: { 'nvidia.com/gpu': '2', cpu: '4' }, requests: { 'nvidia.com/gpu': '2' } };
    expect(containerOf(podOf({ resources, hardwareRequirements: { gpuCount: 2 } })).resources).toEqual(resources);
  });

  it.each([
    { teeType: 'sgx', label: 'intel.feature.node.kubernetes.io/sgx', runtimeClass: undefined },
    { teeType: 'tdx', label: 'intel.feature.node.kubernetes.io/tdx', runtimeClass: 'kata-qemu-tdx' },
    { teeType: 'sev', label: 'amd.feature.node.kubernetes.io/sev', runtimeClass: 'kata-qemu-sev' },
  ])('OP-9 a TEE of type $teeType chooses nodes and RuntimeClass, with no scheduling said', ({ teeType, label, runtimeClass }) => {
    const pod = podOf({ hardwareRequirements: { teeRequired: true, teeType } });
    expect(keysOf(pod)).toContain(label);
    expect(pod.spec?.runtimeClassName).toBe(runtimeClass);
  });

  it('OP-9 custom labels are labels a node must have', () => {
    const pod = podOf({ hardwareRequirements: { customLabels: { disk: 'nvme' } }, scheduling: { nodeSelector: { zone: 'a' } } });
    expect(pod.spec?.nodeSelector).toEqual({ disk: 'nvme', zone: 'a' });
  });
});

describe('the container', () => {
  it('OP-10 gets the priority class asked for', () => {
    expect(podOf({ scheduling: { priorityClassName: 'high' } }).spec?.priorityClassName).toBe('high');
  });

  it('OP-10 has its environment in one order, whatever order the map was written in', () => {
    const environment = { C: '$(A)', A: '1', B: '2' };
    const names = (config: object): unknown => containerOf(podOf({ config })).env?.map((entry) => entry.name);
    expect(names({ environment })).toEqual(['A', 'B', 'C']);
    expect(names({ environment: Object.fromEntries(Object.entries(environment).toReversed()) })).toEqual(['A', 'B', 'C']);
  });

  it('OP-10 has each name once, the later source wins, and an entry without a source is left out', () => {
    const secret = { secretKeyRef: { name: 'keys', key: 'a' } };
    const config = {
      environment: { A: 'literal', B: 'literal' },
      environmentFrom: [
        { name: 'A', valueFrom: secret },
        { name: 'EMPTY', valueFrom: {} },
      ],
      env: [{ name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    };
    expect(containerOf(podOf({ config })).env).toEqual([
      { name: 'A', valueFrom: secret },
      { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ]);
  });

  it('OP-19 holds no API token unless an account is named for it', () => {
    expect(podOf().spec?.automountServiceAccountToken).toBe(false);
    expect(podOf({ config: { serviceAccountName: 'web' } }).spec).toMatchObject({
      automountServiceAccountToken: true,
      serviceAccountName: 'web',
    });
  });

  it('OP-19 meets the restricted Pod Security Standard, by the spec or by the operator', () => {
    for (const pod of [podOf({ security: { profile: 'restricted' } }), podOf({}, 'restricted')]) {
      expect(pod.spec?.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(containerOf(pod).securityContext).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
    }
  });

  it('OP-20 has minutes to start, during which no liveness probe ends it', () => {
    const { startupProbe, livenessProbe } = containerOf(podOf());
    expect((startupProbe?.failureThreshold ?? 0) * (startupProbe?.periodSeconds ?? 0)).toBeGreaterThanOrEqual(300);
    expect(livenessProbe).toMatchObject({ periodSeconds: 10, failureThreshold: 3 });
  });

  it('OP-20 is seen ready within a second, and takes the timings the spec asks for, those of the original too', () => {
    expect(containerOf(podOf()).readinessProbe?.periodSeconds).toBe(1);
    const probes = { readiness: { initialDelaySeconds: 5, periodSeconds: 15 }, liveness: { initialDelaySeconds: 30 } };
    expect(containerOf(podOf({ probes }))).toMatchObject({
      readinessProbe: { initialDelaySeconds: 5, periodSeconds: 15, timeoutSeconds: 1, failureThreshold: 3 },
      livenessProbe: { initialDelaySeconds: 30, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    });
  });
});

describe('the label of the AVS', () => {
  it('OP-13 is a valid label value whatever the address is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'grapheme', maxLength: 100 })), (address) => {
        expect(avsLabelValue(address)).toMatch(/^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/);
      }),
    );
  });

  it.each(['a b', 'trailing-', '-leading', '0xABC_def', 'ü/ä', '_', ' '.repeat(70), `0x${'a'.repeat(100)}-`])(
    'OP-13 keeps no pod from being made: %j',
    async (avsAddress) => {
      const operator = await servedPerformer({ avsAddress });
      expect(statusOf(operator).ready).toBe(true);
    },
  );

  it('OP-13 is the one the original gives, where that was valid', () => {
    expect(podOf({ avsAddress: '0xAb_Cd' }).metadata?.labels?.[labels.avs]).toBe('0xab-cd');
  });
});

describe('a spec as executors of the original write it', () => {
  it('is read, its environment references included', () => {
    const written = {
      ...specInput,
      config: { grpcPort: 8080, environmentFrom: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } }] },
      resources: {},
    };
    expect(parsePerformerSpec(written)).toMatchObject({ valid: true, spec: written });
  });
});
