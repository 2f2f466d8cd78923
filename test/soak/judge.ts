import { quantile } from '../../src/bench/statistics.ts';
import { type FaultSpan, type ObjectState, type Recording, soakKinds } from './recording.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SoakVerdict {
  readonly watchedMs: number;
  /** A kind's view was older than 2 s while a fresh connection would have worked. */
  readonly blind: readonly Span[];
  readonly blindMs: number;
  readonly blindShare: number;
  /** Blind milliseconds by the fault that began last before; `none` where there was none in the 30 s before. */
  readonly blindByFault: Readonly<Record<string, number>>;
  /** Older than 2 s while a fault kept everybody out. */
  readonly shutOut: readonly Span[];
  readonly shutOutMs: number;
  /** Older than 2 s because a stream was silent on a connection that lived; up to 75 s each. */
  readonly silent: readonly Span[];
  readonly silentMs: number;
  readonly longestSilenceMs: number;
  /** Changes of which neither they nor a later state of their object was ever told. */
  readonly neverTold: number;
  /** Objects that differ in the end: lacking, outdated, or there though they are gone. */
  readonly lost: number;
  /** Sightings older than what the client had told of that object before. */
  readonly movedBack: number;
  /** How long after a change it was told, in milliseconds. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly faultShare: number;
  readonly faultCounts: Readonly<Record<string, number>>;
  /** Median RSS of the last two minutes against that of minutes 5 to 7, minus 1; NaN for a run under 10 minutes. */
  readonly memoryGrowth: number;
  readonly peakRssBytes: number;
}

export const oldMs = 2_000;
/** How long a client may take a silent stream for a quiet one, and what it needs then. */
const silenceMs = 75_000 + oldMs;
const culpritMs = 30_000;
const minuteMs = 60_000;

/** What a recording says about its client. Pure. */
export function judge(recording: Recording): SoakVerdict {
  const { fromMs, toMs, changes, sightings, faults, memory } = recording;
  const firstTold = findTold(changes, sightings);
  const blocked = union(faults.filter(({ effect }) => effect === 'blocks'));
  const blindParts: Span[] = [];
  const shutOutParts: Span[] = [];
  const silentParts: Span[] = [];
  const delays: number[] = [];
  let neverTold = 0;
  for (const kind of soakKinds) {
    const seen = changes.filter((change) => change.kind === kind).map((change) => ({ change, toldMs: firstTold(change) }));
    for (const { change, toldMs } of seen) {
      if (toldMs === undefined) neverTold += 1;
      else if (change.atMs >= fromMs) delays.push(Math.max(0, toldMs - change.atMs));
    }
    const old = union(seen.flatMap(({ change, toldMs = toMs }) => clip({ fromMs: change.atMs + oldMs, toMs: toldMs }, { fromMs, toMs })));
    const silences = union(
      faults.filter((fault) => fault.effect === 'silences' && (fault.kind ?? kind) === kind).map((fault) => silenceOf(fault, seen)),
    );
    shutOutParts.push(...intersect(old, blocked));
    const open = subtract(old, blocked);
    silentParts.push(...intersect(open, silences));
    blindParts.push(...subtract(open, silences));
  }
  const blind = union(blindParts);
  const silent = union(silentParts);
  const shutOut = union(shutOutParts);
  const watchedMs = toMs - fromMs;
  const sortedDelays = delays.toSorted((a, b) => a - b);
  return {
    watchedMs,
    blind,
    blindMs: lengthOf(blind),
    blindShare: lengthOf(blind) / watchedMs,
    blindByFault: blameFaults(blind, faults),
    shutOut,
    shutOutMs: lengthOf(shutOut),
    silent,
    silentMs: lengthOf(silent),
    longestSilenceMs: Math.max(0, ...silent.map((span) => span.toMs - span.fromMs)),
    neverTold,
    lost: countDifferent(recording.finalTruth, recording.finalView),
    movedBack: countMovedBack(sightings),
    delayP50Ms: quantile(sortedDelays, 0.5),
    delayP99Ms: quantile(sortedDelays, 0.99),
    faultShare: lengthOf(union(faults.flatMap((fault) => clip(fault, { fromMs, toMs })))) / watchedMs,
    faultCounts: countBy(faults.map(({ name }) => name)),
    memoryGrowth: memoryGrowth(recording),
    peakRssBytes: memory.reduce((peak, { rssBytes }) => Math.max(peak, rssBytes), 0),
  };
}

/**
 * When a client first told a state of the object or a later one; that it is gone is the last there is to tell of a uid.
 * One that came and went between two lists is nobody's loss: it counts as told with the first news that is younger than its end.
 */
