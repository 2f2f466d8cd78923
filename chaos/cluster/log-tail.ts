import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/**
 * What a log gets from now on.
 *
 * @returns reads all of it so far; undefined where there is no log, or lines may be lost, since it was cut short or begun anew
 */
export function tailLog(path: string): () => string | undefined {
  const before = statSync(path, { throwIfNoEntry: false });
  return () => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    const file = openSync(path, 'r');
    try {
      const { size, ino } = fstatSync(file);
      const from = before?.size ?? 0;
      if (size < from || (before !== undefined && ino !== before.ino)) return undefined;
      const bytes = Buffer.alloc(size - from);
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from));
    } finally {
      closeSync(file);
    }
  };
}
