import type { Memory } from './memory.ts';

/** Since when something has been wrong without a break, and whether operators have had the time to put it right. */
export class Overdue {
  readonly #memory: Memory;
  readonly #sinceMs = new Map<string, number>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** It is as it should be, or nobody of ours is to put it right. */
  clears(id: string): void {
    this.#sinceMs.delete(id);
  }

  /**
   * For how long something has been wrong for longer than it may be, ms: above 0 it is overdue. Undefined while what keeps operators from
   * acting has no end yet. Granted: views that may be old, whatever made operators late, and refusals (`untilMs`).
   */
  byMs(id: string, isWrong: boolean, atMs: number, untilMs: number): number | undefined {
    const { context } = this.#memory;
    if (!isWrong) this.clears(id);
    else if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, atMs);
    // Where nobody tells what a fault keeps operators from, all of its time is granted.
    const fromMs = Math.max(this.#sinceMs.get(id) ?? atMs, untilMs, context.lateUntilMs?.() ?? context.calmSinceMs());
    return fromMs === Number.POSITIVE_INFINITY ? undefined : atMs - fromMs - context.viewLagMs - context.settleMs;
  }
}
