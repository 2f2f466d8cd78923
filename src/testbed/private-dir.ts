import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoCode } from './testbed-error.ts';

/**
 * Makes a directory, and those above it, for their owner alone; one that exists stays as it is. Throws the system's error.
 * (Node's own `recursive` never returns where a directory exists and yet nothing can be made in it, as in /proc.)
 */
export function makePrivateDir(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (!existsSync(parent)) makePrivateDir(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
}
