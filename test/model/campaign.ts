import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/lib/seeded-random.ts';
import { drawSequence, type Operation } from './operations.ts';
import type { RealCluster } from './real-cluster.ts';
import { type Difference, runSequence } from './run-sequence.ts';

export interface Finding {
  readonly seed: number;
  readonly operations: readonly Operation[];
  readonly difference: Difference;
}

export interface CampaignResult {
  readonly sequences: number;
  readonly operations: number;
  readonly findings: readonly Finding[];
  /** Differences that a second run of the same steps did not show: the real cluster was late, or two of its controllers raced. */
  readonly unsteady: readonly Finding[];
  /** How often each exception was needed. */
  readonly exceptions: Readonly<Record<string, number>>;
  /** How often which verb was answered how. */
  readonly answers: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface CampaignOptions {
  readonly sequences: number;
  readonly seed: number;
  readonly length: number;
  /** Sequences at a time. */
  readonly width: number;
  /** Findings after which no new sequence starts. */
  readonly enough: number;
  readonly signal: AbortSignal;
  readonly progress?: (done: number, findings: number) => void;
}

/** Random sequences on the model and on a real cluster, many at a time. What differs is made as short as it goes. */
export async function runCampaign(cluster: RealCluster, options: CampaignOptions): Promise<CampaignResult> {
  const { sequences, seed, length, width, enough, signal, progress } = options;
  const startedMs = performance.now();
  const findings: Finding[] = [];
  const unsteady: Finding[] = [];
  let next = 0;
  let done = 0;
  let operations = 0;
  const exceptions: Record<string, number> = {};
  const answers: Record<string, number> = {};
  const work = async (): Promise<void> => {
    while (next < sequences && findings.length < enough && !signal.aborted) {
      const mine = seed + next;
      next += 1;
      const steps = drawSequence(createRandom(mine), length);
      const { difference, steps: taken, exceptions: needed, answers: given } = await runSequence(cluster, steps);
      operations += taken;
      count(exceptions, needed);
      count(answers, given);
      done += 1;
      if (difference !== undefined) {
        const upTo = steps.slice(0, difference.step + 1);
        const { difference: again } = await runSequence(cluster, upTo);
        if (again === undefined) unsteady.push({ seed: mine, operations: upTo, difference });
        else findings.push({ seed: mine, ...(await shrink(cluster, upTo, again)) });
      }
      progress?.(done, findings.length);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return { sequences: done, operations, findings, unsteady, exceptions, answers, seconds: (performance.now() - startedMs) / 1_000 };
}

function count(into: Record<string, number>, names: readonly string[]): void {
  for (const name of names) into[name] = (into[name] ?? 0) + 1;
}

/** Drops each step that the difference in the last one does not need. */
async function shrink(cluster: RealCluster, steps: readonly Operation[], found: Difference): Promise<Omit<Finding, 'seed'>> {
  let operations = steps.slice(0, found.step + 1);
  let difference = found;
  for (let index = operations.length - 2; index >= 0; index -= 1) {
    const fewer = operations.toSpliced(index, 1);
    const { difference: again } = await runSequence(cluster, fewer);
    if (again === undefined || again.step !== fewer.length - 1 || again.what !== difference.what) continue;
    operations = fewer;
    difference = again;
  }
  return { operations, difference };
}

/** Until the real garbage collector knows the kinds that the CRDs brought: it looks for new ones now and then. */
export async function waitForGarbageCollector(cluster: RealCluster, timeoutMs: number): Promise<void> {
  const owner = { target: { kind: 'performer', name: 'p' }, uid: 'right', controller: true, block: true } as const;
  const steps: readonly Operation[] = [
    { verb: 'create', target: owner.target, body: 'plain' },
    { verb: 'create', target: { kind: 'service', name: 's' }, body: 'plain', owners: [owner] },
    { verb: 'delete', target: owner.target, uid: 'none', version: 'none' },
  ];
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { difference } = await runSequence(cluster, steps);
    if (difference === undefined) return;
    if (performance.now() > deadline) throw new Error(`the garbage collector does not know Performers: ${JSON.stringify(difference)}`);
    await sleep(500);
  }
}
