import type { V1Pod } from '@kubernetes/client-node';
import { type ObjectKey, type Pod, pods } from '../../src/kube/objects.ts';
import { startReflector } from '../../src/kube/reflector.ts';
import { ObjectStore } from '../../src/kube/store.ts';
import { createKubeApi } from '../../src/kube-client/client.ts';
import { loadClusterConfig } from '../../src/kube-client/load-config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createWorld } from '../../src/reconcile/world.ts';

/** A client under measurement, in a process of its own. */
export interface Subject {
  get(key: ObjectKey): Promise<unknown>;
  /** Keeps a namespace's pods in memory from now on; resolves once they are there, with how many there are. */
  fill(namespace: string): Promise<() => number>;
  close(): void;
}

/** `ours-whole` caches pods as they are but for their managed fields, `ours` the part the operator decides on. */
export type SubjectName = 'ours' | 'ours-whole' | 'client-node';

/** `server` stands in for the kubeconfig's address. */
export async function openSubject(name: SubjectName, kubeconfig: string, server: string | undefined): Promise<Subject> {
  if (name === 'client-node') return openClientNode(kubeconfig, server);
  const store = name === 'ours' ? createWorld().pods : new ObjectStore<Pod>();
  return openOurs(kubeconfig, server, store);
}

async function openOurs(kubeconfig: string, server: string | undefined, store: ObjectStore<Pod>): Promise<Subject> {
  const { readFile } = await import('node:fs/promises');
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
  const kube = createKubeApi({ ...config, server: server ?? config.server }, { clock: systemClock, userAgent: 'bench-ours' });
  const stop = new AbortController();
  return {
    get: (key) => kube.get(pods, key),
    fill: async (namespace) => {
      const { signal } = stop;
      await startReflector({ kube, clock: systemClock, resource: pods, store, namespace, signal, random: Math.random }).synced;
      return () => store.list().length;
    },
    close: () => {
      stop.abort();
      kube.close();
    },
  };
}

async function openClientNode(kubeconfig: string, server: string | undefined): Promise<Subject> {
  const { CoreV1Api, KubeConfig, makeInformer } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  if (server !== undefined) config.clusters = config.clusters.map((cluster) => ({ ...cluster, server }));
  const api = config.makeApiClient(CoreV1Api);
  let stop = (): Promise<void> => Promise.resolve();
  return {
    get: (key) => api.readNamespacedPod(key),
    fill: async (namespace) => {
      const path = `/api/v1/namespaces/${namespace}/pods`;
      const informer = makeInformer<V1Pod>(config, path, () => api.listNamespacedPod({ namespace }));
      stop = () => informer.stop();
      await informer.start();
      return () => informer.list().length;
    },
    close: () => void stop(),
  };
}
