import { hashHex } from '../lib/hash.ts';
import { createRandom } from '../lib/seeded-random.ts';

/** One stream of numbers from [0, 1). */
export interface Chance {
  readonly next: () => number;
  /** A whole number from `least` to `most`. */
  readonly int: (least: number, most: number) => number;
  /** Whether something of this probability happens. */
  readonly hits: (probability: number) => boolean;
  readonly pick: <T>(from: readonly [T, ...T[]] | readonly T[]) => T;
}

/** Streams by purpose, all from one seed: what one part of a simulation draws changes nothing for another. */
export function createChances(seed: number): (purpose: string) => Chance {
  const streams = new Map<string, Chance>();
  return (purpose) => {
    const known = streams.get(purpose);
    if (known !== undefined) return known;
    const chance = createChance(Number.parseInt(hashHex(`${seed}/${purpose}`).slice(0, 8), 16));
    streams.set(purpose, chance);
    return chance;
  };
}

function createChance(seed: number): Chance {
  const next = createRandom(seed);
  const int = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    int,
    hits: (probability) => next() < probability,
    pick: (from) => {
      const picked = from[int(0, from.length - 1)];
      if (picked === undefined) throw new RangeError('nothing to pick from');
      return picked;
    },
  };
}
