import type { Oracle, Violation } from './oracle.ts';

/** Puts a statement to one test: counts it, and gives the violation where it does not hold. `message` is only asked then. */
export type Test = (holds: boolean, atMs: number, key: string, message: () => string) => readonly Violation[];

/** An oracle whose hooks put their statement to the test by the function they are given. */
export function defineOracle(id: string, statement: string, make: (test: Test) => Omit<Oracle, 'id' | 'statement' | 'evaluated'>): Oracle {
  let evaluated = 0;
  const hooks = make((holds, atMs, key, message) => {
    evaluated += 1;
    return holds ? [] : [{ oracle: id, atMs, key, message: message() }];
  });
  return { id, statement, evaluated: () => evaluated, ...hooks };
}

/** What a run grants and knows, so that an oracle asks for no more than the design promises. */
export interface OracleContext {
  /** How old an operator's view may be when it writes what it need not prove, ms: lag, stalls and retries of its watches. */
  readonly viewLagMs: number;
  /** From what an operator reads as its proof to the write it proves, ms: two calls under the faults of the run. */
  readonly proofLagMs: number;
  /** How long a write may be on its way to the API server, ms. Left out where nobody can tell. */
  readonly onTheWayMs?: number;
  /** How far an operator's idea of the server's time may be ahead of it as it decides, ms. */
  readonly clockAheadMs: number;
  /** From a change of a pod to the last client that goes by it, ms. */
  readonly endpointLagMs: number;
  /** Until when an operator may not know where EndpointSlices send calls, server time. Left out: it may always know. */
  readonly slicesOffUntilMs?: number;
  /** How long what is wrong may stand once nothing keeps operators from putting it right, ms. */
  readonly settleMs: number;
  /** Until when what kept operators from seeing or acting may keep them late, server time; -Infinity when nothing has. Left out where nobody can tell. */
  readonly lateUntilMs?: () => number;
  /** How many times as long as they are meant waits of operators may last: their clocks may be slow. */
  readonly waitFactor: number;
  /** Whether each write is told. Where only objects are, what the API server refused is taken from what status says. */
  readonly knowsWrites: boolean;
  /** Since when nothing keeps operators from acting; Infinity while faults go on. */
  readonly calmSinceMs: () => number;
}

/** For a cluster in which nothing is broken on purpose. */
export const calmContext: OracleContext = {
  viewLagMs: 10_000,
  proofLagMs: 5_000,
  clockAheadMs: 0,
  endpointLagMs: 5_000,
  settleMs: 60_000,
  waitFactor: 1,
  knowsWrites: true,
  calmSinceMs: () => 0,
};
