import type { KubeFaultCode } from '../kube/faults.ts';
import type { Outcome } from './outcome.ts';

/** What the limit is computed from; plain, so that a step can be tried on paper. */
export interface FlightState {
  /** Passes allowed at once; the whole part counts. */
  readonly limit: number;
  /** Smoothed ratio of how long a writing pass takes to the best of its sort; 1 while nothing queues in the API server. */
  readonly slowdown: number;
  /** Doubling per round, until the first sign of a queue. */
  readonly startingUp: boolean;
}

/** `overloaded`: the API server refused or gave up · otherwise how many times longer than the best of its sort the pass took, 1 or more. */
export type FlightSample = 'overloaded' | { readonly slowdown: number; readonly inFlight: number };

/** Passes that wait inside the API server, estimated as TCP Vegas does: with fewer there is room, with more it only makes them wait. */
const queuedWanted = { least: 6, most: 10 };
const smoothing = 0.1;
/** How fast the best latency is forgotten, per pass: the cluster may have become slower for good. */
const forgetting = 0.000_5;

/**
 * The next limit after one pass. Pure. Grows by one per round of passes (doubles at the start) while the API server keeps up, shrinks by
 * one per round while its queue is long, halves when it says that it is overloaded. Latency alone never keeps it below `queuedWanted.least`:
 * passes of one sort differ in what they write, and a misjudged latency must not cost throughput.
 */
export function nextFlight(state: FlightState, sample: FlightSample, least: number, most: number): FlightState {
  if (sample === 'overloaded') return { ...state, limit: Math.max(least, state.limit / 2), startingUp: false };
  const slowdown = state.slowdown + smoothing * (sample.slowdown - state.slowdown);
  const queued = state.limit * (1 - 1 / slowdown);
  const startingUp = state.startingUp && queued <= queuedWanted.least;
  // A limit that is not used teaches nothing about a higher one.
  const isUsed = sample.inFlight >= Math.floor(state.limit) / 2;
  const step =
    queued > queuedWanted.most ? -1 / state.limit : queued < queuedWanted.least && isUsed ? (startingUp ? 1 : 1 / state.limit) : 0;
  return { limit: Math.min(most, Math.max(least, state.limit + step)), slowdown, startingUp };
}

const overloads: ReadonlySet<string> = new Set<KubeFaultCode>(['throttled', 'timeout', 'unavailable']);

/** How many passes may be under way at once: between 2 and `most`, as the API server keeps up. */
export class FlightLimit {
  readonly most: number;
  readonly #least: number;
  #state: FlightState;
  /** The best milliseconds of a writing pass, by the reason it came to: like is compared with like. */
  readonly #bestMs = new Map<string, number>();
  #cutAtMs = Number.NEGATIVE_INFINITY;

  constructor(most: number) {
    this.most = most;
    this.#least = Math.min(2, most);
    this.#state = { limit: Math.min(4, most), slowdown: 1, startingUp: true };
  }

  get value(): number {
    return Math.floor(this.#state.limit);
  }

  /**
   * Learns from a pass; times by the monotonic clock. Passes that wrote nothing tell nothing about the API server, nor do the failures of a key
   * that failed the last time, too: it may be the one that fails. Only a 429 is always about all.
   */
  learn(outcome: Outcome, startedMs: number, endedMs: number, inFlight: number, failedBefore = false): void {
    if (failedBefore && outcome.kind === 'failed' && outcome.reason !== 'throttled') return;
    const sample = this.#sampleOf(outcome, startedMs, endedMs, inFlight);
    if (sample !== undefined) this.#state = nextFlight(this.#state, sample, this.#least, this.most);
  }

  #sampleOf(outcome: Outcome, startedMs: number, endedMs: number, inFlight: number): FlightSample | undefined {
    if (outcome.kind === 'failed') {
      // Those that were under way when the limit was cut tell of the same overload.
      if (!overloads.has(outcome.reason) || startedMs < this.#cutAtMs) return undefined;
      this.#cutAtMs = endedMs;
      return 'overloaded';
    }
    if (!outcome.again) return undefined;
    const tookMs = Math.max(1, endedMs - startedMs);
    const beforeMs = this.#bestMs.get(outcome.reason) ?? tookMs;
    const bestMs = tookMs < beforeMs ? tookMs : beforeMs + (tookMs - beforeMs) * forgetting;
    this.#bestMs.set(outcome.reason, bestMs);
    return { slowdown: tookMs / bestMs, inFlight };
  }
}
