import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { adminUser } from '../testbed/certificates.ts';

interface Entry {
  readonly verb: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly requestReceivedTimestamp: string;
}

/** Operator, generator and runner are one user; the latter two say who they are. */
function isOperators({ userAgent = '', user }: Entry): boolean {
  return user.username === adminUser && !/^(?:Grafana k6|hourglass-bench|hourglass-testbed)\//.test(userAgent);
}

/**
 * The operator's calls by verb and kind, e.g. `create pods` or `patch performers/status`, of one span of time.
 *
 * @returns undefined where there is no audit log
 */
export async function countCalls(
  auditLog: string | undefined,
  fromMs: number,
  toMs: number,
): Promise<Readonly<Record<string, number>> | undefined> {
  if (auditLog === undefined) return undefined;
  const counts: Record<string, number> = {};
  for await (const line of createInterface({ input: createReadStream(auditLog) })) {
    const entry = parseEntry(line);
    if (entry === undefined || !isOperators(entry)) continue;
    const atMs = Date.parse(entry.requestReceivedTimestamp);
    if (atMs < fromMs || atMs > toMs) continue;
    const { resource = 'other', subresource } = entry.objectRef ?? {};
    const call = `${entry.verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
    counts[call] = (counts[call] ?? 0) + 1;
  }
  return counts;
}

/** The last line may be half written. */
function parseEntry(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

/** The API server's names for what the audit log calls otherwise. */
const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', APPLY: 'patch' };

/** Requests by verb and kind, everybody's, from the API server's own metrics; as `countCalls` names them. Pure. */
export function readRequests(metrics: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of metrics.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    const [verb, resource, subresource] = [label('verb'), label('resource'), label('subresource')];
    if (resource === '') continue;
    const call = `${verbs[verb] ?? verb.toLowerCase()} ${subresource === '' ? resource : `${resource}/${subresource}`}`;
    counts[call] = (counts[call] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return counts;
}

/** What came on top; what did not change is left out. Pure. */
export function subtractCounts(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const differences = Object.entries(after).map(([call, count]) => [call, count - (before[call] ?? 0)] as const);
  return Object.fromEntries(differences.filter(([, count]) => count > 0));
}
