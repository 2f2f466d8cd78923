import { leaseName } from '../src/api/v1alpha1/naming.ts';
import type { ObjectKey } from '../src/kube/objects.ts';
import { cutsOperator, type Experiment, operatorLabels, operatorNamespace, partsOf } from './experiment.ts';

/** An operator as faults find it on a cluster. */
export interface Operator {
  readonly deployment: ObjectKey;
  /** Of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  /** As the API server calls it. */
  readonly account: string;
  /** That it holds while it leads. Without one a cut between it and the API server cannot be felt. */
  readonly lease?: ObjectKey;
}

/** Whoever sees to it that performers run, and is put to the test. */
export interface Subject {
  readonly name: string;
  /** The kind of object that asks for a performer. */
  readonly asks: 'Performer' | 'Deployment';
  /** Whether it promises what this product promises. Of others, figures are told, and doubts about the fault. */
  readonly isJudged: boolean;
  /** It starts pods wherever there is room, whatever `scheduling` of their Performer wants. */
  readonly ignoresScheduling?: true;
  /** It runs for moments, and nobody leads between two of them. Its times are those of the pause. */
  readonly runsOnce?: true;
  /** Absent where nobody but the cluster itself does the work. */
  readonly operator?: Operator;
  /** What installs it, as YAML, in this order; the CRD is there before. */
  readonly manifests: readonly string[];
  /** Archives of images that its nodes need. */
  readonly images: readonly string[];
}

/** The operator of this product as its manifest installs it. Pure. */
export function ourSubject(manifest: string): Subject {
  const operator: Operator = {
    deployment: { namespace: operatorNamespace, name: 'hourglass-operator' },
    labels: operatorLabels,
    account: accountOf(operatorNamespace, 'hourglass-operator'),
    lease: { namespace: operatorNamespace, name: leaseName },
  };
  return { name: 'ours', asks: 'Performer', isJudged: true, operator, manifests: [manifest], images: [] };
}

/** What the field does without an operator: a Deployment and a Service for each performer. */
export const plainDeployment: Subject = { name: 'deployment', asks: 'Deployment', isJudged: false, manifests: [], images: [] };

/** The user that a service account is. Pure. */
export function accountOf(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** What a cluster has to do faults with. */
export interface Armed {
  /** Whether the testbed started it, with its control plane. */
  readonly isTestbeds: boolean;
  /** Whether an agent of nodes answers. */
  readonly hasAgent: boolean;
}

/** Why an experiment cannot be run here; undefined when it can. Pure. */
export function whyLeftOut(experiment: Experiment, subject: Subject, { isTestbeds, hasAgent }: Armed): string | undefined {
  if (experiment.injector === 'testbed' && !isTestbeds) return 'it needs a cluster of the testbed';
  if (!hasAgent && needsAgent(experiment)) return 'it needs an agent of nodes that does what it is told, and none answers here';
  return whyNot(experiment, subject);
}

/** Pure. */
export function needsAgent({ fault }: Experiment): boolean {
  return partsOf(fault).some(({ kind }) => kind === 'node');
}

/** Why a fault cannot be done to this subject; undefined when it can. Pure. */
function whyNot({ fault }: Experiment, { operator, ignoresScheduling, runsOnce }: Subject): string | undefined {
  const isAtLeader = fault.kind === 'node' && fault.leader === true;
  const needsLease =
    isAtLeader ||
    (fault.kind === 'container-kill' && fault.of === 'operator') ||
    cutsOperator(fault) ||
    fault.kind === 'leader-hang' ||
    fault.kind === 'api-path';
  const needsOperator = needsLease || fault.kind === 'api-squeeze' || fault.kind === 'crash-loop' || fault.kind === 'calm';
  if (needsOperator && operator === undefined) return 'it has no operator of its own';
  if (needsLease && operator?.lease === undefined) return 'it could not be felt: its operator has no Lease';
  if (runsOnce === true && (isAtLeader || fault.kind === 'leader-hang'))
    return 'it could not be felt: it runs for moments, and nobody takes its place meanwhile';
  if (runsOnce === true && fault.kind === 'api-path' && fault.does === 'delay') return 'it could not be felt: its Lease has no pace';
  if (runsOnce === true && fault.kind === 'calm') return 'it reads all there is in each run';
  return isAtLeader && ignoresScheduling === true ? 'it starts no pod where its Performer wants it' : undefined;
}
