import { status } from '@grpc/grpc-js';

/** The name of a gRPC status that is none of success. */
export type FailureCode = Exclude<keyof typeof status, 'OK'>;

const longestMessage = 1_000;

/** A failure that the caller may read: code and message travel to it, so the message holds no secret. Any other error becomes INTERNAL without a word. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: FailureCode;
  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function codeOf(error: unknown): FailureCode {
  return error instanceof TaskError ? error.code : 'INTERNAL';
}

/** What goes over the wire. Trailers have a limit, beyond which the client sees a broken stream and no status. Pure. */
export function toStatus(error: unknown): { readonly code: status; readonly details: string } {
  if (!(error instanceof TaskError)) return { code: status.INTERNAL, details: 'the performer failed' };
  // Cut by characters, not by halves of one: grpc-js cannot send half a pair.
  return { code: status[error.code], details: error.message.toWellFormed().slice(0, longestMessage).toWellFormed() };
}
