import { readFile } from 'node:fs/promises';
import { type KubeObject, namespaces, type Resource } from '../../src/kube/objects.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
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

describeKubeApi('API server', async () => {
  const config = await loadClusterConfig({ kubeconfig: cluster.get().kubeconfig, env: {}, readFile, homeDir: '/' });
  const kube = createKubeApi(config, { clock: systemClock, userAgent: 'contract-suite' });
  const namespace = 'contract';
  await kube.create(namespaces, { metadata: { name: namespace } });
  // Pods are refused until the controller-manager has made it.
  while ((await kube.list(serviceAccounts, { namespace, fieldSelector: 'metadata.name=default' })).items.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { kube, namespace, teardown: async () => kube.close() };
});
