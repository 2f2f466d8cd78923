import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clustersHome, registryDirOf } from '../testbed/cluster-state.ts';
import { ensureClusterTools } from '../testbed/cluster-tools.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../testbed/embedded-cluster.ts';
import { prepareMachine } from '../testbed/nodes/machine.ts';
import { apiServerPort, controlPlaneAddress, ctr } from '../testbed/nodes/node-plan.ts';
import { openRealNodes, type RealNodes } from '../testbed/nodes/real-nodes.ts';
import type { ProgressReporter } from '../testbed/progress.ts';
import { TestbedError } from '../testbed/testbed-error.ts';
import { findInCheckout } from '../testbed/tools.ts';

/** Where the generator runs: a program before its own, and environment. */
export interface Inside {
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What runs beside the bench reaches the API server, and no pod. */
export const outside: Inside = { prefix: [], env: {} };

export interface OwnCluster {
  readonly embedded: EmbeddedCluster;
  readonly inside: Inside;
}

export interface OwnClusterOptions {
  readonly profile: 'instant' | 'node-like' | 'nodes';
  /** Of the pods, on real nodes. */
  readonly image: string;
  readonly audit: boolean;
  readonly report: ProgressReporter;
  readonly signal: AbortSignal;
}

/** What pods of real nodes run unless told, from `npm run image`. */
export const performerImage = 'registry.example.com/hourglass-test-performer:0.1.0';

/** Starts a cluster that ends with this process. On real nodes the generator stands in the network of one, where Services route. @throws TestbedError */
export async function startOwnCluster({ profile, image, ...options }: OwnClusterOptions): Promise<OwnCluster> {
  const { report } = options;
  const common = { ...options, profile, detach: false, fsync: true };
  if (profile === 'nodes') prepareMachine(report, true);
  const tools = await ensureClusterTools(profile, report);
  if (profile !== 'nodes') return { embedded: await startEmbeddedCluster({ ...common, tools }), inside: outside };
  const archive = imageArchive();
  // Fast timers write all the time.
  const embedded = await startEmbeddedCluster({ ...common, tools, realNodes: { count: 3, timers: 'stock' } });
  try {
    const nodes = openRealNodes(registryDirOf(clustersHome(process.env), embedded.name), tools.controlPlane);
    report.step('Loading the image of the pods');
    await nodes.loadImage(archive);
    for (const name of nodes.names) nodes.run(name, [...ctr, 'images', 'tag', image, `${image}-next`]);
    return { embedded, inside: insideOf(nodes) };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

function imageArchive(): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const file = join(findInCheckout('package.json'), '..', 'dist/images', `hourglass-test-performer-${architecture}.tar`);
  if (existsSync(file)) return file;
  throw new TestbedError(`${file} is missing: make it with \`npm run image -- --only test-performer --arch ${architecture}\``);
}

function insideOf(nodes: RealNodes): Inside {
  const env = { KUBE_SERVER: `https://${controlPlaneAddress}:${apiServerPort}`, BENCH_ANSWER_PORT: '8080', NO_PROXY: '*', no_proxy: '*' };
  return { prefix: nodes.inNetwork(nodes.names[0] ?? '', []), env };
}
