import { performers } from '../../src/api/v1alpha1/performer.ts';
import { isKubeFault } from '../../src/kube/faults.ts';
import { type KubeObject, keyText, nodes, type Resource } from '../../src/kube/objects.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { find, type Lab, until } from '../cluster/lab.ts';
import { deployments } from '../cluster/workloads.ts';
import { chaosNamespace, ours } from '../experiment.ts';
import { chaosKinds } from './chaos-kinds.ts';
import { isOurs, readNamespace, readNodes } from './stage.ts';

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
const ourMark = Object.entries(ours).flat().join('=');
/** What a killed run left without nodes or operator has them back within it, once its faults are taken back. */
const returnLimitMs = 60_000;

interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly group: string;
}

/** As a rule of a role has it. Pure. */
function nameRight({ resource, subresource, group }: Right): string {
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`;
  return group === '' ? whole : `${whole}.${group}`;
}

/** Whether experiments can be made and taken back here. @throws TestbedError for the first thing that stands in the way, with what to do */
export async function checkRights(lab: Lab): Promise<void> {
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
    ['create', 'list', 'patch', 'delete'].map((verb): Right => ({ verb, resource: plural, group })),
  );
  // What is said by callers, and by pods of Performers, is all that is heard of the load; Events say whom Chaos Mesh did not find.
  const read = [
    { verb: 'get', resource: 'pods', subresource: 'log', group: '' },
    { verb: 'list', resource: 'events', group: '' },
  ];
  for (const right of [...rights, ...read]) {
    const spec = { resourceAttributes: { ...right, namespace: chaosNamespace } };
    if ((await lab.kube.create<Review>(reviews, { spec })).status?.allowed !== true)
      throw new TestbedError(
        `${right.verb} of ${nameRight(right)} in namespace ${chaosNamespace}: the account of the kubeconfig may not; give it the right (kubectl apply -k manifests/chaos makes an account that has all of them), or use another account`,
      );
  }
  await lab.kube.list(performers, { namespace: chaosNamespace }).catch((error: unknown) => {
    throw isKubeFault(error, 'kindMissing')
      ? new TestbedError('the CRD of Performer is not installed: bin/hourglass crd | kubectl apply --server-side -f -', { cause: error })
      : error;
  });
}

/**
 * Waits for what experiments need; what time will not bring is not waited for.
 *
 * @param signal what it interrupts is for the caller to see
 * @throws TestbedError for the first thing that is not there in the end, with what to do
 */
export async function waitForCluster(lab: Lab, report: ProgressReporter, signal: AbortSignal): Promise<void> {
  let lack = await findLack(lab);
  const isDecided = async (): Promise<boolean> => {
    lack = await findLack(lab);
    return lack?.mayPass !== true;
  };
  if (lack?.mayPass === true) {
    report.update('waiting for nodes and operator');
    await until('', isDecided, returnLimitMs, signal).catch(() => undefined);
  }
  if (lack !== undefined && !signal.aborted) throw new TestbedError(lack.why);
}

interface Lack {
  readonly why: string;
  /** Whether it is there and only not well. */
  readonly mayPass: boolean;
}

async function findLack(lab: Lab): Promise<Lack | undefined> {
  const namespace = await readNamespace(lab);
  if (namespace !== undefined && !isOurs(namespace)) {
    const why = `namespace ${chaosNamespace}: it is not of this program, which removes it in the end with all that is in it; delete it, or give it over: kubectl label namespace ${chaosNamespace} ${ourMark}`;
    return { why, mayPass: false };
  }
  const usable = await readNodes(lab);
  if (usable.length < fewestNodes) {
    const why = `nodes: ${usable.length} are Ready and take pods, and experiments need ${fewestNodes}, of which one is lost; add nodes, or use a cluster of the testbed`;
    return { why, mayPass: (await lab.kube.list(nodes)).items.length >= fewestNodes };
  }
  const { operator } = lab.subject;
  if (operator === undefined) return undefined;
  const there = await find(lab, deployments, { metadata: operator.deployment });
  if ((there?.status?.availableReplicas ?? 0) > 0) return undefined;
  const is = there === undefined ? 'it is not there' : 'none of its pods is available';
  const why = `Deployment ${keyText(operator.deployment)}: ${is}; install the operator: kubectl apply --server-side -f manifests/install-watch.yaml`;
  return { why, mayPass: there !== undefined };
}
