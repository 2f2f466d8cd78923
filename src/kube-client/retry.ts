import { isKubeFault } from '../kube/faults.ts';
import { BodyError } from './body.ts';
import { mayPass } from './connection-text.ts';
import { TransportError } from './transport.ts';

const baseMs = 100;
const capMs = 5_000;
const budgetTokens = 10;
const tokensPerSuccess = 0.1;

/**
 * How long to wait before a failed request is sent again, or undefined where it must not be: one that may have changed something is never sent twice.
 * Full jitter under a limit that doubles from 0.1 s to 5 s, on top of what the server asked for; a wait of more than 5 s is the caller's to make. Pure.
 *
 * @param error what the request failed with: a `KubeFault` for an answer, else a `TransportError` or `BodyError`
 * @param write whether it may have changed something
 * @param failures failures of this request in a row, 1 or more
 * @param jitter drawn by the caller from [0, 1)
 */
export function retryWaitMs(error: unknown, write: boolean, failures: number, jitter: number): number | undefined {
  const delayMs = jitter * Math.min(capMs, baseMs * 2 ** (failures - 1));
  if (error instanceof TransportError) {
    if (error.stage === 'refused') return delayMs;
    if (error.stage === 'connect') return mayPass(error.cause) ? delayMs : undefined;
    if (error.stage === 'aborted' || write) return undefined;
    // Often a kept connection that had died long before: a new one may do at once.
    return failures === 1 ? 0 : delayMs;
  }
  if (error instanceof BodyError) return error.cut && !write ? delayMs : undefined;
  if (!isKubeFault(error, 'throttled', 'unavailable') || (write && error.code !== 'throttled')) return undefined;
  const { retryAfterMs = 0 } = error;
  return retryAfterMs > capMs ? undefined : retryAfterMs + delayMs;
}

/**
 * What all requests of a client may spend on being sent again: a token each, ten to begin with and at most, a tenth back for each success.
 * So an API server in trouble sees at most a tenth more than it would without, and one that is down no more than ten.
 */
export class RetryBudget {
  #tokens = budgetTokens;

  succeeded(): void {
    if (this.#tokens < budgetTokens) this.#tokens = Math.min(budgetTokens, this.#tokens + tokensPerSuccess);
  }

  /** Whether one more may go; then it is spent. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
