import { firstPodName } from '../api/v1alpha1/naming.ts';
import type { PerformerSpecInput } from '../api/v1alpha1/performer.ts';
import type { ObjectKey } from '../kube/objects.ts';
import { type Chance, createChances } from './chance.ts';
import {
  besideFaultIds,
  drawnIds,
  endingFaultIds,
  type FaultId,
  type FaultStep,
  momentFaultIds,
  spanFaultIds,
  writeFaultIds,
} from './faults/faults.ts';
import { blinding, slowing } from './grants.ts';

/** What a user does, as with kubectl. */
export type UserStep =
  | {
      readonly atMs: number;
      readonly do: 'create';
      readonly key: ObjectKey;
      readonly spec: PerformerSpecInput;
      readonly finalizers?: readonly string[];
    }
  | { readonly atMs: number; readonly do: 'change'; readonly key: ObjectKey; readonly spec: Partial<PerformerSpecInput> }
  | { readonly atMs: number; readonly do: 'delete'; readonly key: ObjectKey; readonly propagation: 'Background' | 'Foreground' | 'Orphan' }
  /** A pod of that name that has nothing to do with any Performer. */
  | { readonly atMs: number; readonly do: 'stranger'; readonly key: ObjectKey }
  | { readonly atMs: number; readonly do: 'delete-namespace'; readonly namespace: string };

export type Mode = 'watch' | 'once' | 'both';

/** A whole run as data: equal plans run equally under equal versions, whatever machine they run on. */
export interface RunPlan {
  /** Of the chances that are drawn while it runs: latencies, lags, scheduling. */
  readonly seed: number;
  readonly mode: Mode;
  /** Replicas that watch. */
  readonly operators: number;
  readonly nodes: number;
  readonly fronts: number;
  readonly timings: 'stock' | 'fast';
  /** How fast the operators' monotonic clocks run against the world's. */
  readonly clockRate: number;
  /** The same of each where they differ: of those that watch in their order, then of the CronJob. */
  readonly clockRates?: readonly number[];
  /** Period of the CronJob, where there is one. */
  readonly onceEveryMs: number;
  readonly namespaces: readonly string[];
  /** End of the time in which users act and faults come, ms. */
  readonly activeMs: number;
  /** So long nothing is written before a cluster in which all is Ready counts as at rest, and twice as long after; default 60 s. */
  readonly restMs?: number;
  /** From the last fault to the moment by which all must be as asked; by default longer than the longest wait of the operator's own, 10 min. */
  readonly livenessMs?: number;
  readonly users: readonly UserStep[];
  readonly faults: readonly FaultStep[];
}

const avsAddress = '0x00000000000000000000000000000000000000a1';

/** The plan of a seed: a swarm, so that one run has few kinds of faults and many of each, and another others. Pure. */
export function planSwarm(seed: number, only?: { readonly mode?: Mode }): RunPlan {
  const chances = createChances(seed);
  const shape = chances('shape');
  const namespaces = Array.from({ length: shape.int(1, 3) }, (_, index) => `team-${index}`);
  const activeMs = shape.int(430, 570) * 1_000;
  const drawn = shape.pick(['watch', 'watch', 'watch', 'once', 'both'] as const);
  const rarities = chances('rarities');
  const isLong = rarities.hits(0.1);
  const isLongLoss = rarities.hits(0.08);
  const count = shape.hits(0.8) ? shape.int(20, 25) : shape.int(1, 12);
  const users = planUsers(chances('workload'), count, namespaces, activeMs)
    .map((step) => withRarities(withLongName(step, isLong), rarities))
    .flatMap((step) => withStranger(step, rarities));
  const drawnFaults = planFaults(chances('faults'), chances('more faults'), activeMs, users.length);
  const faults = isLongLoss ? withLongLoss(drawnFaults, activeMs, rarities) : drawnFaults;
  const [operators, nodes, fronts] = [shape.pick([1, 1, 1, 2, 2, 3]), shape.int(3, 9), shape.int(1, 3)];
  const timings = shape.hits(0.6) ? 'fast' : 'stock';
  const clockRate = shape.hits(0.1) ? shape.pick([0.5, 2]) : 1;
  const rates = chances('clock rates');
  // A Lease is to be safe beside a clock that is twice as fast; beside one that is four times as fast its holder may stop too late.
  const differs = operators > 1 && clockRate === 1 && rates.hits(0.2);
  const apart = rates.hits(0.5) ? [1, 2] : [0.5, 1];
  return {
    seed,
    mode: only?.mode ?? drawn,
    operators,
    nodes,
    fronts,
    timings,
    clockRate,
    ...(differs ? { clockRates: Array.from({ length: operators + 1 }, () => rates.pick(apart)) } : {}),
    onceEveryMs: shape.pick([30_000, 60_000]),
    namespaces,
    activeMs,
    users,
    faults: fronts === 1 ? faults : withOneFront(faults, chances('fronts')),
  };
}

