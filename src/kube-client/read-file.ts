import { ConfigError } from './config-error.ts';

/** Reads a file; rejects as `node:fs/promises` does. */
export type ReadFile = (path: string) => Promise<string | Uint8Array>;

/** The file's text. @throws what `readFile` rejects with */
export async function readTextFile(readFile: ReadFile, path: string): Promise<string> {
  const content = await readFile(path);
  return typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
}

/** Whether a rejected read says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');
}

/** A file that must be there. @throws ConfigError that says which file, what it is for, and why it cannot be read */
export async function readNeeded(readFile: ReadFile, path: string, what: string): Promise<string> {
  try {
    return await readTextFile(readFile, path);
  } catch (error) {
    throw new ConfigError(`reading ${what} ${path}: ${whyUnreadable(error)}`, { cause: error });
  }
}

function whyUnreadable(error: unknown): string {
  if (isMissing(error)) return 'there is no such file; check the path';
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) return 'no permission to read it; check its owner and mode';
  if (hasCode(error, 'EISDIR')) return 'it is a directory; name the file';
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return `it cannot be read (${code})`;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
