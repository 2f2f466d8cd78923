import type { MeasureName } from './measures.ts';

/** How sure a verdict must be. */
export const verdictLevel = 0.99;

/**
 * What a measure may grow by before it is a regression, as a ratio: smaller changes are not worth anybody's time, however sure they are.
 * A p99 of some eighty requests rests on one of them.
 */
export const thresholds: Readonly<Record<MeasureName, number>> = {
  unfinished: 1,
  p50: 1.05,
  p99: 1.2,
  allDone: 1.05,
  emptyMs: 1.2,
  operatorCpu: 1.1,
  controlPlaneCpu: 1.05,
  operatorRss: 1.1,
  operatorWrites: 1.03,
  etcdWrites: 1.03,
};

/**
 * What a count must have grown by as well, whatever the ratio: so much per Performer, and so much in the whole block. Leases and endpoints of
 * the cluster come and go beside it.
 */
export const leastChanges: Readonly<Partial<Record<MeasureName, { readonly each: number; readonly all: number }>>> = {
  operatorWrites: { each: 0.25, all: 4 },
  etcdWrites: { each: 0.5, all: 20 },
};
