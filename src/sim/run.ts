import { performers } from '../api/v1alpha1/performer.ts';
import { KubeFault } from '../kube/faults.ts';
import { type KubeObject, keyText, namespaces, type ObjectKey, pods, type Resource } from '../kube/objects.ts';
import type { Json } from '../lib/canonical-json.ts';
import { createOracles } from '../oracle/all.ts';
import { OracleBoard } from '../oracle/board.ts';
import { createDifferential, type Shape } from '../oracle/differential.ts';
import type { Change, ClusterView, Rest, Violation, Write } from '../oracle/oracle.ts';
import { isRefused, performerOf } from '../oracle/words.ts';
import { clockRatesOf } from './clock-rates.ts';
import { armFaults, type FaultId } from './faults/faults.ts';
import { podOfStrangers } from './faults/tamper.ts';
import { Grants } from './grants.ts';
import { fastTimings, stockTimings } from './nodes/timings.ts';
import { SimOperator, startCronJob } from './operators.ts';
import { quarrels, type RunPlan, type UserStep } from './run-plan.ts';
import { SimWorld } from './sim-world.ts';
import type { AnyObject } from './stored-object.ts';
import type { TraceLine } from './trace.ts';

export interface RunResult {
  readonly violations: readonly Violation[];
  /** Over all that users, faults and nodes did and what operators wrote for Performers; reads, Leases, Events and answers left out. */
  readonly hash: string;
  /** The newest lines, as many as were asked for. */
  readonly lines: readonly TraceLine[];
  readonly performers: number;
  /** Writes by operators that changed something. */
  readonly writes: number;
  /** How often each came, and of how many pods and namespaces users brought about what is counted beside them. */
  readonly faults: ReadonlyMap<FaultId, number>;
  readonly simulatedMs: number;
  readonly events: number;
  /** How often each oracle's statement was put to a test. */
  readonly evaluated: Readonly<Record<string, number>>;
  /** How often something from outside reached the first operator, all its lives together. */
  readonly steps: number;
  /** Of Performers, each once. */
  readonly states: ReadonlySet<string>;
  readonly operatorWrites: number;
  /** Those of Leases and Events. */
  readonly besideWrites: number;
  /** Changes of what oracles see until faults end, in order: the places at which an event can be blocked. */
  readonly seen: readonly SeenEvent[];
  readonly view: ClusterView;
}

export interface SeenEvent {
  readonly order: number;
  readonly kind: Change['kind'];
  /** Writes of operators that had been sent by then. */
  readonly writes: number;
}

export interface RunOptions {
  /** Lines of the trace that stay readable; default none. */
  readonly keeps?: number;
  /** Stops after so many ms of simulated time, with what is known by then. */
  readonly untilMs?: number;
  /** Events after which the run counts as one without an end. */
  readonly maxEvents?: number;
  /** What the end must be: that of the same plan without faults. */
  readonly endsAs?: Shape;
}

const defaultLivenessMs = 1_500_000;
const sliceMs = 5_000;
const defaultRestMs = 60_000;
/** What two writers fight over is left to the other for five minutes at a time, what was refused is asked for again after ten at most. */
const truceMs = 320_000;
const denialMs = 620_000;
/** A name that somebody had is tried again after a minute. */
const takenMs = 70_000;
const callEveryMs = 3_000;
/** Thirty times what the longest seeds take. */
const defaultMaxEvents = 600_000;

type RestFacts = Omit<Rest, 'view'>;

/** What the end of a run is waited for by: as asked, and gone what was to go. */
const waitedFor: ReadonlySet<string> = new Set(['L1', 'L3', 'D1']);

