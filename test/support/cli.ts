import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildCli } from '../../scripts/build.ts';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';

let built: Promise<string> | undefined;

/** The bundle that ships, built once per test file. Files that run at the same time build into a folder each. */
export function builtCli(): Promise<string> {
  const worker = process.env.VITEST_POOL_ID ?? '1';
  const dist = fileURLToPath(new URL(worker === '1' ? '../../dist' : `../../dist/worker-${worker}`, import.meta.url));
  built ??= buildCli(dist).then(() => join(dist, 'hourglass.js'));
  return built;
}

/** Runs the built CLI to its end; the environment holds nothing but a PATH and what is given. */
export async function hourglass(
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly input?: string } = {},
): Promise<Collected> {
  const { child, result } = await startHourglass(args, options);
  child.stdin?.end(options.input ?? '');
  return result;
}

/** Starts the built CLI; `line` resolves when stderr has one that matches. */
export async function startHourglass(
  args: readonly string[],
  options: { readonly env?: Record<string, string> } = {},
): Promise<{ child: ChildProcess; result: Promise<Collected>; line: (pattern: RegExp) => Promise<void> }> {
  const env = { PATH: process.env.PATH ?? '', HOME: join(tmpdir(), 'nobody'), ...options.env };
  const child = spawn(process.execPath, [await builtCli(), ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  const result = collectOutput(child, (all) => {
    stderr = all;
  });
  const line = async (pattern: RegExp): Promise<void> => {
    const gone = result.then(({ code }) => {
      throw new Error(`ended with exit code ${code} before ${pattern}:\n${stderr}`);
    });
    gone.catch(() => undefined);
    while (!pattern.test(stderr)) await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 50))]);
  };
  return { child, result, line };
}
