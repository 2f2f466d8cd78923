import type { ClusterProfile } from './components.ts';
import type { ClusterTools } from './embedded-cluster.ts';
import { findChaosTools } from './nodes/chaos-mesh.ts';
import type { ProgressReporter } from './progress.ts';
import { ensureTool } from './tools.ts';

/** The programs a cluster of that profile is made of; what is missing is built. @throws TestbedError */
export async function ensureClusterTools(profile: ClusterProfile, report: ProgressReporter, withChaos = false): Promise<ClusterTools> {
  const controlPlane = await ensureTool('control-plane', report);
  if (profile === 'none') return { controlPlane };
  if (profile !== 'nodes') return { controlPlane, kwok: await ensureTool('kwok', report) };
  const nodeTools = { controlPlane, coredns: await ensureTool('coredns', report), pause: await ensureTool('pause', report) };
  return withChaos ? { ...nodeTools, chaos: await findChaosTools(report) } : nodeTools;
}
