import type { KubeObject, Resource } from '../../src/kube/objects.ts';
import type { ChaosStatus } from '../records.ts';
import type { ChaosObject } from '../render.ts';

export type StoredChaos = KubeObject & { readonly spec?: Readonly<Record<string, unknown>>; readonly status?: ChaosStatus };

const resource = (kind: ChaosObject['kind']): Resource<StoredChaos> => ({
  group: 'chaos-mesh.org',
  version: 'v1alpha1',
  kind,
  plural: kind.toLowerCase(),
  namespaced: true,
});

/** The kinds of Chaos Mesh that experiments are made of. */
export const chaosKinds: Readonly<Record<ChaosObject['kind'], Resource<StoredChaos>>> = {
  PodChaos: resource('PodChaos'),
  NetworkChaos: resource('NetworkChaos'),
  PhysicalMachineChaos: resource('PhysicalMachineChaos'),
};
