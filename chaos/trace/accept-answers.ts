import type { KubeObject } from '../../src/kube/objects.ts';
import { canonicalJson } from '../../src/lib/canonical-json.ts';
import { History, type Request, readRequests } from './history.ts';
import { answerOfModel } from './model.ts';
import { loggedKinds, type Sight, type Trace } from './trace.ts';
import type { Unexplained } from './unexplained.ts';

export interface AnswersJudged {
  readonly of: number;
  /** Taken as they stand: the model knows nothing of how they come about. */
  readonly asRecorded: number;
  readonly unexplained: readonly Unexplained[];
}

/** A change may be heard of this long after, or before, its write was answered. */
const heardMs = 2_000;

/**
 * Holds every answer of the API server against the one that the simulator's gives to the same write on the same object, and every version
 * of an object against the writes: what nobody wrote is as much a riddle as what another answer would have been given to. Pure.
 */
export function acceptAnswers(trace: Trace): AnswersJudged {
  const history = new History(trace.sights);
  const judge = new Judge(history, trace);
  for (const request of readRequests(trace)) judge.take(request);
  return judge.conclude();
}

class Judge {
  readonly #history: History;
  readonly #trace: Trace;
  readonly #claimed = new Set<Sight>();
  readonly #unexplained: Unexplained[] = [];
  #of = 0;
  #asRecorded = 0;

  constructor(history: History, trace: Trace) {
    this.#history = history;
    this.#trace = trace;
    // A binding has no body; that the pod is bound is all of it.
    for (const sight of trace.sights) if (sight.kind === 'pods' && this.#isBinding(sight)) this.#claimed.add(sight);
  }

  take(request: Request): void {
    const { entry, code } = request;
    const why = code >= 300 ? this.#whyRefused(request) : entry.verb === 'delete' ? this.#whyDeleted(request) : this.#whyStored(request);
    if (why === 'before') return;
    this.#of += 1;
    if (why === 'recorded') this.#asRecorded += 1;
    else if (why !== undefined)
      this.#unexplained.push({ atMs: request.atMs, who: entry.user.username, what: describeRequest(request), why });
  }

  conclude(): AnswersJudged {
    const silent = this.#trace.sights.filter(
      (sight) => loggedKinds.some((kind) => kind === sight.kind) && sight.first !== true && !this.#claimed.has(sight),
    );
    const riddles = silent.map(({ kind, key, atMs, version, object }): Unexplained => {
      const what = `${kind} ${key.name} ${object === undefined ? 'goes' : 'changes'}`;
      return { atMs, who: 'nobody', what, why: `no write of the audit log makes version ${version}` };
    });
    return { of: this.#of, asRecorded: this.#asRecorded, unexplained: [...this.#unexplained, ...riddles] };
  }

  #whyStored(request: Request): string | undefined {
    const { entry, kind, key, version } = request;
    const made = this.#history.all(kind, key).find((sight) => sight.version === version && sight.object !== undefined);
    if (made === undefined) return 'the version it was answered with was never seen';
    if (made.first === true) return 'before';
    const wasClaimed = this.#claimed.has(made);
    this.#claimed.add(made);
    const before = this.#history.previous(made)?.object;
    if (entry.verb === 'patch' && !sendsMergePatches(request)) return whyBeyondStatus(request, before) ?? 'recorded';
    // A write that changes nothing is answered with what is there.
    const grounds = wasClaimed ? [made.object] : [before];
    return firstOf(grounds.map((ground) => compareStored(request, ground)));
  }

  #whyDeleted(request: Request): string | undefined {
    const { entry, kind, key, version } = request;
    const uid = entry.responseObject?.metadata?.uid ?? entry.requestObject?.preconditions?.uid ?? detailsUid(request);
    const all = this.#history.all(kind, key);
    const marked = all.find((sight) => sight.version === version && sight.object?.metadata?.deletionTimestamp !== undefined);
    if (marked?.first === true) return 'before';
    if (marked !== undefined && !this.#claimed.has(marked) && isNewlyMarked(marked, this.#history.previous(marked))) {
      this.#claimed.add(marked);
      return compareStored(request, this.#history.previous(marked)?.object);
    }
    const end = uid === undefined ? all.findLast(({ object }) => object === undefined) : this.#history.end(kind, key, uid);
    if (end === undefined || this.#claimed.has(end))
      return marked === undefined ? 'nothing is marked or gone by it' : compareStored(request, marked.object);
    this.#claimed.add(end);
    const last = this.#beforeEnd(end);
    const answer = answerOfModel(request, last?.object);
    if ('reason' in answer) return `the model refuses it: ${answer.code} ${answer.reason}`;
    return answer.object === undefined ? undefined : 'the model only marks it';
  }

  /** What stood before an object went. A grace period of 0 is stored first, and the object goes right after. */
  #beforeEnd(end: Sight): Sight | undefined {
    const last = this.#history.previous(end);
    const before = last === undefined ? undefined : this.#history.previous(last);
    const { deletionGracePeriodSeconds: grace, finalizers = [] } = last?.object?.metadata ?? {};
    if (last === undefined || this.#claimed.has(last) || grace !== 0 || finalizers.length > 0 || !isNewlyMarked(last, before)) return last;
    this.#claimed.add(last);
    return before;
  }

  #whyRefused(request: Request): string | undefined {
    const { entry, kind, key, code, fromMs, atMs } = request;
    // What the account may not do, and trouble of the API server itself, are none of the model's.
    if (code === 401 || code === 429 || code >= 500 || / cannot /.test(messageOf(entry.responseObject))) return 'recorded';
    const all = this.#history.all(kind, key);
    const near = all.filter((sight) => sight.atMs > fromMs - heardMs && sight.atMs < atMs + heardMs);
    const stood = all.findLast((sight) => sight.atMs <= fromMs - heardMs);
    const grounds = [...new Set([stood?.object, ...near.map(({ object }) => object), ...(stood === undefined ? [undefined] : [])])];
    const codes = grounds.map((ground) => answerOfModel(request, ground).code);
    return codes.includes(code) ? undefined : `it was answered ${code}, the model says ${[...new Set(codes)].join(' or ')}`;
  }

