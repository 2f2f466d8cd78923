import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeClusterFiles } from './cluster-files.ts';
import { type ProcessRecord, readState } from './cluster-state.ts';
import { removeCgroups, thawCgroups } from './nodes/cgroups.ts';
import { isCgroupOf } from './nodes/node-plan.ts';
import { endGently, findMarked, isAlive, killNow, ownRecord } from './processes.ts';
import { TestbedError, toTestbedError } from './testbed-error.ts';

const ownerGraceMs = 8_000;

/**
 * Ends every process of a cluster and removes its files, whatever state a crash left them in. Returns a line for each thing removed.
 * A command that is still starting the cluster, or keeps it, is ended first, so that it starts nothing behind our back.
 *
 * @throws TestbedError if something cannot be removed
 */
export async function removeCluster(registryDir: string): Promise<string[]> {
  const reading = readState(registryDir);
  const lines: string[] = [];
  if (reading.kind === 'unreadable')
    lines.push(`state of ${registryDir} is unreadable (${reading.reason}): looking for its processes instead`);
  const state = reading.kind === 'state' ? reading.state : undefined;

  if (state?.owner.stoppable === true && state.owner.pid !== ownRecord().pid && isAlive(state.owner)) {
    await endGently(state.owner, ownerGraceMs);
    lines.push(`ended the command that was running the cluster (pid ${state.owner.pid})`);
  }
  lines.push(...(await endProcesses(registryDir)));

  lines.push(...(await removeCgroups((group) => isCgroupOf(basename(registryDir), group))).map((name) => `removed cgroup ${name}`));

  const dir = state?.dir ?? registryDir;
  const ownDir = dir === registryDir;
  const fate = removeClusterFiles(dir, !ownDir && state?.dirMade === true);
  if (!ownDir && fate !== 'absent') lines.push(fate === 'removed' ? `removed ${dir}` : `removed the cluster's files from ${dir}`);
  try {
    rmSync(registryDir, { recursive: true, force: true });
  } catch (error) {
    throw toTestbedError(`removing ${registryDir}`, error);
  }
  lines.push(`removed ${registryDir}`);
  return lines;
}

/** Ends every process of a cluster, recorded or found by its mark. Returns a line for each. */
export async function endProcesses(registryDir: string): Promise<string[]> {
  const ended = new Map<number, string>();
  thawCgroups((group) => isCgroupOf(basename(registryDir), group));
  // A process that was being forked shows its mark only a moment later, so one quiet look is not enough.
  for (let quiet = 0, rounds = 0; quiet < 2; rounds += 1) {
    // Most of a node's processes go with the node: what is recorded goes first.
    const all = findProcesses(registryDir);
    const alive = rounds === 0 ? all.filter(({ isRecorded }) => isRecorded) : all;
    await killNow(alive.map(({ record }) => record));
    for (const { name, record } of alive) {
      if (!isAlive(record)) ended.set(record.pid, ended.get(record.pid) ?? name);
      else if (rounds > 5)
        throw new TestbedError(`ending ${name} (pid ${record.pid}): it is still running; end it by hand, then run the command again`);
    }
    quiet = all.length === 0 ? quiet + 1 : 0;
    if (quiet === 1) await sleep(60);
  }
  return [...ended].map(([pid, name]) => `ended ${name} (pid ${pid})`);
}

/** The living processes of a cluster with the names they were recorded under. */
export function findProcesses(registryDir: string): { name: string; record: ProcessRecord; isRecorded: boolean }[] {
  const reading = readState(registryDir);
  const recorded = reading.kind === 'state' ? Object.entries(reading.state.processes) : [];
  const known = recorded.flatMap(([name, record]) => (record !== null && isAlive(record) ? [{ name, record, isRecorded: true }] : []));
  const marked = findMarked(registryDir).filter((found) => !known.some(({ record }) => record.pid === found.pid));
  return [...known, ...marked.map((record) => ({ name: 'a process that was not recorded', record, isRecorded: false }))];
}
