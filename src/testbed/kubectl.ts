import { type ExecFileException, execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { TestbedError, toTestbedError } from './testbed-error.ts';

export interface KubectlOptions {
  /** Standard input, e.g. for `apply -f -`. */
  readonly input?: string;
  /** The call is ended after it; 30 s unless told. Without a limit a call hangs for as long as a finalizer does. */
  readonly timeoutMs?: number;
}

/** Runs kubectl against a cluster and returns what it printed. @throws TestbedError with kubectl's own words when it fails or takes too long */
export async function kubectl(
  cluster: { readonly kubectl: readonly string[] },
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<string> {
  const { input = '', timeoutMs = 30_000 } = options;
  const [binary = 'kubectl', ...prefix] = cluster.kubectl;
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: Number.POSITIVE_INFINITY } as const;
  const call = promisify(execFile)(binary, [...prefix, ...args], limits);
  // kubectl that ends without reading its input is judged by its exit code.
  call.child.stdin?.on('error', () => undefined).end(input);
  try {
    return (await call).stdout;
  } catch (cause) {
    const { message, stderr = '', code, signal } = cause as ExecFileException;
    const why =
      signal === 'SIGKILL'
        ? `no answer within ${timeoutMs / 1000} s`
        : stderr.trim() || (typeof code === 'number' ? `exit code ${code}` : message);
    throw new TestbedError(`kubectl ${args.join(' ')}: ${why}`, { cause });
  }
}

/** Runs kubectl with this process's own input and output, for a person; returns its exit code. @throws TestbedError if it cannot be run */
export function passToKubectl(cluster: { readonly kubectl: readonly string[] }, args: readonly string[]): number {
  const [binary = 'kubectl', ...prefix] = cluster.kubectl;
  const { error, status } = spawnSync(binary, [...prefix, ...args], { stdio: 'inherit' });
  if (error !== undefined) throw toTestbedError('running kubectl', error);
  return status ?? 1;
}

/** Arguments that wait until the API server serves CRDs. `--for=condition=Established` fails at once on one that has no status yet. Pure. */
export function untilEstablished(...crds: readonly string[]): string[] {
  return ['wait', '--for=jsonpath={.status.conditions[?(@.type=="Established")].status}=True', '--timeout=30s', ...crds];
}
