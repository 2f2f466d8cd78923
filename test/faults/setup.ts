import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll } from 'vitest';
import { type KubeObject, namespaces, type Resource } from '../../src/kube/objects.ts';
import { createKubeApi, type KubeClient } from '../../src/kube-client/client.ts';
import type { ClusterConfig } from '../../src/kube-client/cluster-config.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { type FaultProxy, type FaultProxyOptions, startFaultProxy } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { targetOf } from '../../src/testbed/fault-proxy/upstream.ts';
import { useCluster } from '../support/cluster.ts';

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const configMaps: Resource<ConfigMap> = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
export const namespace = 'faults';

export interface FaultyCluster {
  /** Past the proxy: the truth. */
  direct(): KubeClient;
  startProxy(options?: Partial<FaultProxyOptions>): Promise<FaultProxy>;
}

/** A real API server with an empty namespace, for the tests of a file. */
export function useFaultyCluster(): FaultyCluster {
  const cluster = useCluster({ profile: 'none' });
  let config: ClusterConfig | undefined;
  let direct: KubeClient | undefined;
  beforeAll(async () => {
    config = await loadClusterConfig({ kubeconfig: cluster.get().kubeconfig, env: {}, readFile, homeDir: '/' });
    direct = createKubeApi(config, { clock: systemClock, userAgent: 'observer' });
    await direct.create(namespaces, { metadata: { name: namespace } });
  });
  afterAll(() => direct?.close());
  return {
    direct: () => {
      if (direct === undefined) throw new Error('the cluster exists only while tests run');
      return direct;
    },
    startProxy: async (options = {}) => {
      if (config === undefined) throw new Error('the cluster exists only while tests run');
      return startFaultProxy({ target: await targetOf(config), seed: 7, ...options });
    },
  };
}

/** The client under test, through a proxy. */
export function clientOf(proxy: FaultProxy, clock: Clock = systemClock): KubeClient {
  const tls = async (): Promise<{ readonly ca: string }> => ({ ca: proxy.caPem });
  const config: ClusterConfig = { source: 'the fault proxy', server: proxy.url, namespace, tls, headers: async () => ({}) };
  return createKubeApi(config, { clock, userAgent: 'client-under-test' });
}

let names = 0;
/** A name that nothing had before. */
export const nextName = (stem: string): string => {
  names += 1;
  return `${stem}-${names}`;
};
