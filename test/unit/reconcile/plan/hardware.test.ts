import { describe, expect, it } from 'vitest';
import type { PerformerSpec, PerformerSpecInput } from '../../../../src/api/v1alpha1/performer.ts';
import {
  buildAffinity,
  buildNodeSelector,
  buildResources,
  buildRuntimeClass,
  findHardwareProblem,
} from '../../../../src/reconcile/plan/hardware.ts';
import { spec } from '../../../support/snapshots.ts';

const wants = (hardwareRequirements: PerformerSpecInput['hardwareRequirements'], rest: Partial<PerformerSpecInput> = {}): PerformerSpec =>
  spec({ ...rest, ...(hardwareRequirements === undefined ? {} : { hardwareRequirements }) });
/** As an earlier CRD may have stored it. */
const stored = (hardwareRequirements: object): PerformerSpec => ({ ...spec(), hardwareRequirements }) as PerformerSpec;
/** Each way a node may show what is asked for: `label=value,value`, joined by ` & ` where one term asks for more. */
const signsOf = (of: PerformerSpec): readonly string[] => {
  const terms = buildAffinity(of)?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms as
    | { matchExpressions: { key: string; operator: string; values: string[] }[] }[]
    | undefined;
  return (terms ?? []).map(({ matchExpressions }) =>
    matchExpressions.map(({ key, operator, values }) => `${key}${operator === 'In' ? '=' : operator}${values.join()}`).join(' & '),
  );
};

const product = 'nvidia.com/gpu.product';
const gke = 'cloud.google.com/gke-accelerator';
const own = 'hourglass.eigenlayer.io/gpu-type';
const nfd = 'feature.node.kubernetes.io/cpu-security';
const sgx = [`${nfd}.sgx.enabled=true`, 'intel.feature.node.kubernetes.io/sgx=true'];
const tdx = [`${nfd}.tdx.enabled=true`, 'intel.feature.node.kubernetes.io/tdx=true'];
const sev = [`${nfd}.sev.enabled=true`, 'amd.feature.node.kubernetes.io/sev=true'];
const snp = [`${nfd}.sev.snp.enabled=true`, 'amd.feature.node.kubernetes.io/snp=true'];

describe('a GPU model', () => {
  it.each<[string, string[]]>([
    [
      'nvidia-a100',
      [
        `${product}=NVIDIA-A100-SXM4-40GB,NVIDIA-A100-SXM4-80GB,NVIDIA-A100-PCIE-40GB,NVIDIA-A100-80GB-PCIe`,
        `${gke}=nvidia-tesla-a100,nvidia-a100-80gb`,
        'accelerator=nvidia-tesla-a100,nvidia-a100-80gb,nvidia-a100',
      ],
    ],
    [
      'nvidia-h100',
      [
        `${product}=NVIDIA-H100-80GB-HBM3,NVIDIA-H100-PCIe,NVIDIA-H100-NVL`,
        `${gke}=nvidia-h100-80gb,nvidia-h100-mega-80gb`,
        'accelerator=nvidia-h100-80gb,nvidia-h100-mega-80gb,nvidia-h100',
      ],
    ],
    ['nvidia-h200', [`${product}=NVIDIA-H200,NVIDIA-H200-NVL`, `${gke}=nvidia-h200-141gb`, 'accelerator=nvidia-h200-141gb,nvidia-h200']],
    ['nvidia-l4', [`${product}=NVIDIA-L4`, `${gke}=nvidia-l4`, 'accelerator=nvidia-l4,nvidia-l4']],
    ['nvidia-l40s', [`${product}=NVIDIA-L40S`, 'accelerator=nvidia-l40s']],
    ['nvidia-a10g', [`${product}=NVIDIA-A10G`, 'accelerator=nvidia-a10g']],
    ['nvidia-t4', [`${product}=Tesla-T4,NVIDIA-T4`, `${gke}=nvidia-tesla-t4`, 'accelerator=nvidia-tesla-t4,nvidia-t4']],
    [
      'nvidia-v100',
      [
        `${product}=Tesla-V100-SXM2-16GB,Tesla-V100-SXM2-32GB,Tesla-V100-PCIE-16GB,Tesla-V100-PCIE-32GB`,
        `${gke}=nvidia-tesla-v100`,
        'accelerator=nvidia-tesla-v100,nvidia-v100',
      ],
    ],
    ['acme-9', [`${product}=acme-9`]],
  ])('%s is known by any of its labels, or by the one an administrator sets', (gpuType, signs) => {
    expect(signsOf(wants({ gpuType, gpuCount: 1 }))).toEqual([...signs, `${own}=${gpuType}`]);
  });

  it('is known in any case of its letters, and asked for as it is written', () => {
    expect(signsOf(wants({ gpuType: 'NVIDIA-L40S', gpuCount: 1 }))).toEqual([
      `${product}=NVIDIA-L40S`,
      'accelerator=nvidia-l40s',
      `${own}=NVIDIA-L40S`,
    ]);
  });

  it.each([
    { name: 'no GPU is asked for', of: wants({ gpuType: 'nvidia-l4' }) },
    { name: 'none is counted', of: wants({ gpuType: 'nvidia-l4', gpuCount: 0 }) },
    { name: 'any model will do', of: wants({ gpuCount: 1 }) },
    { name: 'the model has an empty name', of: stored({ gpuType: '', gpuCount: 1 }) },
  ])('is not asked of the node where $name', ({ of }) => {
    expect(buildAffinity(of)).toBeUndefined();
  });
});

