import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import * as process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessRecord } from './cluster-state.ts';
import { readProc, statFields } from './proc.ts';

/** In the environment of everything a cluster starts, with the cluster's registry folder: finds what a crash left unrecorded. */
const clusterVariable = 'HOURGLASS_CLUSTER';
/** Read by the control-plane binary, which then does not outlive this process. */
const parentVariable = 'HOURGLASS_DIE_WITH_PARENT';

export interface ComponentStart {
  readonly binary: string;
  /** Process whose network it joins; the machine's own unless told. */
  readonly networkPid?: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly logPath: string;
  readonly registryDir: string;
  readonly dieWithParent: boolean;
}

/**
 * Starts one component with its output in `logPath`. It runs in a session of its own, so that Ctrl-C in a terminal reaches only the command.
 * `record` is called with the process id before anything else can happen in this process.
 *
 * @returns when it ends, how: `exit code 1`, `signal SIGKILL`, or why it could not start
 * @throws whatever opening the log or starting the process throws
 */
export function startComponent(start: ComponentStart, record: (record: ProcessRecord) => void): Promise<string> {
  const log = openSync(start.logPath, 'a', 0o600);
  try {
    // The components read settings from the environment (ETCD_…, proxies), so they get an almost empty one.
    const env = {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: start.cwd,
      [clusterVariable]: start.registryDir,
      ...(start.dieWithParent ? { [parentVariable]: String(process.pid) } : {}),
    };
    const [program, ...argv] =
      start.networkPid === undefined
        ? [start.binary, ...start.argv]
        : ['nsenter', `--net=/proc/${start.networkPid}/ns/net`, start.binary, ...start.argv];
    const child = spawn(program, argv, { cwd: start.cwd, env, stdio: ['ignore', log, log], detached: true });
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    // What outlives this process must not keep it from ending.
    if (!start.dieWithParent) child.unref();
    const pid = child.pid ?? 0;
    if (pid > 0) record({ pid, stamp: findStamp(pid) ?? '' });
    return ended;
  } finally {
    closeSync(log);
  }
}

/** This process, as it is recorded. */
export function ownRecord(): ProcessRecord {
  return { pid: process.pid, stamp: findStamp(process.pid) ?? '' };
}

/** Whether the very process that was recorded still runs; another one that got its id later does not count, nor does a zombie. */
export function isAlive(record: ProcessRecord): boolean {
  const stamp = findStamp(record.pid);
  return stamp !== undefined && stamp === record.stamp;
}

/** Lets a process stand still by SIGSTOP; it does when this resolves, which takes the threads of a busy one a moment. Linux only. */
export async function holdProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  for (const endMs = performance.now() + 5_000; !isStopped(pid) && performance.now() < endMs; ) await sleep(10);
}

/** Whether a process stands still by SIGSTOP. Linux only. */
export function isStopped(pid: number): boolean {
  return statFields(pid)[0] === 'T';
}

let boot: string | undefined;

/** What tells a process from a later one with the same id: boot and start time; undefined when there is none. */
export function findStamp(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  if (process.platform !== 'linux') {
    const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return (status === 0 && stdout.trim()) || undefined;
  }
  const { 0: state, 19: startTicks } = statFields(pid);
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  boot ??= readProc('sys/kernel/random/boot_id').trim() || 'unknown';
  return `${boot}:${startTicks}`;
}

/** Resident memory in bytes; undefined where the system does not tell or there is no such process. */
export function findResidentBytes(pid: number): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`))?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Processes that a cluster started, found by their environment, recorded or not. Linux only: elsewhere none are found. */
export function findMarked(registryDir: string): ProcessRecord[] {
  if (process.platform !== 'linux') return [];
  const mark = `\0${clusterVariable}=${registryDir}\0`;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      if (!`\0${readProc(`${entry}/environ`)}\0`.includes(mark)) return [];
      const stamp = findStamp(Number(entry));
      return stamp === undefined ? [] : [{ pid: Number(entry), stamp }];
    });
}

/** Ends processes and their groups at once and waits until they are gone. Nothing happens to a process that is not the recorded one. */
export async function killNow(records: readonly ProcessRecord[]): Promise<void> {
  const alive = records.filter(isAlive);
  // Each component leads a group of its own; the plain id covers the moment before it does.
  for (const { pid } of alive) for (const id of [-pid, pid]) signal(id, 'SIGKILL');
  await waitGone(alive, 5_000);
}

/** Asks a process to end by SIGTERM and waits; ends it by force after `graceMs`. */
export async function endGently(record: ProcessRecord, graceMs: number): Promise<void> {
  for (const [name, waitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isAlive(record)) return;
    signal(record.pid, name);
    await waitGone([record], waitMs);
  }
}

async function waitGone(records: readonly ProcessRecord[], timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (records.some(isAlive) && performance.now() < deadline) await sleep(15);
}

function signal(pid: number, name: 'SIGKILL' | 'SIGTERM'): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already, or not ours: the caller looks again and says what is left.
  }
}
