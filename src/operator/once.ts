import { FlightLimit } from '../controller/flight-limit.ts';
import { type OnceResult, runOnce } from '../controller/once.ts';
import type { Reconcile } from '../controller/outcome.ts';
import { WorkQueue } from '../controller/work-queue.ts';
import type { LeaseElector } from '../kube/lease.ts';
import { keyText } from '../kube/objects.ts';
import type { Plan } from '../reconcile/plan/actions.ts';
import { createWorld, listKeys, listWorld, onWorldChange, type World, watchWorld } from '../reconcile/world.ts';
import { type OperatorOptions, ownedBy, type ReconcileParts } from './options.ts';

/** A pass function that is made for one run over all keys. */
export interface RunReconcile {
  readonly reconcile: Reconcile;
  /** After the last pass, before the result is told. */
  end(): Promise<void>;
}

export interface OnceOperatorOptions extends Omit<OperatorOptions, 'createReconcile'> {
  /** How long to wait for the cluster; 0: report what waits, wait for nothing. */
  readonly waitMs: number;
  /** Writes nothing. */
  readonly dryRun: boolean;
  /** @param isLook a look ahead of the run itself: what it has to say is said then */
  readonly createRun: (parts: ReconcileParts, isLook: boolean) => RunReconcile;
  /** Told when there is no Lease to be had; the message is fit for a user. */
  readonly onUnavailable: (message: string) => void;
}

export interface OnceOutcome extends OnceResult {
  /** `this`, or the name of whoever holds the Lease; then this run only looked. */
  readonly writer: string;
  /** What would be done, by key; only where this run did not write. */
  readonly plans: ReadonlyMap<string, Plan> | undefined;
  readonly performers: number;
  /** Gives the Lease back. */
  readonly release: () => Promise<void>;
}

/** What was listed before a longer wait for the Lease is listed again: writes on it would be safe, and in vain. */
const staleMs = 1_000;

/** The operator that ends: lists, converges, tells. The same on every `KubeApi` and clock. @throws KubeFault when the first lists fail */
export async function operateOnce(options: OnceOperatorOptions): Promise<OnceOutcome> {
  const { waitMs, dryRun, clock, signal } = options;
  let filled = await fillWorld(options);
  const filledMs = clock.monotonicMs();
  if (waitMs === 0) {
    // Most runs find nothing to do: then nobody needs to be the one who writes, and the Lease is not touched.
    const seen = await run(options, filled, looker, !dryRun);
    const wantsToWrite = [...(seen.plans?.values() ?? [])].some(({ actions }) => actions.length > 0);
    if (!wantsToWrite || dryRun || signal.aborted) return seen;
    filled = { ...filled, queue: new WorkQueue(clock) };
  }
  const writer = await claimWriter(options);
  try {
    if (waitMs === 0 && clock.monotonicMs() - filledMs > staleMs) filled = await fillWorld(options);
    return await run(options, filled, writer, false);
  } catch (error) {
    await writer.release();
    throw error;
  }
}

interface Writer {
  readonly name: string;
  readonly mayWrite: () => boolean;
  readonly release: () => Promise<void>;
}

/** Writes nothing. */
const looker: Writer = { name: 'this', mayWrite: () => false, release: () => Promise.resolve() };

/** Takes the Lease for the run. Held by another: this run only looks. Not to be had at all: preconditions alone keep two writers harmless. */
async function claimWriter({ dryRun, lease, signal, onUnavailable }: OnceOperatorOptions): Promise<Writer> {
  if (dryRun) return looker;
  const free: Writer = { ...looker, mayWrite: () => true };
  if (lease === undefined) return free;
  const claim = await lease.tryAcquire(signal);
  if ('holder' in claim) return { ...free, name: claim.holder, mayWrite: () => false };
  if (claim.held) return keepWriting(lease, free);
  onUnavailable(claim.message);
  return free;
}

function keepWriting(lease: LeaseElector, free: Writer): Writer {
  const stop = new AbortController();
  const kept = lease.keep(stop.signal, () => undefined);
  const release = async (): Promise<void> => {
    stop.abort();
    await kept;
    await lease.release();
  };
  return { ...free, mayWrite: () => lease.isHeld(), release };
}

async function run(options: OnceOperatorOptions, filled: Filled, writer: Writer, isLook: boolean): Promise<OnceOutcome> {
  const { world, queue, stopWatching } = filled;
  const plans = new Map<string, Plan>();
  const { mayWrite, release } = writer;
  const made = options.createRun({ world, mayWrite, onPlan: (key, plan) => plans.set(keyText(key), plan) }, isLook);
  const { clock, random, waitMs, signal } = options;
  const keys = listKeys(world);
  const limit = new FlightLimit(options.workers);
  const result = await runOnce({ queue, keys, reconcile: made.reconcile, limit, clock, random, waitMs, signal });
  await stopWatching();
  await made.end();
  const performers = world.performers.list().length;
  return { ...result, writer: writer.name, plans: mayWrite() ? undefined : plans, performers, release };
}

interface Filled {
  readonly world: World;
  readonly queue: WorkQueue;
  readonly stopWatching: () => Promise<void>;
}

/** One list per kind is enough for a run that does not wait; one that waits goes on watching from there. */
async function fillWorld(options: OnceOperatorOptions): Promise<Filled> {
  const { clock, namespace, random, signal, log } = options;
  const kube = options.cacheKube ?? options.kube;
  const world = createWorld(ownedBy(options));
  const queue = new WorkQueue(clock);
  if (options.waitMs === 0) {
    await listWorld(world, kube, namespace, signal);
    return { world, queue, stopWatching: () => Promise.resolve() };
  }
  const stop = new AbortController();
  const reflectors = watchWorld(world, { kube, clock, namespace, signal: stop.signal, random, failFirstList: true, log });
  try {
    await Promise.all(reflectors.map((reflector) => reflector.synced));
  } catch (error) {
    stop.abort();
    throw error;
  }
  onWorldChange(world, (key) => queue.add(key));
  const stopWatching = async (): Promise<void> => {
    stop.abort();
    await Promise.all(reflectors.map((reflector) => reflector.done));
  };
  return { world, queue, stopWatching };
}