/** Runs a plan: users and faults, healing, the wait for all to be as asked, the window of silence. The same plan gives the same result. */
export async function runPlan(plan: RunPlan, options: RunOptions = {}): Promise<RunResult> {
  const timings = plan.timings === 'fast' ? fastTimings : stockTimings;
  let calmSinceMs = plan.faults.length === 0 ? 0 : Number.POSITIVE_INFINITY;
  const { endsAs, maxEvents = defaultMaxEvents } = options;
  const grants: Grants = new Grants(plan, { nowMs: () => world.clock.nowMs(), calmSinceMs: () => calmSinceMs });
  const judges = createOracles(grants);
  const oracles = endsAs === undefined ? judges : [...judges, createDifferential(endsAs)];
  const board = new OracleBoard(oracles);
  const { seed, nodes, fronts, restMs = defaultRestMs, livenessMs = defaultLivenessMs } = plan;
  const world = new SimWorld({ seed, nodes, fronts, timings, board, keeps: options.keeps ?? 0 });
  const untilMs = options.untilMs ?? Number.POSITIVE_INFINITY;
  for (const name of plan.namespaces) world.createNamespace(name);
  let events = 0;
  let lastWriteMs = 0;
  const late: Write[] = [];
  const rates = clockRatesOf(plan);
  // Waits of an operator whose clock is slow take longer.
  const slow = Math.min(1, ...rates);
  /** Until when what was refused while faults went on is asked for again at the latest; by Performer, and what was to be written. */
  const refused = new Map<string, Map<string, number>>();
  /** The Performers whose refused writes alone are waited for: all that is written for others meanwhile is written at rest. */
  let awaited: ReadonlySet<string> | undefined;
  const strays: Write[] = [];
  const seen: SeenEvent[] = [];
  world.onSeen = ({ kind }, order) => seen.push({ order, kind, writes: world.operatorWrites });
  world.onEffect = (write) => {
    if (write.result === 'ok' && write.before !== write.after) lastWriteMs = world.clock.monotonicMs();
    late.push(write);
    const { verb, plural, key, before, sent } = write;
    // A create is the one's for whom it is sent, whoever has the name.
    const meant = verb === 'create' ? (sent as KubeObject) : (before ?? (sent as KubeObject));
    const of = keyText({ ...key, name: performerOf(meant)?.name ?? key.name });
    if (awaited?.has(of) === false) strays.push(write);
    const id = `${verb} ${plural}`;
    const waitMs = isRefused(write) ? denialMs : write.result === 'alreadyExists' ? takenMs : 0;
    if (waitMs === 0 || calmSinceMs < Number.POSITIVE_INFINITY) refused.get(of)?.delete(id);
    else refused.set(of, (refused.get(of) ?? new Map<string, number>()).set(id, world.clock.monotonicMs() + waitMs / slow));
  };

  const watching = plan.mode === 'once' ? 0 : plan.operators;
  const operators = Array.from(
    { length: watching },
    (_, index) => new SimOperator(world, { name: `operator-${index}`, mode: 'watch', clockRate: rates[index] ?? 1 }),
  );
  const cron =
    plan.mode === 'watch'
      ? undefined
      : new SimOperator(world, { name: 'operator-once', mode: 'once', clockRate: rates.at(-1) ?? 1, everyMs: plan.onceEveryMs });
  if (cron !== undefined) operators.push(cron);
  const { counts, healAll } = armFaults({ world, operators }, plan.faults, (id, forMs, of) => grants.came(id, forMs, of));
  const met = new Set<string>();
  world.onCircumstance = (id, of) => {
    if (!met.has(`${id} ${of}`)) counts.set(id, (counts.get(id) ?? 0) + 1);
    met.add(`${id} ${of}`);
  };
  for (const { spec } of operators) {
    if (spec.clockRate === 1) continue;
    counts.set('clock-rate', (counts.get('clock-rate') ?? 0) + 1);
    world.note('fault', 'clock-rate', `${spec.name}: ${spec.clockRate}`);
  }
  for (const operator of operators) if (operator !== cron) operator.start();
  const endCron = cron === undefined ? undefined : startCronJob(world, cron);
  for (const step of plan.users) world.clock.timer(step.atMs, () => act(world, step));
  startClients(world);

  const advance = async (toMs: number): Promise<void> => {
    const budget = maxEvents - events;
    let ran = 0;
    events += await world.clock.runUntil(Math.min(toMs, untilMs), () => ++ran > budget);
    if (events > maxEvents) world.violation('B3', 'run', `${maxEvents} events and no end: a loop, the last lines tell of what`);
  };
  const isOver = (): boolean => events > maxEvents || world.clock.monotonicMs() >= untilMs;

  await advance(plan.activeMs);
  if (!isOver()) {
    world.note('fault', 'heal', 'all faults end');
    world.onSeen = () => undefined;
    healAll();
    world.nodes.healAll();
    calmSinceMs = Math.min(calmSinceMs, world.clock.nowMs());
  }
  const deadlineMs = plan.activeMs + livenessMs;
  const facts = (): RestFacts => ({ atMs: world.clock.nowMs(), silentWrites: [] });
  const isAtRest = (): boolean =>
    oracles.every((oracle) => !waitedFor.has(oracle.id) || (oracle.atRest?.({ ...facts(), view: board.view }) ?? []).length === 0);
  // A deadline that another CRD took from a spec is ten minutes from then on.
  const trucesMs = plan.faults.map(({ id }) => (id === 'crd-replaced' ? denialMs : quarrels.has(id) ? truceMs : 0));
  const truce = restMs >= defaultRestMs ? Math.max(0, ...trucesMs) / slow : 0;
  const findRefused = (): readonly string[] =>
    [...refused].flatMap(([of, times]) => ([...times.values()].some((untilMs) => world.clock.monotonicMs() < untilMs) ? [of] : []));
  // A node comes back only after a while, and a CronJob after its period: what they were kept from is done by then, or tried at least.
  const nodesBackMs = timings.catchUp[1] + timings.nodePollMs;
  const turnMs = plan.activeMs + Math.max(nodesBackMs, cron === undefined ? 0 : 2 * plan.onceEveryMs);
  // What waits for a back-off may be silent for longer.
  const rest = (): number => ([...board.view.performers.values()].every(({ status }) => status?.ready === true) ? restMs : defaultRestMs);
  while (!isOver() && world.clock.monotonicMs() < deadlineMs) {
    await advance(world.clock.monotonicMs() + sliceMs);
    const isQuiet = world.clock.monotonicMs() >= turnMs && world.clock.monotonicMs() - lastWriteMs >= Math.max(rest(), truce);
    if (!isQuiet || !isAtRest()) continue;
    const left = findRefused();
    if (left.length === 0) break;
    awaited ??= new Set(left);
  }
  if (!isOver()) {
    late.length = 0;
    const endMs = world.clock.monotonicMs() + 2 * rest();
    await advance(endMs);
    // Pods that come to nothing are replaced now and then: the last look falls between two such times.
    for (let tries = 0; tries < 6 && world.clock.monotonicMs() - lastWriteMs < sliceMs; tries += 1)
      await advance(world.clock.monotonicMs() + sliceMs);
    // Stopped before: the silence was not heard to its end.
    if (world.clock.monotonicMs() >= endMs) board.rest({ ...facts(), silentWrites: [...new Set([...strays, ...late])] });
  }
  // Before the operators are put away, which is no part of the run.
  const told = { hash: world.trace.hash(), lines: world.trace.lines() };
  endCron?.();
  for (const operator of operators) operator.retire();
  const violations = [...world.found, ...board.violations];
  return {
    violations,
    ...told,
    performers: new Set(plan.users.flatMap((step) => ('key' in step ? [keyText(step.key)] : []))).size,
    writes: world.effectiveWrites,
    faults: counts,
    simulatedMs: world.clock.monotonicMs(),
    events,
    evaluated: Object.fromEntries(oracles.map(({ id, evaluated }) => [id, evaluated()])),
    steps: operators[0]?.steps ?? 0,
    states: world.states.seen,
    operatorWrites: world.operatorWrites,
    besideWrites: world.besideWrites,
    seen,
    view: board.view,
  };
}

