import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ArgumentError } from './argument-error.ts';
import type { BenchReport, Block } from './bench-report.ts';
import type { BlockPlan } from './block.ts';
import { parseBenchReport } from './read-report.ts';
import { checkSameFacts, type RunFacts } from './same-run.ts';

/** What a run was asked for; kept beside its report, not in it, since it holds paths of the machine. */
const benchRequest = z.strictObject({
  profile: z.enum(['instant', 'node-like', 'nodes']),
  extent: z.enum(['quick', 'usual', 'full']),
  scenario: z.array(z.string()),
  compare: z.array(z.string()),
  repeat: z.number().int().min(1).optional(),
  seed: z.number().int(),
  image: z.string().optional(),
  allowExisting: z.boolean().optional(),
  kubeconfig: z.string().optional(),
});
export type BenchRequest = Readonly<z.infer<typeof benchRequest>>;

const requestFile = 'run.json';

/** Makes the folder of a new run. @throws ArgumentError where another run has left its results, or no folder can be */
export function claimFolder(dir: string, request: BenchRequest): void {
  if (existsSync(join(dir, 'report.json')))
    throw new ArgumentError(`--out ${dir}: it holds the results of a run; go on with that by --resume ${dir}, or choose another folder`);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, requestFile), `${JSON.stringify(request, undefined, 2)}\n`);
  } catch (error) {
    throw new ArgumentError(`--out ${dir}: ${(error as Error).message}`, { cause: error });
  }
}

/** What a run was asked for, and what it had measured when it ended. @throws ArgumentError where there is none */
export function readRun(dir: string): { readonly request: BenchRequest; readonly earlier?: BenchReport } {
  const [path, report] = [join(dir, requestFile), join(dir, 'report.json')];
  if (!existsSync(path)) throw new ArgumentError(`--resume ${dir}: no run of bench was kept there; give the folder that its --out named`);
  const request = parseRequest(readFileSync(path, 'utf8'), path);
  // Killed before its first block was over there is none.
  return existsSync(report) ? { request, earlier: parseBenchReport(readFileSync(report, 'utf8'), report) } : { request };
}

function parseRequest(text: string, path: string): BenchRequest {
  try {
    return benchRequest.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new ArgumentError(`${path}: not as bench writes it: ${why}`, { cause: error });
  }
}

/** Refuses to put blocks beside those of other programs, or of another machine. @throws ArgumentError that names what differs */
export function checkSameRun(earlier: BenchReport, now: BenchReport): void {
  checkSameFacts(factsOf(earlier), factsOf(now), 'Begin a new one');
}

function factsOf({ machine, versions, cluster, seed, subjects }: BenchReport): RunFacts {
  return new Map([
    ['the machine', `${machine.cores} × ${machine.cpu}`],
    ['the profile', cluster.profile],
    ['the seed', String(seed)],
    ...Object.entries(versions),
    ...subjects.map(({ name, command }) => [`the command of ${name}`, command] as const),
  ]);
}

/** Blocks that need not run again: void ones, the one that was interrupted among them, count for nothing. Pure. */
export function keptBlocks({ blocks }: BenchReport): readonly Block[] {
  return blocks.filter(({ voidBecause }) => voidBecause === undefined);
}

/** Whether that block is among those kept. Pure. */
export function isKept(blocks: readonly Block[], { scenario, subject, round, kind }: BlockPlan): boolean {
  return blocks.some((one) => one.scenario === scenario.name && one.subject === subject.name && one.round === round && one.kind === kind);
}
