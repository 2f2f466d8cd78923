import { setTimeout as wait } from 'node:timers/promises';
import { CoreV1Api, KubeConfig, Watch } from '@kubernetes/client-node';
import { monotonicMs, type ObjectState, type SoakKind, soakKinds } from './recording.ts';
import { soakNamespace, soakSelector } from './writer.ts';

interface Meta {
  readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** Sees everything that happens, by somebody else's code and by no proxy. */
export interface Observer {
  /** What the API server has now, by a list of each kind. */
  list(): Promise<Readonly<Record<string, number>>>;
  /** How often it had to list anew while it watched: each may have cost changes that followed one another fast. */
  relists(): number;
  stop(): Promise<void>;
}

/** Lists both kinds, watches on from there, and tells every change; a stream that ends is taken up where it was. */
export async function startObserver(kubeconfig: string, changed: (state: ObjectState) => void): Promise<Observer> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const scope = { namespace: soakNamespace, labelSelector: soakSelector };
  const lists = { configmaps: () => api.listNamespacedConfigMap(scope), pods: () => api.listNamespacedPod(scope) };
  const list = async (kind: SoakKind): Promise<{ readonly items: readonly Meta[]; readonly version: string }> => {
    const { items, metadata } = await lists[kind]();
    return { items, version: metadata?.resourceVersion ?? '' };
  };
  const stop = new AbortController();
  let relists = -soakKinds.length;

  const follow = async (kind: SoakKind): Promise<void> => {
    const tell = (object: Meta, gone: boolean): void => {
      const { uid = '', resourceVersion } = object.metadata ?? {};
      changed({ kind, uid, version: Number(resourceVersion), gone, atMs: monotonicMs() });
    };
    let version = '';
    while (!stop.signal.aborted) {
      try {
        if (version === '') {
          const fresh = await list(kind);
          relists += 1;
          for (const object of fresh.items) tell(object, false);
          version = fresh.version;
        }
        await new Promise<void>((resolve, reject) => {
          const query = { resourceVersion: version, labelSelector: soakSelector, allowWatchBookmarks: true };
          const onEvent = (type: string, object: Meta): void => {
            if (type === 'ERROR') {
              version = '';
              return;
            }
            version = object.metadata?.resourceVersion ?? version;
            if (type !== 'BOOKMARK') tell(object, type === 'DELETED');
          };
          const done = (): void => {
            stop.signal.removeEventListener('abort', done);
            resolve();
          };
          stop.signal.addEventListener('abort', done);
          new Watch(config).watch(`/api/v1/namespaces/${soakNamespace}/${kind}`, query, onEvent, done).then((request) => {
            stop.signal.addEventListener('abort', () => request.abort(), { once: true });
          }, reject);
        });
      } catch {
        // The API server is there without a proxy; whatever it was, it passes.
        await wait(200);
      }
    }
  };
  const following = soakKinds.map(follow);
  return {
    list: async () => {
      const all = await Promise.all(soakKinds.map(list));
      return Object.fromEntries(
        all.flatMap(({ items }) => items.map(({ metadata }) => [metadata?.uid ?? '', Number(metadata?.resourceVersion)])),
      );
    },
    relists: () => relists,
    stop: async () => {
      stop.abort();
      await Promise.all(following);
    },
  };
}
