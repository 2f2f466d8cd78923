import { appLabelValue, labels as keys } from '../../src/api/v1alpha1/naming.ts';
import { type PerformerSpecInput, performers } from '../../src/api/v1alpha1/performer.ts';
import { keyOf, type Namespace, type Node, namespaces, nodes, type Pod, pods, services } from '../../src/kube/objects.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { ensure, find, type Lab, remove, until } from '../cluster/lab.ts';
import type { Load } from '../cluster/load.ts';
import { buildDeployment, buildPerformer, deployments } from '../cluster/workloads.ts';
import { anchorLabels, chaosNamespace, ours, performerNames } from '../experiment.ts';
import { readyOf } from '../judge.ts';
import { isReady, performerOf } from '../lives.ts';
import { anchorOf, askedPrefix } from './aim.ts';
import { tellTrouble } from './trouble.ts';

const startLimitMs = 120_000;
const leaveLimitMs = 30_000;
/** Of the Performers under fault: half of what a rollout takes is not to be waited for in every experiment. */
const spec = { drainSeconds: 2, nodeLossPolicy: 'Route' } as const;

/** On another node than the other Performers where there is one: what befalls a node is to meet one of them, and not the one beside the leader. */
const apart: Partial<PerformerSpecInput> = {
  scheduling: {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: { labelSelector: { matchLabels: { [keys.app]: appLabelValue } }, topologyKey: 'kubernetes.io/hostname' },
          },
        ],
      },
    },
  },
};

/** Nodes that pods are placed on, by name. */
export async function readNodes({ kube }: Lab): Promise<string[]> {
  const isUsable = ({ spec, status }: Node): boolean =>
    spec?.unschedulable !== true &&
    spec?.taints?.some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute') !== true &&
    status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
  return (await kube.list(nodes)).items
    .filter(isUsable)
    .map((node) => keyOf(node).name)
    .toSorted();
}

const namespace: Namespace = { metadata: { name: chaosNamespace, labels: ours } };

/** The namespace as it is; undefined when there is none. */
export const readNamespace = (lab: Pick<Lab, 'kube'>): Promise<Namespace | undefined> => find<Namespace>(lab, namespaces, namespace);

/** Whether this program made it, or was given it: whatever else bears its name is left alone. Pure. */
export function isOurs({ metadata }: Namespace): boolean {
  return Object.entries(ours).every(([key, value]) => metadata?.labels?.[key] === value);
}

/** Takes all away that runs have made, with the namespace; one that is not ours stays. */
export async function clearStage(lab: Pick<Lab, 'kube'>): Promise<void> {
  const there = await readNamespace(lab);
  if (there !== undefined && isOurs(there)) await remove(lab, namespaces, there);
}

/** The same on the way out, with patience: where an API server was stopped, it comes back first. What stays is told, and hides nothing else. */
export async function leaveStage(lab: Pick<Lab, 'kube'>, report: ProgressReporter, limitMs = leaveLimitMs): Promise<void> {
  const isLeft = (): Promise<boolean> => clearStage(lab).then(() => true);
  await until(`namespace ${chaosNamespace} to be taken away`, isLeft, limitMs).catch(tellTrouble(report));
}

/**
 * Makes what every experiment stands on: Performers that serve, an anchor on each node. What is there is left as it is, but for Performers
 * that a killed run asked for: experiments ask for them anew.
 */
export async function setStage(lab: Lab, names: readonly string[], signal: AbortSignal): Promise<void> {
  const isFree = async (): Promise<boolean> => (await readNamespace(lab))?.metadata?.deletionTimestamp === undefined;
  await until(`namespace ${chaosNamespace} of an earlier run to go`, isFree, startLimitMs, signal);
  await ensure<Namespace>(lab, namespaces, namespace);
  await unaskLeftovers(lab);
  for (const name of performerNames) {
    // A new namespace takes pods once it has its service account.
    await until('the namespace', () => ask(lab, name, {}, apart).then(() => true), 20_000, signal);
  }
  for (const name of names) await until('the namespace', () => ensureAnchor(lab, name).then(() => true), 20_000, signal);
  await until('the Performers to serve', () => isAsAsked(lab), startLimitMs, signal);
}

/** A pod with the node's own network: what is cut off from it is cut off from the kubelet, too. */
async function ensureAnchor(lab: Lab, node: string): Promise<void> {
  const metadata = { name: anchorOf(node), namespace: chaosNamespace, labels: { ...anchorLabels, ...ours } };
  const there = await find<Pod>(lab, pods, { metadata });
  if (there !== undefined && /Failed|Succeeded/.test(there.status?.phase ?? '')) await remove(lab, pods, there, { gracePeriodSeconds: 0 });
  const containers = [{ name: 'pause', image: lab.pauseImage, imagePullPolicy: 'IfNotPresent' }];
  await ensure<Pod>(lab, pods, {
    metadata,
    spec: { nodeName: node, hostNetwork: true, tolerations: [{ operator: 'Exists' }], containers },
  });
}

/** Every performer that is asked for serves by its one pod and no other; one of ours says so, too. */
export async function isAsAsked({ kube, subject }: Lab): Promise<boolean> {
  const living = (await kube.list(pods, { namespace: chaosNamespace })).items;
  const hasItsPod = (name: string): boolean => {
    const own = living.filter((pod) => performerOf(pod) === name);
    return own.length === 1 && own.every((pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined);
  };
  if (subject.asks === 'Deployment') return performerNames.every(hasItsPod);
  const all = (await kube.list(performers, { namespace: chaosNamespace })).items;
  return all.length > 0 && all.every((one) => hasItsPod(keyOf(one).name) && (!subject.isJudged || readyOf(one) === 'True Serving'));
}

/** Everything stands as before any fault: nodes, Performers, anchors, load. */
export async function isSteady(lab: Lab, load: Load, names: readonly string[]): Promise<boolean> {
  await load.ensure();
  if (load.unrest().length > 0 || (await readNodes(lab)).length < names.length || !(await isAsAsked(lab))) return false;
  await Promise.all(names.map((name) => ensureAnchor(lab, name)));
  return true;
}

/** Asks for one performer more, in the way of the subject. */
export async function ask(
  lab: Lab,
  name: string,
  env: Readonly<Record<string, string>> = {},
  more: Partial<PerformerSpecInput> = {},
): Promise<void> {
  if (lab.subject.asks === 'Deployment') {
    const { deployment, service } = buildDeployment(chaosNamespace, name, lab.performerImage, env);
    await ensure(lab, services, service);
    await ensure(lab, deployments, deployment);
    return;
  }
  await ensure(lab, performers, buildPerformer(chaosNamespace, name, lab.performerImage, env, { ...spec, ...more }));
}

/** Takes away what experiments of a killed run asked for: found there, it would pass for taken up at once. */
export async function unaskLeftovers(lab: Lab): Promise<void> {
  const all = (await lab.kube.list(performers, { namespace: chaosNamespace })).items.map((one) => keyOf(one).name);
  await Promise.all(all.filter((one) => one.startsWith(askedPrefix)).map((name) => unask(lab, name)));
}

/** Takes a Performer away that was asked for, and waits until nothing is left of it. */
export async function unask(lab: Lab, name: string): Promise<void> {
  const object = buildPerformer(chaosNamespace, name, lab.performerImage);
  await remove(lab, performers, object);
  const isGone = async (): Promise<boolean> =>
    (await lab.kube.list(pods, { namespace: chaosNamespace })).items.every(({ metadata }) => metadata?.ownerReferences?.[0]?.name !== name);
  await until(`what Performer ${name} had to go`, isGone, 60_000);
}
