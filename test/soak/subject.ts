/**
 * `node subject.ts ours|client-node KUBECONFIG`: a client that watches both kinds and tells its parent what it hears, in a process of its own.
 * It keeps nothing but what the client itself keeps, so that its memory is the client's.
 */
import { readFile } from 'node:fs/promises';
import type { KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import type { KubeObject } from '../../src/kube/objects.ts';
import { monotonicMs, type ObjectState, type SoakKind, soakKinds } from './recording.ts';
import { soakNamespace, soakResources, soakSelector } from './writer.ts';

export type SubjectName = 'ours' | 'client-node';
export type SubjectMessage =
  | { readonly type: 'seen'; readonly state: ObjectState }
  | { readonly type: 'synced' }
  | { readonly type: 'trouble'; readonly text: string }
  | { readonly type: 'memory'; readonly atMs: number; readonly rssBytes: number; readonly heapBytes: number; readonly lists: number }
  | { readonly type: 'view'; readonly view: Readonly<Record<string, number>> };

/** As client-node's own examples do it. */
const restartMs = 5_000;
const memoryEveryMs = 2_000;

interface Meta {
  readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string; readonly name?: string };
}
interface Running {
  view(): readonly Meta[];
  /** Lists so far. */
  lists(): number;
}

const [name, kubeconfig = ''] = process.argv.slice(2);
const tell = (message: SubjectMessage): void => void process.send?.(message);
const trouble = (text: string): void => tell({ type: 'trouble', text });
const seen = (kind: SoakKind, object: Meta, gone: boolean): void => {
  const { uid = '', resourceVersion } = object.metadata ?? {};
  tell({ type: 'seen', state: { kind, uid, version: Number(resourceVersion), gone, atMs: monotonicMs() } });
};
/** What a change of one name tells: of an object that another took the place of, that it is gone. */
const changed = (kind: SoakKind, before: Meta | undefined, after: Meta | undefined): void => {
  if (before !== undefined && before.metadata?.uid !== after?.metadata?.uid) seen(kind, before, true);
  if (after !== undefined) seen(kind, after, false);
};

process.on('disconnect', () => process.exit(0));
const running = name === 'ours' ? await runOurs() : await runClientNode();
process.on('message', (message) => {
  if (message !== 'view') return;
  const view = running.view().map(({ metadata }) => [metadata?.uid ?? '', Number(metadata?.resourceVersion)] as const);
  tell({ type: 'view', view: Object.fromEntries(view) });
});
setInterval(() => {
  const { rss, heapUsed } = process.memoryUsage();
  tell({ type: 'memory', atMs: monotonicMs(), rssBytes: rss, heapBytes: heapUsed, lists: running.lists() });
}, memoryEveryMs);

async function runOurs(): Promise<Running> {
  const [{ startReflector }, { ObjectStore }, { createKubeApi }, { loadClusterConfig }, { systemClock }] = await Promise.all([
    import('../../src/kube/reflector.ts'),
    import('../../src/kube/store.ts'),
    import('../../src/kube-client/client.ts'),
    import('../../src/kube-client/load-config.ts'),
    import('../../src/lib/clock.ts'),
  ]);
  const config = await loadClusterConfig({ kubeconfig, env: {}, readFile: (path) => readFile(path), homeDir: '/' });
  const kube = createKubeApi(config, { clock: systemClock, userAgent: 'soak-ours' });
  const signal = new AbortController().signal;
  const parts = soakKinds.map((kind) => {
    const store = new ObjectStore<KubeObject>();
    store.onChange((before, after) => changed(kind, before, after));
    const reflector = startReflector({
      kube,
      clock: systemClock,
      resource: soakResources[kind],
      store,
      namespace: soakNamespace,
      labelSelector: soakSelector,
      signal,
      random: Math.random,
      log: (message, fields) => trouble(`${message}: ${JSON.stringify(fields)}`),
    });
    return { store, reflector };
  });
  void Promise.all(parts.map(({ reflector }) => reflector.synced)).then(() => tell({ type: 'synced' }));
  return {
    view: () => parts.flatMap(({ store }) => store.list()),
    lists: () => parts.reduce((sum, { reflector }) => sum + reflector.state().lists, 0),
  };
}

async function runClientNode(): Promise<Running> {
  // Not at the start: the memory of one client is to hold nothing of the other.
  const { CoreV1Api, KubeConfig, makeInformer } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const scope = { namespace: soakNamespace, labelSelector: soakSelector };
  let lists = 0;
  const listers = { configmaps: () => api.listNamespacedConfigMap(scope), pods: () => api.listNamespacedPod(scope) };
  const parts = soakKinds.map((kind) => {
    const list = async (): Promise<KubernetesListObject<KubernetesObject>> => {
      const found = await listers[kind]();
      lists += 1;
      return found;
    };
    const informer = makeInformer<KubernetesObject>(config, `/api/v1/namespaces/${soakNamespace}/${kind}`, list, soakSelector);
    const known = new Map<string, KubernetesObject>();
    const onChange = (object: KubernetesObject): void => {
      const objectName = object.metadata?.name ?? '';
      changed(kind, known.get(objectName), object);
      known.set(objectName, object);
    };
    informer.on('add', onChange);
    informer.on('update', onChange);
    informer.on('delete', (object) => {
      changed(kind, object, undefined);
      known.delete(object.metadata?.name ?? '');
    });
    const start = (): void => void informer.start().catch(restart);
    const restart = (error: unknown): void => {
      trouble(`${kind}: ${String(error)}`);
      setTimeout(start, restartMs);
    };
    informer.on('error', restart);
    return { informer, start };
  });
  // What escapes the informer's promises would end the process.
  process.on('unhandledRejection', (error) => trouble(`unhandled: ${String(error)}`));
  await Promise.all(parts.map(({ informer }) => informer.start()));
  tell({ type: 'synced' });
  return { view: () => parts.flatMap(({ informer }) => [...informer.list()]), lists: () => lists };
}
