import { type Clock, sleep } from '../../lib/clock.ts';
import { createRandom } from '../../lib/seeded-random.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { type Fault, faultCatalogue, faultNames } from './faults.ts';

/** One fault, for a while. */
export interface Episode {
  readonly atMs: number;
  readonly durationMs: number;
  readonly fault: Fault;
}

/** Each fault comes once in this time, and at least once. */
const roundMs = 90_000;
/** Part of the whole time that is under a fault. */
const share = 0.25;
/** At the end without a fault, for what was held up to come through; a tenth of a short run. */
const quietMs = 15_000;

/** A run of all faults, one at a time, each as often as the others and spread over the whole run, its variants in turn. Pure: the same seed gives the same run. */
export function planFaultSchedule(seed: number, durationMs: number): readonly Episode[] {
  const random = createRandom(seed);
  const faults = Array.from({ length: Math.ceil(durationMs / roundMs) }, (_, round) => {
    const ordered = faultNames.map((name) => ({ name, order: random() })).toSorted((a, b) => a.order - b.order);
    return ordered.map(({ name }): Fault => {
      const { variants }: { readonly variants: readonly string[] } = faultCatalogue[name];
      return { name, ...(variants.length === 0 ? {} : { variant: variants[round % variants.length] }) } as Fault;
    });
  }).flat();
  const slotMs = (durationMs - Math.min(quietMs, durationMs / 10)) / faults.length;
  const meanMs = (share * durationMs) / faults.length;
  return faults.map((fault, index) => {
    const lengthMs = meanMs * (0.85 + random() / 2);
    return { atMs: Math.floor(index * slotMs + random() * (slotMs - lengthMs)), durationMs: Math.ceil(lengthMs), fault };
  });
}

/** Injects each episode when it is due. Resolves when the last is over, or the signal aborts. */
export async function playFaultSchedule(
  proxy: Pick<FaultProxy, 'inject'>,
  episodes: readonly Episode[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, signal } = options;
  const startedMs = clock.monotonicMs();
  const until = (atMs: number): Promise<void> => sleep(clock, Math.max(0, startedMs + atMs - clock.monotonicMs()), signal);
  for (const { atMs, durationMs, fault } of episodes) {
    await until(atMs);
    if (signal.aborted) return;
    proxy.inject(fault, { durationMs });
    await until(atMs + durationMs);
  }
}
