/** `node list-by-client-node.ts KUBECONFIG NAMESPACE`: the three lists that `once` begins with, as one makes them with client-node. */
import { CoreV1Api, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';

const [kubeconfig = '', namespace = ''] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(CoreV1Api);
const resource = { group: 'hourglass.eigenlayer.io', version: 'v1alpha1', plural: 'performers' };
const [, pods, services] = await Promise.all([
  config.makeApiClient(CustomObjectsApi).listNamespacedCustomObject({ ...resource, namespace }),
  core.listNamespacedPod({ namespace }),
  core.listNamespacedService({ namespace }),
]);
process.stdout.write(`${pods.items.length} pods, ${services.items.length} services\n`, () => process.exit(0));
