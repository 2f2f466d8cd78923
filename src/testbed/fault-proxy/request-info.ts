import type { Match } from './faults.ts';

/** What a request to an API server is about, as its path says. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly verb: NonNullable<Match['verb']>;
  /** Plural name; '' where the path is of no resource. */
  readonly resource: string;
  readonly watch: boolean;
}

const verbs: Readonly<Record<string, RequestInfo['verb']>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Reads method and path as the API server does. Pure. */
export function describeRequest(method: string, path: string): RequestInfo {
  const [route = '', query = ''] = path.split('?', 2);
  const parts = route.split('/').filter((part) => part !== '');
  const inGroup = parts.slice(parts[0] === 'apis' ? 3 : 2);
  const [resource = '', name] = inGroup[0] === 'namespaces' && inGroup.length > 2 ? inGroup.slice(2) : inGroup;
  const asked = new URLSearchParams(query).get('watch');
  const watch = method === 'GET' && (asked === 'true' || asked === '1');
  const read = name === undefined ? 'list' : 'get';
  return { method, path, verb: verbs[method] ?? (watch ? 'watch' : read), resource, watch };
}

/** Whether a rule with this `match` is about the request; `nth` is left to who counts. Pure. */
export function isAbout(match: Match, info: RequestInfo): boolean {
  if (match.verb !== undefined && match.verb !== info.verb) return false;
  if (match.method !== undefined && match.method !== info.method) return false;
  if (match.resource !== undefined && match.resource !== info.resource) return false;
  if (match.watch !== undefined && match.watch !== info.watch) return false;
  return match.path === undefined || match.path.test(info.path);
}
