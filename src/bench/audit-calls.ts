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
