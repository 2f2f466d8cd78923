import { isKubeFault, type KubeFault } from './faults.ts';

const baseMs = 800;
const capMs = 30_000;
/** A server that cannot be reached costs nothing to ask, and what it holds back meanwhile is late for everyone. */
const connectionCapMs = 5_000;
/** However long a server asks to be left alone. */
const retryAfterCapMs = 60_000;

/**
 * Delay before a reflector's next try: full jitter under a limit that doubles from 0.8 s to 30 s, to 5 s where there was no connection;
 * never before the server's Retry-After. Pure.
 *
 * @param failures failures in a row, 1 or more
 * @param jitter drawn by the caller from [0, 1)
 */
export function reflectorBackoffMs(failures: number, fault: KubeFault | undefined, jitter: number): number {
  const limitMs = isKubeFault(fault, 'unreachable', 'timeout', 'unknownOutcome') ? connectionCapMs : capMs;
  const delayMs = Math.round(jitter * Math.min(limitMs, baseMs * 2 ** (failures - 1)));
  return Math.max(delayMs, Math.min(fault?.retryAfterMs ?? 0, retryAfterCapMs));
}
