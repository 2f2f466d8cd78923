import type { ChildProcess } from 'node:child_process';

export interface Collected {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a child prints until it closes, and its exit code. Rejects only when it cannot be started. `onStderr` is told each piece as it comes. */
export function collectOutput(child: ChildProcess, onStderr: (all: string) => void = () => undefined): Promise<Collected> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr(stderr);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
