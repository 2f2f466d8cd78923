import { expect, it } from 'vitest';
import type { Lab } from '../../../../chaos/cluster/lab.ts';
import { checkRights, waitForCluster } from '../../../../chaos/runner/preflight.ts';
import { KubeFault } from '../../../../src/kube/faults.ts';
import type { KubeObject, Resource } from '../../../../src/kube/objects.ts';
import { silentProgress } from '../../../../src/testbed/progress.ts';

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

it('a cluster without Chaos Mesh is refused, with what installs it', async () => {
  const get = async (): Promise<never> => {
    throw new KubeFault('notFound', 'no such CustomResourceDefinition');
  };
  const lab = { kube: { ...labWhere(() => false).kube, get } } as unknown as Lab;
  await expect(checkRights(lab)).rejects.toThrow(/^\w+: Chaos Mesh is not on this cluster; install it with its chart/);
});

it('a Chaos Mesh of another version is refused, with what it serves and what is wanted', async () => {
  const get = async () => ({ spec: { versions: [{ name: 'v2', served: true }] } });
  const lab = { kube: { ...labWhere(() => false).kube, get } } as unknown as Lab;
  await expect(checkRights(lab)).rejects.toThrow(/it serves v2, and experiments are written for v1alpha1; install/);
});

it('a cluster of too few nodes is refused, with how many there are', async () => {
  const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
  const list = async () => ({ items: [1, 2].map((n) => ({ metadata: { name: `n${n}` }, spec: {}, ...ready })) });
  const get = async (): Promise<never> => {
    throw new KubeFault('notFound', 'no such Namespace');
  };
  const lab = { kube: { get, list }, subject: {} } as unknown as Lab;
  const waits = waitForCluster(lab, silentProgress, new AbortController().signal);
  await expect(waits).rejects.toThrow(/^nodes: 2 are Ready and take pods, and experiments need 3/);
});

it('an account that may do all of it passes', async () => {
  await expect(checkRights(labWhere(() => false))).resolves.toBeUndefined();
});
