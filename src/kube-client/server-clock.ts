import type { Clock } from '../lib/clock.ts';

/** A `Date` header is cut to whole seconds and was written before it got here: this much behind the estimate is no news. */
const slackMs = 2_000;

/** The API server's time as its `Date` headers tell it, moved on by the monotonic clock in between. */
export class ServerClock {
  readonly #clock: Clock;
  #dateMs: number | undefined;
  #atMonotonicMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes in a `Date` header; anything that is none is passed over. */
  observe(header: unknown): void {
    const dateMs = typeof header === 'string' ? Date.parse(header) : Number.NaN;
    if (Number.isNaN(dateMs)) return;
    const aheadMs = this.#dateMs === undefined ? Number.NEGATIVE_INFINITY : this.nowMs() - dateMs;
    // Every header is a lower bound; within the slack the higher of the two is the better one.
    if (aheadMs >= 0 && aheadMs < slackMs) return;
    this.#dateMs = dateMs;
    this.#atMonotonicMs = this.#clock.monotonicMs();
  }

  nowMs(): number {
    if (this.#dateMs === undefined) return this.#clock.nowMs();
    return Math.floor(this.#dateMs + (this.#clock.monotonicMs() - this.#atMonotonicMs));
  }
}
