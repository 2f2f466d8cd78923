import { performerSelector, serviceName } from '../../src/api/v1alpha1/naming.ts';
import {
  type EndpointSlice,
  endpointSlices,
  keyOf,
  keyText,
  type Lease,
  leases,
  type Pod,
  pods,
  services,
} from '../../src/kube/objects.ts';
import { isDeleting, isEnded } from '../../src/oracle/words.ts';
import type { NodeFaultId } from '../../src/testbed/nodes/node-faults.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';
import { chooseTarget, randomOf } from '../choose.ts';
import { find, type Lab } from '../cluster/lab.ts';
import { callerLabels, chaosNamespace, type Experiment, partsOf, performerNames } from '../experiment.ts';
import type { Met } from '../observations.ts';
import type { Targets } from '../render.ts';
import type { Operator } from '../subject.ts';
import { comes } from './injection.ts';

/** Of Performers that are asked for while the operator cannot hear of it. */
export const askedPrefix = 'asked-';
export const askedOf = (id: string, round: number): string => `${askedPrefix}${id.toLowerCase()}-${round}`;
export const anchorOf = (node: string): string => `anchor-${node}`;

const apiSaidMs = 20_000;
const selectorOf = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join();
const namesOf = (all: readonly Pod[]): string[] => all.map((pod) => keyOf(pod).name).toSorted();

/**
 * Whom an experiment meets now: the Performer is drawn by the seed, all else follows from where its pod is.
 *
 * @throws TestbedError when what it aims at is not there
 */
export async function aim(
  lab: Lab,
  experiment: Experiment,
  seed: number,
  round: number,
): Promise<{ readonly met: Met; readonly targets: Targets }> {
  const { fault, id } = experiment;
  if (fault.kind === 'together') return await aimTogether(lab, experiment, seed, round);
  const drawn = chooseTarget(performerNames, seed, id, round);
  const asked = askedOf(id, round);
  const leaderNode = fault.kind === 'node' && silencing.has(fault.does) ? await findLeaderNode(lab) : undefined;
  const isAtLeader = fault.kind === 'node' && fault.leader === true;
  const { performer, pod } = isAtLeader ? await podBeside(lab, leaderNode, asked, id) : await podOutside(lab, leaderNode, drawn, id);
  const node = pod.spec?.nodeName ?? '';
  const pick = (one: Pod) => ({ name: keyOf(one).name, uid: one.metadata?.uid ?? '' });
  const met: Met = { performer, pods: [pick(pod)], nodes: [] };
  const performerPods = { namespace: chaosNamespace, names: [keyOf(pod).name] };
  if (fault.kind === 'node') {
    const machines = fault.most === true ? await mostWith(lab, node, leaderNode, `${seed} ${id} ${round}`) : [node];
    const targets = { pods: performerPods, machines, uid: `${id.toLowerCase()}-${round}-${Date.now().toString(36)}` };
    return { met: { ...met, nodes: machines }, targets };
  }
  if ((fault.kind === 'container-kill' && fault.of === 'operator') || fault.kind === 'leader-hang') {
    const operator = operatorOf(lab, id);
    const leader = await getLeader(lab, operator, id);
    return {
      met: { ...met, pods: [pick(leader)], asked },
      targets: { pods: { namespace: operator.deployment.namespace, names: [keyOf(leader).name] } },
    };
  }
  if (fault.kind === 'api-path' || fault.kind === 'crash-loop') return { met: { ...met, asked }, targets: { pods: performerPods } };
  if (fault.kind !== 'partition') return { met, targets: { pods: performerPods } };
  const callers = { namespace: chaosNamespace, names: namesOf(await callersOf(lab, performer)) };
  switch (fault.between) {
    case 'clients-pod':
      return { met, targets: { pods: callers, others: performerPods } };
    case 'clients-service':
      return { met, targets: { pods: callers, addresses: [await clusterIpOf(lab, chaosNamespace, serviceName(performer))] } };
    case 'operator-api': {
      const {
        labels,
        deployment: { namespace },
      } = operatorOf(lab, id);
      const operators = await list(lab, namespace, selectorOf(labels));
      if (operators.length === 0) throw missing(id, `no pod of the operator in namespace ${namespace}`);
      const targets = { pods: { namespace, names: namesOf(operators) }, addresses: await apiAddresses(lab, id) };
      return { met: { ...met, asked }, targets };
    }
    case 'kubelet-api':
      return {
        met: { ...met, nodes: [node] },
        targets: { pods: { namespace: chaosNamespace, names: [anchorOf(node)] }, addresses: await apiAddresses(lab, id) },
      };
  }
}

