import { userAgent } from '../api/v1alpha1/naming.ts';
import { findObject } from '../kube/find.ts';
import { keyText, type ObjectKey, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { canonicalJson, type Json } from '../lib/canonical-json.ts';
import { hashHex } from '../lib/hash.ts';

const tooOften = 3;
const withinMs = 60_000;
/** After that it is tried once more. */
const truceMs = 300_000;

interface Quarrel {
  /** The newest writes: the same one again puts back what somebody else took away in between. */
  readonly writes: { readonly patch: string; readonly atMs: number }[];
  truceUntilMs: number;
  manager: string | undefined;
}

/** Counts how often we had to make the very same change: whoever reverts it three times in a minute is left alone for a while, and named. */
export class WriterWatch {
  readonly #quarrels = new Map<string, Quarrel>();

  /** A patch of ours that was stored. */
  wrote(what: 'Service' | 'PerformerStatus', key: ObjectKey, patch: Json, nowMs: number): void {
    const id = `${what} ${keyText(key)}`;
    const quarrel = this.#quarrels.get(id) ?? { writes: [], truceUntilMs: 0, manager: undefined };
    this.#quarrels.set(id, quarrel);
    const write = { patch: hashHex(canonicalJson(patch)), atMs: nowMs };
    quarrel.writes.push(write);
    while ((quarrel.writes[0] ?? write).atMs < nowMs - withinMs) quarrel.writes.shift();
    if (quarrel.writes.filter((one) => one.patch === write.patch).length < tooOften) return;
    quarrel.truceUntilMs = nowMs + truceMs;
    quarrel.manager = undefined;
  }

  /** Whether the status is left to another writer now. */
  isStatusDisputed(key: ObjectKey, nowMs: number): boolean {
    return this.#findTruce(`PerformerStatus ${keyText(key)}`, nowMs) !== undefined;
  }

  /** The field manager the Service is left to now, '' where it is not known; undefined while there is no quarrel. */
  async rival(key: ObjectKey, service: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<string | undefined> {
    const quarrel = this.#findTruce(`Service ${keyText(key)}`, kube.serverNowMs());
    if (quarrel === undefined) return undefined;
    quarrel.manager ??= await findManager(service, kube, signal);
    return quarrel.manager;
  }

  #findTruce(id: string, nowMs: number): Quarrel | undefined {
    const quarrel = this.#quarrels.get(id);
    if (quarrel === undefined || nowMs < quarrel.truceUntilMs) return quarrel;
    if ((quarrel.writes.at(-1)?.atMs ?? 0) < nowMs - withinMs) this.#quarrels.delete(id);
    return undefined;
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
