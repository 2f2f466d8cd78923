import type { Clock } from '../lib/clock.ts';
import { ConfigError, type RequestHeaders } from './cluster-config.ts';

/** A token to send, or a client certificate to show. */
export interface Credentials {
  readonly headers: RequestHeaders;
  readonly cert?: string;
  readonly key?: string;
}

/** What a source gave. */
export interface Given<T> {
  readonly value: T;
  /** After this long the source is asked again. */
  readonly freshMs: number;
  /** For this long the value may be used while the source gives nothing. */
  readonly goodMs: number;
}

/** Gives what is known, or asks for it. `renew`: what was given before was refused. */
export type Ask<T> = (renew: boolean) => Promise<T>;

/**
 * Keeps what `source` gives, and asks it again when that is no longer fresh or was refused; those that ask at once share one answer.
 * A source that fails while the value is still good changes nothing. Time is the monotonic clock's.
 *
 * @param restMs a source is not asked again for a refused value within this time, however often it is refused
 * @throws what `source` throws when there is nothing good to give
 */
export function createKept<T>(source: () => Promise<Given<T>>, clock: Clock, restMs: number): Ask<T> {
  let known: (Given<T> & { readonly atMs: number }) | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<T> | undefined;

  const ask = async (): Promise<T> => {
    try {
      known = { ...(await source()), atMs: clock.monotonicMs() };
    } catch (error) {
      if (known === undefined || clock.monotonicMs() - known.atMs >= known.goodMs) throw error;
    } finally {
      askedAtMs = clock.monotonicMs();
      asking = undefined;
    }
    return known.value;
  };

  return async (renew) => {
    const nowMs = clock.monotonicMs();
    if (known !== undefined && asking === undefined && nowMs - known.atMs < known.goodMs) {
      const wanted = renew || nowMs - known.atMs >= known.freshMs;
      if (!wanted || nowMs - askedAtMs < restMs) return known.value;
    }
    asking ??= ask();
    return asking;
  };
}

/** Kubernetes replaces a mounted token long before it expires; this is soon enough to see it. */
const tokenFreshMs = 60_000;

/**
 * A token in a file, read again after a minute and when it was refused. While the file cannot be read the last one stays in use: it may still be good,
 * and the API server is the one to say so.
 *
 * @throws ConfigError when there was never a token
 */
export function createTokenFile(path: string, read: (path: string) => Promise<string>, clock: Clock): Ask<string> {
  const source = async (): Promise<Given<string>> => {
    const value = (await read(path)).trim();
    if (value === '') throw new ConfigError(`the token file ${path} is empty`);
    return { value, freshMs: tokenFreshMs, goodMs: Number.POSITIVE_INFINITY };
  };
  return createKept(source, clock, 0);
}
