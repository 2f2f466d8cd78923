import type { Mutant } from './mutants.ts';

/** What `scripts/mutate.ts` hands to one worker. */
export interface Share {
  readonly root: string;
  readonly core: string;
  readonly tests: readonly string[];
  readonly mutants: readonly Mutant[];
  /** Where results go, one JSON line each. */
  readonly results: string;
}
/** `test` is what noticed the mutant; undefined where nothing did. */
export interface Result {
  readonly mutant: Mutant;
  readonly outcome: 'killed' | 'survived';
  readonly test?: string;
}
