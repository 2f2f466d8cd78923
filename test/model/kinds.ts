import { performers } from '../../src/api/v1alpha1/performer.ts';
import { apiVersionOf, type KubeObject, leases, namespaces, pods, type Resource, services } from '../../src/kube/objects.ts';

/** The kinds that are compared: ours, two that have a life of their own, one that is only stored, and what they live in. */
export const kinds = {
  performer: performers,
  pod: pods,
  service: services,
  lease: leases,
  namespace: namespaces,
} as const satisfies Record<string, Resource<KubeObject>>;
export type KindName = keyof typeof kinds;

/** An object of a sequence: `pod/a`. There is one namespace, `namespace/own`, called something else on each side. */
export interface Target {
  readonly kind: KindName;
  readonly name: string;
}

export const own: Target = { kind: 'namespace', name: 'own' };
export const targetText = ({ kind, name }: Target): string => `${kind}/${name}`;

/** Path of a kind on an API server, of an object where one is named. */
export function pathOf(resource: Resource<KubeObject>, namespace?: string, name?: string, subresource?: string): string {
  const root = resource.group === '' ? '/api/v1' : `/apis/${apiVersionOf(resource)}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return [`${root}${scope}/${resource.plural}`, name, subresource].filter((part) => part !== undefined).join('/');
}
