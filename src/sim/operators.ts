import type { Reconcile } from '../controller/outcome.ts';
import { isKubeFault } from '../kube/faults.ts';
import { createLease } from '../kube/lease.ts';
import { keyText } from '../kube/objects.ts';
import type { KubeApi } from '../kube/port.ts';
import { operateOnce } from '../operator/once.ts';
import type { OperatorOptions, ReconcileParts } from '../operator/options.ts';
import { createWatchOperator } from '../operator/watch.ts';
import { createDeps } from '../reconcile/deps.ts';
import type { Settings } from '../reconcile/plan/snapshot.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { SimProcess } from './process.ts';
import { leaseKey, type SimWorld } from './sim-world.ts';

const settings: Settings = { quietMs: 2_000, clusterDomain: 'cluster.local', securityProfile: 'privileged' };

/** From a container's end to its next start. */
const restartMs = 1_500;
const defaultEveryMs = 60_000;
/** A run of the CronJob that lasts so many of its periods is killed. */
const onceDeadline = 1.8;
/** Every other run waits for the cluster, for this part of the period. */
const onceWait = 0.6;

export interface OperatorSpec {
  readonly name: string;
  readonly mode: 'watch' | 'once';
  /** Believes that it leads, whatever the Lease says. */
  readonly rogue?: boolean;
  /** Its monotonic clock runs so many times as fast as the world's. */
  readonly clockRate?: number;
  /** Period of the CronJob, ms. */
  readonly everyMs?: number;
}

/** One replica of the operator: its processes one after the other, as a kubelet or a CronJob starts them. */
export class SimOperator {
  readonly spec: OperatorSpec;
  readonly #world: SimWorld;
  /** The process of the moment; undefined between two. */
  process: SimProcess | undefined;
  /** How often something from outside reached its processes, all lives together; the places a crash can come between. */
  steps = 0;
  /** Told of each step before it is taken. */
  onStep: (step: number, process: SimProcess) => void = () => undefined;
  #stop = new AbortController();
  #lives = 0;
  #retired = false;

  constructor(world: SimWorld, spec: OperatorSpec) {
    this.#world = world;
    this.spec = spec;
  }

  start(): void {
    if (this.#retired || this.process?.alive === true) return;
    this.#lives += 1;
    const { name, mode, clockRate = 1 } = this.spec;
    const process = new SimProcess(name, this.#world.clock);
    process.setRate(clockRate);
    this.process = process;
    this.#stop = new AbortController();
    process.onKill = () => this.#ended(process, 'killed');
    process.onStep = () => {
      this.steps += 1;
      this.onStep(this.steps, process);
    };
    this.#world.note('operator', name, `starts, life ${this.#lives}`, { state: 'runs' });
    const run = mode === 'watch' ? this.#watch(process) : this.#once(process);
    run.then(
      (said) => process.alive && this.#exit(process, said),
      (error: unknown) => {
        if (!process.alive) return;
        // Only a first list that fails may end a run; the CLI tells it and the next run tries again.
        if (mode !== 'once' || !isKubeFault(error)) this.#world.violation('B2', name, `the process ended by itself: ${String(error)}`);
        this.#exit(process, 'failed');
      },
    );
  }

  /** SIGKILL. */
  kill(): void {
    this.process?.kill();
  }

  /** SIGTERM; it ends by itself. */
  terminate(): void {
    this.#stop.abort(new Error('terminated'));
  }

  /** Is not started again. */
  retire(): void {
    this.#retired = true;
    this.kill();
  }

  #exit(process: SimProcess, said: string): void {
    process.onKill = () => undefined;
    process.kill();
    this.#ended(process, said);
  }

  #ended(process: SimProcess, said: string): void {
    this.#world.note('operator', process.name, said);
    if (this.process === process) this.process = undefined;
    if (this.spec.mode === 'watch') this.#world.clock.timer(restartMs, () => this.start());
  }

  #watch(process: SimProcess): Promise<string> {
    const own = this.#parts(process);
    const createReconcile = (parts: ReconcileParts): Reconcile => this.#reconcile(process, own.kube, parts);
    return createWatchOperator({ ...own, resyncMs: 600_000, drainMs: 20_000, createReconcile })
      .run()
      .then(() => 'stopped');
  }

  async #once(process: SimProcess): Promise<string> {
    const world = this.#world;
    const everyMs = this.spec.everyMs ?? defaultEveryMs;
    world.clock.timer(everyMs * onceDeadline, () => process.kill());
    const own = this.#parts(process);
    const outcome = await operateOnce({
      ...own,
      waitMs: this.#lives % 2 === 0 ? 0 : everyMs * onceWait,
      dryRun: false,
      onUnavailable: () => undefined,
      createRun: (parts) => ({ reconcile: this.#reconcile(process, own.kube, parts), end: () => Promise.resolve() }),
    });
    await outcome.release();
    return `ends: ${outcome.outcomes.filter(({ outcome: { kind } }) => kind === 'settled').length} of ${outcome.outcomes.length} settled`;
  }

  #parts(process: SimProcess): Omit<OperatorOptions, 'createReconcile'> {
    const chance = this.#world.chance(`operator ${process.name} ${this.#lives}`);
    const { kube, cacheKube } = this.#world.apisOf(process);
    const { clock } = process;
    const random = chance.next;
    const log = this.#logOf(process);
    const lease = this.spec.rogue === true ? undefined : createLease({ kube, clock, key: leaseKey, identity: process.name, random, log });
    return { kube, cacheKube, clock, random, namespace: undefined, workers: 16, lease, signal: this.#stop.signal, log };
  }

  /** Nobody reads it but those who look for what must not stand there. */
  #logOf(process: SimProcess): OperatorOptions['log'] {
    const { board, clock } = this.#world;
    return (message, fields) => board.log({ actor: process.name, atMs: clock.nowMs(), text: JSON.stringify([message, fields]) });
  }

  #reconcile(process: SimProcess, kube: KubeApi, parts: ReconcileParts): Reconcile {
    const deps = createDeps({ ...parts, kube, settings, log: this.#logOf(process) });
    return async (key, context) => {
      try {
        return await reconcile(key, deps, context);
      } catch (error) {
        if (process.alive)
          this.#world.violation('B1', keyText(key), `a pass threw: ${error instanceof Error ? error.stack : String(error)}`);
        throw error;
      }
    };
  }
}

/** A CronJob with concurrencyPolicy Forbid. @returns what ends it */
export function startCronJob(world: SimWorld, operator: SimOperator): () => void {
  let cancel: () => void = () => undefined;
  const next = (): void => {
    operator.start();
    cancel = world.clock.timer(operator.spec.everyMs ?? defaultEveryMs, next);
  };
  next();
  return () => cancel();
}
