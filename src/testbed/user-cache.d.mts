/** Where everything lives that may be made again: `$XDG_CACHE_HOME/hourglass`, `~/.cache/hourglass` without that variable. */
export function userCacheDir(env?: Readonly<Record<string, string | undefined>>): string;

/**
 * Runs `run` while this process holds the lock file `path`; others on the same path wait for it, in other processes too.
 * A lock whose process is dead is taken over at once, one whose process only seems to live (its number was given out again) after half a minute without a heartbeat.
 *
 * @param options.onWait called about five times a second while another process holds the lock, with its pid
 * @param options.deafMs how long a live holder may be silent
 */
export function withLock<T>(
  path: string,
  run: () => Promise<T>,
  options?: { readonly onWait?: (pid: number) => void; readonly deafMs?: number },
): Promise<T>;
