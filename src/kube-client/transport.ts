/** Calls and watches never share a connection: a stuck watch must not hold up a write. */
export type Lane = 'call' | 'watch';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | undefined;
  readonly lane: Lane;
  /** Ends the request, its body included. */
  readonly signal: AbortSignal;
}

/** The pieces of an answer's body, as `Buffer`s; taking them throws where it broke off. */
export interface TransportBody extends AsyncIterable<unknown> {
  /** Lets the rest of it be. */
  destroy(): void;
}

export interface TransportAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: TransportBody;
  /** Stands for the certificates its connection was made with; '' where that was none. */
  readonly shown: string;
  /** Whether a body that has ended was all of it, not cut off. */
  readonly complete: () => boolean;
}

export interface Transport {
  /** Resolves with the answer's head, whatever its status. @throws TransportError and nothing else */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** New requests take no connection made with other certificates than those `shown` stands for; those under way go on. */
  renew(shown: string): void;
  /** Ends every connection at once. */
  close(): void;
}

/**
 * How far a request came that got no answer:
 * `connect` no connection came about · `refused` a connection, but the request was certainly not looked at ·
 * `broken` it was sent, and the connection ended before an answer · `aborted` the caller's signal ended it.
 */
export type TransportStage = 'connect' | 'refused' | 'broken' | 'aborted';

export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly stage: TransportStage;
  /** Whether the API server may have acted on the request. */
  readonly sent: boolean;

  constructor(stage: TransportStage, message: string, options: { readonly sent?: boolean; readonly cause?: unknown } = {}) {
    super(message, options);
    this.stage = stage;
    this.sent = options.sent ?? stage === 'broken';
  }
}

/** The promise, or a `TransportError` (`aborted`, not sent) when the signal aborts first. What the promise stands for goes on. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new TransportError('aborted', 'aborted before it was sent'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
