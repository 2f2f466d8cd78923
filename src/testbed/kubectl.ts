import { spawn, spawnSync } from 'node:child_process';
import { TestbedError, toTestbedError } from './testbed-error.ts';

export interface KubectlOptions {
  /** Standard input, e.g. for `apply -f -`. */
  readonly input?: string;
  /** The call is ended after it; 30 s unless told. Without a limit a call hangs for as long as a finalizer does. */
  readonly timeoutMs?: number;
}

/** Runs kubectl against a cluster and returns what it printed. @throws TestbedError with kubectl's own words when it fails or takes too long */
export function kubectl(
  cluster: { readonly kubectl: readonly string[] },
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<string> {
  const { input = '', timeoutMs = 30_000 } = options;
  const [binary = 'kubectl', ...prefix] = cluster.kubectl;
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [...prefix, ...args], { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
    const output: Buffer[] = [];
    const complaints: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    // kubectl that ends without reading its input is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const what = `kubectl ${args.join(' ')}`;
    child.once('error', (error) => reject(new TestbedError(`${what}: ${error.message}`, { cause: error })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else if (signal === 'SIGKILL') reject(new TestbedError(`${what}: no answer within ${timeoutMs / 1000} s`));
      else reject(new TestbedError(`${what}: ${Buffer.concat(complaints).toString('utf8').trim() || `exit code ${code}`}`));
    });
  });
}

/** Runs kubectl with this process's own input and output, for a person; returns its exit code. @throws TestbedError if it cannot be run */
export function passToKubectl(cluster: { readonly kubectl: readonly string[] }, args: readonly string[]): number {
  const [binary = 'kubectl', ...prefix] = cluster.kubectl;
  const { error, status } = spawnSync(binary, [...prefix, ...args], { stdio: 'inherit' });
  if (error !== undefined) throw toTestbedError('running kubectl', error);
  return status ?? 1;
}
