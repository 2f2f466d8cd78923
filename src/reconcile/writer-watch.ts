import { userAgent } from '../api/v1alpha1/naming.ts';
import { findObject } from '../kube/find.ts';
import { keyText, type ObjectKey, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';

const tooOften = 3;
const withinMs = 60_000;
/** After that it is tried once more. */
const truceMs = 300_000;

interface Quarrel {
  readonly repairedAtMs: number[];
  truceUntilMs: number;
  manager: string | undefined;
}

/** Counts how often we had to put the same Service right: whoever reverts it three times in a minute is left alone for a while, and named. */
export class WriterWatch {
  readonly #quarrels = new Map<string, Quarrel>();

  repaired(key: ObjectKey, nowMs: number): void {
    const text = keyText(key);
    const quarrel = this.#quarrels.get(text) ?? { repairedAtMs: [], truceUntilMs: 0, manager: undefined };
    this.#quarrels.set(text, quarrel);
    quarrel.repairedAtMs.push(nowMs);
    while ((quarrel.repairedAtMs[0] ?? nowMs) < nowMs - withinMs) quarrel.repairedAtMs.shift();
    if (quarrel.repairedAtMs.length < tooOften) return;
    quarrel.truceUntilMs = nowMs + truceMs;
    quarrel.manager = undefined;
  }

  /** The field manager that is left alone now, '' where it is not known; undefined while there is no quarrel. */
  async rival(key: ObjectKey, service: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<string | undefined> {
    const quarrel = this.#quarrels.get(keyText(key));
    if (quarrel === undefined) return undefined;
    const nowMs = kube.serverNowMs();
    if (nowMs >= quarrel.truceUntilMs) {
      if ((quarrel.repairedAtMs.at(-1) ?? 0) < nowMs - withinMs) this.#quarrels.delete(keyText(key));
      return undefined;
    }
    quarrel.manager ??= await findManager(service, kube, signal);
    return quarrel.manager;
  }
}

/** Who but us wrote the Service last. */
async function findManager(service: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<string> {
  const live = await findObject(kube, services, service, { signal });
  const others = (live?.metadata?.managedFields ?? []).filter(
    (entry) => entry.manager !== undefined && !entry.manager.startsWith(userAgent),
  );
  return others.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1)).at(-1)?.manager ?? '';
}
