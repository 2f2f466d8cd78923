import { apiVersionOf, type KubeObject, type ObjectKey, type Resource } from '../kube/objects.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface PathTarget {
  /** Absent or '': all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: string;
}

/** The path and query of a request, below what the server's URL already has. Pure. */
export function requestPath(resource: Resource<KubeObject>, target: PathTarget, query: Query = {}): string {
  const root = resource.group === '' ? 'api' : 'apis';
  const namespace =
    resource.namespaced && target.namespace !== undefined && target.namespace !== '' ? ['namespaces', target.namespace] : [];
  const parts = [root, ...apiVersionOf(resource).split('/'), ...namespace, resource.plural, target.name, target.subresource];
  const path = parts
    .filter((part) => part !== undefined)
    .map((part) => encodeURIComponent(part))
    .join('/');
  const search = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');
  return search === '' ? `/${path}` : `/${path}?${search}`;
}

/** `Pod team-a/x`, or `Pods in team-a` where no object is meant: for messages. Pure. */
export function describeTarget(resource: Resource<KubeObject>, key: Partial<ObjectKey>): string {
  const { namespace = '', name } = key;
  if (name !== undefined) return `${resource.kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
  if (!resource.namespaced) return resource.plural;
  return `${resource.plural} in ${namespace === '' ? 'all namespaces' : `namespace ${namespace}`}`;
}
