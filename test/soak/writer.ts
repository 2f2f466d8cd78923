import { isKubeFault } from '../../src/kube/faults.ts';
import { type KubeObject, type ObjectKey, pods, type Resource } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { createRandom } from '../../src/lib/seeded-random.ts';
import { monotonicMs, type ObjectState, type SoakKind, soakKinds } from './recording.ts';

export const soakNamespace = 'soak';
export const soakSelector = 'app=soak';
const labels = { app: 'soak' };

const configMaps: Resource<KubeObject> = { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
export const soakResources: Readonly<Record<SoakKind, Resource<KubeObject>>> = { configmaps: configMaps, pods };

/** How many objects of a kind there are, about. */
const population = 120;
/** Between two changes of one kind; the view's age is known to this grain. */
const everyMs = 220;
const padding = 'x'.repeat(400);

/**
 * Changes objects of both kinds, at about 4 to 5 writes per second and kind, until `signal` aborts: creates, patches, deletes, and deletes
 * with a new object under the same name at once. `wrote` is told each answer, deletions excepted: only a watch tells their version.
 */
export async function writeUntil(signal: AbortSignal, kube: KubeApi, seed: number, wrote: (state: ObjectState) => void): Promise<void> {
  await Promise.all(soakKinds.map((kind, index) => writeKind(kind, signal, kube, createRandom(seed + index), wrote)));
}

async function writeKind(
  kind: SoakKind,
  signal: AbortSignal,
  kube: KubeApi,
  random: () => number,
  wrote: (state: ObjectState) => void,
): Promise<void> {
  const resource = soakResources[kind];
  const living: { readonly key: ObjectKey; uid: string; version: string }[] = [];
  let made = 0;
  const note = (object: KubeObject): { readonly uid: string; readonly version: string } => {
    const { uid = '', resourceVersion = '' } = object.metadata ?? {};
    wrote({ kind, uid, version: Number(resourceVersion), gone: false, atMs: monotonicMs() });
    return { uid, version: resourceVersion };
  };
  const create = async (name: string): Promise<void> => {
    const key = { namespace: soakNamespace, name };
    living.push({ key, ...note(await kube.create(resource, buildObject(kind, key))) });
  };
  const change = async (): Promise<void> => {
    const roll = random();
    const victim = living[Math.floor(random() * living.length)];
    if (victim === undefined || living.length < population * 0.8 || (roll < 0.2 && living.length < population * 1.2)) {
      made += 1;
      return create(`soak-${made}`);
    }
    if (roll < 0.75) {
      const patch = { metadata: { annotations: { turn: `${Math.floor(random() * 1e9)}` } } };
      Object.assign(victim, note(await kube.patch(resource, victim.key, patch, { resourceVersion: victim.version })));
      return;
    }
    living.splice(living.indexOf(victim), 1);
    const { uid, version: resourceVersion } = victim;
    await kube.delete(resource, victim.key, { uid, resourceVersion, gracePeriodSeconds: 0 });
    if (roll > 0.9) await create(victim.key.name);
  };
  while (!signal.aborted) {
    const startedMs = monotonicMs();
    await change().catch((error: unknown) => {
      // The object moved on behind our back, or an answer was lost: it is left to the others.
      if (!isKubeFault(error, 'conflict', 'notFound', 'alreadyExists', 'unknownOutcome')) throw error;
    });
    // At the start nobody counts yet, and the population is wanted soon.
    const pauseMs = living.length < population * 0.8 ? 1 : everyMs * (0.6 + 0.8 * random());
    await sleep(systemClock, Math.max(0, pauseMs - (monotonicMs() - startedMs)), signal);
  }
}

function buildObject(kind: SoakKind, { name, namespace }: ObjectKey): KubeObject {
  const metadata = { name, namespace, labels };
  if (kind === 'configmaps') return { metadata, data: { padding } } as KubeObject;
  // No scheduler takes them, so that nobody but us changes them, and a deletion is immediate.
  const containers = [{ name: 'idle', image: 'idle:1', env: [{ name: 'PADDING', value: padding }] }];
  return { metadata, spec: { schedulerName: 'nobody', automountServiceAccountToken: false, containers } } as KubeObject;
}
