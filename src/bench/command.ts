import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { survivors } from './reaper.ts';
import { findGroup } from './usage.ts';

/** A program that runs beside the runner, with everything it started. */
export interface Command {
  readonly pid: number;
  /** Resolves when it has ended, with how: `exit code 1`, `signal SIGKILL`, or why it could not be started. */
  readonly ended: Promise<string>;
  pids(): readonly number[];
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, and ends it by force after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts a program in a group of its own, so that what it starts can be found and ended with it. Its output goes to the end of `logPath`. */
export function startCommand(argv: readonly [string, ...string[]], env: Readonly<Record<string, string>>, logPath: string): Command {
  const log = openSync(logPath, 'a', 0o600);
  const [program, ...rest] = argv;
  const child = spawn(program, rest, { env: { ...process.env, ...env }, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const { pid = 0 } = child;
  const ended = Promise.race([
    once(child, 'exit').then(([code, signal]) => (signal === null ? `exit code ${code}` : `signal ${signal}`)),
    once(child, 'error').then(([error]) => (error as Error).message),
  ]);
  let running = pid > 0;
  if (running) survivors.add(pid);
  void ended.then(() => {
    running = false;
    if (findGroup(pid).length === 0) survivors.remove(pid);
  });
  const kill = (signal: NodeJS.Signals): void => {
    // The group outlives its leader when that leaves children behind; the runner's own group is never meant.
    if (pid > 0 && (running || findGroup(pid).length > 0)) process.kill(-pid, signal);
  };
  return {
    pid,
    ended,
    pids: () => findGroup(pid),
    kill,
    stop: async (graceMs = 15_000) => {
      kill('SIGTERM');
      await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
      kill('SIGKILL');
      await ended;
      survivors.remove(pid);
    },
  };
}
