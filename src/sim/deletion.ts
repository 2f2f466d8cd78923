import type { DeleteOptions } from '../kube/port.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import type { AnyObject } from './stored-object.ts';

export type DeletionStep =
  | { readonly kind: 'remove' }
  /** It stays, marked, while a finalizer or a grace period holds it; `ends`: nothing does, and it goes right after. */
  | { readonly kind: 'mark'; readonly object: AnyObject; readonly ends: boolean }
  | { readonly kind: 'unchanged' };

const policyFinalizers = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: undefined } as const;
const ofPolicies: readonly string[] = ['foregroundDeletion', 'orphan'];

/** What a delete call makes of an object. Pure. @param graceful whether the kind has a grace period */
export function planDeletion(
  object: AnyObject,
  graceful: boolean,
  options: Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy'>,
  nowMs: number,
): DeletionStep {
  const { metadata } = object;
  const had = metadata.finalizers ?? [];
  const finalizers = finalizersAfter(had, options.propagationPolicy);
  const markedMs = parseTime(metadata.deletionTimestamp);
  const leftSeconds = metadata.deletionGracePeriodSeconds ?? 0;
  const step = (sinceMs: number, seconds: number): DeletionStep => ({
    kind: 'mark',
    object: mark(object, sinceMs, seconds, finalizers),
    ends: seconds === 0 && finalizers.length === 0,
  });
  if (markedMs !== undefined && leftSeconds > 0) {
    // A grace period that runs can only be made shorter; until then a call changes nothing, its policy included.
    const { gracePeriodSeconds: given } = options;
    const asked = given !== undefined && given < 0 ? 1 : given;
    return asked === undefined || asked >= leftSeconds ? { kind: 'unchanged' } : step(markedMs - leftSeconds * 1_000, asked);
  }
  if (markedMs === undefined && graceful) return step(nowMs, gracePeriodSeconds(object, options.gracePeriodSeconds));
  if (finalizers.length === 0) return { kind: 'remove' };
  if (markedMs === undefined) return step(nowMs, 0);
  return String(finalizers) === String(had) ? { kind: 'unchanged' } : step(markedMs, 0);
}

/** Whether nothing holds a marked object any more. Pure. */
export function isReleased({ metadata }: AnyObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds: seconds = 0, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && seconds === 0 && finalizers.length === 0;
}

/** A policy that is named takes the place of one that an earlier call, or the user, left as a finalizer. */
function finalizersAfter(had: readonly string[], policy: DeleteOptions['propagationPolicy']): readonly string[] {
  if (policy === undefined) return had;
  const added = policyFinalizers[policy];
  const others = had.filter((name) => !ofPolicies.includes(name));
  return added === undefined ? others : had.includes(added) && others.length === had.length - 1 ? had : [...others, added];
}

/** Nobody runs a pod that has no node, or that has finished: there is nothing to wait for. */
function gracePeriodSeconds(object: AnyObject, asked: number | undefined): number {
  const phase = object.status?.phase;
  if (!object.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? Number(object.spec.terminationGracePeriodSeconds ?? 30);
  return seconds < 0 ? 1 : seconds;
}

function mark(object: AnyObject, sinceMs: number, seconds: number, finalizers: readonly string[]): AnyObject {
  const { finalizers: _had, ...metadata } = object.metadata;
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
