/** Exit codes, the same for every command. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** A negative verdict: `once` found something waiting or stalled. */
  negative: 3,
  inconclusive: 4,
  unreachable: 7,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A message for the user and the exit code that goes with it; printed without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
