import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProc } from '../proc.ts';
import { errnoCode, toTestbedError } from '../testbed-error.ts';

const root = '/sys/fs/cgroup';
/** Of version 2: what a kubelet limits. */
const controllers = '+cpu +memory +pids +cpuset';

/** Roots of the hierarchies: one for version 2, else one for each controller of version 1. */
function hierarchies(): string[] {
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(root, entry.name)] : []));
}

/** Makes the cgroup `name` in every hierarchy; one that is there stays. @throws TestbedError */
export function makeCgroup(name: string): void {
  try {
    for (const hierarchy of hierarchies()) {
      const dir = join(hierarchy, name);
      if (hierarchy === root) writeFileSync(join(root, 'cgroup.subtree_control'), controllers);
      mkdirSync(dir, { recursive: true });
      if (hierarchy === root) writeFileSync(join(dir, 'cgroup.subtree_control'), controllers);
      // Version 1 gives a new cpuset neither processors nor memory, and nothing can run in it.
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        const parent = join(hierarchy, file);
        if (existsSync(parent)) writeFileSync(join(dir, file), readFileSync(parent, 'utf8').trim());
      }
    }
  } catch (error) {
    throw toTestbedError(`making cgroup ${name}`, error);
  }
}

/** Removes the cgroups that `isOurs` picks by name, with those below, once their processes are gone. Returns their names. @throws TestbedError */
export async function removeCgroups(isOurs: (name: string) => boolean): Promise<string[]> {
  const removed = new Set<string>();
  for (const hierarchy of hierarchies()) {
    const names = readdirSync(hierarchy).filter(isOurs);
    for (const name of names) {
      for (let tries = 1; !removeTree(join(hierarchy, name), tries > 50); tries += 1) await sleep(40);
      removed.add(name);
    }
  }
  return [...removed].sort();
}

/** Whether it is gone; processes that are just ending keep it a little longer. */
function removeTree(dir: string, last: boolean): boolean {
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.isDirectory() && !removeTree(join(dir, entry.name), last)) return false;
    }
    rmdirSync(dir);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return true;
    if (errnoCode(error) === 'EBUSY' && !last) return false;
    throw toTestbedError(`removing cgroup ${dir}`, error);
  }
}

/** Where a cgroup is frozen, and how. */
function freezerOf(name: string): { readonly dir: string; readonly file: string; readonly on: string; readonly off: string } {
  if (existsSync(join(root, 'cgroup.controllers'))) return { dir: join(root, name), file: 'cgroup.freeze', on: '1', off: '0' };
  return { dir: join(root, 'freezer', name), file: 'freezer.state', on: 'FROZEN', off: 'THAWED' };
}

export function isFrozen(name: string): boolean {
  const { dir, file, off } = freezerOf(name);
  return existsSync(join(dir, file)) && readFileSync(join(dir, file), 'utf8').trim() !== off;
}

/**
 * Freezes a cgroup with the processes that `listPids` names: those outside are moved into it first, in the hierarchy that freezes.
 *
 * @throws TestbedError when some of them cannot be frozen
 */
export async function freezeCgroup(name: string, listPids: () => readonly number[]): Promise<void> {
  const { dir, file, on } = freezerOf(name);
  const inside = new RegExp(`^\\d+:(?:freezer)?:/${name}/`, 'm');
  try {
    mkdirSync(join(dir, 'system'), { recursive: true });
    // What was just being forked shows up at the next look.
    const strays = (): number[] => listPids().filter((pid) => !inside.test(readProc(`${pid}/cgroup`)));
    for (let outside = strays(); outside.length > 0; outside = strays()) for (const pid of outside) moveInto(join(dir, 'system'), pid);
    writeFileSync(join(dir, file), on);
    for (let tries = 0; readFileSync(join(dir, file), 'utf8').trim() !== on; tries += 1) {
      if (tries === 100) throw new Error('some of its processes go on');
      await sleep(20);
    }
  } catch (error) {
    throw toTestbedError(`freezing cgroup ${name}`, error);
  }
}

function moveInto(dir: string, pid: number): void {
  try {
    writeFileSync(join(dir, 'cgroup.procs'), String(pid));
  } catch (error) {
    // It has ended meanwhile.
    if (errnoCode(error) !== 'ESRCH') throw error;
  }
}

/** Lets the frozen cgroups that `isOurs` picks by name go on. In version 1 what is frozen cannot even be killed. @throws TestbedError */
export function thawCgroups(isOurs: (name: string) => boolean): void {
  const { dir: hierarchy, file, off } = freezerOf('');
  if (!existsSync(hierarchy)) return;
  try {
    for (const name of readdirSync(hierarchy).filter(isOurs)) if (isFrozen(name)) writeFileSync(join(hierarchy, name, file), off);
  } catch (error) {
    throw toTestbedError('thawing cgroups', error);
  }
}

/** Used by all processes of the cgroup since it was made; undefined where the kernel does not tell. */
export function readUsage(name: string): { readonly cpuS: number; readonly memoryBytes: number } | undefined {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return undefined;
    }
  };
  const nanoseconds = read(`cpuacct/${name}/cpuacct.usage`);
  const microseconds = /usage_usec (\d+)/.exec(read(`${name}/cpu.stat`) ?? '')?.[1];
  const memory = read(`memory/${name}/memory.usage_in_bytes`) ?? read(`${name}/memory.current`);
  if (memory === undefined) return undefined;
  return { cpuS: nanoseconds === undefined ? Number(microseconds ?? 0) / 1e6 : Number(nanoseconds) / 1e9, memoryBytes: Number(memory) };
}
