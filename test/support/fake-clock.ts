import type { Clock } from '../../src/lib/clock.ts';

interface FakeTimer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. Wall clock and monotonic clock have different starts, so that a mix-up shows. */
export class FakeClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #timers: FakeTimer[] = [];

  constructor(startMs: number = Date.parse('2026-01-01T00:00:00Z')) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return 1_000 + this.#elapsedMs;
  }

  timer(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves time on, running what falls due in order, and lets all promises that can settle do so before and after each. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#elapsedMs = Math.max(this.#elapsedMs, due.atMs);
      due.run();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }
}

/** Resolves when no promise is left that could settle without time or input from outside. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
