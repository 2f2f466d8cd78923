import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import type { Machine } from './bench-report.ts';

/** The machine that this process runs on. */
export function describeMachine(): Machine {
  const cpu = cpus()[0]?.model ?? 'unknown';
  return { cpu, cores: availableParallelism(), memoryBytes: totalmem(), system: `${type()} ${release()}` };
}
