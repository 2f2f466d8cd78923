/**
 * Every way a call to the API server can fail, as one closed table. Callers branch on the code, never on text.
 * `retry` says what a caller that wants the same thing should do: see the world again first, wait, or give up.
 */
export const kubeFaults = {
  /** 409: a precondition (uid, resourceVersion) does not hold any more. */
  conflict: { retry: 'observe' },
  /** 404 of an object. */
  notFound: { retry: 'observe' },
  /** 409 on create: the name is taken. */
  alreadyExists: { retry: 'observe' },
  /** 410, or a watch event of that code: the resourceVersion is too old. */
  expired: { retry: 'observe' },
  /** 404 of a whole kind: its CRD is not installed (or not yet served). */
  kindMissing: { retry: 'backoff' },
  /** 401. */
  unauthorized: { retry: 'backoff' },
  /** 403, quota and admission denials included. */
  forbidden: { retry: 'backoff' },
  /** 422 or 400: the object or the request itself is refused. */
  invalid: { retry: 'never' },
  /** 429. */
  throttled: { retry: 'backoff' },
  /** 5xx with an answer. */
  unavailable: { retry: 'backoff' },
  /** No connection, or it broke before a byte of the request left. */
  unreachable: { retry: 'backoff' },
  /** A write was sent and no answer came: it may or may not have happened. */
  unknownOutcome: { retry: 'observe' },
  /** The caller's deadline passed on a read, or on a write that was never sent. */
  timeout: { retry: 'backoff' },
  /** The caller's signal aborted. */
  aborted: { retry: 'never' },
  /** The answer cannot be read: not JSON, too large, cut off. */
  unreadable: { retry: 'backoff' },
} as const satisfies Record<string, { readonly retry: 'observe' | 'backoff' | 'never' }>;

export type KubeFaultCode = keyof typeof kubeFaults;

export interface KubeFaultDetails {
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** The API server's own `reason`, for messages. */
  readonly reason?: string;
  /** From Retry-After. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A failed call: `new KubeFault('conflict', 'patching Service team-a/x: …')`. The message names verb, object and what stood in the way, no secret. */
export class KubeFault extends Error {
  override readonly name = 'KubeFault';
  readonly code: KubeFaultCode;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: KubeFaultCode, message: string, details: KubeFaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** Whether `error` is a failed call, of one of `codes` when any are given. */
export function isKubeFault(error: unknown, ...codes: readonly KubeFaultCode[]): error is KubeFault {
  return error instanceof KubeFault && (codes.length === 0 || codes.includes(error.code));
}
