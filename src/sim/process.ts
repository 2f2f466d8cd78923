import type { Clock } from '../lib/clock.ts';

/**
 * One life of a process in a simulation, from its start until it ends or is killed: what comes from outside (time, answers) reaches it
 * through `deliver` alone, so that it can be killed between any two steps or frozen for a while.
 */
export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #world: Clock;
  /** By the world's monotonic clock. */
  readonly bornMs: number;
  /** Local wall time minus the world's; how fast its monotonic clock runs. */
  #skewMs = 0;
  #rate = 1;
  #alive = true;
  #held: (() => void)[] | undefined;
  /** Told before anything from outside reaches it: the place to kill it at. */
  onStep: () => void = () => undefined;
  onKill: () => void = () => undefined;

  constructor(name: string, world: Clock) {
    this.name = name;
    this.#world = world;
    this.bornMs = world.monotonicMs();
    this.clock = {
      nowMs: () => world.nowMs() + this.#skewMs,
      monotonicMs: () => Math.floor((world.monotonicMs() - this.bornMs) * this.#rate),
      timer: (delayMs, run) => world.timer(Math.max(0, delayMs) / this.#rate, () => this.deliver(run)),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  get frozen(): boolean {
    return this.#held !== undefined;
  }

  /** Runs what arrives: now, after a freeze, or never. */
  deliver(run: () => void): void {
    if (!this.#alive) return;
    if (this.#held !== undefined) {
      this.#held.push(run);
      return;
    }
    this.onStep();
    if (this.#alive) run();
  }

  /** SIGKILL: nothing reaches it any more, and nothing it began goes on. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.onKill();
  }

  /** SIGSTOP until `thaw`; what arrives meanwhile is kept. */
  freeze(): void {
    this.#held ??= [];
  }

  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) this.#world.timer(0, () => this.deliver(run));
  }

  /** Its wall clock jumps; its monotonic clock does not. */
  jumpClock(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** Whether its clock runs as the world's does is fixed at birth. */
  setRate(rate: number): void {
    this.#rate = rate;
  }
}
