/** Trouble with a cluster of the testbed that a user can act on: the message says which object, what stood in the way and what to do next. */
export class TestbedError extends Error {
  override readonly name = 'TestbedError';
}

/** A TestbedError about `what`, for a failed system call (`ENOSPC`, `EACCES`, …) or anything else that was thrown. */
export function toTestbedError(what: string, error: unknown): TestbedError {
  if (error instanceof TestbedError) return error;
  const cause = systemCauses[errnoCode(error) ?? ''] ?? (error instanceof Error ? error.message : String(error));
  return new TestbedError(`${what}: ${cause}`, { cause: error });
}

/** The system's code of a failed call, e.g. `ENOENT`; undefined for every other error. */
export function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const systemCauses: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space, or choose another directory with --dir',
  EDQUOT: 'the disk quota is used up; free some space, or choose another directory with --dir',
  EACCES: 'permission denied; choose a directory you may write to with --dir, or set XDG_STATE_HOME',
  EPERM: 'permission denied; choose a directory you may write to with --dir, or set XDG_STATE_HOME',
  EROFS: 'the file system is read-only; choose another directory with --dir, or set XDG_STATE_HOME',
  ENOENT: 'no directory can be made there; choose another one with --dir, or set XDG_STATE_HOME',
  ENOTDIR: 'a part of the path is a file, not a directory; choose another directory with --dir, or set XDG_STATE_HOME',
  EMFILE: 'too many open files; raise the limit with `ulimit -n`',
};
