import { labels } from '../api/v1alpha1/naming.ts';
import type { Performer } from '../api/v1alpha1/performer.ts';
import { type KubeObject, keyText, type Node, type ObjectKey, type Pod } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';
import { parseTime } from '../lib/time.ts';
import type { OracleContext } from './define.ts';
import type { Change, ClusterView, Write } from './oracle.ts';
import {
  type Asked,
  askedOf,
  endpointsOf,
  fits,
  isDeleting,
  isInService,
  isOperator,
  isPodNameOf,
  isReady,
  isRefused,
  isRoutable,
  isUnreachable,
  mostUnreachable,
  performerOf,
  performerOfSlice,
} from './words.ts';

/** A Performer as it stood for a while. */
export interface Version {
  readonly uid: string;
  readonly generation: number;
  /** Undefined where the spec cannot be read. */
  readonly asked: Asked | undefined;
  readonly deleting: boolean;
  /** Since when it stood so, server time. */
  readonly fromMs: number;
  /** Infinity while it still does. */
  toMs: number;
}

/** What is remembered of a pod that a Performer controls or controlled. */
export interface PodTrace {
  pod: Pod;
  /** The Performer that controls it, or did until it was orphaned. */
  readonly owner: ObjectKey & { readonly uid: string };
  readonly bornMs: number;
  /** What its Performer asked for when it was made, and shortly before. */
  readonly madeUnder: readonly Asked[];
  /** When its object went. */
  goneMs: number | undefined;
  everReady: boolean;
  /** Until when it was Ready, in service and live; Infinity while it is, -Infinity when it never was. */
  routableToMs: number;
  /** Since when it was so without a break. */
  routableFromMs: number;
  /** Until when an EndpointSlice sent calls to it, as above. */
  routedToMs: number;
  /** Another hand than an operator's changed its marks or its image: it is not judged like those left alone. */
  touched: boolean;
  /** It came with a revision label, under whichever Performer: made by this operator. */
  readonly marked: boolean;
  /** Since when it bears a revision label, given by whomever; Infinity while it bears none. */
  markedMs: number;
  /** An operator made it its own though another one had made it beside ours, and ours filled all places. */
  claimedBeside: boolean;
  /** Made for another Performer than the one that controls it now. */
  readonly adopted: boolean;
  /** Pods of ours were there when it came. */
  readonly besideOurs: boolean;
}

/** How long pods that are gone are remembered beyond any granted lag. */
const keepMs = 60_000;
/** The longest waits before what was refused is asked for again: a create or a status, a repair or removal; and before a name is looked at that somebody held. */
const [createWaitMs, repairWaitMs, nameWaitMs] = [60_000, 600_000, 30_000];

/** What two writers fight over is left to the other for so long. */
const truceMs = 300_000;

/** What all oracles of one run remember in common: the recent past of Performers, pods and nodes. Told of each change and write once. */
export class Memory {
  readonly context: OracleContext;
  readonly #versions = new Map<string, Version[]>();
  readonly #pods = new Map<string, Map<string, PodTrace>>();
  readonly #byUid = new Map<string, PodTrace>();
  readonly #names = new Map<string, number>();
  readonly #unreachable = new Map<string, { fromMs: number; toMs: number }>();
  #most: { fromMs: number; toMs: number } = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY };
  readonly #refusedUntil = new Map<string, number>();
  readonly #takenUntil = new Map<string, number>();
  readonly #podChanges = new Map<string, number>();
  readonly #disputedUntil = new Map<string, number>();
  #last: unknown;

  constructor(context: OracleContext) {
    this.context = context;
  }

