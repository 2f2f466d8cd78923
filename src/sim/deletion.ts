import type { DeleteOptions } from '../kube/port.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import type { AnyObject } from './stored-object.ts';

export type DeletionStep =
  | { readonly kind: 'remove' }
  /** It stays, marked: a finalizer or a grace period holds it. */
  | { readonly kind: 'mark'; readonly object: AnyObject }
  | { readonly kind: 'unchanged' };

const policyFinalizers = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: undefined } as const;

/** What a delete call makes of an object. Pure. @param graceful whether the kind has a grace period */
export function planDeletion(
  object: AnyObject,
  graceful: boolean,
  options: Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy'>,
  nowMs: number,
): DeletionStep {
  const { metadata } = object;
  const added = policyFinalizers[options.propagationPolicy ?? 'Background'];
  const finalizers = [...new Set([...(metadata.finalizers ?? []), ...(added === undefined ? [] : [added])])];
  const askedSeconds = graceful ? gracePeriodSeconds(object, options.gracePeriodSeconds) : 0;
  const markedMs = parseTime(metadata.deletionTimestamp);

  if (markedMs === undefined) {
    if (askedSeconds === 0 && finalizers.length === 0) return { kind: 'remove' };
    return { kind: 'mark', object: mark(object, nowMs, askedSeconds, finalizers) };
  }
  // A grace period that runs can only be made shorter.
  const leftSeconds = metadata.deletionGracePeriodSeconds ?? 0;
  const shorter = options.gracePeriodSeconds !== undefined && askedSeconds < leftSeconds;
  const seconds = shorter ? askedSeconds : leftSeconds;
  if (seconds === 0 && finalizers.length === 0) return { kind: 'remove' };
  if (!shorter && finalizers.length === (metadata.finalizers ?? []).length) return { kind: 'unchanged' };
  return { kind: 'mark', object: mark(object, markedMs - leftSeconds * 1_000, seconds, finalizers) };
}

/** Whether nothing holds a marked object any more. Pure. */
export function isReleased({ metadata }: AnyObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds: seconds = 0, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && seconds === 0 && finalizers.length === 0;
}

/** Nobody runs a pod that has no node, or that has finished: there is nothing to wait for. */
function gracePeriodSeconds(object: AnyObject, asked: number | undefined): number {
  const phase = object.status?.phase;
  if (!object.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? Number(object.spec.terminationGracePeriodSeconds ?? 30);
  return seconds < 0 ? 1 : seconds;
}

function mark(object: AnyObject, sinceMs: number, seconds: number, finalizers: readonly string[]): AnyObject {
  const { metadata } = object;
  const isFirst = metadata.deletionTimestamp === undefined;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.length > 0 ? { finalizers } : {}),
      ...(isFirst && metadata.generation !== undefined ? { generation: metadata.generation + 1 } : {}),
      deletionTimestamp: formatTime(sinceMs + seconds * 1_000),
      deletionGracePeriodSeconds: seconds,
    },
  };
}