function planUsers(chance: Chance, count: number, namespaces: readonly string[], activeMs: number): readonly UserStep[] {
  const steps: UserStep[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = { namespace: chance.pick(namespaces), name: `p${index}` };
    let atMs = chance.hits(0.5) ? chance.int(0, 5_000) : chance.int(0, activeMs * 0.7);
    steps.push({ atMs, do: 'create', key, spec: { avsAddress, image: 'avs:1', ...drawSpec(chance) } });
    const changes = chance.hits(0.4) ? chance.int(1, 2) : 0;
    for (let change = 0; change < changes; change += 1) {
      atMs += chance.int(1_000, 150_000);
      if (atMs < activeMs) steps.push({ atMs, do: 'change', key, spec: drawChange(chance) });
    }
    if (!chance.hits(0.25)) continue;
    atMs += chance.int(100, 120_000);
    const propagation = chance.pick(['Background', 'Background', 'Foreground', 'Orphan'] as const);
    if (atMs < activeMs) steps.push({ atMs, do: 'delete', key, propagation });
    atMs += chance.int(50, 60_000);
    // The name comes back, with another uid.
    if (atMs < activeMs && chance.hits(0.6))
      steps.push({ atMs, do: 'create', key, spec: { avsAddress, image: 'avs:2', ...drawSpec(chance) } });
  }
  if (namespaces.length > 1 && chance.hits(0.1))
    steps.push({ atMs: chance.int(activeMs / 2, activeMs), do: 'delete-namespace', namespace: namespaces.at(-1) ?? '' });
  return steps.toSorted((a, b) => a.atMs - b.atMs);
}

function drawSpec(chance: Chance): Partial<PerformerSpecInput> {
  return {
    replicas: chance.pick([1, 1, 1, 1, 2, 3]),
    progressDeadlineSeconds: chance.int(30, 90),
    ...(chance.hits(0.15) ? { strategy: { type: 'Recreate' } } : {}),
    ...(chance.hits(0.2) ? { nodeLossPolicy: 'Strict' } : {}),
    ...(chance.hits(0.5) ? { drainSeconds: chance.int(0, 8) } : {}),
    ...(chance.hits(0.2) ? { minReadySeconds: chance.int(1, 6) } : {}),
    ...(chance.hits(0.1) ? { image: chance.pick(badImages) } : {}),
    ...(chance.hits(0.3) ? { config: { grpcPort: 9_000, environment: { TOKEN: 'a-value-of-the-environment' } } } : {}),
    ...(chance.hits(0.1) ? { terminationGracePeriodSeconds: chance.int(1, 60) } : {}),
    ...(chance.hits(0.03) ? { hardwareRequirements: { gpuType: 'nvidia-a100', gpuCount: 1 } } : {}),
  };
}

