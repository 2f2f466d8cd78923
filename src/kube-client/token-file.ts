import type { Clock } from '../lib/clock.ts';
import { ConfigError } from './cluster-config.ts';

/** Kubernetes replaces a mounted token long before it expires; this is soon enough to see it. */
const maxAgeMs = 60_000;

/**
 * A token that is read again after a minute, or when `renew` is asked for.
 * While the file cannot be read the last token stays in use: it may still be good, and the API server is the one to say so.
 *
 * @throws ConfigError when there was never a token
 */
export function createTokenFile(path: string, read: (path: string) => Promise<string>, clock: Clock): (renew: boolean) => Promise<string> {
  let token: string | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    try {
      const text = (await read(path)).trim();
      if (text === '') throw new ConfigError(`the token file ${path} is empty`);
      token = text;
    } catch (error) {
      if (token === undefined) throw error;
    } finally {
      reading = undefined;
      readAtMs = clock.monotonicMs();
    }
  };

  return async (renew) => {
    if (token === undefined || renew || clock.monotonicMs() - readAtMs >= maxAgeMs) {
      reading ??= refresh();
      await reading;
    }
    if (token === undefined) throw new ConfigError(`the token file ${path} holds no token`);
    return token;
  };
}
