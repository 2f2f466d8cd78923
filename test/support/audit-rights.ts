import { readFile } from 'node:fs/promises';
import { permissions } from '../../src/reconcile/permissions.ts';

/** An entry of an audit log, as far as rights go. */
interface RightsEntry {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
  };
  readonly annotations?: { readonly 'authorization.k8s.io/decision'?: 'allow' | 'forbid' };
}

/** What an account asked for, e.g. `create pods`, by the audit log. */
export interface UsedRights {
  readonly allowed: ReadonlyMap<string, number>;
  readonly denied: ReadonlyMap<string, number>;
}

/** The last line of the log may be half written. */
async function readEntries(log: string): Promise<readonly RightsEntry[]> {
  const lines = (await readFile(log, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as RightsEntry);
}

/** What a program asked for, by the name that it gives itself, whichever account it had. */
export async function readProgramRights(log: string, userAgent: string): Promise<readonly string[]> {
  const own = (await readEntries(log)).filter((entry) => entry.userAgent?.startsWith(userAgent) === true);
  const rights = own.flatMap(({ verb, objectRef: of }) =>
    of === undefined ? [] : [nameRight(verb, of.apiGroup ?? '', of.resource, of.subresource)],
  );
  return [...new Set(rights)].toSorted();
}

/** What the rules of a role give. */
export function readRules(role: {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}): ReadonlySet<string> {
  const all = role.rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => nameRight(verb, group, resource)))),
  );
  return new Set(all);
}

/** Requests of a service account; what is about no object (versions, health) is left out. */
export async function readRights(log: string, namespace: string, account: string): Promise<UsedRights> {
  const used = { allowed: new Map<string, number>(), denied: new Map<string, number>() };
  for (const { verb, user, objectRef, annotations } of await readEntries(log)) {
    if (user.username !== `system:serviceaccount:${namespace}:${account}` || objectRef === undefined) continue;
    const right = nameRight(verb, objectRef.apiGroup ?? '', objectRef.resource, objectRef.subresource);
    const of = annotations?.['authorization.k8s.io/decision'] === 'forbid' ? used.denied : used.allowed;
    of.set(right, (of.get(right) ?? 0) + 1);
  }
  return used;
}

/** Each verb that our roles grant. */
export function grantedRights(): readonly string[] {
  return permissions.flatMap(({ group, resource, verbs }) => verbs.map((verb) => nameRight(verb, group, resource)));
}

function nameRight(verb: string, group: string, resource: string, subresource?: string): string {
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : ` (${group})`}`;
}

/** Resource × verb: how often each granted verb was used, and what was denied. */
export function renderRights({ allowed, denied }: UsedRights): string {
  const rows = permissions.map(({ group, resource, verbs }) => {
    const counts = verbs.map((verb) => `${verb} ${allowed.get(nameRight(verb, group, resource)) ?? 0}`);
    return `${`${resource}${group === '' ? '' : ` (${group})`}`.padEnd(44)}${counts.join(' · ')}`;
  });
  const refused = [...denied].map(([right, count]) => `${right} ${count}`);
  return [
    ...rows,
    `granted ${grantedRights().length}, used ${grantedRights().filter((right) => allowed.has(right)).length}, denied ${refused.join(' · ') || 0}`,
  ].join('\n');
}
