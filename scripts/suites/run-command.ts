import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  /** What it printed, both streams as they came; empty when `show` was asked for. */
  readonly output: string;
  readonly durationMs: number;
}

/** Runs a command to its end. It is not left behind when this process is told to stop. Never rejects: a command that cannot start ends with 127. */
export async function runCommand(command: string, args: readonly string[], options: { readonly show: boolean }): Promise<CommandResult> {
  const startedMs = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', ...(options.show ? (['inherit', 'inherit'] as const) : (['pipe', 'pipe'] as const))],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const stops = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const stop = (): void => {
      child.once('close', () => process.exit(1));
      child.kill(signal);
    };
    process.once(signal, stop);
    return () => process.off(signal, stop);
  });
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      output += `${error.message}\n`;
      resolve(127);
    });
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  for (const off of stops) off();
  return { code, output, durationMs: performance.now() - startedMs };
}
