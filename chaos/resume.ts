import { checkSameFacts, type RunFacts } from '../src/bench/same-run.ts';
import { canonicalJson, type Json } from '../src/lib/canonical-json.ts';
import { hashHex } from '../src/lib/hash.ts';
import { planOrder } from './choose.ts';
import type { Experiment } from './experiment.ts';
import type { ChaosReport, ChaosRun } from './report.ts';
import type { Subject } from './subject.ts';

/** An inconclusive run is done once more. */
const attempts = [1, 2] as const;

/** What a run is about to do, as its report keeps it. Pure. */
export function describePlan(experiments: readonly Experiment[], { manifests }: Subject): NonNullable<ChaosReport['plan']> {
  const fingerprint = (value: unknown): string => hashHex(canonicalJson(value as Json)).slice(0, 12);
  return { experiments: experiments.map(({ id }) => id), catalogue: fingerprint(experiments), manifests: fingerprint(manifests) };
}

/** Of a report, those parts that say which run it is of. */
export type PlanFacts = Pick<ChaosReport, 'plan' | 'subject' | 'suite' | 'seed' | 'repeat' | 'judgesTimes' | 'machine' | 'versions'> & {
  readonly cluster: Pick<ChaosReport['cluster'], 'server' | 'timers' | 'isOwn'>;
};

/** Refuses to go on with a report of another plan. @throws ArgumentError that names what differs */
export function checkSamePlan(earlier: PlanFacts, now: PlanFacts): void {
  checkSameFacts(factsOf(earlier), factsOf(now), 'Ask for what it was asked for, or begin a new one in another folder (--out)');
}

function factsOf({ plan, subject = 'ours', suite, seed, repeat, judgesTimes, machine, versions, cluster }: PlanFacts): RunFacts {
  return new Map([
    ['the suite', suite],
    ...(plan === undefined
      ? []
      : ([
          ['the list of experiments', plan.experiments.join(',')],
          ['the catalogue of experiments', plan.catalogue],
          ['what installs the subject', plan.manifests],
        ] as const)),
    ['the seed', String(seed)],
    ['--repeat', String(repeat)],
    ['the subject', subject],
    ['whether times are judged', judgesTimes ? 'yes' : 'no'],
    ['the machine', `${machine.cores} × ${machine.cpu}`],
    // A cluster of its own has another address each time.
    ['the cluster', cluster.isOwn === true ? 'one of its own' : cluster.server],
    ['its timers', cluster.timers ?? 'unknown'],
    ...Object.entries(versions),
  ]);
}

/** One run that is still to be made: with the next number, should it be inconclusive and there be one. */
export interface Missing {
  readonly experiment: Experiment;
  readonly round: number;
  readonly attempts: readonly number[];
}

/** What of a plan has no verdict yet, in the order of the seed. One that is inconclusive has its second attempt left. Pure. */
export function missingRuns(
  experiments: readonly Experiment[],
  seed: number,
  repeat: number,
  runs: readonly ChaosRun[],
): readonly Missing[] {
  return planOrder(experiments, seed, repeat).flatMap(({ experiment, round }) => {
    const made = runs.filter((run) => run.id === experiment.id && run.round === round);
    if (made.some(({ verdict }) => verdict !== 'inconclusive')) return [];
    const left = attempts.filter((attempt) => made.every((run) => run.attempt < attempt));
    return left.length === 0 ? [] : [{ experiment, round, attempts: left }];
  });
}

/** Whether nothing is left to do of a run that was kept: it needs no cluster any more. Pure. */
export function isWhole({ leftOut = [], seed, repeat, runs }: ChaosReport, experiments: readonly Experiment[]): boolean {
  const possible = experiments.filter(({ id }) => leftOut.every((out) => out.id !== id));
  return runs.length > 0 && missingRuns(possible, seed, repeat, runs).length === 0;
}
