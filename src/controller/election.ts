import { isKubeFault } from '../kube/faults.ts';
import type { LeaseAttempt, LeaseElector } from '../kube/lease.ts';
import { type Clock, sleep } from '../lib/clock.ts';

export interface ElectionOptions {
  readonly lease: LeaseElector;
  readonly clock: Clock;
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void;
}

/** `unelected`: no Lease can be had, preconditions alone keep two writers harmless. */
export type Role = 'standby' | 'leader' | 'unelected';

/** Works until `stop` aborts (then what is under way may end) or `lost` does (then nothing may be written any more). */
export type Lead = (stop: AbortSignal, lost: AbortSignal) => Promise<void>;

/** Between two looks of a standby, and between two of one that runs without a Lease. */
const standbyMs = 2_000;
const recheckMs = 10_000;

/** Lets one of several processes lead at a time, for as long as it holds the Lease. */
export class Election {
  readonly #options: ElectionOptions;
  #role: Role = 'standby';
  #said = '';

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get role(): Role {
    return this.#role;
  }

  /** To be asked before each write: it turns false when the Lease has run out by the monotonic clock, though no timer has told yet. */
  mayWrite(): boolean {
    return this.#role === 'unelected' || (this.#role === 'leader' && this.#options.lease.isHeld());
  }

  /** Until `stop` aborts: leads whenever the Lease is to be had, or while none can be. Gives the Lease back after the last `lead` is over. */
  async run(stop: AbortSignal, lead: Lead): Promise<void> {
    const { lease, clock } = this.#options;
    while (!stop.aborted) {
      const claim = await this.#ask(stop);
      if (stop.aborted && claim?.held !== true) return;
      if (claim?.held === true) {
        this.#say('leading');
        await this.#turn('leader', stop, lead, (over, lose) => lease.keep(over, lose));
      } else if (claim !== undefined && 'unavailable' in claim) {
        this.#say('running without a Lease', { cause: claim.message });
        await this.#turn('unelected', stop, lead, (over, lose) => this.#awaitLease(over, lose));
      } else {
        if (claim !== undefined) this.#say('standing by', { holder: claim.holder });
        // An API server that is away comes back; caches and process stay.
        await sleep(clock, standbyMs, stop);
      }
    }
  }

  async #turn(role: Role, stop: AbortSignal, lead: Lead, guard: (over: AbortSignal, lose: () => void) => Promise<void>): Promise<void> {
    const over = new AbortController();
    const lost = new AbortController();
    this.#role = role;
    const guarded = guard(over.signal, () => {
      this.#role = 'standby';
      lost.abort(new Error('the Lease is lost'));
    });
    try {
      await lead(stop, lost.signal);
    } finally {
      over.abort();
      await guarded;
      this.#role = 'standby';
      // Does nothing where it was lost.
      if (stop.aborted || role === 'leader') await this.#options.lease.release();
    }
  }

  /** Leases that were forbidden may be allowed again: then it is theirs to say who leads. */
  async #awaitLease(over: AbortSignal, lose: () => void): Promise<void> {
    for (;;) {
      await sleep(this.#options.clock, recheckMs, over);
      if (over.aborted) return;
      const claim = await this.#ask(over);
      if (claim === undefined || 'unavailable' in claim) continue;
      lose();
      return;
    }
  }

  /** Undefined: the API server did not answer. */
  async #ask(signal: AbortSignal): Promise<LeaseAttempt | undefined> {
    try {
      return await this.#options.lease.tryAcquire(signal);
    } catch (error) {
      if (!isKubeFault(error)) throw error;
      if (!signal.aborted) this.#say('asking for the Lease failed', { error: error.message });
      return undefined;
    }
  }

  /** Each state once, not each look. */
  #say(message: string, fields: Readonly<Record<string, string>> = {}): void {
    const said = [message, ...Object.values(fields)].join(' ');
    if (said !== this.#said) this.#options.log(message, fields);
    this.#said = said;
  }
}