/** Clients on all nodes call every performer, once in three seconds. */
function startClients(world: SimWorld): void {
  const chance = world.chance('clients');
  const call = (): void => {
    for (const key of world.board.view.performers.values()) {
      const { namespace = '', name = '' } = key.metadata ?? {};
      world.board.answer(world.nodes.call({ namespace, name }, chance.pick(world.nodes.names())));
    }
    world.clock.timer(callEveryMs, call);
  };
  world.clock.timer(callEveryMs, call);
}

/** What a user asks for and the API server refuses did not happen: the user sees it, the operator never does. */
function act(world: SimWorld, step: UserStep): void {
  const about = 'key' in step ? keyText(step.key) : step.namespace;
  try {
    const said = 'spec' in step ? ` ${JSON.stringify({ ...step.spec, avsAddress: undefined })}` : '';
    world.note('user', about, `${step.do}${said}`, { of: about });
    if (step.do === 'create') {
      const object = {
        apiVersion: 'hourglass.eigenlayer.io/v1alpha1',
        kind: 'Performer',
        metadata: { ...step.key, ...(step.finalizers === undefined ? {} : { finalizers: [...step.finalizers] }) },
        spec: step.spec as unknown as Json,
      };
      world.server.create(performers as Resource<KubeObject>, object as KubeObject);
    } else if (step.do === 'stranger') world.server.create(pods, { ...podOfStrangers, metadata: { ...step.key } } as KubeObject);
    else if (step.do === 'change') changeSpec(world, step.key, step.spec as unknown as Json);
    else if (step.do === 'delete')
      world.removeByUser(performers as Resource<KubeObject>, step.key, { propagationPolicy: step.propagation });
    else {
      world.removeByUser(namespaces as Resource<KubeObject>, { namespace: '', name: step.namespace });
      world.onCircumstance('namespace-deleted', step.namespace);
    }
  } catch (error) {
    if (!(error instanceof KubeFault)) throw error;
    world.note('user', about, `is refused: ${error.code}`);
  }
}

function changeSpec(world: SimWorld, key: ObjectKey, spec: Json): void {
  const stored: AnyObject | undefined = world.server.find(performers as Resource<KubeObject>, key);
  const resourceVersion = stored?.metadata.resourceVersion;
  if (resourceVersion !== undefined) world.server.patch(performers as Resource<KubeObject>, key, { spec }, { resourceVersion });
}
