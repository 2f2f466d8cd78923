import { userAgent } from '../api/v1alpha1/naming.ts';
import { findObject } from '../kube/find.ts';
import { keyText, type ObjectKey, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { canonicalJson, type Json } from '../lib/canonical-json.ts';
import { hashHex } from '../lib/hash.ts';

const tooOften = 3;
const withinMs = 60_000;
const maxSaid = 4;
/** After that it is tried once more. */
const truceMs = 300_000;

interface Quarrel {
  readonly repairedAtMs: number[];
  truceUntilMs: number;
  manager: string | undefined;
}

/** Counts how often we had to put the same thing right: whoever reverts it three times in a minute is left alone for a while, and named. */
export class WriterWatch {
  readonly #quarrels = new Map<string, Quarrel>();
  /** The newest status patches of each key. */
  readonly #said = new Map<string, readonly string[]>();

  /** A status patch that was stored. The very same one again puts back what somebody else took away in between. */
  told(key: ObjectKey, patch: Json, nowMs: number): void {
    const text = hashHex(canonicalJson(patch));
    const said = this.#said.get(keyText(key)) ?? [];
    if (said.includes(text)) this.#count(statusOf(key), nowMs);
    this.#said.set(keyText(key), [text, ...said.filter((one) => one !== text)].slice(0, maxSaid));
  }

  repaired(key: ObjectKey, nowMs: number): void {
    this.#count(keyText(key), nowMs);
  }

  /** Whether the status is left to another writer now. */
  isStatusDisputed(key: ObjectKey, nowMs: number): boolean {
    return this.#standing(statusOf(key), nowMs) !== undefined;
  }

  #count(text: string, nowMs: number): void {
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
    const quarrel = this.#standing(keyText(key), kube.serverNowMs());
    if (quarrel === undefined) return undefined;
    quarrel.manager ??= await findManager(service, kube, signal);
    return quarrel.manager;
  }

  #standing(text: string, nowMs: number): Quarrel | undefined {
    const quarrel = this.#quarrels.get(text);
    if (quarrel === undefined || nowMs < quarrel.truceUntilMs) return quarrel;
    if ((quarrel.repairedAtMs.at(-1) ?? 0) < nowMs - withinMs) this.#quarrels.delete(text);
    return undefined;
  }
}

function statusOf(key: ObjectKey): string {
  return `${keyText(key)} status`;
}

/** Who but us wrote the Service last. */
async function findManager(service: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<string> {
  const live = await findObject(kube, services, service, { signal });
  const others = (live?.metadata?.managedFields ?? []).filter(
    (entry) => entry.manager !== undefined && !entry.manager.startsWith(userAgent),
  );
  return others.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1)).at(-1)?.manager ?? '';
}