describe('a TEE', () => {
  it.each<{ teeType: string; signs: string[]; runtimeClass: string | undefined }>([
    { teeType: 'sgx', signs: sgx, runtimeClass: undefined },
    { teeType: 'tdx', signs: tdx, runtimeClass: 'kata-qemu-tdx' },
    { teeType: 'sev', signs: sev, runtimeClass: 'kata-qemu-sev' },
    { teeType: 'sev-snp', signs: snp, runtimeClass: 'kata-qemu-snp' },
    { teeType: 'SEV-SNP', signs: snp, runtimeClass: 'kata-qemu-snp' },
  ])('$teeType is known by its labels and entered by RuntimeClass $runtimeClass', ({ teeType, signs, runtimeClass }) => {
    const of = stored({ teeRequired: true, teeType });
    expect(signsOf(of)).toEqual(signs);
    expect(buildRuntimeClass(of)).toBe(runtimeClass);
    expect(findHardwareProblem(of)).toBeUndefined();
  });

  it('of any kind is known by any label', () => {
    const of = wants({ teeRequired: true });
    expect(signsOf(of)).toEqual([...sgx, ...tdx, ...sev, ...snp]);
    expect(buildRuntimeClass(of)).toBeUndefined();
    expect(findHardwareProblem(of)).toBeUndefined();
  });

  it.each([
    { name: 'is only named', of: wants({ teeType: 'tdx' }) },
    { name: 'is not required', of: stored({ teeRequired: false, teeType: 'tdx' }) },
    { name: 'is not required, and of no kind anybody knows', of: stored({ teeRequired: false, teeType: 'acme' }) },
    { name: 'is not mentioned', of: spec() },
  ])('that $name asks for nothing', ({ of }) => {
    expect(buildAffinity(of)).toBeUndefined();
    expect(buildRuntimeClass(of)).toBeUndefined();
    expect(findHardwareProblem(of)).toBeUndefined();
  });

  it('of a kind nobody knows is a problem, and an empty name is none', () => {
    expect(findHardwareProblem(stored({ teeRequired: true, teeType: 'acme' }))).toBe(
      'spec.hardwareRequirements.teeType: must be one of sgx, tdx, sev, sev-snp',
    );
    expect(findHardwareProblem(stored({ teeRequired: true, teeType: '' }))).toBeUndefined();
  });

  it('is entered by the RuntimeClass of the user, an empty one being none', () => {
    expect(buildRuntimeClass(wants({ teeRequired: true, teeType: 'tdx' }, { scheduling: { runtimeClass: 'mine' } }))).toBe('mine');
    expect(buildRuntimeClass({ ...stored({ teeRequired: true, teeType: 'tdx' }), scheduling: { runtimeClass: '' } })).toBe('kata-qemu-tdx');
  });
});

