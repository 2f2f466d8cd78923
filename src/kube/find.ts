import { isKubeFault } from './faults.ts';
import type { KubeObject, ObjectKey, Resource } from './objects.ts';
import type { CallOptions, KubeApi } from './port.ts';

/** The object as the API server has it, or undefined where there is none. @throws KubeFault for every other failure */
export async function findObject<T extends KubeObject>(
  kube: Pick<KubeApi, 'get'>,
  resource: Resource<T>,
  key: ObjectKey,
  options: CallOptions,
): Promise<T | undefined> {
  try {
    return await kube.get(resource, key, options);
  } catch (error) {
    if (isKubeFault(error, 'notFound')) return undefined;
    throw error;
  }
}
