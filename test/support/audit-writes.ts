import { readFile } from 'node:fs/promises';
import { userAgent } from '../../src/api/v1alpha1/naming.ts';
import { type KubeObject, keyOf } from '../../src/kube/objects.ts';
import type { Change, SeenKinds, Write } from '../../src/oracle/kit.ts';

/** An entry of an audit log with bodies, as far as it is read. */
export interface AuditEntry {
  readonly verb: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly requestObject?: KubeObject & { readonly preconditions?: Write['preconditions'] };
  readonly responseObject?: KubeObject & { readonly reason?: string; readonly details?: { readonly uid?: string } };
  readonly responseStatus?: { readonly code: number };
  readonly stageTimestamp: string;
}

/** What happened in a cluster, as a board is to be told it. */
export type Told = { readonly change: Change } | { readonly write: Write };

/** By uid: the version at which it went. */
export type Deletions = ReadonlyMap<string, string>;

const verbs: readonly string[] = ['create', 'patch', 'update', 'delete'] satisfies Write['verb'][];
const kinds: readonly string[] = ['pods', 'services', 'performers', 'events'];

/** The writes of a log; the last line may be half written. */
export async function readAudit(path: string): Promise<readonly AuditEntry[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as AuditEntry);
  return entries
    .filter(({ verb, objectRef }) => verbs.includes(verb) && kinds.includes(objectRef?.resource ?? ''))
    .filter(({ objectRef }) => objectRef?.subresource === undefined || objectRef.subresource === 'status')
    .toSorted((a, b) => (a.stageTimestamp < b.stageTimestamp ? -1 : 1));
}

/**
 * Puts changes into the order in which the API server made them, across kinds, which watches do not keep: one etcd counts versions for all
 * of them. A write stands behind the change it made; one that made none, behind what was there when it was answered. Pure.
 */
export function mergeWrites(changes: readonly Change[], gone: Deletions, entries: readonly AuditEntry[]): readonly Told[] {
  const ordered = inOrder(changes, gone);
  const writes = ordered.map((): Write[] => []);
  const first: Write[] = [];
  const caused = new Set<number>();
  for (const entry of entries) {
    const atMs = Date.parse(entry.stageTimestamp);
    const place = findEffect(entry, ordered);
    const change = place === undefined ? undefined : ordered[place];
    if (place === undefined || change === undefined) {
      const before = ordered.findLastIndex((one) => one.atMs <= atMs);
      (writes[before] ?? first).push(writeOf(entry, atMs, undefined, undefined));
      continue;
    }
    // The first write with a version made it, those after it left it as it was.
    const isIdle = caused.has(place);
    caused.add(place);
    writes[place]?.push(writeOf(entry, Math.max(atMs, change.atMs), isIdle ? change.after : change.before, change.after));
  }
  return [
    ...first.map((write) => ({ write })),
    ...ordered.flatMap((change, at) => [{ change }, ...(writes[at] ?? []).map((write) => ({ write }))]),
  ];
}

function inOrder(changes: readonly Change[], gone: Deletions): readonly Change[] {
  const newest = new Map<keyof SeenKinds, number>();
  const placed = changes.map((change) => {
    const last = newest.get(change.kind) ?? 0;
    const { uid = '', resourceVersion } = (change.after ?? change.before)?.metadata ?? {};
    // Within a kind the order stays; one whose deletion was only seen by a list comes behind what its kind had seen.
    const version = Math.max(last, Number(change.after === undefined ? (gone.get(uid) ?? last) : resourceVersion));
    newest.set(change.kind, version);
    return { change, version };
  });
  let nowMs = Number.NEGATIVE_INFINITY;
  return placed
    .toSorted((a, b) => a.version - b.version)
    .map(({ change }) => {
      nowMs = Math.max(nowMs, change.atMs);
      return { ...change, atMs: nowMs };
    });
}

function findEffect(
  { verb, objectRef, requestObject, responseObject, responseStatus }: AuditEntry,
  changes: readonly Change[],
): number | undefined {
  if ((responseStatus?.code ?? 0) >= 300) return undefined;
  const { uid, resourceVersion } = responseObject?.metadata ?? {};
  const of = changes.flatMap((change, at) => (change.kind === objectRef?.resource ? [{ ...change, at }] : []));
  const stored = of.find(({ after }) => after?.metadata?.uid === uid && after?.metadata?.resourceVersion === resourceVersion);
  if (verb !== 'delete') return stored?.at;
  if (stored?.before !== undefined && stored.after?.metadata?.deletionTimestamp !== undefined) return stored.at;
  const goneUid = requestObject?.preconditions?.uid ?? responseObject?.details?.uid ?? uid;
  return of.find(({ before, after }) => before?.metadata?.uid === goneUid && after?.metadata?.uid !== goneUid)?.at;
}

function writeOf(entry: AuditEntry, atMs: number, before: KubeObject | undefined, after: KubeObject | undefined): Write {
  const { verb, objectRef, requestObject, responseObject } = entry;
  const { namespace = '', name = keyOf(responseObject ?? requestObject ?? {}).name, subresource } = objectRef ?? {};
  const version = requestObject?.metadata?.resourceVersion;
  return {
    atMs,
    actor: entry.userAgent?.startsWith(userAgent) === true ? `operator ${entry.userAgent}` : entry.user.username,
    verb: verb as Write['verb'],
    plural: objectRef?.resource ?? '',
    ...(subresource === 'status' ? { subresource } : {}),
    key: { namespace, name },
    sent: requestObject,
    preconditions: requestObject?.preconditions ?? (version === undefined ? {} : { resourceVersion: version }),
    result: resultOf(entry),
    before,
    after,
  };
}

function resultOf({ responseStatus, responseObject }: AuditEntry): Write['result'] {
  const code = responseStatus?.code ?? 500;
  if (code < 300) return 'ok';
  if (code === 409) return responseObject?.reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict';
  return ({ 400: 'invalid', 403: 'forbidden', 404: 'notFound', 422: 'invalid', 429: 'throttled' } as const)[code] ?? 'unavailable';
}
