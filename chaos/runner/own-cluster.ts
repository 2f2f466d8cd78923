import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, pid } from 'node:process';
import { clustersHome, readState, registryDirOf } from '../../src/testbed/cluster-state.ts';
import { ensureClusterTools } from '../../src/testbed/cluster-tools.ts';
import { openComponentFaults } from '../../src/testbed/component-faults.ts';
import { clusterPaths } from '../../src/testbed/components.ts';
import { devStatus } from '../../src/testbed/dev-clusters.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { prepareMachine } from '../../src/testbed/nodes/machine.ts';
import { type NodeTimers, pauseImage } from '../../src/testbed/nodes/node-plan.ts';
import { openRealNodes } from '../../src/testbed/nodes/real-nodes.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { ensureTool, findInCheckout } from '../../src/testbed/tools.ts';
import { installSubject, type Lab, openLab } from '../cluster/lab.ts';
import type { Subject } from '../subject.ts';
import { readSubject } from './subjects.ts';

export const images = { performer: 'registry.example.com/hourglass-test-performer:0.1.0' };

const imageNames = ['operator', 'test-performer'] as const;

/** Where `npm run image` writes it for this machine. */
function archiveOf(name: string): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return join(findInCheckout('package.json'), '..', 'dist', 'images', `hourglass-${name}-${architecture}.tar`);
}

/** Which images a cluster of its own would get, by the first digits of their archives' SHA-256; those that have been made. */
export function fingerprintImages(): Readonly<Record<string, string>> {
  const made = imageNames.filter((name) => existsSync(archiveOf(name)));
  return Object.fromEntries(
    made.map((name) => [
      `${name} image`,
      createHash('sha256')
        .update(readFileSync(archiveOf(name)))
        .digest('hex')
        .slice(0, 12),
    ]),
  );
}

/** @throws TestbedError where they have not been made */
function findImages(): readonly string[] {
  return imageNames.map((name) => {
    const path = archiveOf(name);
    if (!existsSync(path))
      throw new TestbedError(`image ${name}: there is no ${path}; make it: npm run image -- --only operator,test-performer`);
    return path;
  });
}

/** A cluster of three real nodes with Chaos Mesh, the subject and its images; it ends with this process. */
export async function startOwnLab(
  report: ProgressReporter,
  signal: AbortSignal,
  timers: NodeTimers,
  given?: Subject,
): Promise<{ readonly lab: Lab; readonly cluster: EmbeddedCluster }> {
  prepareMachine(report, true, true);
  const subject = given ?? (await readSubject('ours', images.performer, report));
  const archives = [...findImages(), ...subject.images];
  const tools = await ensureClusterTools('nodes', report, true);
  const name = `chaos-${pid}`;
  const cluster = await startEmbeddedCluster({
    name,
    profile: 'nodes',
    realNodes: { count: 3, timers },
    audit: 'bodies',
    tools,
    report,
    detach: false,
    signal,
  });
  try {
    report.step(`Loading images and installing ${subject.name}`);
    const registryDir = registryDirOf(clustersHome(env), name);
    const nodes = openRealNodes(registryDir, tools.controlPlane);
    for (const file of archives) await nodes.loadImage(file);
    await installSubject(cluster, subject);
    const { auditLog = '', kubeconfig, kubectl } = cluster;
    return {
      cluster,
      lab: await openLab({
        subject,
        kubeconfig,
        kubectl,
        auditLog,
        nodes,
        registryDir,
        componentFaults: openComponentFaults(registryDir, tools.controlPlane),
        performerImage: images.performer,
        pauseImage,
      }),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** How soon a cluster of the testbed gives a node up; undefined for any other one. */
export function readTimers(kubeconfig: string): NodeTimers | undefined {
  const dev = devStatus().find((one) => one.kubeconfig === kubeconfig);
  const reading = dev && readState(registryDirOf(clustersHome(env), dev.name));
  return reading?.kind === 'state' ? reading.state.nodes?.timers : undefined;
}

/** A cluster that is there. What is one of the testbed's own has its nodes, its control plane and its audit log at hand. */
export async function openGivenLab(
  kubeconfig: string,
  options: { readonly performerImage?: string; readonly pauseImage?: string },
  report: ProgressReporter,
): Promise<Lab> {
  const dev = devStatus().find((one) => one.kubeconfig === kubeconfig);
  const own = {
    subject: await readSubject('ours', images.performer, report),
    performerImage: options.performerImage ?? images.performer,
    pauseImage: options.pauseImage ?? (dev === undefined ? 'registry.k8s.io/pause:3.10' : pauseImage),
  };
  if (dev?.profile !== 'nodes') return await openLab({ kubeconfig, kubectl: ['kubectl', `--kubeconfig=${kubeconfig}`], ...own });
  const controlPlane = await ensureTool('control-plane', report);
  const { auditLog, auditPolicy } = clusterPaths(dev.dir);
  // A log without what was sent would make careful writes look careless.
  const hasBodies = existsSync(auditLog) && readFileSync(auditPolicy, 'utf8').includes('RequestResponse');
  const registryDir = registryDirOf(clustersHome(env), dev.name);
  const nodes = openRealNodes(registryDir, controlPlane);
  const componentFaults = openComponentFaults(registryDir, controlPlane);
  const kubectl = [controlPlane, 'kubectl', `--kubeconfig=${kubeconfig}`];
  return await openLab({ kubeconfig, kubectl, nodes, registryDir, componentFaults, ...(hasBodies ? { auditLog } : {}), ...own });
}
