import { afterAll, beforeAll } from 'vitest';
import { ensureClusterTools } from '../../src/testbed/cluster-tools.ts';
import type { ClusterTools, EmbeddedCluster, EmbeddedClusterOptions } from '../../src/testbed/embedded-cluster.ts';
import { startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { createProgress, silentProgress } from '../../src/testbed/progress.ts';

const minuteMs = 60_000;
/** The first test on a machine builds the tools. */
export const buildTimeoutMs = 20 * minuteMs;

/** The binaries clusters are made of, built on first need with visible progress. */
export async function findClusterTools(): Promise<ClusterTools> {
  return await ensureClusterTools('instant', createProgress(process.stderr));
}

/** As `findClusterTools`, for clusters with real nodes. */
export async function findNodeTools(): Promise<ClusterTools> {
  return await ensureClusterTools('nodes', createProgress(process.stderr));
}

/** One embedded cluster for the tests of a file; it ends with them, and with the test process however that ends. */
export function useCluster(options: Partial<Pick<EmbeddedClusterOptions, 'profile' | 'audit' | 'fakeNodes'>> = {}): {
  get(): EmbeddedCluster;
} {
  let cluster: EmbeddedCluster | undefined;
  beforeAll(async () => {
    cluster = await startEmbeddedCluster({
      profile: 'instant',
      ...options,
      tools: await findClusterTools(),
      report: silentProgress,
      detach: false,
    });
  }, buildTimeoutMs);
  afterAll(async () => {
    await cluster?.stop();
  }, minuteMs);
  return {
    get: () => {
      if (cluster === undefined) throw new Error('the cluster exists only while tests run');
      return cluster;
    },
  };
}