/** What few Performers ask for. */
const rareWishes: readonly ((chance: Chance) => Partial<PerformerSpecInput>)[] = [
  (chance) => ({ strategy: { type: 'RollingUpdate', rollingUpdate: chance.pick(rollouts) } }),
  (chance) => ({ strategy: { type: 'RollingUpdate', rollingUpdate: chance.pick(rollouts) }, replicas: chance.int(2, 4) }),
  (chance) => ({ config: { grpcPort: 9_000, environment: { TOKEN: `value-${chance.int(1, 3)}-of-the-environment` } } }),
  (chance) => ({ nodeLossSeconds: chance.pick([0, 10, 60]) }),
  (chance) => ({ image: `avs:${chance.pick(['config-fails', 'oom', 'exits', 'rejected', 'slow'])}` }),
  (chance) => ({ security: { profile: chance.pick(['privileged', 'baseline', 'restricted'] as const) } }),
  (chance) => ({ hardwareRequirements: chance.pick(hardware) }),
  () => ({ imagePullPolicy: 'Always', imagePullSecrets: [{ name: 'registry' }] }),
  (chance) => ({
    scheduling: {
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'example.com/pool', operator: 'Exists' }],
      runtimeClass: 'kata',
      priorityClassName: chance.pick(['', 'high']),
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [linux] } } },
    },
    resources: { requests: { cpu: '100m' }, ...(chance.hits(0.5) ? { limits: { 'nvidia.com/gpu': '1' } } : {}) },
  }),
  // May stand on a node that is out of sight already, and so may its successor.
  () => ({ scheduling: { tolerations: [{ operator: 'Exists' }] } }),
  (chance) => ({
    config: {
      grpcPort: chance.int(9_000, 9_003),
      serviceAccountName: chance.pick(['', 'performer']),
      command: ['/performer'],
      args: [],
      env: [{ name: 'MODE', value: '' }, { name: 'FLAG' }],
    },
  }),
];
const linux = { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] } as const;
/** The last is let in by earlier CRDs only. */
const rollouts = [
  { maxSurge: 0, maxUnavailable: 1 },
  { maxSurge: 2, maxUnavailable: 0 },
  { maxSurge: '50%', maxUnavailable: '34%' },
  { maxSurge: 1, maxUnavailable: 1 },
  { maxSurge: 0, maxUnavailable: 0 },
] as const;
const hardware = [
  { teeRequired: true, teeType: 'sgx' },
  { teeRequired: true, teeType: 'unheard-of' },
  { teeRequired: true },
  { gpuType: 'model-x', gpuCount: 1, customLabels: { 'kubernetes.io/os': 'linux' } },
  { gpuType: 'nvidia-a100', gpuCount: 2 },
] as const;
const legacyFinalizer = 'hourglass.eigenlayer.io/performer-finalizer';

/** One name may be longer than any name of ours that comes from it can be. */
function withLongName(step: UserStep, isLong: boolean): UserStep {
  return isLong && 'key' in step && step.key.name === 'p1' ? { ...step, key: { ...step.key, name: 'p1'.padEnd(60, '-long') } } : step;
}

/** Few steps become rarer ones, by a stream of their own: what others draw stays. */
function withRarities(step: UserStep, chance: Chance): UserStep {
  if (step.do !== 'create' && step.do !== 'change') return step;
  if (!chance.hits(step.do === 'create' ? 0.35 : 0.15)) return step;
  const spec = { ...step.spec, ...chance.pick(rareWishes)(chance) };
  if (step.do === 'change') return { ...step, spec };
  return { ...step, spec: { ...step.spec, ...spec }, ...(chance.hits(0.1) ? { finalizers: [legacyFinalizer] } : {}) };
}

/** A node that is off for minutes while every view is fresh: what must follow can be asked for in time. */
function withLongLoss(faults: readonly FaultStep[], activeMs: number, chance: Chance): readonly FaultStep[] {
  const fresh = faults.filter(({ id }) => !blinding.has(id) && !slowing.has(id) && id !== 'event-blocked' && id !== 'all-nodes-cut');
  const atMs = chance.int(20_000, 120_000);
  return [...fresh, { id: 'node-off', atMs, forMs: activeMs - atMs, draw: chance.next() }];
}

/** What may strike one API server while others go on. */
const ofOneFront: ReadonlySet<FaultId> = new Set<FaultId>(['watch-lag', 'watch-stalled', 'watch-held', 'cache-stale']);

function withOneFront(faults: readonly FaultStep[], chance: Chance): readonly FaultStep[] {
  return faults.map((step) => ('forMs' in step && ofOneFront.has(step.id) && chance.hits(0.5) ? { ...step, front: chance.next() } : step));
}

