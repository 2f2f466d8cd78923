import type { EndpointSlice, KubeObject, Node, ObjectKey } from '../../src/kube/objects.ts';
import { sameJson } from '../../src/lib/canonical-json.ts';
import type { Change, SeenKinds } from '../../src/oracle/kit.ts';
import { projectNode } from '../../src/reconcile/projections.ts';
import type { AuditEntry } from '../audit.ts';

export type Kind = keyof SeenKinds;

/** An object as it stood from one version on. */
export interface Sight {
  readonly kind: Kind;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly version: number;
  /** By the clock of whoever looked. */
  readonly atMs: number;
  /** Absent: gone. */
  readonly object?: KubeObject;
  /** It was there before anybody looked. */
  readonly first?: true;
}

/** What one run left of a namespace: each version of its objects, and every write with what came of it. Plain JSON. */
export interface Trace {
  readonly namespace: string;
  /** Of the operator. */
  readonly account?: string;
  /** In the order in which the API server made them: one etcd counts versions for all kinds. */
  readonly sights: readonly Sight[];
  readonly entries: readonly AuditEntry[];
}

/** Kinds whose writes are logged with their bodies. */
export const loggedKinds = ['pods', 'services', 'performers'] as const satisfies readonly Kind[];

/**
 * Puts together what watches saw and what the audit log has, the namespace's part of it. Pure.
 *
 * @param initial how many of the changes tell what was there at first
 * @param gone by uid: the version at which it went
 */
export function buildTrace(
  changes: readonly Change[],
  initial: number,
  gone: ReadonlyMap<string, string>,
  log: readonly AuditEntry[],
  of: Pick<Trace, 'namespace' | 'account'>,
): Trace {
  const newest = new Map<Kind, number>();
  const sights = changes.flatMap(({ kind, key, atMs, before, after }, index): Sight[] => {
    const last = newest.get(kind) ?? 0;
    const { uid = '', resourceVersion } = (after ?? before)?.metadata ?? {};
    // Within a kind the order stays; one whose end was only seen by a list comes behind what its kind had seen.
    const version = after === undefined ? Math.max(last, Number(gone.get(uid) ?? last + 0.5)) : Number(resourceVersion);
    newest.set(kind, Math.max(last, version));
    const base = { kind, key, uid, version, atMs, ...(index < initial && before === undefined ? { first: true as const } : {}) };
    if (after === undefined) return [base];
    const object = lean(kind, after);
    // A node reports every few seconds; what counts of it hardly ever changes.
    return kind === 'nodes' && before !== undefined && sameJson(signs(lean(kind, before)), signs(object)) ? [] : [{ ...base, object }];
  });
  const entries = log.filter(
    ({ stage, objectRef }) =>
      stage === 'ResponseComplete' && objectRef?.namespace === of.namespace && loggedKinds.some((kind) => kind === objectRef.resource),
  );
  return { ...of, sights: sights.toSorted((a, b) => a.version - b.version), entries };
}

/** What is looked at of the kinds whose writes are not. */
function lean(kind: Kind, object: KubeObject): KubeObject {
  if (kind === 'nodes') return projectNode(object as Node);
  if (kind !== 'endpointSlices') return object;
  const { metadata = {}, endpoints } = object as EndpointSlice;
  const { name, namespace, uid, labels, resourceVersion } = metadata;
  // A slice without any has null in their place.
  const kept = (endpoints ?? []).map(({ conditions, targetRef }) => ({
    conditions: { ready: conditions?.ready },
    targetRef: { uid: targetRef?.uid },
  }));
  return { metadata: { name, namespace, uid, labels, resourceVersion }, endpoints: kept } as unknown as KubeObject;
}

function signs(object: KubeObject): unknown {
  return { ...object, metadata: undefined };
}
