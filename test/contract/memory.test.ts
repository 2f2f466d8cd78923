import { systemClock } from '../../src/lib/clock.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { describeKubeApi } from './kube-api.ts';

describeKubeApi('memory cluster', async () => {
  const cluster = new MemoryCluster({ clock: systemClock });
  cluster.createNamespace('contract');
  return { kube: cluster.api(), namespace: 'contract', teardown: async () => cluster.endWatches() };
});
