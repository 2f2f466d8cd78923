import { type KubeObject, keyText, type ObjectKey } from '../../src/kube/objects.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import { type Action, describeAction } from '../../src/reconcile/plan/actions.ts';
import { checkPlan } from '../../src/reconcile/plan/check-plan.ts';
import { performerOwnerOf } from '../../src/reconcile/plan/owner.ts';
import { planPerformer } from '../../src/reconcile/plan/plan.ts';
import type { Settings, Snapshot } from '../../src/reconcile/plan/snapshot.ts';
import type { AnyObject } from '../../src/sim/stored-object.ts';
import { describeRequest } from './accept-answers.ts';
import { type Request, readRequests } from './history.ts';
import { rulesOf } from './model.ts';
import type { Kind, Trace } from './trace.ts';
import type { Unexplained } from './unexplained.ts';
import { type Cut, kinds, Views } from './views.ts';

export interface WritesJudged {
  readonly of: number;
  readonly unexplained: readonly Unexplained[];
}

/** How old, at a write, the time of the pass that made it may be: `Date` has whole seconds, and a busy machine pauses. */
const agesMs = [0, 200, 500, 1_000, 1_500, 2_000, 3_000, 5_000] as const;
/** So many views of each kind are tried where kinds were seen up to different points. */
const viewsPerKind = 6;
/** A pass makes no more writes than this. */
const longestPass = 6;
/** Plans after which a write counts as unexplained: a second or so. */
const plansPerWrite = 20_000;

/**
 * Looks, for every write of an operator, for a view by which the real plan makes it: what the API server had by some moment between the last
 * write of that operator and this one, each kind up to a moment of its own. What one pass writes in a row is one plan's. Pure.
 */
export function acceptWrites(trace: Trace, settings: Settings): WritesJudged {
  const own = readRequests(trace).filter(({ entry }) => trace.account !== undefined && entry.user.username === trace.account);
  const found = own.map((request) => ({ request, key: performerOf(request) }));
  const views = new Map<string, Views>();
  const unexplained = found.flatMap(({ request, key }, index): Unexplained[] => {
    const text = keyText(key);
    const known = views.get(text) ?? new Views(key, trace.sights);
    views.set(text, known);
    const before = found
      .slice(0, index)
      .filter((other) => keyText(other.key) === text && actorOf(other.request) === actorOf(request) && other.request.code < 300);
    const why = new Search(
      known,
      request,
      before.map((other) => other.request),
      settings,
    ).explain();
    return why === undefined ? [] : [{ atMs: request.atMs, who: actorOf(request), what: describeRequest(request), why }];
  });
  return { of: own.length, unexplained };
}

class Search {
  readonly #views: Views;
  readonly #request: Request;
  /** Own writes before it, that were stored, oldest first. */
  readonly #before: readonly Request[];
  readonly #settings: Settings;
  #plans = 0;
  /** What plans came to, for whoever asks why it is none of them. */
  #nearest: string | undefined;

  constructor(views: Views, request: Request, before: readonly Request[], settings: Settings) {
    this.#views = views;
    this.#request = request;
    this.#before = before;
    this.#settings = settings;
  }

