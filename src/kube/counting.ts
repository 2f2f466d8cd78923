import { coreEvents, type KubeObject, keyOf, leases, type Resource } from './objects.ts';
import type { KubeApi } from './port.ts';

export interface WriteCounts {
  create: number;
  patch: number;
  delete: number;
}

export type OnWrite = (verb: keyof WriteCounts, resource: Resource<KubeObject>, name: string) => void;

/** The same API, with the writes counted that came through, Events included; those of the Lease are left out: they say who works, not what was done. */
export function countWrites(kube: KubeApi, onWrite?: OnWrite): { readonly kube: KubeApi; readonly counts: WriteCounts } {
  const counts: WriteCounts = { create: 0, patch: 0, delete: 0 };
  const count: OnWrite = (verb, resource, name) => {
    if (resource.plural === leases.plural) return;
    counts[verb] += 1;
    onWrite?.(verb, resource, name);
  };
  return {
    counts,
    kube: {
      list: (resource, options) => kube.list(resource, options),
      get: (resource, key, options) => kube.get(resource, key, options),
      watch: (resource, options) => kube.watch(resource, options),
      serverNowMs: () => kube.serverNowMs(),
      create: async (resource, object, options) => {
        const stored = await kube.create(resource, object, options);
        count('create', resource, keyOf(stored).name);
        return stored;
      },
      patch: async (resource, key, patch, options) => {
        const stored = await kube.patch(resource, key, patch, options);
        count('patch', resource, key.name);
        return stored;
      },
      delete: async (resource, key, options) => {
        const left = await kube.delete(resource, key, options);
        count('delete', resource, key.name);
        return left;
      },
      event: async (event, options) => {
        await kube.event(event, options);
        count(event.series === undefined ? 'create' : 'patch', coreEvents, event.name);
      },
    },
  };
}
