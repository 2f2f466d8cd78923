import { performers } from '../../src/api/v1alpha1/performer.ts';
import { isKubeFault } from '../../src/kube/faults.ts';
import { type KubeObject, keyText, type Resource } from '../../src/kube/objects.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { find, type Lab } from '../cluster/lab.ts';
import { deployments } from '../cluster/workloads.ts';
import { chaosNamespace } from '../experiment.ts';
import { chaosKinds } from './chaos-kinds.ts';
import { readNodes } from './stage.ts';

type Crd = KubeObject & { readonly spec: { readonly versions: readonly { readonly name: string; readonly served: boolean }[] } };
const crds: Resource<Crd> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
type Review = KubeObject & { readonly spec: object; readonly status?: { readonly allowed: boolean } };
const reviews: Resource<Review> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
};

const fewestNodes = 3;

/** Whether everything is there that experiments need. @throws TestbedError for the first thing that is not, with what to do */
export async function checkCluster(lab: Lab): Promise<void> {
  for (const { plural, group, version, kind } of Object.values(chaosKinds)) {
    const crd = await find<Crd>(lab, crds, { metadata: { name: `${plural}.${group}` } });
    if (crd === undefined)
      throw new TestbedError(
        `${kind}: Chaos Mesh is not on this cluster; install it with its chart (docs/chaos.md), or leave out --kubeconfig and use a cluster of the testbed`,
      );
    const served = crd.spec.versions.filter((one) => one.served).map(({ name }) => name);
    if (!served.includes(version))
      throw new TestbedError(
        `CustomResourceDefinition ${plural}.${group}: it serves ${served.join(', ')}, and experiments are written for ${version}; install a Chaos Mesh that has it`,
      );
  }
  const rights = [...Object.values(chaosKinds), performers].flatMap(({ group, plural }) =>
    ['create', 'list', 'patch', 'delete'].map((verb) => ({ group, resource: plural, verb })),
  );
  for (const right of rights) {
    const spec = { resourceAttributes: { ...right, namespace: chaosNamespace } };
    if ((await lab.kube.create<Review>(reviews, { spec })).status?.allowed !== true)
      throw new TestbedError(
        `${right.verb} of ${right.resource}.${right.group} in namespace ${chaosNamespace}: the account of the kubeconfig may not; give it the right, or use another account`,
      );
  }
  const nodes = await readNodes(lab);
  if (nodes.length < fewestNodes)
    throw new TestbedError(
      `nodes: ${nodes.length} are Ready and take pods, and experiments need ${fewestNodes}, of which one is lost; add nodes, or use a cluster of the testbed`,
    );
  const { operator } = lab.subject;
  if (operator !== undefined) {
    const there = await find(lab, deployments, { metadata: operator.deployment });
    if ((there?.status?.availableReplicas ?? 0) === 0)
      throw new TestbedError(
        `Deployment ${keyText(operator.deployment)}: ${there === undefined ? 'it is not there' : 'none of its pods is available'}; install the operator: kubectl apply --server-side -f manifests/install-watch.yaml`,
      );
  }
  await lab.kube.list(performers, { namespace: chaosNamespace }).catch((error: unknown) => {
    throw isKubeFault(error, 'kindMissing')
      ? new TestbedError('the CRD of Performer is not installed: bin/hourglass crd | kubectl apply --server-side -f -', { cause: error })
      : error;
  });
}