/** Somebody may hold the name of a first pod, and keep it. */
function withStranger(step: UserStep, chance: Chance): readonly UserStep[] {
  if (step.do !== 'create' || !chance.hits(0.02)) return [step];
  const { atMs, key } = step;
  return [{ atMs, do: 'stranger', key: { ...key, name: firstPodName(key.name) } }, step];
}

const badImages = ['avs:pull-fails', 'avs:crashes', 'avs:never-ready'] as const;

function drawChange(chance: Chance): Partial<PerformerSpecInput> {
  const version = String(chance.int(2, 9));
  return chance.pick<() => Partial<PerformerSpecInput>>([
    () => ({ image: `avs:${version}`, paused: false }),
    () => ({ image: `avs:${version}`, paused: false }),
    () => ({ image: chance.pick(badImages) }),
    () => ({ replicas: chance.int(1, 3) }),
    () => ({ version }),
    () => ({ config: { grpcPort: chance.int(9_000, 9_003) } }),
    () => ({ image: 'avs:1', paused: chance.hits(0.5) }),
    () => ({ strategy: { type: chance.pick(['Recreate', 'RollingUpdate'] as const) }, image: `avs:${version}` }),
    () => ({ managedBy: chance.hits(0.3) ? 'example.com/other' : 'hourglass.eigenlayer.io/operator' }),
    () => ({ nodeLossPolicy: chance.pick(['Strict', 'Route'] as const) }),
  ])();
}

/** Faults by which two writers fight, or a writer and a CRD; what they fight over takes minutes to come to rest. */
export const quarrels: ReadonlySet<FaultId> = new Set<FaultId>(['original-writes', 'second-leader', 'service-edited', 'crd-replaced']);

/** Faults that draw from a stream of their own, so that what the others draw stays as it was before there were these. */
const later: ReadonlySet<FaultId> = new Set<FaultId>([
  ...endingFaultIds,
  ...besideFaultIds,
  'quota-tight',
  'security-enforced',
  'object-held',
  'crash-at-step',
]);

function planFaults(first: Chance, more: Chance, activeMs: number, writes: number): readonly FaultStep[] {
  const chanceOf = (id: FaultId): Chance => (later.has(id) ? more : first);
  // A swarm: each kind is in or out, and the ones that are in share the run.
  const inIt = new Set<FaultId>(drawnIds.filter((id) => chanceOf(id).hits(quarrels.has(id) ? 0.1 : 0.22)));
  if (inIt.size === 0) inIt.add(first.pick(writeFaultIds));
  const steps: FaultStep[] = [];
  for (const id of [...writeFaultIds, ...endingFaultIds]) {
    const chance = chanceOf(id);
    if (inIt.has(id)) for (let times = chance.int(1, 3); times > 0; times -= 1) steps.push({ id, atWrite: chance.int(1, writes * 3) });
  }
  for (const id of besideFaultIds)
    if (inIt.has(id)) for (let times = more.int(1, 3); times > 0; times -= 1) steps.push({ id, atBeside: more.int(1, 80) });
  for (const id of momentFaultIds)
    if (inIt.has(id))
      for (let times = first.int(1, 2); times > 0; times -= 1) steps.push({ id, atMs: first.int(5_000, activeMs), draw: first.next() });
  for (const id of spanFaultIds) {
    if (!inIt.has(id)) continue;
    const chance = chanceOf(id);
    const atMs = chance.int(5_000, activeMs - 30_000);
    // What follows from a node out of sight takes minutes.
    const mostMs = id.startsWith('node-') ? activeMs : 200_000;
    steps.push({ id, atMs, forMs: chance.int(5_000, Math.min(mostMs, activeMs - atMs)), draw: chance.next() });
  }
  if (first.hits(0.1)) steps.push({ id: 'event-blocked', event: first.int(20, 300), untilWrite: first.int(10, 100) });
  if (inIt.has('crash-at-step')) steps.push({ id: 'crash-at-step', step: more.int(20, 1_500) });
  return steps;
}
