import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadSimulator, type Simulator } from '../support/load.ts';
import type { KnownBad } from './mutants.ts';

/** The simulator with that operator in it. @throws Error when the code has changed so that the change does not fit any more */
export async function loadWith({ name, file, find, replace }: KnownBad): Promise<Simulator> {
  const path = `src/${file}`;
  const times = readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8').split(find).length - 1;
  if (times !== 1) throw new Error(`known-bad ${name}: what it changes stands ${times} times in ${path}, not once`);
  return await loadSimulator((one, source) => (one === path ? source.replace(find, () => replace) : source));
}
