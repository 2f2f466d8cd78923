import { ArgumentError } from './argument-error.ts';

/** What makes a run the one it is, by name, as texts. */
export type RunFacts = ReadonlyMap<string, string>;

/** Refuses to put results beside those of another run. @throws ArgumentError that names what differs, and the way out */
export function checkSameFacts(was: RunFacts, is: RunFacts, wayOut: string): void {
  const differing = [...new Set([...was.keys(), ...is.keys()])].filter((what) => was.get(what) !== is.get(what));
  if (differing.length === 0) return;
  const told = differing.map((what) => `${what} was ${was.get(what) ?? 'absent'} and is ${is.get(what) ?? 'absent'}`);
  throw new ArgumentError(`this run cannot go on: ${told.join('; ')}. ${wayOut}`);
}
