import type { FaultId } from '../src/sim/faults/faults.ts';
import type { NodeFaultId } from '../src/testbed/nodes/node-faults.ts';

/** What is done to the cluster, and to whom. Each kind says by itself which pods or nodes may be chosen as its target. */
export type Fault =
  /** `everyMs`: again and again while it lasts, each time whichever pod the Performer has by then. */
  | { readonly kind: 'pod-kill'; readonly graceSeconds: number; readonly everyMs?: number }
  | { readonly kind: 'container-kill'; readonly of: 'performer' | 'operator' }
  | { readonly kind: 'pod-failure' }
  /**
   * `clients-pod`: the load's pods and one pod of the Performer. `clients-service`: the load's pods and the Performer's Service, whichever
   * pods stand behind it. `operator-api`: every pod of the operator and the API server. `kubelet-api`: a node and the API server, while its
   * pods are reached as before.
   */
  | { readonly kind: 'partition'; readonly between: 'clients-pod' | 'clients-service' | 'operator-api' | 'kubelet-api' }
  /**
   * Done to a node by an agent that has power over it, under the agent's own name for it. `most`: to as many nodes at once as make the node
   * controller, and the operator, doubt their own view. `leader`: to the one of the operator that leads, where a Performer is asked for.
   */
  | { readonly kind: 'node'; readonly does: Exclude<NodeFaultId, 'api-cut'>; readonly most?: true; readonly leader?: true }
  /** Several at once on the same Performer; each comes once the one before it is there. */
  | { readonly kind: 'together'; readonly faults: readonly Fault[] }
  | TestbedFault;

/** What Chaos Mesh has nothing for: done by the testbed that made the cluster, or through its API. */
export type TestbedFault =
  /** A performer's Service is deleted, or selects nobody any more, by another hand. */
  | { readonly kind: 'service'; readonly does: 'delete' | 'misroute' }
  /** A part of the control plane is killed, or stands still with its connections open. */
  | { readonly kind: 'control-plane'; readonly part: 'kube-apiserver' | 'etcd'; readonly does: 'stop' | 'hang' }
  /** The operator reaches the API server through our fault proxy alone, which does this to all that it asks. */
  | { readonly kind: 'api-path'; readonly does: 'delay' | 'reset' | 'half-open' }
  /** The API server has one place for all that the operator asks, and answers 429 to the rest, while so many Performers are asked for. */
  | { readonly kind: 'api-squeeze'; readonly performers: number }
  /** The process of the operator that leads stands still (SIGSTOP), and goes on. */
  | { readonly kind: 'leader-hang' }
  /** What a performer is to be is changed. */
  | { readonly kind: 'rollout' }
  /** A Performer is asked for whose process ends as soon as it listens. */
  | { readonly kind: 'crash-loop' }
  /** Nothing is done; so many Performers more are there. */
  | { readonly kind: 'calm'; readonly performers: number };

const testbedKinds: Readonly<Record<TestbedFault['kind'], true>> = {
  service: true,
  'control-plane': true,
  'api-path': true,
  'api-squeeze': true,
  'leader-hang': true,
  rollout: true,
  'crash-loop': true,
  calm: true,
};

export function isTestbedFault(fault: Fault): fault is TestbedFault {
  return fault.kind in testbedKinds;
}

/** The faults of which it is made. Pure. */
export const partsOf = (fault: Fault): readonly Fault[] => (fault.kind === 'together' ? fault.faults : [fault]);
/** Whether the operator cannot reach its API server under it. Pure. */
export const cutsOperator = (fault: Fault): boolean =>
  partsOf(fault).some((part) => part.kind === 'partition' && part.between === 'operator-api');

/** Figures that a run yields, by name; those that end in ` ms` are times. `figures.ts` says how each is taken. */
export type FigureName =
  | 'deletion to creation ms'
  | 'fault to replacement ready ms'
  | 'fault to first answer of another pod ms'
  | 'fault to loss said ms'
  | 'fault to work taken up ms'
  | 'change to new pod alone ms'
  | 'crash to trouble said ms'
  | 'outage ms'
  | 'heal to work taken up ms'
  | 'heal to replacement ready ms'
  | 'heal to one pod left ms'
  | 'operator writes to pods'
  | 'operator writes but Leases'
  | 'operator reads a minute'
  | 'writes of a deposed leader'
  | 'asked again too soon'
  | 'pods created'
  | 'pods created beyond one for each kill'
  | 'pods created for one Performer at most'
  | 'pods taken away while most nodes are gone'
  | 'failed after heal'
  | 'failed in baseline'
  | 'failed of bystander'
  | 'failed throughout'
  | 'failed of bystander, unaccountably'
  | 'failed throughout, unaccountably'
  | 'answers of a replaced pod'
  | 'tasks begun twice'
  | 'load pause ms';

/** What a figure must reach; `goal` is a row of the published goals (`G1`…), a word for what they lack, or `-` for what every experiment must keep. */
export interface Bound {
  readonly goal: string;
  readonly figure: FigureName;
  readonly atMost: number;
  /** Whether it is about how fast this machine is: a suite on a busy machine prints it and judges the others. */
  readonly timed: boolean;
}

/** A fault, whom it meets, and what must hold while it lasts and afterwards. A value: rendered to resources of Chaos Mesh, and carried out by the runner. */
export interface Experiment {
  /** Stable, as in reports and options: `C1`, `C4b`. */
  readonly id: string;
  readonly title: string;
  readonly fault: Fault;
  /** How long it lasts in each suite that has it, ms; 0 for what happens in an instant. */
  readonly lastsMs: { readonly smoke?: number; readonly full: number };
  /** Who carries it out. */
  readonly injector: 'chaos-mesh' | 'testbed';
  /** Oracles of `src/oracle` whose statements this fault puts to the test; all of them are asked. */
  readonly steady: readonly string[];
  readonly bounds: readonly Bound[];
  /** false: no step of a random walk, since it takes minutes to set up or to see. */
  readonly walks?: false;
  /** The fault of the simulator that is the same thing; absent where it has none. */
  readonly twin?: FaultId;
  /** Within which time after its end everything must be as asked, ms. */
  readonly convergesMs: number;
}

/** `soak`: a random walk over all of them. */
export type SuiteName = 'smoke' | 'full' | 'soak';

/** Load of every experiment: from one pod on each node, a connection for each task. A busy machine is slow, a cut is longer than this. */
export const load = { perSecond: 5, deadlineMs: 3_000 } as const;

/** How late the API server's answers come where they are delayed: a Lease is still renewed several times before it runs out. */
export const answerDelayMs = 2_000;
/** Where performers, load and experiments live. */
export const chaosNamespace = 'hourglass-chaos';
/** Whatever the runner makes carries it. */
export const ours = { 'app.kubernetes.io/managed-by': 'hourglass-chaos' } as const;
/** Performers of every run: a fault meets one, the others stand by. */
export const performerNames = ['alpha', 'beta'] as const;
/** Of the load's pods, so that faults and people find them. */
export const callerLabels = { app: 'hourglass-chaos-caller' } as const;
/** By which a Service that is led astray is known: no pod has it. */
export const strangeSelector = { 'example.com/chaos': 'nobody' } as const;
/** Of the pods with a node's own network, through which a node is cut off. */
export const anchorLabels = { app: 'hourglass-chaos-anchor' } as const;
export const operatorNamespace = 'hourglass-system';
export const operatorLabels = { 'app.kubernetes.io/name': 'hourglass-operator' } as const;
