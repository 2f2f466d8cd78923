import type { KubeConfig } from '@kubernetes/client-node';
import { askKubeConfig, httpsOptionsOf, keysOf, pemText } from './auth-provider.ts';
import { createKubeApi, type KubeClient, type KubeClientOptions } from './client.ts';
import { type ClusterConfig, ConfigError } from './cluster-config.ts';
import { parseProxy } from './proxy.ts';

/**
 * The `KubeApi` of the cluster that a client-node `KubeConfig` has selected, with its credentials, plug-ins and `proxy-url` included:
 * for whoever holds one already. Files it names are read again for each connection.
 *
 * @throws ConfigError when it has selected no cluster
 */
export function createKubeApiFromKubeConfig(kubeConfig: KubeConfig, options: KubeClientOptions): KubeClient {
  return createKubeApi(configOfKubeConfig(kubeConfig), options);
}

/** What a client-node `KubeConfig` has selected, as something to connect with. @throws ConfigError when it has selected no cluster */
export function configOfKubeConfig(kubeConfig: KubeConfig): ClusterConfig {
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) throw new ConfigError('the KubeConfig has selected no cluster; set its current context');
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
  const user = kubeConfig.getCurrentUser()?.name ?? 'none';
  const server = cluster.server.replace(/\/+$/, '');
  const { proxyUrl = '' } = cluster;
  return {
    source: `context ${kubeConfig.getCurrentContext()} of a KubeConfig`,
    server,
    namespace: context?.namespace ?? 'default',
    ...(proxyUrl === '' ? {} : { proxy: parseProxy(proxyUrl, `the proxy-url of cluster '${cluster.name}'`, server) }),
    tls: async () => {
      const { ca, rejectUnauthorized, servername, ...options } = await httpsOptionsOf(kubeConfig, user);
      return {
        ...keysOf(options),
        ...(ca === undefined ? {} : { ca: pemText(ca) }),
        ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
        ...(servername === undefined ? {} : { servername }),
      };
    },
    headers: async () => (await askKubeConfig(kubeConfig, user)).headers,
  };
}
