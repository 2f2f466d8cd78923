import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { type ClusterTools, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { crdPath } from '../parity/support/crd.ts';
import { RawApi } from '../support/raw-api.ts';
import { type CampaignOptions, type CampaignResult, runCampaign, waitForGarbageCollector } from './campaign.ts';
import { pathOf } from './kinds.ts';
import { RealCluster } from './real-cluster.ts';

const crdPatienceMs = 30_000;
const collectorPatienceMs = 120_000;

/** Starts a cluster without nodes, runs the sequences, and ends it. */
export async function compareModel(
  options: CampaignOptions & { readonly tools: ClusterTools; readonly report: ProgressReporter; readonly kubeconfig?: string | undefined },
): Promise<CampaignResult> {
  const { tools, report, signal } = options;
  if (options.kubeconfig !== undefined) return compareOn(options.kubeconfig, options);
  const cluster = await startEmbeddedCluster({ profile: 'none', tools, report, detach: false, signal });
  try {
    return await compareOn(cluster.kubeconfig, options);
  } finally {
    await cluster.stop();
  }
}

async function compareOn(kubeconfig: string, options: CampaignOptions): Promise<CampaignResult> {
  const api = await RawApi.open(kubeconfig);
  await serveOurKind(api);
  const real = await RealCluster.open(api);
  try {
    await waitForGarbageCollector(real, collectorPatienceMs);
    return await runCampaign(real, options);
  } finally {
    real.close();
  }
}

async function serveOurKind(api: RawApi): Promise<void> {
  const crd = parse(await readFile(crdPath('ours'), 'utf8')) as object;
  const created = await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
  if (created.status !== 201 && created.status !== 409) throw new Error(`creating the CRD: ${JSON.stringify(created)}`);
  const deadline = performance.now() + crdPatienceMs;
  while ((await api.call('GET', pathOf(performers))).status !== 200) {
    if (performance.now() > deadline) throw new Error('the API server does not serve Performers');
    await sleep(100);
  }
}
