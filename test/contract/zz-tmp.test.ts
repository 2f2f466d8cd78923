import { readFile } from 'node:fs/promises';
import { namespaces, type Resource } from '../../src/kube/objects.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { describeKubeApi } from './kube-api.ts';
const sa: Resource<any> = { group: '', version: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', namespaced: true };
describeKubeApi('hand-started', async () => {
  const config = await loadClusterConfig({ kubeconfig: '/tmp/kc/admin.yaml', env: {}, readFile, homeDir: '/' });
  const kube = createKubeApi(config, { clock: systemClock, userAgent: 'contract-suite' });
  const namespace = 'contract-' + Date.now();
  await kube.create(namespaces, { metadata: { name: namespace } });
  while ((await kube.list(sa, { namespace, fieldSelector: 'metadata.name=default' })).items.length === 0) await new Promise((r) => setTimeout(r, 50));
  return { kube, namespace, teardown: async () => kube.close() };
});
