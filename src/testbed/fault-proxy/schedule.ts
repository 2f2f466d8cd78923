import { type Clock, sleep } from '../../lib/clock.ts';
import { createRandom } from '../../lib/seeded-random.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { type Fault, type FaultName, faultCatalogue, faultNames } from './faults.ts';

/** One fault, for a while. */
export interface Episode {
  readonly atMs: number;
  readonly durationMs: number;
  readonly fault: Fault;
}

export interface ScheduleOptions {
  /** Default: all there are. */
  readonly names?: readonly FaultName[];
  /** How often each comes, its variants in turn; default: once in 90 s. */
  readonly perFault?: number;
  /** Part of the whole time that is under a fault; default 0.25, at most 0.6. */
  readonly share?: number;
  /** At the end without a fault, for what was held up to come through; default a tenth, at most 15 s. */
  readonly quietMs?: number;
}

/** A run of faults, one at a time, each as often as all others and spread over the whole run. Pure: the same seed gives the same run. */
export function planFaultSchedule(seed: number, durationMs: number, options: ScheduleOptions = {}): readonly Episode[] {
  const { names = faultNames, perFault = Math.ceil(durationMs / 90_000), share = 0.25 } = options;
  const { quietMs = Math.min(15_000, durationMs / 10) } = options;
  if (share > 0.6) throw new RangeError(`share must be at most 0.6, got ${share}`);
  const random = createRandom(seed);
  const faults = Array.from({ length: perFault }, (_, round) => shuffle(names, random).map((name) => faultOfRound(name, round))).flat();
  const slotMs = (durationMs - quietMs) / faults.length;
  const weights = faults.map(() => 0.75 + random() / 2);
  const unitMs = (share * durationMs) / weights.reduce((sum, weight) => sum + weight, 0);
  return faults.map((fault, index) => {
    const lengthMs = Math.min(slotMs, (weights[index] ?? 1) * unitMs);
    return { atMs: Math.floor(index * slotMs + random() * (slotMs - lengthMs)), durationMs: Math.ceil(lengthMs), fault };
  });
}

/** Injects each episode when it is due. Resolves when the last is over, or the signal aborts. */
export async function playFaultSchedule(
  proxy: Pick<FaultProxy, 'inject'>,
  episodes: readonly Episode[],
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly onEpisode?: (episode: Episode) => void },
): Promise<void> {
  const { clock, signal, onEpisode } = options;
  const startedMs = clock.monotonicMs();
  const until = (atMs: number): Promise<void> => sleep(clock, Math.max(0, startedMs + atMs - clock.monotonicMs()), signal);
  for (const episode of episodes) {
    await until(episode.atMs);
    if (signal.aborted) return;
    onEpisode?.(episode);
    proxy.inject(episode.fault, { durationMs: episode.durationMs });
  }
  const last = episodes.at(-1);
  if (last !== undefined) await until(last.atMs + last.durationMs);
}

function faultOfRound(name: FaultName, round: number): Fault {
  const { variants }: { readonly variants: readonly string[] } = faultCatalogue[name];
  const variant = variants[round % Math.max(1, variants.length)];
  return (variant === undefined ? { name } : { name, variant }) as Fault;
}

function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
