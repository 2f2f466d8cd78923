import { keyText, type ObjectKey } from '../kube/objects.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * Keys that want a look. Equal keys merge; a key that is being worked on waits and is handed out again afterwards,
 * so no key is ever worked on twice at once and no wish for a look is lost.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #ready = new Map<string, ObjectKey>();
  readonly #running = new Map<string, ObjectKey>();
  /** Wanted again while running. */
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();
  /** Monotonic time before which a key is not handed out. */
  readonly #held = new Map<string, number>();
  readonly #takers: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys ready to be taken. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Nothing ready and nothing running; delays may still be pending. */
  get idle(): boolean {
    return this.#ready.size === 0 && this.#running.size === 0;
  }

  add(key: ObjectKey): void {
    const text = keyText(key);
    if (this.#running.has(text)) {
      this.#dirty.add(text);
      return;
    }
    const heldMs = (this.#held.get(text) ?? 0) - this.#clock.monotonicMs();
    if (heldMs > 0) {
      this.addAfter(key, heldMs);
      return;
    }
    this.#held.delete(text);
    this.#ready.set(text, key);
    this.#takers.shift()?.();
  }

  /** Hands the key out no sooner than after this delay, whoever adds it meanwhile. */
  hold(key: ObjectKey, delayMs: number): void {
    this.#held.set(keyText(key), this.#clock.monotonicMs() + delayMs);
  }

  /** Adds the key after a delay; of two delays the sooner holds. */
  addAfter(key: ObjectKey, delayMs: number): void {
    const text = keyText(key);
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const before = this.#timers.get(text);
    if (before !== undefined && before.dueMs <= dueMs) return;
    before?.cancel();
    const cancel = this.#clock.timer(delayMs, () => {
      this.#timers.delete(text);
      this.add(key);
    });
    this.#timers.set(text, { dueMs, cancel });
  }

  /** The key that has been ready longest; undefined once `signal` aborts. Whoever takes it calls `done`. */
  async take(signal: AbortSignal): Promise<ObjectKey | undefined> {
    while (!signal.aborted) {
      const next = this.#ready.entries().next();
      if (next.done !== true) {
        const [text, key] = next.value;
        this.#ready.delete(text);
        this.#running.set(text, key);
        return key;
      }
      await this.#wake(signal);
    }
    return undefined;
  }

  done(key: ObjectKey): void {
    const text = keyText(key);
    this.#running.delete(text);
    if (this.#dirty.delete(text)) this.add(key);
  }

  /** Cancels all delays. */
  close(): void {
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #wake(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        const index = this.#takers.indexOf(wake);
        if (index >= 0) this.#takers.splice(index, 1);
        resolve();
      };
      this.#takers.push(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