  /** Takes a change; a second time in a row changes nothing. */
  change(change: Change, view: ClusterView): void {
    if (this.#last === change) return;
    this.#last = change;
    if (change.kind === 'performers') this.#takePerformer(change.key, change.after as Performer | undefined, change.atMs);
    else if (change.kind === 'pods') this.#takePod(change as Change<'pods'>);
    else if (change.kind === 'endpointSlices') this.#takeSlices(change as Change<'endpointSlices'>, view);
    else if (change.kind === 'nodes') this.#takeNode(change as Change<'nodes'>, view);
  }

  /** Takes a write; a second time in a row changes nothing. */
  write(write: Write): void {
    if (this.#last === write) return;
    this.#last = write;
    if (isOperator(write) && write.plural !== 'events') this.#takeRefusal(write);
    if (isOperator(write) || write.result !== 'ok' || write.before === undefined) return;
    const owner = write.plural === 'services' ? performerOf(write.before) : undefined;
    if (owner !== undefined)
      this.#disputedUntil.set(keyText(owner), write.atMs + truceMs * this.context.waitFactor + this.context.settleMs);
    if (write.plural !== 'pods') return;
    const [before, after] = [write.before as Pod, (write.after ?? write.before) as Pod];
    const marks = ({ metadata, spec }: Pod): unknown => [
      metadata?.labels,
      metadata?.annotations,
      metadata?.ownerReferences,
      spec?.containers?.map((one) => one.image),
    ];
    const trace = this.#byUid.get(before.metadata?.uid ?? '');
    if (trace !== undefined && write.verb !== 'delete' && !sameJson(marks(before), marks(after))) trace.touched = true;
  }

  /** The versions that stood at some time in the last `backMs`, oldest first. */
  versions(key: ObjectKey, nowMs: number, backMs: number): readonly Version[] {
    return (this.#versions.get(keyText(key)) ?? []).filter((one) => one.toMs >= nowMs - backMs);
  }

  /** The version that stood then; none in the instant it went. */
  current(key: ObjectKey, atMs: number): Version | undefined {
    return this.#versions.get(keyText(key))?.findLast((one) => one.fromMs <= atMs && one.toMs > atMs);
  }

  /** What was asked for by any of those; of one Performer where its uid is given. */
  asked(key: ObjectKey, nowMs: number, backMs: number, uid?: string): readonly Asked[] {
    return this.versions(key, nowMs, backMs).flatMap((one) => (one.asked !== undefined && (uid ?? one.uid) === one.uid ? [one.asked] : []));
  }

  /** Pods that are there, controlled by the Performer of that name; of that uid where one is given. */
  pods(key: ObjectKey, uid?: string): readonly PodTrace[] {
    return this.podsSince(key, Number.POSITIVE_INFINITY, uid);
  }

  /** The same, with those that went after `sinceMs`. */
  podsSince(key: ObjectKey, sinceMs: number, uid?: string): readonly PodTrace[] {
    const traces = [...(this.#pods.get(keyText(key))?.values() ?? [])];
    return traces.filter((one) => (uid ?? one.owner.uid) === one.owner.uid && (one.goneMs ?? Number.POSITIVE_INFINITY) >= sinceMs);
  }

  trace(uid: string | undefined): PodTrace | undefined {
    return this.#byUid.get(uid ?? '');
  }

  /** Whether another operator made it while pods of ours were there. */
  isRival({ marked, besideOurs }: PodTrace): boolean {
    return !marked && besideOurs;
  }

  /** Whether that one is still another operator's: ours did not claim it. */
  isAnothers(trace: PodTrace): boolean {
    return trace.markedMs === Number.POSITIVE_INFINITY && !trace.adopted && this.isRival(trace);
  }

  /** How many pods of that name there have been under one Performer: names come back when an old view makes them. */
  timesNamed(ownerUid: string, podName: string): number {
    return this.#names.get(`${ownerUid} ${podName}`) ?? 0;
  }

  /** When a pod of that Performer last changed. */
  podsChangedMs(key: ObjectKey): number {
    return this.#podChanges.get(keyText(key)) ?? Number.NEGATIVE_INFINITY;
  }

  /** Until when the back-off of a write that the API server refused for that Performer explains that nothing is done; undefined where writes are not told. */
  refusedUntilMs(key: ObjectKey): number | undefined {
    return this.context.knowsWrites ? (this.#refusedUntil.get(keyText(key)) ?? Number.NEGATIVE_INFINITY) : undefined;
  }

  /** The same for a name that a stranger held, as far as writes tell. */
  takenUntilMs(key: ObjectKey): number {
    return this.#takenUntil.get(keyText(key)) ?? Number.NEGATIVE_INFINITY;
  }

  /** Until when the Service of that Performer may be left to whoever else wrote it; undefined where writes are not told. */
  disputedUntilMs(key: ObjectKey): number | undefined {
    return this.context.knowsWrites ? (this.#disputedUntil.get(keyText(key)) ?? Number.NEGATIVE_INFINITY) : undefined;
  }

  /** Whether a pod's node was out of sight at some time since then. */
  wasUnreachable(nodeName: string | undefined, sinceMs: number): boolean {
    return nodeName !== undefined && (this.#unreachable.get(nodeName)?.toMs ?? Number.NEGATIVE_INFINITY) >= sinceMs;
  }

  /** Since when its node is out of sight without a break; undefined when it is in sight. */
  unreachableSince(nodeName: string | undefined): number | undefined {
    const span = this.#unreachable.get(nodeName ?? '');
    return span?.toMs === Number.POSITIVE_INFINITY ? span.fromMs : undefined;
  }

  /** The last time in which most nodes were out of sight at once. */
  get most(): { readonly fromMs: number; readonly toMs: number } {
    return this.#most;
  }

  /** Whether the pod is of the newest spec for certain: it has all of it, and nothing about pods was changed since shortly before it was made. */
  isSurelyNewest(trace: PodTrace, asked: Asked): boolean {
    const { pod, touched, marked, madeUnder } = trace;
    const unchanged = madeUnder.length > 0 && madeUnder.every((one) => one.podText === asked.podText);
    return !touched && marked && unchanged && fits(pod, asked, true);
  }

  /** Whether the pod may pass for one of that spec. */
  passesFor(trace: PodTrace, asked: Asked): boolean {
    return trace.touched || fits(trace.pod, asked, trace.marked);
  }

  #takeRefusal(write: Write): void {
    const { before, sent, key, atMs } = write;
    const isTaken = write.result === 'alreadyExists' && performerOf(before) === undefined;
    if (!isTaken && !isRefused(write)) return;
    const owner = performerOf((isTaken ? undefined : before) ?? (sent as KubeObject | undefined)) ?? key;
    const [until, waitMs] = isTaken
      ? [this.#takenUntil, nameWaitMs]
      : [this.#refusedUntil, write.verb === 'create' || write.subresource === 'status' ? createWaitMs : repairWaitMs];
    const text = keyText({ ...key, name: owner.name });
    until.set(text, Math.max(until.get(text) ?? 0, atMs + waitMs * this.context.waitFactor));
  }

  #takePerformer(key: ObjectKey, after: Performer | undefined, atMs: number): void {
    const versions = this.#versions.get(keyText(key)) ?? [];
    const last = versions.at(-1);
    const [uid, generation, deleting] = [after?.metadata?.uid, after?.metadata?.generation ?? 0, after !== undefined && isDeleting(after)];
    const asked = after === undefined ? undefined : askedOf(after);
    const stands = last !== undefined && last.toMs === Number.POSITIVE_INFINITY;
    // Another CRD shows another spec of the same generation.
    const isSame = last?.uid === uid && last?.generation === generation && sameJson(last.asked?.spec, asked?.spec);
    if (stands && isSame && last.deleting === deleting) return;
    if (stands) last.toMs = atMs;
    const oldest = atMs - this.context.viewLagMs - keepMs;
    const kept = versions.filter((one) => one.toMs >= oldest);
    if (after !== undefined && uid !== undefined)
      kept.push({ uid, generation, asked, deleting, fromMs: atMs, toMs: Number.POSITIVE_INFINITY });
    this.#versions.set(keyText(key), kept);
  }

  #takePod({ before, after, atMs }: Change<'pods'>): void {
    const isSame = before?.metadata?.uid === after?.metadata?.uid;
    if (before !== undefined && (after === undefined || !isSame)) {
      const gone = this.#byUid.get(before.metadata?.uid ?? '');
      if (gone !== undefined) Object.assign(gone, { goneMs: atMs, ...ended(gone, atMs) });
    }
    const uid = after?.metadata?.uid ?? '';
    const known = this.#byUid.get(uid);
    // An orphan is followed on: it may be adopted, and counts until then.
    const owner = performerOf(after) ?? known?.owner;
    if (after === undefined || owner === undefined) return;
    const siblings = this.#pods.get(keyText(owner)) ?? new Map<string, PodTrace>();
    if (known === undefined || known.owner.uid !== owner.uid) {
      // Who adopts one marks it in the same write: that does not make it theirs.
      const marked = known?.marked ?? after.metadata?.labels?.[labels.revision] !== undefined;
      // Of one that was there before we looked nobody knows what it was made for.
      const isNew = (parseTime(after.metadata?.creationTimestamp) ?? 0) >= atMs - this.context.viewLagMs - 1_000;
      // One that is adopted was made for what its former owner asked.
      const madeUnder = known?.madeUnder ?? (isNew ? this.asked(owner, atMs, this.context.viewLagMs, owner.uid) : []);
      const never = Number.NEGATIVE_INFINITY;
      // Who adopts it changes nothing for callers.
      const { routableToMs = never, routedToMs = never, everReady = false } = known ?? {};
      const first = { routableToMs, routedToMs, everReady, goneMs: undefined, adopted: known !== undefined };
      const trace = {
        pod: after,
        owner,
        bornMs: atMs,
        madeUnder,
        marked,
        markedMs: known?.markedMs ?? Number.POSITIVE_INFINITY,
        claimedBeside: false,
        routableFromMs: atMs,
        besideOurs: this.pods(owner, owner.uid).some((one) => one.marked),
        touched: !isPodNameOf(after.metadata?.name ?? '', owner.name),
        ...first,
      };
      for (const [other, { goneMs }] of siblings) {
        if (goneMs === undefined || goneMs >= atMs - this.context.viewLagMs - keepMs) continue;
        siblings.delete(other);
        this.#byUid.delete(other);
      }
      siblings.set(uid, trace);
      this.#pods.set(keyText(owner), siblings);
      this.#byUid.set(uid, trace);
      const name = `${owner.uid} ${after.metadata?.name}`;
      this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    }
    this.#podChanges.set(keyText(owner), atMs);
    const trace = this.#byUid.get(uid);
    if (trace === undefined) return;
    const [former, marks] = [trace.pod.metadata?.labels, after.metadata?.labels];
    trace.pod = after;
    // One that is to be rolled gets no revision, only what others find it by.
    const isNamed = marks?.[labels.instance] !== undefined && former?.[labels.instance] === undefined;
    if ((marks?.[labels.revision] !== undefined || isNamed) && trace.markedMs > atMs) {
      trace.claimedBeside = this.isAnothers(trace) && this.#isFilled(owner, after, atMs);
      trace.markedMs = atMs;
    }
    trace.everReady ||= isReady(after);
    const isIn = isRoutable(after, owner.name);
    if (isIn && trace.routableToMs !== Number.POSITIVE_INFINITY) trace.routableFromMs = atMs;
    if (isIn) trace.routableToMs = Number.POSITIVE_INFINITY;
    else if (trace.routableToMs === Number.POSITIVE_INFINITY) trace.routableToMs = atMs;
  }

  /**
   * Whether pods of ours that were made for what is asked have been all that is wanted for as long as a view may be old, beside one that has the
   * image, too: one of another image is rolled out, whoever made it.
   */
  #isFilled(owner: ObjectKey & { readonly uid: string }, beside: Pod, atMs: number): boolean {
    const { viewLagMs } = this.context;
    const asked = this.asked(owner, atMs, viewLagMs, owner.uid);
    const ours = this.pods(owner, owner.uid).filter(
      (one) => one.marked && !one.touched && one.bornMs <= atMs - viewLagMs && isInService(one.pod, owner.name),
    );
    // What cannot be seen of a pod, as its version, is known of when it was made.
    const isMadeFor = (trace: PodTrace, one: Asked): boolean =>
      this.passesFor(trace, one) && trace.madeUnder.some(({ podText }) => podText === one.podText);
    return (
      asked.length > 0 &&
      asked.every((one) => fits(beside, one, false) && ours.filter((trace) => isMadeFor(trace, one)).length >= one.replicas)
    );
  }

  #takeSlices({ before, after, atMs }: Change<'endpointSlices'>, view: ClusterView): void {
    const now = new Set(after === undefined ? [] : endpointsOf(after));
    for (const uid of before === undefined ? [] : endpointsOf(before)) {
      const trace = this.#byUid.get(uid);
      const elsewhere = [...view.endpointSlices.values()].some((slice) => slice !== before && endpointsOf(slice).includes(uid));
      if (trace !== undefined && !now.has(uid) && !elsewhere) trace.routedToMs = atMs;
    }
    for (const uid of now) {
      const trace = this.#byUid.get(uid);
      if (trace !== undefined) trace.routedToMs = Number.POSITIVE_INFINITY;
    }
  }

  #takeNode({ key, after, before, atMs }: Change<'nodes'>, view: ClusterView): void {
    const span = this.#unreachable.get(key.name);
    const isOff = isUnreachable(after as Node | undefined);
    if (isOff && span?.toMs !== Number.POSITIVE_INFINITY) this.#unreachable.set(key.name, { fromMs: atMs, toMs: Number.POSITIVE_INFINITY });
    else if (!isOff && span?.toMs === Number.POSITIVE_INFINITY) span.toMs = atMs;
    if (isOff === isUnreachable(before) && (after === undefined) === (before === undefined)) return;
    const most = mostUnreachable(view);
    if (most && this.#most.toMs !== Number.POSITIVE_INFINITY) this.#most = { fromMs: atMs, toMs: Number.POSITIVE_INFINITY };
    else if (!most && this.#most.toMs === Number.POSITIVE_INFINITY) this.#most.toMs = atMs;
  }
}

function ended({ routableToMs }: PodTrace, atMs: number): Partial<PodTrace> {
  return routableToMs === Number.POSITIVE_INFINITY ? { routableToMs: atMs } : {};
}

/** Whether EndpointSlices of that Performer's Service are in view at all. */
export function hasSlices(view: ClusterView, key: ObjectKey): boolean {
  const isOf = (of: ObjectKey | undefined): boolean => of?.name === key.name && of.namespace === key.namespace;
  return [...view.endpointSlices.values()].some((slice) => isOf(performerOfSlice(slice)));
}
