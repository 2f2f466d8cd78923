import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';
import { teeTypes } from '../../api/v1alpha1/rules.ts';
import type { Pod } from '../../kube/objects.ts';

type NodeAffinity = NonNullable<NonNullable<NonNullable<Pod['spec']>['affinity']>['nodeAffinity']>;
type NodeSelectorTerm = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'][number];

/** One way a node shows what it has: a label with one of these values. */
type Sign = readonly [label: string, values: readonly string[]];

/** What a device plugin advertises, whatever the model: the model is chosen by node labels. */
const gpuResource = 'nvidia.com/gpu';
/** The label an administrator can set where no discovery runs; its value is the `gpuType` as users write it. */
const ownGpuLabel = 'hourglass.eigenlayer.io/gpu-type';

/** By what labels a GPU model is known: GPU Feature Discovery, GKE, and the label clusters have long used. */
const gpuProfiles: Readonly<Record<string, readonly Sign[]>> = Object.fromEntries(
  [
    [
      'nvidia-a100',
      ['NVIDIA-A100-SXM4-40GB', 'NVIDIA-A100-SXM4-80GB', 'NVIDIA-A100-PCIE-40GB', 'NVIDIA-A100-80GB-PCIe'],
      ['nvidia-tesla-a100', 'nvidia-a100-80gb'],
    ],
    ['nvidia-h100', ['NVIDIA-H100-80GB-HBM3', 'NVIDIA-H100-PCIe', 'NVIDIA-H100-NVL'], ['nvidia-h100-80gb', 'nvidia-h100-mega-80gb']],
    ['nvidia-h200', ['NVIDIA-H200', 'NVIDIA-H200-NVL'], ['nvidia-h200-141gb']],
    ['nvidia-l4', ['NVIDIA-L4'], ['nvidia-l4']],
    ['nvidia-l40s', ['NVIDIA-L40S'], []],
    ['nvidia-a10g', ['NVIDIA-A10G'], []],
    ['nvidia-t4', ['Tesla-T4', 'NVIDIA-T4'], ['nvidia-tesla-t4']],
    [
      'nvidia-v100',
      ['Tesla-V100-SXM2-16GB', 'Tesla-V100-SXM2-32GB', 'Tesla-V100-PCIE-16GB', 'Tesla-V100-PCIE-32GB'],
      ['nvidia-tesla-v100'],
    ],
  ].map(([type, products, accelerators]) => [
    type as string,
    [
      ['nvidia.com/gpu.product', products as string[]],
      ['cloud.google.com/gke-accelerator', accelerators as string[]],
      ['accelerator', [...(accelerators as string[]), type as string]],
    ],
  ]),
);

interface TeeProfile {
  readonly signs: readonly Sign[];
  /** RuntimeClass by which a pod runs inside; undefined where the process makes its own enclave. */
  readonly runtimeClass?: string;
}

/** By what labels a node with a TEE is known (Node Feature Discovery, now and before), and how a pod gets into it. */
const teeProfiles: Readonly<Record<(typeof teeTypes)[number], TeeProfile>> = {
  sgx: {
    signs: [
      ['feature.node.kubernetes.io/cpu-security.sgx.enabled', ['true']],
      ['intel.feature.node.kubernetes.io/sgx', ['true']],
    ],
  },
  tdx: {
    signs: [
      ['feature.node.kubernetes.io/cpu-security.tdx.enabled', ['true']],
      ['intel.feature.node.kubernetes.io/tdx', ['true']],
    ],
    runtimeClass: 'kata-qemu-tdx',
  },
  sev: {
    signs: [
      ['feature.node.kubernetes.io/cpu-security.sev.enabled', ['true']],
      ['amd.feature.node.kubernetes.io/sev', ['true']],
    ],
    runtimeClass: 'kata-qemu-sev',
  },
  'sev-snp': {
    signs: [
      ['feature.node.kubernetes.io/cpu-security.sev.snp.enabled', ['true']],
      ['amd.feature.node.kubernetes.io/snp', ['true']],
    ],
    runtimeClass: 'kata-qemu-snp',
  },
};

