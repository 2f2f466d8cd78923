import { existsSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterCertificates, makeCertificates } from './certificates.ts';
import { makePrivateDir } from './cluster-state.ts';
import { type AuditLevel, auditPolicy, buildCorefile, type ClusterPaths, type ClusterProfile, clusterFiles } from './components.ts';
import { buildKubeconfig } from './kubeconfig.ts';
import { buildKwokConfig } from './kwok-stages.ts';
import { apiServerPort, controlPlaneAddress } from './nodes/node-plan.ts';
import { errnoCode, TestbedError, toTestbedError } from './testbed-error.ts';

/** Whether a cluster may be put into `dir`: it is missing or an empty directory. Returns whether it has to be made. @throws TestbedError */
export function checkClusterDir(dir: string): boolean {
  try {
    if (!statSync(dir).isDirectory()) throw new TestbedError(`directory ${dir}: it is a file; choose another directory with --dir`);
    if (readdirSync(dir).length > 0) {
      throw new TestbedError(
        `directory ${dir}: it is not empty, and a cluster only goes where it can clean up; choose a new or empty one with --dir`,
      );
    }
    return false;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return true;
    throw toTestbedError(`directory ${dir}`, error);
  }
}

/** Makes the directory, its certificates and its configuration files, readable by their owner alone. @throws TestbedError, e.g. for a full disk */
export async function writeClusterFiles(
  paths: ClusterPaths,
  profile: ClusterProfile,
  nowMs: number,
  audit: AuditLevel = false,
  nodes: readonly string[] = [],
): Promise<ClusterCertificates> {
  const certificates = await makeCertificates(nowMs, nodes);
  try {
    for (const dir of [paths.dir, paths.certificates, paths.kubeconfigs, paths.logs]) makePrivateDir(dir);
    const { authority, apiServer: serving, etcd, clients, serviceAccount } = certificates;
    const put = (name: string, text: string): void => writePrivate(join(paths.certificates, name), text);
    for (const [name, pair] of Object.entries({ serving, etcd, 'api-server': clients['api-server'] })) {
      put(`${name}.crt`, pair.certificate);
      put(`${name}.key`, pair.privateKey);
    }
    put('ca.crt', authority);
    put('service-account.pub', serviceAccount.publicKey);
    put('service-account.key', serviceAccount.privateKey);
    writePrivate(paths.auditPolicy, auditPolicy(audit));
    if (profile === 'nodes') writePrivate(paths.corefile, buildCorefile(paths));
    else if (profile !== 'none') writePrivate(paths.kwokConfig, buildKwokConfig(profile));
    return certificates;
  } catch (error) {
    throw toTestbedError(`writing the cluster's files in ${paths.dir}`, error);
  }
}

/**
 * Writes the kubeconfigs of the components and, as `kubeconfig`, the administrator's. They name a port, so a new port means new files.
 * Where there are real nodes, the components live in the nodes' network and reach the API server there.
 */
export function writeKubeconfigs(
  paths: ClusterPaths,
  name: string,
  port: number,
  { authority, clients, nodes }: ClusterCertificates,
): void {
  const outside = `https://127.0.0.1:${port}`;
  const inside = Object.keys(nodes).length === 0 ? outside : `https://${controlPlaneAddress}:${apiServerPort}`;
  const components = {
    'controller-manager': clients['controller-manager'],
    scheduler: clients.scheduler,
    kwok: clients.kwok,
    'kube-proxy': clients['kube-proxy'],
    coredns: clients.coredns,
    'chaos-mesh': clients['chaos-mesh'],
    ...nodes,
  };
  try {
    for (const [file, client] of Object.entries(components))
      writePrivate(join(paths.kubeconfigs, file), buildKubeconfig(name, inside, authority, client));
    writePrivate(paths.kubeconfig, buildKubeconfig(name, outside, authority, clients.admin));
  } catch (error) {
    throw toTestbedError(`writing the kubeconfigs in ${paths.dir}`, error);
  }
}

/**
 * Removes what a cluster put into `dir`, and `dir` itself if `removeDir` and nothing else is in it.
 * Returns what became of `dir`: `kept` when it was not made by the cluster or somebody put something into it.
 */
export function removeClusterFiles(dir: string, removeDir: boolean): 'removed' | 'kept' | 'absent' {
  if (!existsSync(dir)) return 'absent';
  try {
    for (const name of clusterFiles) rmSync(join(dir, name), { recursive: true, force: true });
    if (!removeDir) return 'kept';
    rmdirSync(dir);
    return 'removed';
  } catch (error) {
    if (errnoCode(error) === 'ENOTEMPTY') return 'kept';
    throw toTestbedError(`removing the cluster's files in ${dir}`, error);
  }
}

function writePrivate(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