describe('the affinity', () => {
  it('asks for a GPU and a TEE by every pair of their signs, beside what the user asks', () => {
    const affinity = {
      podAntiAffinity: {},
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [],
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['a'] }], matchFields: [] }],
        },
      },
    } as const;
    const of = wants({ gpuType: 'acme-9', gpuCount: 1, teeRequired: true, teeType: 'sgx' }, { scheduling: { affinity } });
    const gpus = [`${product}=acme-9`, `${own}=acme-9`];
    expect(signsOf(of)).toEqual(gpus.flatMap((gpu) => sgx.map((tee) => `zone=a & ${gpu} & ${tee}`)));
    expect(buildAffinity(of)).toMatchObject({ podAntiAffinity: {}, nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } });
    expect(JSON.stringify(buildAffinity(of))).toContain('"matchFields":[]');
  });

  it.each([
    { name: 'no node affinity', affinity: { podAntiAffinity: {} } },
    { name: 'only preferences', affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } },
  ])('asks for hardware beside a user who has $name', ({ affinity }) => {
    expect(signsOf(wants({ teeRequired: true, teeType: 'sgx' }, { scheduling: { affinity } }))).toEqual(sgx);
  });

  it('is the one of the user where no hardware is asked for', () => {
    const affinity = { podAntiAffinity: {} };
    expect(buildAffinity(spec({ scheduling: { affinity } }))).toEqual(affinity);
  });
});

describe('resources', () => {
  const gpu = 'nvidia.com/gpu';
  it.each<{ name: string; of: PerformerSpec; resources: unknown }>([
    { name: 'none where none are asked for', of: spec(), resources: undefined },
    { name: 'those of the user', of: wants({ gpuCount: 0 }, { resources: { limits: { cpu: '1' } } }), resources: { limits: { cpu: '1' } } },
    { name: 'none for no GPU', of: wants({ gpuCount: 0 }), resources: undefined },
    { name: 'GPUs as a number of both kinds', of: wants({ gpuCount: 2 }), resources: { limits: { [gpu]: '2' }, requests: { [gpu]: '2' } } },
    {
      name: 'GPUs beside those of the user',
      of: wants({ gpuCount: 2 }, { resources: { limits: { cpu: '1' }, requests: { memory: '1Gi' } } }),
      resources: { limits: { cpu: '1', [gpu]: '2' }, requests: { memory: '1Gi', [gpu]: '2' } },
    },
    {
      name: 'GPUs as the user allows them',
      of: wants({ gpuCount: 2 }, { resources: { limits: { [gpu]: '3' } } }),
      resources: { limits: { [gpu]: '3' }, requests: { [gpu]: '3' } },
    },
    {
      name: 'GPUs as the user asks for them',
      of: wants({ gpuCount: 2 }, { resources: { requests: { [gpu]: '4' } } }),
      resources: { limits: { [gpu]: '4' }, requests: { [gpu]: '4' } },
    },
  ])('are $name', ({ of, resources }) => {
    expect(buildResources(of)).toEqual(resources);
  });
});

describe('the node selector', () => {
  it('is absent where no label is asked for', () => {
    expect(buildNodeSelector(spec())).toBeUndefined();
    expect(buildNodeSelector(wants({ customLabels: {} }, { scheduling: { nodeSelector: {} } }))).toBeUndefined();
  });

  it('takes labels from both places, those of scheduling first', () => {
    expect(buildNodeSelector(wants({ customLabels: { a: '1', b: '1' } }, { scheduling: { nodeSelector: { b: '2' } } }))).toEqual({
      a: '1',
      b: '2',
    });
  });
});
