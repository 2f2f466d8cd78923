import { type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import type { Json } from '../../src/lib/canonical-json.ts';
import type { RealNodes } from '../../src/testbed/nodes/real-nodes.ts';
import { find, type Lab, patchNewest, tagImage } from '../cluster/lab.ts';
import { buildDeployment, buildPerformer, type Deployment, deployments } from '../cluster/workloads.ts';
import { chaosNamespace } from '../experiment.ts';

/** A second name for the same image. Pure. */
export function otherName(image: string): string {
  return `${image.replace(/@.*$/, '').replace(/:[^/]*$/, '')}:chaos-next`;
}

/** Changes what a performer is to be by nothing but the name of its image, there and back: the one thing that every subject rolls out. */
export async function rollOut(lab: Lab, nodes: RealNodes, performer: string): Promise<void> {
  const { performerImage: first, subject } = lab;
  const second = otherName(first);
  tagImage(nodes, first, second);
  if (subject.asks === 'Performer') {
    const object = buildPerformer(chaosNamespace, performer, first);
    const spec = (await find(lab, performers, object))?.spec as PerformerSpecInput | undefined;
    const isFirst = spec?.image === first;
    await patchNewest(lab, performers, object, { spec: { image: isFirst ? second : first } });
    return;
  }
  const { deployment } = buildDeployment(chaosNamespace, performer, first);
  const isFirst = imageOf(await find(lab, deployments, deployment)) === first;
  const next = isFirst ? buildDeployment(chaosNamespace, performer, second).deployment : deployment;
  await patchNewest(lab, deployments, deployment, { spec: next.spec } as Json);
}

function imageOf(deployment: Deployment | undefined): string | undefined {
  const spec = deployment?.spec as {
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
  return spec?.template?.spec?.containers?.[0]?.image;
}