function findTold(changes: readonly ObjectState[], sightings: readonly ObjectState[]): (change: ObjectState) => number | undefined {
  const inOrder = sightings.toSorted((a, b) => a.atMs - b.atMs);
  const byUid = Map.groupBy(inOrder, ({ uid }) => uid);
  const endOf = new Map(changes.filter(({ gone }) => gone).map((change) => [change.uid, change]));
  return (change) => {
    const own = byUid.get(change.uid);
    if (own !== undefined) return own.find(({ gone, version }) => gone || (!change.gone && version >= change.version))?.atMs;
    const end = endOf.get(change.uid);
    if (end === undefined) return undefined;
    return inOrder.find(({ kind, gone, version }) => kind === change.kind && !gone && version > end.version)?.atMs;
  };
}

/** A stream's silence is over with the first news of what happened after it began. */
function silenceOf(fault: FaultSpan, seen: readonly { readonly change: ObjectState; readonly toldMs: number | undefined }[]): Span {
  const news = seen.flatMap(({ change, toldMs }) => (change.atMs > fault.toMs && toldMs !== undefined ? [toldMs] : []));
  const endMs = news.reduce((first, atMs) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
  return { fromMs: fault.fromMs, toMs: Math.min(endMs, fault.toMs + silenceMs) };
}

function blameFaults(blind: readonly Span[], faults: readonly FaultSpan[]): Readonly<Record<string, number>> {
  const blamed: Record<string, number> = {};
  for (const span of blind) {
    // What made the view old began before the view was old.
    const before = faults.filter((fault) => fault.fromMs <= span.fromMs && fault.toMs >= span.fromMs - culpritMs);
    const culprit = before.toSorted((a, b) => b.fromMs - a.fromMs).find((fault) => fault.fromMs <= span.fromMs - oldMs / 2) ?? before[0];
    const name = culprit?.name ?? 'none';
    blamed[name] = (blamed[name] ?? 0) + span.toMs - span.fromMs;
  }
  return blamed;
}

function countDifferent(truth: Readonly<Record<string, number>>, view: Readonly<Record<string, number>>): number {
  return [...new Set([...Object.keys(truth), ...Object.keys(view)])].filter((uid) => truth[uid] !== view[uid]).length;
}

function countMovedBack(sightings: readonly ObjectState[]): number {
  const newest = new Map<string, number>();
  let count = 0;
  for (const { uid, version, gone } of sightings) {
    const known = newest.get(uid) ?? 0;
    if (!gone && version < known) count += 1;
    newest.set(uid, gone ? Number.POSITIVE_INFINITY : Math.max(known, version));
  }
  return count;
}

function memoryGrowth({ memory, fromMs, toMs }: Recording): number {
  if (toMs - fromMs < 10 * minuteMs) return Number.NaN;
  const medianIn = (span: Span): number =>
    quantile(
      memory
        .filter(({ atMs }) => atMs >= span.fromMs && atMs < span.toMs)
        .map(({ rssBytes }) => rssBytes)
        .toSorted((a, b) => a - b),
      0.5,
    );
  const early = medianIn({ fromMs: fromMs + 5 * minuteMs, toMs: fromMs + 7 * minuteMs });
  return medianIn({ fromMs: toMs - 2 * minuteMs, toMs }) / early - 1;
}

function countBy(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Spans that touch or overlap as one, in order. Pure. */
export function union(spans: readonly Span[]): readonly Span[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else joined.push({ fromMs, toMs });
  }
  return joined.filter(({ fromMs, toMs }) => toMs > fromMs);
}

/** Pure; both lists as `union` gives them. */
export function intersect(spans: readonly Span[], others: readonly Span[]): readonly Span[] {
  return spans.flatMap((span) => others.flatMap((other) => clip(span, other)));
}

/** Pure; both lists as `union` gives them. */
export function subtract(spans: readonly Span[], others: readonly Span[]): readonly Span[] {
  return spans.flatMap((span) => {
    const left: Span[] = [];
    let fromMs = span.fromMs;
    for (const other of others) {
      if (other.toMs <= fromMs || other.fromMs >= span.toMs) continue;
      if (other.fromMs > fromMs) left.push({ fromMs, toMs: other.fromMs });
      fromMs = Math.max(fromMs, other.toMs);
    }
    if (fromMs < span.toMs) left.push({ fromMs, toMs: span.toMs });
    return left;
  });
}

function clip(span: Span, within: Span): readonly Span[] {
  const fromMs = Math.max(span.fromMs, within.fromMs);
  const toMs = Math.min(span.toMs, within.toMs);
  return toMs > fromMs ? [{ fromMs, toMs }] : [];
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
