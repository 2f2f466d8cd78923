import { isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { ConfigError } from './config-error.ts';
import { isMissing, type ReadFile, readNeeded, readTextFile } from './read-file.ts';
import { createTokenFile } from './token-file.ts';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The configuration of a pod with a service account; undefined outside a cluster, or where no token is mounted. */
export async function findInClusterConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
  clock: Clock,
): Promise<ClusterConfig | undefined> {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (host === undefined || host === '') return undefined;
  const port = env.KUBERNETES_SERVICE_PORT_HTTPS ?? env.KUBERNETES_SERVICE_PORT ?? '443';
  const token = createTokenFile(`${folder}/token`, (path) => readNeeded(readFile, path, 'the service account token'), clock);
  try {
    await token(false);
  } catch (error) {
    if (error instanceof ConfigError && isMissing(error.cause)) return undefined;
    throw error;
  }
  // Asked for every connection: the cluster's CA may be replaced while we run.
  const tls = async () => ({ ca: await readNeeded(readFile, `${folder}/ca.crt`, "the cluster's CA") });
  const namespace = await readTextFile(readFile, `${folder}/namespace`).catch(() => 'default');
  await tls();
  return {
    source: 'the service account of this pod',
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: namespace.trim(),
    inCluster: true,
    tls,
    headers: async (renew) => ({ authorization: `Bearer ${await token(renew)}` }),
  };
}
