/**
 * Delay before the next try of a key that keeps failing: doubles from `baseMs`, levels off at `capMs`. Pure.
 *
 * @param failures failures in a row, 1 or more
 * @param jitter drawn by the caller from [0, 1), so that keys that failed together part ways
 * @returns milliseconds, from half the undamped delay up to just under the whole
 * @throws RangeError if `failures` is below 1: a caller's bug, not a state of the cluster
 */
export function backoffMs(failures: number, jitter: number, baseMs = 50, capMs = 60_000): number {
  if (failures < 1) throw new RangeError(`failures must be 1 or more, got ${failures}`);
  return Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 40)) * (0.5 + jitter / 2);
}
