import type { Settings } from '../../src/reconcile/plan/snapshot.ts';
import { acceptAnswers } from './accept-answers.ts';
import { acceptWrites } from './accept-writes.ts';
import type { Trace } from './trace.ts';
import type { Unexplained } from './unexplained.ts';

/** What a replay of a run in the simulator's world came to. */
export interface Explained {
  /** Answers of the API server, and how many of them were taken as they stand. */
  readonly answers: { readonly of: number; readonly explained: number; readonly asRecorded: number };
  /** Writes of the operator. */
  readonly writes: { readonly of: number; readonly explained: number };
  /** In the order of time. */
  readonly unexplained: readonly Unexplained[];
}

/** As `manifests/install-watch.yaml` starts it. */
const settings: Settings = { quietMs: 2_000, clusterDomain: 'cluster.local', securityProfile: 'privileged' };

/** Whether what was seen of a run is one that the model of the cluster and the code of the operator allow. Pure. */
export function explainTrace(trace: Trace): Explained {
  const answers = acceptAnswers(trace);
  const writes = acceptWrites(trace, settings);
  const unexplainedAnswers = answers.unexplained.filter(({ who }) => who !== 'nobody').length;
  return {
    answers: { of: answers.of, explained: answers.of - unexplainedAnswers, asRecorded: answers.asRecorded },
    writes: { of: writes.of, explained: writes.of - writes.unexplained.length },
    unexplained: [...answers.unexplained, ...writes.unexplained].toSorted((a, b) => a.atMs - b.atMs),
  };
}

const toldAtMost = 5;

/** In one line, of what is unexplained the first few. Pure. */
export function describeExplained({ answers, writes, unexplained }: Explained): string {
  const taken = answers.asRecorded === 0 ? '' : `, ${answers.asRecorded} of them taken as they stand`;
  const counts = `explained ${writes.explained} of ${writes.of} writes of the operator, ${answers.explained} of ${answers.of} answers${taken}`;
  const told = unexplained.slice(0, toldAtMost).map(({ who, what, why }) => `${what} by ${who}: ${why}`);
  const more = unexplained.length > toldAtMost ? [`${unexplained.length - toldAtMost} more`] : [];
  return unexplained.length === 0 ? counts : `${counts}; unexplained: ${[...told, ...more].join('; ')}`;
}