/** Each part aims by itself, and all by the same draw. */
async function aimTogether(lab: Lab, experiment: Experiment, seed: number, round: number): ReturnType<typeof aim> {
  const parts: Awaited<ReturnType<typeof aim>>[] = [];
  for (const fault of partsOf(experiment.fault)) parts.push(await aim(lab, { ...experiment, fault }, seed, round));
  const [first] = parts;
  if (first === undefined) throw new RangeError(`experiment ${experiment.id}: it is made of nothing`);
  const pods = new Map(parts.flatMap(({ met }) => met.pods.map((pod) => [pod.uid, pod])));
  const nodes = new Set(parts.flatMap(({ met }) => met.nodes));
  const asked = parts.flatMap(({ met }) => met.asked ?? [])[0];
  const met: Met = { ...first.met, pods: [...pods.values()], nodes: [...nodes], ...(asked === undefined ? {} : { asked }) };
  return { met, targets: { ...first.targets, parts: parts.map(({ targets }) => targets) } };
}

/**
 * The Performer that stands beside the operator that leads: one of the load where one does, else the one that was asked for there. That one
 * starts elsewhere only where a Performer of the load stands there, since they keep others off.
 */
async function podBeside(
  lab: Lab,
  node: string | undefined,
  asked: string,
  id: string,
): Promise<{ readonly performer: string; readonly pod: Pod }> {
  const all: { readonly performer: string; readonly pod: Pod }[] = [];
  for (const performer of [...performerNames, asked]) all.push({ performer, pod: await podOf(lab, performer, id) });
  const there = all.filter(({ pod }) => node !== undefined && pod.spec?.nodeName === node);
  const [first] = there;
  if (first === undefined) throw missing(id, `no Performer is on node ${node}, where the operator is that leads`);
  if (there.filter(({ performer }) => performer !== asked).length > 1)
    throw missing(id, `every Performer stands on node ${node}, where the operator is that leads, and one of them is to be left alone`);
  return first;
}

/** What nobody is heard from any more: with the operator that leads the next one waits for its Lease first, and all would come that much later. */
const silencing: ReadonlySet<string> = new Set<NodeFaultId>(['power-off', 'freeze', 'link-down']);

/** The pod of the Performer that was drawn; of another one where that stands on the node that is to be spared. */
async function podOutside(
  lab: Lab,
  spared: string | undefined,
  drawn: string,
  id: string,
): Promise<{ readonly performer: string; readonly pod: Pod }> {
  const first = { performer: drawn, pod: await podOf(lab, drawn, id) };
  if (spared === undefined || first.pod.spec?.nodeName !== spared) return first;
  for (const performer of performerNames.filter((name) => name !== drawn)) {
    const pod = await podOf(lab, performer, id);
    if (pod.spec?.nodeName !== spared) return { performer, pod };
  }
  throw missing(
    id,
    `every Performer stands on node ${spared}, where the operator is that leads, and this is about the loss of one of them alone`,
  );
}

/** From this share of nodes on the node controller evicts nobody, and the operator takes nobody for lost. */
const mostShare = 0.55;

