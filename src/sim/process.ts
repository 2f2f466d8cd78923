import type { Clock } from '../lib/clock.ts';

/** A client gives a silent connection up after this long, as the real one's pings do. */
export const silentMs = 4_000;

/** What an API server sends to a process over time: in order, late or never while the network keeps them apart. */
class Connection {
  readonly #process: SimProcess;
  readonly #onDead: () => void;
  readonly #forget: () => void;
  #waiting: (() => void)[] = [];
  #cancel: () => void = () => undefined;
  #isClosed = false;
  #stream: { readonly close: () => void } | undefined;

  constructor(process: SimProcess, onDead: () => void, forget: () => void) {
    this.#process = process;
    this.#onDead = onDead;
    this.#forget = forget;
  }

  carry(run: () => void): void {
    if (this.#isClosed) return;
    if (this.#process.isCut) this.#waiting.push(run);
    else this.#process.deliver(run);
  }

  /** Nothing comes through; who hears nothing for long gives it up, and what was under way is lost. */
  falter(): void {
    this.#cancel = this.#process.clock.timer(silentMs, () => {
      this.close();
      this.#onDead();
    });
  }

  /** Sent once more, what was under way arrives. */
  recover(): void {
    this.#cancel();
    for (const run of this.#waiting.splice(0)) this.#process.deliver(run);
  }

  /** What sends over it, and ends with it. */
  opened(stream: { readonly close: () => void }): void {
    if (this.#isClosed) stream.close();
    else this.#stream = stream;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#waiting = [];
    this.#stream?.close();
    this.#forget();
  }
}

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
  /** Cuts of the network that have not ended. */
  #cuts = 0;
  readonly #connections = new Set<Connection>();
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

  /** Whether the network keeps it from everybody. */
  get isCut(): boolean {
    return this.#cuts > 0;
  }

  /** The network keeps it from everybody. @returns what ends that; of several at once the last that ends does */
  cutOff(): () => void {
    this.#cuts += 1;
    if (this.#cuts === 1) for (const connection of this.#connections) connection.falter();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#cuts -= 1;
      if (!this.isCut) for (const connection of this.#connections) connection.recover();
    };
  }

  /** @param onDead told once the process has given it up */
  connect(onDead: () => void): Connection {
    const connection = new Connection(this, onDead, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return connection;
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
    for (const connection of this.#connections) connection.close();
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
