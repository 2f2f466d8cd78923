import { userAgent } from '../api/v1alpha1/naming.ts';
import { findObject } from '../kube/find.ts';
import { type KubeObject, keyText, type ObjectKey, services } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { canonicalJson, type Json } from '../lib/canonical-json.ts';
import { hashHex } from '../lib/hash.ts';
import type { Denial, ServiceWriter } from './plan/snapshot.ts';

/** Each time somebody else's value is put back, the condition turned at another time. */
const times = /"lastTransitionTime":"[^"]*"/g;
const tooOften = 3;
const withinMs = 60_000;
/** After that it is put right once more. */
const truceMs = 300_000;
/** After that a refused repair or removal is tried once more, each time after twice as long. */
const denialMs = 30_000;
const denialCapMs = 600_000;

interface Quarrel {
  /** Our newest writes, all the same: one again puts back what somebody else took away, unless it was we who wrote something else in between. */
  readonly writes: { readonly patch: string; readonly atMs: number }[];
  truceUntilMs: number;
  /** What the truce still lets through was put back as well. */
  whole: boolean;
  manager: string | undefined;
}

/** Fields of a status that the CRD at hand does not keep; tried again after that server time. */
export interface Unkept {
  readonly fields: readonly string[];
  readonly untilMs: number;
}

export interface StatusTruce {
  readonly untilMs: number;
  readonly whole: boolean;
}

/**
 * Who works against us, per key, counted in memory: whoever reverts the very same change three times in a minute is left alone for a while
 * and named; a repair or removal that the API server refuses is not asked for again and again. All of it may be forgotten at any time.
 */
export class WriterWatch {
  readonly #quarrels = new Map<string, Quarrel>();
  readonly #denials = new Map<string, Denial & { readonly untilMs: number; readonly waitMs: number }>();

  #unkept: Unkept | undefined;

  /**
   * The answer to a status of ours: what was sent and is not in it, this cluster's CRD prunes. Only answers tell of the CRD as it is:
   * a view may show what was stored before.
   */
  answered(sent: Json, answer: KubeObject, nowMs: number): void {
    const { status: asked = {} } = sent as { readonly status?: object };
    const { status: kept = {} } = answer as { readonly status?: object };
    if (this.#unkept?.fields.some((field) => field in kept)) this.#unkept = undefined;
    const pruned = Object.entries(asked).flatMap(([field, value]) => (value === null || field in kept ? [] : [field]));
    if (pruned.length === 0) return;
    const known = this.findUnkept(nowMs)?.fields ?? [];
    this.#unkept = { fields: [...new Set([...known, ...pruned])], untilMs: nowMs + truceMs };
  }

  findUnkept(nowMs: number): Unkept | undefined {
    return nowMs < (this.#unkept?.untilMs ?? 0) ? this.#unkept : undefined;
  }

  /** A patch of ours that was stored. */
  wrote(what: 'Service' | 'PerformerStatus', key: ObjectKey, patch: Json, nowMs: number): void {
    const id = idOf(what, key);
    const quarrel = this.#quarrels.get(id) ?? { writes: [], truceUntilMs: 0, whole: false, manager: undefined };
    this.#quarrels.set(id, quarrel);
    const write = { patch: hashHex(canonicalJson(patch).replace(times, '')), atMs: nowMs };
    if (quarrel.writes.at(-1)?.patch !== write.patch) quarrel.writes.length = 0;
    quarrel.writes.push(write);
    while ((quarrel.writes[0] ?? write).atMs < nowMs - withinMs) quarrel.writes.shift();
    if (quarrel.writes.length < tooOften) return;
    quarrel.whole = nowMs < quarrel.truceUntilMs;
    quarrel.truceUntilMs = nowMs + truceMs;
    quarrel.manager = undefined;
  }

  /** Server time until which the status is left to another writer; undefined while there is no quarrel. */
  findStatusTruce(key: ObjectKey, nowMs: number): StatusTruce | undefined {
    const quarrel = this.#findTruce(idOf('PerformerStatus', key), nowMs);
    return quarrel === undefined ? undefined : { untilMs: quarrel.truceUntilMs, whole: quarrel.whole };
  }

  /** Who the Service is left to now; undefined while there is no quarrel. */
  async findRival(key: ObjectKey, service: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<ServiceWriter | undefined> {
    const quarrel = this.#findTruce(idOf('Service', key), kube.serverNowMs());
    if (quarrel === undefined) return undefined;
    quarrel.manager ??= await findManager(service, kube, signal);
    return { manager: quarrel.manager, untilMs: quarrel.truceUntilMs };
  }

  /** A create is asked for again by the key's own back-off: it costs nobody a write. */
  denied(key: ObjectKey, denial: Denial, nowMs: number): void {
    if (denial.kind === 'create') return;
    const before = this.#denials.get(keyText(key));
    const waitMs = Math.min(denialCapMs, (before?.waitMs ?? denialMs / 2) * 2);
    this.#denials.set(keyText(key), { ...denial, waitMs, untilMs: nowMs + waitMs });
  }

  /** What is not to be asked for now. */
  findDenial(key: ObjectKey, nowMs: number): Denial | undefined {
    const denial = this.#denials.get(keyText(key));
    if (denial === undefined) return undefined;
    const { waitMs, ...rest } = denial;
    // One that has not come again for as long as it was waited for is over.
    if (nowMs >= denial.untilMs + waitMs) this.#denials.delete(keyText(key));
    return nowMs < denial.untilMs ? rest : undefined;
  }

  forget(key: ObjectKey): void {
    for (const what of ['Service', 'PerformerStatus'] as const) this.#quarrels.delete(idOf(what, key));
    this.#denials.delete(keyText(key));
  }

  #findTruce(id: string, nowMs: number): Quarrel | undefined {
    const quarrel = this.#quarrels.get(id);
    if (quarrel === undefined || nowMs < quarrel.truceUntilMs) return quarrel?.truceUntilMs === 0 ? undefined : quarrel;
    if ((quarrel.writes.at(-1)?.atMs ?? 0) < nowMs - withinMs) this.#quarrels.delete(id);
    return undefined;
  }
}

function idOf(what: 'Service' | 'PerformerStatus', key: ObjectKey): string {
  return `${what} ${keyText(key)}`;
}

/** Who but us wrote the Service last. */
async function findManager(service: ObjectKey, kube: KubeApi, signal: AbortSignal): Promise<string> {
  const live = await findObject(kube, services, service, { signal });
  const others = (live?.metadata?.managedFields ?? []).filter(
    (entry) => entry.manager !== undefined && !entry.manager.startsWith(userAgent),
  );
  return others.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1)).at(-1)?.manager ?? '';
}
