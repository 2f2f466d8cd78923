import { type KubeObject, keyText, type ObjectKey } from '../src/kube/objects.ts';
import type { Change, Write } from '../src/oracle/kit.ts';
import type { OperatorRequest } from './observations.ts';

/** A line of an API server's audit log, as far as it is read. */
export interface AuditEntry {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly requestURI?: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly namespace?: string; readonly name?: string };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly requestObject?: KubeObject & { readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } };
  readonly responseObject?: KubeObject & { readonly reason?: string };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string };
}

const writingVerbs: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);
const writing = /"verb":"(?:create|update|patch|delete)"/;

/** How oracles know the operator that has this name in its Lease. Pure. */
export const operatorActor = (identity: string): string => `operator ${identity}`;

/** Objects as they stood, by kind and key, oldest first: what a write was made on. */
type History = ReadonlyMap<string, readonly KubeObject[]>;

/** Pure. */
function rememberVersions(changes: readonly Change[]): History {
  const versions = changes.flatMap(({ kind, key, after, before }) =>
    [before, after].flatMap((object) => (object === undefined ? [] : [{ at: `${kind} ${keyText(key)}`, object }])),
  );
  return new Map([...Map.groupBy(versions, ({ at }) => at)].map(([at, all]) => [at, all.map(({ object }) => object)]));
}

const versionOf = ({ metadata }: KubeObject): number => Number(metadata?.resourceVersion ?? Number.NaN);

/**
 * The writes of a part of an audit log, oldest first, for one namespace. What a write found is not in the log: it is the version that it
 * was made on, as far as that was seen. What was refused before anybody read what it was to do is left out. Pure.
 *
 * @param account of the operator; undefined where there is none
 */
export function readWrites(
  log: readonly AuditEntry[],
  changes: readonly Change[],
  namespace: string,
  account: string | undefined,
): readonly Write[] {
  const history = rememberVersions(changes);
  return findWrites(log)
    .flatMap((entry) => toWrite(entry, namespace, account, history) ?? [])
    .toSorted((a, b) => a.atMs - b.atMs);
}

/**
 * The writes in a part of an audit log, and all that an account asked for, as they stand there: most lines are others' reads, and are not
 * looked into. Lines that are cut off are left out. Pure.
 */
export function parseAudit(text: string, account?: string): readonly AuditEntry[] {
  const asking = account === undefined ? undefined : `"username":"${account}"`;
  return text
    .split('\n')
    .filter((line) => writing.test(line) || (asking !== undefined && line.includes(asking)))
    .flatMap((line) => parseEntry(line) ?? []);
}

/** Those that ask for a change, by whomever. Pure. */
export function findWrites(log: readonly AuditEntry[]): readonly AuditEntry[] {
  return log.filter(({ verb }) => writingVerbs.has(verb));
}

/** All that an account asked for, in the order of the log; a watch once, when it begins. Pure. */
export function readRequests(log: readonly AuditEntry[], account: string): readonly OperatorRequest[] {
  return log
    .filter(({ user, verb, stage }) => user.username === account && stage === (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete'))
    .map((entry) => ({
      startedMs: Date.parse(entry.requestReceivedTimestamp),
      endedMs: Date.parse(entry.stageTimestamp),
      pod: podOf(entry),
      verb: entry.verb,
      plural: entry.objectRef?.resource ?? '',
      uri: entry.requestURI ?? '',
      code: entry.responseStatus?.code ?? 0,
    }));
}

/** The pod whose token it was; the account where it was none's. */
function podOf({ user }: AuditEntry): string {
  return user.extra?.['authentication.kubernetes.io/pod-name']?.[0] ?? user.username;
}

function parseEntry(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry;
  } catch {
    return undefined;
  }
}

function toWrite(entry: AuditEntry, namespace: string, account: string | undefined, history: History): Write | undefined {
  const {
    objectRef: { resource: plural = '', subresource, ...ref } = {},
    user,
    requestObject,
    responseObject,
    responseStatus = {},
  } = entry;
  if (ref.namespace !== namespace || entry.stage !== 'ResponseComplete' || (subresource !== undefined && subresource !== 'status'))
    return undefined;
  const { code = 0 } = responseStatus;
  // By priority and fairness: without what was sent it would look careless.
  if (code === 429 && requestObject === undefined) return undefined;
  const key: ObjectKey = { namespace, name: ref.name ?? responseObject?.metadata?.name ?? '' };
  const result = resultOf(code, responseStatus.reason ?? responseObject?.reason);
  const { uid, resourceVersion } = (entry.verb === 'delete' ? requestObject?.preconditions : requestObject?.metadata) ?? {};
  const isObject = result === 'ok' && responseObject?.metadata?.uid !== undefined;
  return {
    atMs: Date.parse(entry.stageTimestamp),
    actor: user.username === account ? operatorActor(podOf(entry)) : user.username,
    verb: entry.verb as Write['verb'],
    plural,
    ...(subresource === undefined ? {} : { subresource }),
    key,
    sent: requestObject,
    preconditions: { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    result,
    before:
      entry.verb === 'create' ? undefined : findBefore(history.get(`${plural} ${keyText(key)}`) ?? [], resourceVersion, responseObject),
    // What is gone at once comes back as it was.
    after: isObject && (entry.verb !== 'delete' || responseObject.metadata.deletionTimestamp !== undefined) ? responseObject : undefined,
  };
}

/** The version that was named; where none was, the newest that is older than what came of it. Pure. */
function findBefore(versions: readonly KubeObject[], named: string | undefined, result: KubeObject | undefined): KubeObject | undefined {
  if (named !== undefined) return versions.find(({ metadata }) => metadata?.resourceVersion === named);
  return versions.findLast((one) => result !== undefined && versionOf(one) < versionOf(result));
}

function resultOf(code: number, reason: string | undefined): Write['result'] {
  if (code < 300) return 'ok';
  if (code === 409) return reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict';
  const known: Readonly<Record<number, Write['result']>> = {
    400: 'invalid',
    401: 'unauthorized',
    403: 'forbidden',
    404: 'notFound',
    410: 'expired',
    422: 'invalid',
    429: 'throttled',
  };
  return known[code] ?? 'unavailable';
}
