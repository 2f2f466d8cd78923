import type { Clock } from '../lib/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it ran or was cancelled. */
  run: (() => void) | undefined;
}

/** Any fixed instant: a run knows no other time than its own. */
const startMs = Date.UTC(2026, 0, 1);

/**
 * Time that moves from event to event: the one queue of a simulation. What falls due in the same instant runs in the order it was asked for.
 * Between two events every promise that can settle does.
 */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #orders = 0;
  /** A binary heap by time, then order. */
  readonly #heap: Timer[] = [];

  nowMs(): number {
    return startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  timer(delayMs: number, run: () => void): () => void {
    this.#orders += 1;
    // Whole ms, so that a wait that is left over by rounding does not come due in the same instant again and again.
    const timer: Timer = { atMs: this.#elapsedMs + Math.max(0, Math.ceil(delayMs)), order: this.#orders, run };
    this.#push(timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Runs what falls due until `untilMs` of monotonic time, or until `stop` says so after an event. @returns how many events ran */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<number> {
    let events = 0;
    await turnOfLoop();
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      next.run = undefined;
      this.#elapsedMs = next.atMs;
      run();
      events += 1;
      await settle();
      if (stop()) return events;
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, untilMs);
    return events;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Timer;
      if (isBefore(parent, timer)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      if (isBefore(last, heap[child] as Timer)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A turn of the machine's loop, which comes only when no promise is left that could settle: the one thing taken from outside. */
function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The same from within a promise, and cheaper: ticks, too, come only when no promise is left, and the machine is not asked for events. */
function settle(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