  #isBinding(sight: Sight): boolean {
    const nodeOf = (object: KubeObject | undefined): unknown =>
      (object as { readonly spec?: { readonly nodeName?: string } } | undefined)?.spec?.nodeName;
    const before = this.#history.previous(sight)?.object;
    if (before === undefined || sight.object === undefined || nodeOf(before) !== undefined || nodeOf(sight.object) === undefined)
      return false;
    return this.#trace.entries.some(({ objectRef }) => objectRef?.subresource === 'binding' && objectRef.name === sight.key.name);
  }
}

/** Undefined where one of them is. */
function firstOf(whys: readonly (string | undefined)[]): string | undefined {
  return whys.includes(undefined) ? undefined : whys[0];
}

function compareStored(request: Request, before: KubeObject | undefined): string | undefined {
  const answer = answerOfModel(request, before);
  if ('reason' in answer) return `the model refuses it: ${answer.code} ${answer.reason}`;
  if (answer.object === undefined) return 'in the model it is gone at once';
  const [real, model] = [essenceOf(request, request.entry.responseObject), essenceOf(request, answer.object)];
  const differing = differences(real, model, '');
  return differing.length === 0 ? undefined : `the model answers otherwise: ${differing.slice(0, 3).join('; ')}`;
}

/** Whatever a patch means: one of status leaves the rest as it was. */
function whyBeyondStatus(request: Request, before: KubeObject | undefined): string | undefined {
  if (request.entry.objectRef?.subresource !== 'status') return undefined;
  const [is, was] = [request.entry.responseObject, before].map((object) => ({ ...essenceOf(request, object), status: undefined }));
  const differing = differences(is, was, '');
  return differing.length === 0 ? undefined : `a patch of status changes more: ${differing.slice(0, 3).join('; ')}`;
}

/** An object without what each API server chooses for itself: times, versions, uids and addresses that it gives. */
function essenceOf({ entry, kind }: Request, object: KubeObject | undefined): object {
  const { resourceVersion: _v, managedFields: _m, creationTimestamp: _c, uid, deletionTimestamp, ...metadata } = object?.metadata ?? {};
  const { status, spec, ...rest } = (object ?? {}) as KubeObject & {
    readonly status?: object;
    readonly spec?: Readonly<Record<string, unknown>>;
  };
  const isCreate = entry.verb === 'create';
  const { clusterIP: _ip, clusterIPs: _ips, ...open } = spec ?? {};
  return {
    ...rest,
    metadata: { ...metadata, ...(isCreate ? {} : { uid }), deleting: deletionTimestamp !== undefined },
    spec: kind === 'pods' ? withoutToken(spec) : isCreate && kind === 'services' ? open : spec,
    status,
  };
}

/** A pod's spec without the volume of its service account's token, which is added at its creation under a name by chance. */
function withoutToken(spec: Readonly<Record<string, unknown>> = {}): object {
  const kept = (list: unknown): readonly Named[] | undefined => {
    const others = namedOf(list).filter(({ name }) => name?.startsWith('kube-api-access-') !== true);
    return others.length === 0 ? undefined : others;
  };
  const containers = namedOf(spec.containers).map((one) => ({ ...one, volumeMounts: kept(one.volumeMounts) }));
  return { ...spec, volumes: kept(spec.volumes), containers };
}

type Named = Readonly<Record<string, unknown>> & { readonly name?: string };

function namedOf(list: unknown): readonly Named[] {
  return Array.isArray(list) ? (list as readonly Named[]) : [];
}

/** Paths at which two values differ, with both. Pure. */
function differences(real: unknown, model: unknown, path: string): readonly string[] {
  if (canonicalJson(real ?? null) === canonicalJson(model ?? null)) return [];
  if (isMap(real) && isMap(model))
    return [...new Set([...Object.keys(real), ...Object.keys(model)])].flatMap((key) =>
      differences(real[key], model[key], path === '' ? key : `${path}.${key}`),
    );
  const show = (value: unknown): string => (value === undefined ? 'nothing' : canonicalJson(value).slice(0, 120));
  return [`${path}: ${show(real)}, the model ${show(model)}`];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A kubelet sends strategic merge patches, controllers of the cluster apply: what those mean the model does not know. */
function sendsMergePatches({ entry }: Request): boolean {
  return entry.userAgent?.startsWith('hourglass-') === true;
}

function isNewlyMarked(sight: Sight, before: Sight | undefined): boolean {
  const [was, is] = [before?.object?.metadata, sight.object?.metadata];
  return (
    was?.deletionTimestamp === undefined ||
    was.deletionGracePeriodSeconds !== is?.deletionGracePeriodSeconds ||
    String(was.finalizers) !== String(is?.finalizers)
  );
}

function detailsUid({ entry }: Request): string | undefined {
  return (entry.responseObject as { readonly details?: { readonly uid?: string } } | undefined)?.details?.uid;
}

function messageOf(object: KubeObject | undefined): string {
  return (object as { readonly message?: string } | undefined)?.message ?? '';
}

/** `patch performers/status alpha`. Pure. */
export function describeRequest({ entry, key }: Request): string {
  const { resource = '', subresource } = entry.objectRef ?? {};
  return `${entry.verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${key.name}`;
}
