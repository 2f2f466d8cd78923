import { isKubeFault, type KubeFaultCode } from '../kube/faults.ts';
import { ConfigError } from '../kube-client/cluster-config.ts';

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

const hints: Partial<Record<KubeFaultCode, string>> = {
  kindMissing: 'The Performer CRD is not installed: bin/hourglass crd | kubectl apply --server-side -f -',
  forbidden: 'Give the account this verb (manifests/rbac lists all that is needed), or choose a namespace it may use with -n.',
  unauthorized: 'The credentials of the kubeconfig are not accepted: renew them.',
};

/** What a user can do about a failed call of that code; undefined where the message says it all. Pure. */
export function hintFor(code: unknown): string | undefined {
  return hints[code as KubeFaultCode];
}

/** Errors that are written for the user already; known by name, since the code that throws them is loaded lazily. */
const namesForUsers = new Set(['TestbedError', 'ToolError', 'ServeError']);

/** What a failure means to the person at the terminal: message with object, cause and next step, and the exit code. Undefined for a bug. */
export function toCliError(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (isKubeFault(error)) {
    const hint = hintFor(error.code);
    const exitCode = isKubeFault(error, 'unreachable', 'timeout') ? exitCodes.unreachable : exitCodes.failed;
    return new CliError(hint === undefined ? error.message : `${error.message}. ${hint}`, exitCode, { cause: error });
  }
  if (error instanceof Error && error.name === 'ArgumentError') return new CliError(error.message, exitCodes.usage, { cause: error });
  if (error instanceof ConfigError || (error instanceof Error && namesForUsers.has(error.name)))
    return new CliError(error.message, exitCodes.failed, { cause: error });
  return undefined;
}
