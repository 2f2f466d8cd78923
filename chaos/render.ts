import { performerSelector, serviceName } from '../src/api/v1alpha1/naming.ts';
import type { KubeObject } from '../src/kube/objects.ts';
import { nodeFaultKinds } from '../src/testbed/nodes/node-faults.ts';
import {
  anchorLabels,
  callerLabels,
  chaosNamespace,
  type Experiment,
  type Fault,
  isTestbedFault,
  operatorLabels,
  operatorNamespace,
  partsOf,
  performerNames,
} from './experiment.ts';

/** Pods by name, or by their labels. */
export type PodChoice =
  | { readonly namespace: string; readonly names: readonly string[] }
  | { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };

/** Whom an experiment meets. */
export interface Targets {
  readonly pods: PodChoice;
  /** Addresses on the other side of a cut. */
  readonly addresses?: readonly string[];
  /** Pods on the other side of a cut. */
  readonly others?: PodChoice;
  /** The PhysicalMachines of nodes, and the uid by which their agent knows the attack. */
  readonly machines?: readonly string[];
  readonly uid?: string;
  /** Of each part of a fault that is several at once. */
  readonly parts?: readonly Targets[];
}

/** A resource of Chaos Mesh. */
export interface ChaosObject extends KubeObject {
  readonly apiVersion: string;
  readonly kind: 'PodChaos' | 'NetworkChaos' | 'PhysicalMachineChaos';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

const partOf = { 'app.kubernetes.io/part-of': 'hourglass' } as const;

/** Where the PhysicalMachines are that are called as their nodes. */
const machineNamespace = 'chaos-mesh';

export const chaosApiVersion = 'chaos-mesh.org/v1alpha1';

/** Chaos Mesh says how long by a Go duration. Pure. */
function duration(ms: number): string {
  return `${Math.round(ms / 1_000)}s`;
}

/** Namespaces are always named: where nothing fills them in, a selector without them means all. Pure. */
function select(choice: PodChoice): object {
  const selector =
    'names' in choice
      ? { namespaces: [choice.namespace], pods: { [choice.namespace]: choice.names } }
      : { namespaces: [choice.namespace], labelSelectors: choice.labels };
  // Chance is the runner's, by its seed; whoever applies the file by hand meets one pod of those.
  return { mode: 'names' in choice ? 'all' : 'one', selector };
}

/**
 * The resource of Chaos Mesh that is this experiment on these targets. Pure.
 *
 * @param lastsMs 0 for what happens in an instant
 */
export function render({ id, fault }: Experiment, targets: Targets, lastsMs: number, name = id.toLowerCase()): ChaosObject {
  const metadata = { name, namespace: chaosNamespace, labels: { ...partOf } };
  const make = (kind: ChaosObject['kind'], spec: ChaosObject['spec']): ChaosObject => ({
    apiVersion: chaosApiVersion,
    kind,
    metadata,
    spec,
  });
  const lasts = lastsMs === 0 ? {} : { duration: duration(lastsMs) };
  if (isTestbedFault(fault)) throw new RangeError(`experiment ${id}: Chaos Mesh has nothing for it`);
  switch (fault.kind) {
    case 'pod-kill':
      return make('PodChaos', { action: 'pod-kill', gracePeriod: fault.graceSeconds, ...select(targets.pods) });
    case 'container-kill': {
      const containerNames = [fault.of === 'operator' ? 'manager' : 'performer'];
      return make('PodChaos', { action: 'container-kill', containerNames, ...select(targets.pods) });
    }
    case 'pod-failure':
      return make('PodChaos', { action: 'pod-failure', ...lasts, ...select(targets.pods) });
    case 'partition': {
      const { addresses = [], others } = targets;
      // A cut is lasting on its stable side: a pod made anew is not cut off, so clients, the operator and nodes are what is selected.
      const sides = fault.between === 'operator-api' || fault.between === 'clients-service' ? { mode: 'all' } : {};
      const target = others === undefined ? {} : { target: select(others) };
      const external = addresses.length === 0 ? {} : { externalTargets: addresses };
      const spec = { action: 'partition', ...select(targets.pods), ...sides, direction: 'both', ...target, ...external, ...lasts };
      return make('NetworkChaos', spec);
    }
    case 'node': {
      const { machines = byHand(fault), uid = id.toLowerCase() } = targets;
      const named = { attackCmd: fault.does, recoverCmd: nodeFaultKinds[fault.does].undoId };
      const selector = { physicalMachines: { [machineNamespace]: machines } };
      return make('PhysicalMachineChaos', { action: 'user_defined', mode: 'all', selector, uid, user_defined: named, ...lasts });
    }
    case 'together':
      throw new RangeError(`experiment ${id}: each of its parts is a resource of its own`);
  }
}

/** PhysicalMachines for whoever applies an experiment by hand; which node the leader is on only they can see. Pure. */
function byHand({ most, leader }: Extract<Fault, { readonly kind: 'node' }>): readonly string[] {
  if (leader === true) return ['NODE-OF-THE-LEADER'];
  return most === true ? ['n1', 'n2'] : ['n1'];
}

/** The targets by label, for whoever applies an experiment by hand. Names of hosts are looked up once, when it begins. Pure. */
export function labelledTargets({ fault }: Pick<Experiment, 'fault'>): Targets {
  const [performer] = performerNames;
  const performerPods = { namespace: chaosNamespace, labels: performerSelector(performer) };
  const operatorPods = { namespace: operatorNamespace, labels: operatorLabels };
  const callers = { namespace: chaosNamespace, labels: callerLabels };
  if (fault.kind === 'container-kill' && fault.of === 'operator') return { pods: operatorPods };
  if (fault.kind !== 'partition') return { pods: performerPods };
  const apiServer = ['kubernetes.default.svc.cluster.local'];
  switch (fault.between) {
    case 'clients-pod':
      return { pods: callers, others: performerPods };
    case 'clients-service':
      return { pods: callers, addresses: [`${serviceName(performer)}.${chaosNamespace}.svc.cluster.local`] };
    case 'operator-api':
      return { pods: operatorPods, addresses: apiServer };
    case 'kubelet-api':
      // Kubelets do not go through the Service; whoever applies it puts in the API server's own addresses.
      return { pods: { namespace: chaosNamespace, labels: anchorLabels }, addresses: [...apiServer, 'API-SERVER-ADDRESS'] };
  }
}

/** Where a Schedule and a Workflow keep an experiment's spec. */
const specKeys = { PodChaos: 'podChaos', NetworkChaos: 'networkChaos', PhysicalMachineChaos: 'physicalmachineChaos' } as const;

/** The same experiment again and again, never two at once. Pure. */
export function renderSchedule({ kind, metadata, spec }: ChaosObject, every = '@every 10m'): KubeObject & { readonly spec: object } {
  const schedule = { schedule: every, type: kind, historyLimit: 3, concurrencyPolicy: 'Forbid', [specKeys[kind]]: spec };
  return { apiVersion: chaosApiVersion, kind: 'Schedule', metadata, spec: schedule };
}

/** Its parts at once, the later ones a pause after the one before them: by then that is there. Pure. */
export function renderTogether(experiment: Experiment, lastsMs: number, pauseMs: number): KubeObject & { readonly spec: object } {
  const name = experiment.id.toLowerCase();
  const parts = partsOf(experiment.fault).map((fault, at) =>
    toStep(render({ ...experiment, fault }, labelledTargets({ fault }), lastsMs, `${name}-${at + 1}`)),
  );
  const later = parts.slice(1).map((part, at) => ({ part, pause: toPause(part.name, pauseMs * (at + 1)) }));
  const rows = later.map(({ part, pause }) => ({
    name: `then-${part.name}`,
    templateType: 'Serial',
    deadline: '1h',
    children: [pause.name, part.name],
  }));
  const children = [...parts.slice(0, 1), ...rows].map((one) => one.name);
  const entry = { name: 'entry', templateType: 'Parallel', deadline: '1h', children };
  return toWorkflow(name, [entry, ...rows, ...later.map(({ pause }) => pause), ...parts]);
}

/** Experiments one after the other, with a pause before each and after the last. It judges nothing: that is the runner's. Pure. */
export function renderWorkflow(name: string, experiments: readonly ChaosObject[], pauseMs: number): KubeObject & { readonly spec: object } {
  const steps = experiments.map(toStep);
  const pauses = [...steps, { name: 'end' }].map((step) => toPause(step.name, pauseMs));
  const children = pauses.flatMap((pause, at) => [pause.name, ...(steps[at] === undefined ? [] : [steps[at].name])]);
  const entry = { name: 'entry', templateType: 'Serial', deadline: '1h', children };
  return toWorkflow(name, [entry, ...pauses, ...steps]);
}

function toStep({ kind, metadata, spec }: ChaosObject): { readonly name: string } {
  return {
    name: metadata.name,
    templateType: kind,
    // What happens in an instant has no end of its own, and would keep the next one waiting.
    deadline: typeof spec.duration === 'string' ? spec.duration : '10s',
    [specKeys[kind]]: Object.fromEntries(Object.entries(spec).filter(([key]) => key !== 'duration')),
  } as { readonly name: string };
}

function toPause(before: string, ms: number): { readonly name: string } {
  return { name: `before-${before}`, templateType: 'Suspend', deadline: duration(ms) } as { readonly name: string };
}

/** The first template is where it begins. Pure. */
function toWorkflow(name: string, templates: readonly { readonly name: string }[]): KubeObject & { readonly spec: object } {
  const metadata = { name, namespace: chaosNamespace, labels: { ...partOf } };
  return { apiVersion: chaosApiVersion, kind: 'Workflow', metadata, spec: { entry: templates[0]?.name ?? '', templates } };
}
