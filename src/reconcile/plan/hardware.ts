import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';

/** What a device plugin advertises, whatever the model: the model is chosen by node labels. */
const gpuResource = 'nvidia.com/gpu';

/** Node labels that Node Feature Discovery sets for each TEE. */
const teeNodeLabels: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sgx: { 'intel.feature.node.kubernetes.io/sgx': 'true' },
  tdx: { 'intel.feature.node.kubernetes.io/tdx': 'true' },
  sev: { 'amd.feature.node.kubernetes.io/sev': 'true' },
};

/** Resources of the container: the user's, and the GPUs asked for where the user did not count them. Pure. */
export function buildResources(spec: PerformerSpec): PerformerSpec['resources'] {
  const gpuCount = spec.hardwareRequirements?.gpuCount ?? 0;
  if (gpuCount === 0) return spec.resources;
  const count = String(gpuCount);
  return {
    ...spec.resources,
    limits: { [gpuResource]: count, ...spec.resources?.limits },
    requests: { [gpuResource]: count, ...spec.resources?.requests },
  };
}

/** Node labels asked for by hardware and by the user; the user's own selector wins. Pure. */
export function buildNodeSelector(spec: PerformerSpec): Readonly<Record<string, string>> | undefined {
  const hardware = spec.hardwareRequirements;
  const selector = {
    ...(hardware?.teeRequired === true ? teeNodeLabels[hardware.teeType?.toLowerCase() ?? ''] : undefined),
    ...hardware?.customLabels,
    ...spec.scheduling?.nodeSelector,
  };
  return Object.keys(selector).length === 0 ? undefined : selector;
}
