import { isKubeFault, type KubeFault } from './faults.ts';

const baseMs = 300;
const shareOfOutage = 0.1;
const capMs = 10_000;
/** Asking costs nothing where there is no server, or none for this kind; what happens there meanwhile is late for everyone. */
const cheapCapMs = 5_000;
const throttledCapMs = 30_000;
/** However long a server asks to be left alone. */
const retryAfterCapMs = 60_000;

/**
 * Delay before a reflector's next try: full jitter under a tenth of the time the trouble has lasted, so that the time lost after its end
 * stays a small part of it; from 0.3 s up to 10 s, 5 s where there is no connection or no such kind, 30 s where the server is
 * overloaded; never before the server's Retry-After. Pure.
 *
 * @param outageMs since the trouble began
 * @param jitter drawn by the caller from [0, 1)
 */
export function reflectorBackoffMs(outageMs: number, fault: KubeFault | undefined, jitter: number): number {
  const cap = isKubeFault(fault, 'unreachable', 'timeout', 'unknownOutcome', 'kindMissing')
    ? cheapCapMs
    : isKubeFault(fault, 'throttled')
      ? throttledCapMs
      : capMs;
  const delayMs = Math.round(jitter * Math.min(cap, Math.max(baseMs, outageMs * shareOfOutage)));
  return Math.max(delayMs, Math.min(fault?.retryAfterMs ?? 0, retryAfterCapMs));
}
