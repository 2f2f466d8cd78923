import { hashHex } from '../src/lib/hash.ts';
import { createRandom } from '../src/lib/seeded-random.ts';
import type { Experiment } from './experiment.ts';

/** The experiments of a run in the order of its seed, `repeat` times over; each round has an order of its own. Pure. */
export function planOrder(
  experiments: readonly Experiment[],
  seed: number,
  repeat: number,
): readonly { readonly experiment: Experiment; readonly round: number }[] {
  const random = createRandom(seed);
  return Array.from({ length: repeat }, (_, round) => {
    const drawn = experiments.map((experiment) => ({ experiment, round, at: random() }));
    return drawn.toSorted((a, b) => a.at - b.at).map(({ experiment }) => ({ experiment, round }));
  }).flat();
}

/** Draws that are the same for the same text. */
export function randomOf(text: string): () => number {
  return createRandom(Number.parseInt(hashHex(text).slice(0, 8), 16));
}

/**
 * One of the candidates, by seed, experiment and round and by nothing else: how many were drawn before makes no difference. Pure.
 *
 * @param candidates names, in any order
 * @throws RangeError when there are none
 */
export function chooseTarget(candidates: readonly string[], seed: number, experiment: string, round: number): string {
  const chosen = candidates.toSorted()[Math.floor(randomOf(`${seed} ${experiment} ${round}`)() * candidates.length)];
  if (chosen === undefined) throw new RangeError(`experiment ${experiment}: there is nothing to choose from`);
  return chosen;
}
