import type { ChildProcess } from 'node:child_process';
import type { Mode } from '../sim/run-plan.ts';
import { unendedSeed } from '../sim/seed-run.ts';
import type { SeedResult } from '../sim/summary.ts';
import { CliError } from './exit-codes.ts';

/** What a worker is told; it answers with a `SeedResult`. */
export interface ToWorker {
  readonly seed: number;
  readonly mode?: Mode;
}

/** Hundreds of times what a seed takes. A loop within one event is seen from outside only. */
const defaultLimitMs = 180_000;

interface Drive {
  readonly fork: () => ChildProcess;
  /** The next seed, if there is one. */
  readonly take: () => number | undefined;
  readonly onResult: (result: SeedResult) => Promise<void>;
  readonly mode: Mode | undefined;
  readonly children: Set<ChildProcess>;
  readonly isStopped: () => boolean;
  /** So long a seed may run, real ms. */
  readonly limitMs?: number;
}

/** Feeds one worker after the other with seeds, each in the place of one that hung, until none is left. */
export async function driveWorkers(drive: Drive): Promise<void> {
  for (;;) {
    const hung = await driveWorker(drive);
    if (hung === undefined) return;
    const limitMs = drive.limitMs ?? defaultLimitMs;
    await drive.onResult(unendedSeed(hung, `it had not ended after ${limitMs / 1_000} s, a loop within one event`));
  }
}

/** @returns the seed that hung, if one did */
function driveWorker({ fork, take, onResult, mode, children, isStopped, limitMs = defaultLimitMs }: Drive): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const child = fork();
    children.add(child);
    let running: number | undefined;
    let hung: number | undefined;
    let watchdog: NodeJS.Timeout | undefined;
    const feed = (): void => {
      running = take();
      const told = { seed: running ?? 0, ...(mode === undefined ? {} : { mode }) } satisfies ToWorker;
      // One that is gone says so by its exit, with more than that nothing could be sent.
      if (running !== undefined) child.send(told, () => undefined);
      else if (child.connected) child.disconnect();
      if (running !== undefined) watchdog = setTimeout(giveUp, limitMs);
    };
    const giveUp = (): void => {
      hung = running;
      child.kill('SIGKILL');
    };
    child.on('message', (result: SeedResult) => {
      // Given up a moment ago: it is told of by that.
      if (hung !== undefined) return;
      clearTimeout(watchdog);
      void onResult(result).then(feed, reject);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(watchdog);
      children.delete(child);
      if (isStopped() || hung !== undefined || (running === undefined && code === 0)) return resolve(isStopped() ? undefined : hung);
      const how = signal === null ? `exit code ${code}` : signal;
      reject(
        new CliError(`the process that ran seed ${running} ended with ${how}; run that seed alone to see why: simulate --seed ${running}`),
      );
    });
    feed();
  });
}
