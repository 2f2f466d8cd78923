import { readFile } from 'node:fs/promises';
import { type KubeObject, namespaces, type Resource } from '../../src/kube/objects.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type FaultProxyOptions, startFaultProxy } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { targetOf } from '../../src/testbed/fault-proxy/upstream.ts';
import { useCluster } from '../support/cluster.ts';
import { describeKubeApi } from './kube-api.ts';

const serviceAccounts: Resource<KubeObject> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};
const cluster = useCluster({ profile: 'none' });

describeThrough('API server behind a proxy', 'proxy-h2', {});
describeThrough('API server behind a proxy that speaks HTTP/1.1 only', 'proxy-h1', { protocol: 'http/1.1' });
// What a client must not let its callers notice.
describeThrough('API server behind a proxy with mild faults', 'proxy-faults', {
  rules: [
    { fault: { name: 'delay', ms: 20 }, probability: 0.3 },
    { fault: { name: 'slow-bytes', ms: 1 }, probability: 0.2 },
    { fault: { name: 'late-event', variant: 'lag', ms: 30 }, probability: 0.2 },
    { fault: { name: 'goaway', variant: 'graceful' }, probability: 0.2 },
    { fault: { name: 'goaway', variant: 'refusing' }, probability: 0.1 },
    { fault: { name: 'reset', variant: 'stream' }, match: { verb: 'get' }, probability: 0.05 },
  ],
});

function describeThrough(name: string, namespace: string, options: Partial<FaultProxyOptions>): void {
  describeKubeApi(name, async () => {
    const config = await loadClusterConfig({ kubeconfig: cluster.get().kubeconfig, env: {}, readFile, homeDir: '/' });
    const direct = createKubeApi(config, { clock: systemClock, userAgent: 'contract-suite' });
    await direct.create(namespaces, { metadata: { name: namespace } });
    // Pods are refused until the controller-manager has made it.
    while ((await direct.list(serviceAccounts, { namespace, fieldSelector: 'metadata.name=default' })).items.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    direct.close();
    const proxy = await startFaultProxy({ target: await targetOf(config), seed: 7, ...options });
    const tls = async (): Promise<{ readonly ca: string }> => ({ ca: proxy.caPem });
    const kube = createKubeApi(
      { source: 'the fault proxy', server: proxy.url, namespace, tls, headers: async () => ({}) },
      { clock: systemClock, userAgent: 'contract-suite' },
    );
    return {
      kube,
      namespace,
      teardown: async () => {
        kube.close();
        await proxy.close();
      },
    };
  });
}
