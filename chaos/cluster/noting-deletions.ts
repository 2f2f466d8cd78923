import type { KubeApi } from '../../src/kube/port.ts';

/** A client that notes of each object its watches see go the version at which it went, which a change does not tell. */
export function notingDeletions(kube: KubeApi, gone: Map<string, string>): KubeApi {
  return {
    ...kube,
    watch: async function* (resource, options) {
      for await (const event of kube.watch(resource, options)) {
        if (event.type === 'DELETED') gone.set(event.object.metadata?.uid ?? '', event.object.metadata?.resourceVersion ?? '');
        yield event;
      }
    },
  };
}
