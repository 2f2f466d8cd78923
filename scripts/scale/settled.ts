import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { renderCrd } from '../../src/api/crd/performer-crd.ts';
import { BenchCluster } from '../../src/bench/bench-cluster.ts';
import { buildPerformer } from '../../src/bench/bench-lines.ts';
import { type ClusterTools, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';

/** A settled Performer with its pod and its Service, each as the text that a real API server sends. */
export interface Settled {
  readonly performers: string;
  readonly pods: string;
  readonly services: string;
}
export type Plural = keyof Settled;

export const namespace = 'scale';
/** As long as every other name, and found nowhere else in the three texts. */
export const nameOf = (index: number): string => `p${String(index).padStart(8, '0')}`;

/** Lets the operator settle one Performer on a real control plane, and reads back what stands there then. @param cli the bundle */
export async function recordSettled(cli: string, tools: ClusterTools, report: ProgressReporter, signal: AbortSignal): Promise<Settled> {
  const embedded = await startEmbeddedCluster({ profile: 'instant', tools, report, detach: false, signal });
  const scratch = await mkdtemp(join(tmpdir(), 'hourglass-scale-'));
  let cluster: BenchCluster | undefined;
  try {
    cluster = await BenchCluster.open(embedded.kubeconfig, scratch, { embedded });
    await cluster.prepare(renderCrd(), false, signal);
    await cluster.makeNamespaces([namespace]);
    const performers = `/apis/hourglass.eigenlayer.io/v1alpha1/namespaces/${namespace}/performers`;
    await cluster.calls.ask('POST', performers, buildPerformer(`${namespace}/${nameOf(0)}`, 'registry.example.com/avs:1', 0));
    const once = [cli, 'once', '--wait', '60s', '--lease-namespace', 'nowhere', '--kubeconfig', embedded.kubeconfig];
    await promisify(execFile)(process.execPath, once, { signal });
    const read = async (path: string): Promise<string> => JSON.stringify(await cluster?.calls.ask('GET', path));
    const child = `performer-${nameOf(0)}`;
    return {
      performers: await read(`${performers}/${nameOf(0)}`),
      pods: await read(`/api/v1/namespaces/${namespace}/pods/${child}`),
      services: await read(`/api/v1/namespaces/${namespace}/services/${child}`),
    };
  } finally {
    cluster?.close();
    await embedded.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}
