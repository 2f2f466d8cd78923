import { leases } from './objects.ts';
import type { KubeApi } from './port.ts';

export interface WriteCounts {
  create: number;
  patch: number;
  delete: number;
}

/** The same API, with its writes counted, Events included; those of the Lease are left out: they say who works, not what was done. */
export function countWrites(kube: KubeApi): { readonly kube: KubeApi; readonly counts: WriteCounts } {
  const counts: WriteCounts = { create: 0, patch: 0, delete: 0 };
  const count = (verb: keyof WriteCounts, plural: string): void => {
    if (plural !== leases.plural) counts[verb] += 1;
  };
  return {
    counts,
    kube: {
      list: (resource, options) => kube.list(resource, options),
      get: (resource, key, options) => kube.get(resource, key, options),
      watch: (resource, options) => kube.watch(resource, options),
      serverNowMs: () => kube.serverNowMs(),
      create: (resource, object, options) => {
        count('create', resource.plural);
        return kube.create(resource, object, options);
      },
      patch: (resource, key, patch, options) => {
        count('patch', resource.plural);
        return kube.patch(resource, key, patch, options);
      },
      delete: (resource, key, options) => {
        count('delete', resource.plural);
        return kube.delete(resource, key, options);
      },
      event: (event, options) => {
        count('create', 'events');
        return kube.event(event, options);
      },
    },
  };
}