/** Most of the nodes that the load runs on: this one, and others by the draw, of which one is spared. */
async function mostWith(lab: Lab, node: string, spared: string | undefined, draw: string): Promise<string[]> {
  const all = [...new Set((await list(lab, chaosNamespace, selectorOf(callerLabels))).map(({ spec }) => spec?.nodeName ?? ''))];
  const random = randomOf(draw);
  const others = all
    .toSorted()
    .filter((name) => name !== node && name !== spared)
    .map((name) => ({ name, at: random() }))
    .toSorted((a, b) => a.at - b.at);
  return [node, ...others.map(({ name }) => name)].slice(0, Math.ceil(all.length * mostShare)).toSorted();
}

/** Of the operator that leads, if there is one. */
export async function findLeaderNode(lab: Lab): Promise<string | undefined> {
  const { operator } = lab.subject;
  return operator === undefined ? undefined : (await findLeader(lab, operator))?.spec?.nodeName;
}

const missing = (id: string, what: string): TestbedError =>
  new TestbedError(`experiment ${id}: its target is not there: ${what}; look at it with kubectl, and run it again once it is`);

/** What runs or will: a pod that has ended, as after a loss of its node, has no network to be cut off. */
async function list({ kube }: Lab, namespace: string, labelSelector: string): Promise<readonly Pod[]> {
  return (await kube.list(pods, { namespace, labelSelector })).items.filter((pod) => !isDeleting(pod) && !isEnded(pod));
}

async function podOf(lab: Lab, performer: string, id: string): Promise<Pod> {
  const [pod] = await list(lab, chaosNamespace, selectorOf(performerSelector(performer)));
  if (pod === undefined) throw missing(id, `Performer ${performer} in namespace ${chaosNamespace} has no pod`);
  return pod;
}

/** Those that call this Performer: the fault is to leave the other one alone. */
async function callersOf(lab: Lab, performer: string): Promise<readonly Pod[]> {
  return (await list(lab, chaosNamespace, selectorOf(callerLabels))).filter((pod) => keyOf(pod).name.startsWith(`caller-${performer}-`));
}

function operatorOf({ subject: { name, operator } }: Lab, id: string): Operator {
  if (operator === undefined) throw missing(id, `${name} has no operator`);
  return operator;
}

async function getLeader(lab: Lab, operator: Operator, id: string): Promise<Pod> {
  if (operator.lease === undefined) throw missing(id, 'the operator has no Lease');
  const leader = await findLeader(lab, operator);
  if (leader === undefined) throw missing(id, `no pod of the operator holds the Lease ${keyText(operator.lease)}`);
  return leader;
}

async function findLeader(lab: Lab, { deployment: { namespace }, labels, lease }: Operator): Promise<Pod | undefined> {
  if (lease === undefined) return undefined;
  const { spec } = (await find<Lease>(lab, leases, { metadata: lease })) ?? {};
  const all = await list(lab, namespace, selectorOf(labels));
  // One that runs for moments holds its Lease only then.
  if (lab.subject.runsOnce === true) return all[0];
  // Some put more behind the name of their pod.
  return all.find((pod) => spec?.holderIdentity?.split('_')[0] === keyOf(pod).name);
}

async function clusterIpOf({ kube }: Lab, namespace: string, name: string): Promise<string> {
  return (await kube.get(services, { namespace, name })).spec?.clusterIP ?? '';
}

/** The API server as a pod sees it: through its Service, and as itself, which one that has just started does not say at once. */
async function apiAddresses(lab: Lab, id: string): Promise<string[]> {
  const ofIt = { namespace: 'default', labelSelector: 'kubernetes.io/service-name=kubernetes' };
  let own: readonly string[] = [];
  const isSaid = async (): Promise<boolean> => {
    const slices = (await lab.kube.list<EndpointSlice>(endpointSlices, ofIt)).items;
    own = slices.flatMap(({ endpoints = [] }) => endpoints.flatMap(({ addresses }) => [...addresses]));
    return own.length > 0;
  };
  if (!(await comes(isSaid, apiSaidMs))) throw missing(id, 'no address of the API server in the EndpointSlices of Service kubernetes');
  return [await clusterIpOf(lab, 'default', 'kubernetes'), ...new Set(own)];
}
