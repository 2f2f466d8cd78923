import { expect, it } from 'vitest';
import type { Lab } from '../../../../chaos/cluster/lab.ts';
import { checkRights } from '../../../../chaos/runner/preflight.ts';
import type { KubeObject, Resource } from '../../../../src/kube/objects.ts';

interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
}

/** A cluster with Chaos Mesh on which an account may do all but what `lacks` says. */
function labWhere(lacks: (asked: Asked) => boolean): Lab {
  const kube = {
    get: async () => ({ spec: { versions: [{ name: 'v1alpha1', served: true }] } }),
    list: async () => ({ items: [] }),
    create: async (_: Resource<KubeObject>, { spec }: { readonly spec: { readonly resourceAttributes: Asked } }) => ({
      status: { allowed: !lacks(spec.resourceAttributes) },
    }),
  };
  return { kube } as unknown as Lab;
}

it.each([
  {
    name: 'what pods say',
    lacks: ({ subresource }: Asked) => subresource === 'log',
    says: /^get of pods\/log in namespace hourglass-chaos:/,
  },
  {
    name: 'faults',
    lacks: ({ verb, resource }: Asked) => verb === 'patch' && resource === 'networkchaos',
    says: /^patch of networkchaos\.chaos-mesh\.org in namespace hourglass-chaos:/,
  },
])('an account without a right to $name is refused, with the rule that it lacks and what gives it', async ({ lacks, says }) => {
  const refused = expect(checkRights(labWhere(lacks))).rejects;
  await refused.toThrow(says);
  await expect(checkRights(labWhere(lacks))).rejects.toThrow(/may not; give it the right \(kubectl apply -k manifests\/chaos/);
});

it('an account that may do all of it passes', async () => {
  await expect(checkRights(labWhere(() => false))).resolves.toBeUndefined();
});