  explain(): string | undefined {
    const passes = Array.from({ length: Math.min(longestPass, this.#before.length + 1) }, (_, length) => length);
    if (passes.some((length) => this.#isPlanned(length, 'together'))) return undefined;
    if (passes.some((length) => this.#isPlanned(length, 'each'))) return undefined;
    return this.#nearest ?? 'no view since its last write makes a plan';
  }

  /** @param length how many writes the same pass had made before */
  #isPlanned(length: number, cuts: 'together' | 'each'): boolean {
    const done = this.#before.slice(this.#before.length - length);
    const earlier = this.#before.slice(0, this.#before.length - length);
    const first = done[0] ?? this.#request;
    const before = first.code < 300 ? effectOf(first) : Number.POSITIVE_INFINITY;
    for (const cut of cuts === 'together' ? this.#cutsTogether(earlier, before) : this.#cutsEach(earlier, before)) {
      for (const age of agesMs) {
        const snapshot = this.#views.snapshot(cut, first.fromMs - age);
        this.#plans += 1;
        if (this.#plans > plansPerWrite) return false;
        const actions = planActions(snapshot, this.#settings);
        if (length === 0 && age === 0) this.#nearest = `the newest view plans ${actions.map(describeAction).join(', ') || 'nothing'}`;
        if ([...done, this.#request].every((request, index) => isSame(actions[index], request))) return true;
      }
    }
    return false;
  }

  *#cutsTogether(earlier: readonly Request[], before: number): Generator<Cut> {
    const from = Math.max(0, ...earlier.slice(-1).map(effectOf));
    const all = new Set(kinds.flatMap((kind) => this.#views.versions(kind, from, before)));
    for (const version of [...all].toSorted((a, b) => a - b)) yield cutAt(version);
  }

  /** Of each kind the newest views that are not older than the operator's own last write of that kind. */
  *#cutsEach(earlier: readonly Request[], before: number): Generator<Cut> {
    const of = (kind: Kind): readonly number[] => {
      const from = Math.max(
        0,
        ...earlier
          .filter((request) => request.kind === kind)
          .slice(-1)
          .map(effectOf),
      );
      return this.#views.versions(kind, from, before).slice(-viewsPerKind);
    };
    for (const performers of of('performers'))
      for (const pods of of('pods'))
        for (const services of of('services'))
          for (const nodes of of('nodes'))
            for (const endpointSlices of of('endpointSlices')) yield { performers, pods, services, nodes, endpointSlices };
  }
}

/** None where a view of parts that never stood together breaks what plans assume: no operator writes then. */
function planActions(snapshot: Snapshot, settings: Settings): readonly Action[] {
  try {
    return checkPlan(planPerformer(snapshot, settings), snapshot).actions;
  } catch {
    return [];
  }
}

const cutAt = (version: number): Cut => ({
  performers: version,
  pods: version,
  services: version,
  nodes: version,
  endpointSlices: version,
});

/** The version from which a view has it: of what is gone at once none is known, and its uid is never seen again. */
function effectOf({ version }: Request): number {
  return version ?? 0;
}

function actorOf({ entry }: Request): string {
  return entry.user.extra?.['authentication.kubernetes.io/pod-name']?.[0] ?? entry.user.username;
}

/** Of which Performer the pass was that wrote it. */
function performerOf({ kind, key, entry }: Request): ObjectKey {
  if (kind === 'performers') return key;
  const owner = [entry.responseObject, entry.requestObject].flatMap((object) =>
    object === undefined ? [] : (performerOwnerOf(object) ?? []),
  )[0];
  return { namespace: key.namespace, name: owner?.name ?? key.name.replace(/^performer-/, '') };
}

function isSame(action: Action | undefined, { entry, kind, key }: Request): boolean {
  if (action === undefined) return false;
  const { verb, objectRef, requestObject } = entry;
  const isStatus = objectRef?.subresource === 'status';
  const plural = action.resource === 'Pod' ? 'pods' : action.resource === 'Service' ? 'services' : 'performers';
  if (action.kind !== verb || plural !== kind || isStatus !== (action.resource === 'PerformerStatus')) return false;
  if (action.kind === 'create') return sameText(filledIn(kind, action.object), filledIn(kind, requestObject ?? {}));
  if (action.target.name !== key.name) return false;
  if (action.kind === 'delete') {
    const { uid, resourceVersion } = requestObject?.preconditions ?? {};
    return uid === action.target.uid && resourceVersion === action.target.resourceVersion;
  }
  const { metadata = {}, ...rest } = requestObject ?? {};
  const { resourceVersion, ...others } = metadata;
  const asked = action.patch as { readonly metadata?: object };
  return (
    resourceVersion === action.target.resourceVersion &&
    sameText({ ...rest, metadata: others }, { ...asked, metadata: asked.metadata ?? {} })
  );
}

/** An audit log has what was sent with the defaults of the API server. */
function filledIn(kind: Request['kind'], object: KubeObject): unknown {
  const { status: _, ...sent } = object as AnyObject;
  const { creationTimestamp: _at, ...metadata } = sent.metadata;
  const full = rulesOf()[kind].withDefaults?.({ ...sent, metadata } as AnyObject, undefined);
  return { metadata: full?.metadata, spec: full?.spec };
}

/** When it was is told by the pass's own clock, which is not known to the second. */
const times = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

function sameText(a: unknown, b: unknown): boolean {
  return canonicalJson(a).replace(times, 'a time') === canonicalJson(b).replace(times, 'a time');
}
