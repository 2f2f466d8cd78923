import { readdirSync } from 'node:fs';
import { readProc, statFields } from '../testbed/proc.ts';
import type { Usage } from './bench-report.ts';

/** Which processes make up a component; asked anew at each look, since a program may start others. */
export type Processes = Readonly<Record<string, () => readonly number[]>>;

const tickMs = 10; // of every Linux: 100 a second
const lookEveryMs = 500;

interface Look {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** CPU and memory of components between its making and `stop`. Where the system does not tell (no /proc), components are absent. */
export class UsageMeter {
  readonly #processes: Processes;
  readonly #first: ReadonlyMap<string, Look>;
  readonly #peak = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #last: ReadonlyMap<string, Look>;

  constructor(processes: Processes) {
    this.#processes = processes;
    this.#first = this.#last = this.#look();
    this.#timer = setInterval(() => {
      this.#last = this.#look();
    }, lookEveryMs).unref();
  }

  stop(): Record<string, Usage> {
    clearInterval(this.#timer);
    // A generator that has ended already counts as it was last seen.
    const now = new Map([...this.#last, ...this.#look()]);
    return Object.fromEntries(
      [...now].map(([name, { cpuMs, rssBytes }]) => {
        const usage = { cpuMs: cpuMs - (this.#first.get(name)?.cpuMs ?? 0), peakRssBytes: this.#peak.get(name) ?? rssBytes, rssBytes };
        return [name, usage];
      }),
    );
  }

  #look(): ReadonlyMap<string, Look> {
    const looks = new Map<string, Look>();
    for (const [name, pids] of Object.entries(this.#processes)) {
      const all = pids().flatMap((pid) => parseLook(readProc(`${pid}/stat`), readProc(`${pid}/status`)) ?? []);
      if (all.length === 0) continue;
      const sum = (value: (look: Look) => number): number => all.reduce((total, look) => total + value(look), 0);
      const look = { cpuMs: sum(({ cpuMs }) => cpuMs), rssBytes: sum(({ rssBytes }) => rssBytes) };
      looks.set(name, look);
      this.#peak.set(name, Math.max(this.#peak.get(name) ?? 0, look.rssBytes));
    }
    return looks;
  }
}

/** CPU (user and system, with ended children) and resident memory from the two files of /proc; undefined of a process that is gone. Pure. */
export function parseLook(stat: string, status: string): Look | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) return undefined;
  // From the third field on: the second, the name, may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { cpuMs: ticks * tickMs, rssBytes: Number(kibibytes) * 1_024 };
}

/** Every process of a group, which is what a shell command and its children are. Linux only. */
export function findGroup(group: number): readonly number[] {
  const isMember = (pid: string): boolean => statFields(pid)[2] === String(group);
  try {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && isMember(entry))
      .map(Number);
  } catch {
    return [];
  }
}