/** What of the hardware asked for nobody here knows; such a pod must not run just anywhere. Pure. */
export function findHardwareProblem(spec: PerformerSpec): string | undefined {
  const { teeRequired, teeType } = spec.hardwareRequirements ?? {};
  if (teeRequired !== true || teeType === undefined || teeType === '' || teeProfileOf(spec) !== undefined) return undefined;
  return `spec.hardwareRequirements.teeType: must be one of ${teeTypes.join(', ')}`;
}

/** Resources of the container: the user's, and the GPUs asked for where the user did not count them. Pure. */
export function buildResources(spec: PerformerSpec): PerformerSpec['resources'] {
  const gpuCount = spec.hardwareRequirements?.gpuCount ?? 0;
  if (gpuCount === 0) return spec.resources;
  const { limits = {}, requests = {} } = spec.resources ?? {};
  // Extended resources are never overcommitted: what is asked for and what is allowed are one number.
  const count = limits[gpuResource] ?? requests[gpuResource] ?? String(gpuCount);
  return {
    ...spec.resources,
    limits: { ...limits, [gpuResource]: count },
    requests: { ...requests, [gpuResource]: count },
  };
}

/** Node labels the user asks for; `scheduling.nodeSelector` wins over `customLabels`. Pure. */
export function buildNodeSelector(spec: PerformerSpec): Readonly<Record<string, string>> | undefined {
  const selector = { ...spec.hardwareRequirements?.customLabels, ...spec.scheduling?.nodeSelector };
  return Object.keys(selector).length === 0 ? undefined : selector;
}

/** The user's affinity, with one requirement more for each kind of hardware: any one of its signs on the node. Pure. */
export function buildAffinity(spec: PerformerSpec): NonNullable<PerformerSpec['scheduling']>['affinity'] {
  const own = spec.scheduling?.affinity;
  const requirements = [gpuSigns(spec), teeSigns(spec)].filter((signs) => signs.length > 0);
  if (requirements.length === 0) return own;
  // Terms are alternatives, expressions of one term all hold: so "each of these, by any of its signs" is every combination.
  let terms = (own?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}]) as readonly NodeSelectorTerm[];
  for (const signs of requirements) {
    terms = terms.flatMap((term) =>
      signs.map(([key, values]) => ({ ...term, matchExpressions: [...(term.matchExpressions ?? []), { key, operator: 'In', values }] })),
    );
  }
  const required = { nodeSelectorTerms: terms };
  return { ...own, nodeAffinity: { ...own?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required } } as typeof own;
}

/** The user's RuntimeClass, else the one that takes a pod into the TEE asked for. Pure. */
export function buildRuntimeClass(spec: PerformerSpec): string | undefined {
  const own = spec.scheduling?.runtimeClass;
  if (own !== undefined && own !== '') return own;
  return spec.hardwareRequirements?.teeRequired === true ? teeProfileOf(spec)?.runtimeClass : undefined;
}

function gpuSigns(spec: PerformerSpec): readonly Sign[] {
  const { gpuType, gpuCount = 0 } = spec.hardwareRequirements ?? {};
  if (gpuType === undefined || gpuType === '' || gpuCount === 0) return [];
  const known = gpuProfiles[gpuType.toLowerCase()] ?? [['nvidia.com/gpu.product', [gpuType]]];
  return [...known.filter(([, values]) => values.length > 0), [ownGpuLabel, [gpuType]]];
}

function teeSigns(spec: PerformerSpec): readonly Sign[] {
  if (spec.hardwareRequirements?.teeRequired !== true) return [];
  const profile = teeProfileOf(spec);
  return profile === undefined ? Object.values(teeProfiles).flatMap(({ signs }) => signs) : profile.signs;
}

function teeProfileOf(spec: PerformerSpec): TeeProfile | undefined {
  const wanted = spec.hardwareRequirements?.teeType?.toLowerCase();
  const known = teeTypes.find((type) => type === wanted);
  return known === undefined ? undefined : teeProfiles[known];
}
