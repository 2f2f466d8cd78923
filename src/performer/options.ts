import type { ServerCredentials } from '@grpc/grpc-js';
import type { AnswerLimits } from './answers.ts';
import type { FailureCode } from './task-error.ts';
import type { Origin } from './task-runs.ts';

/** What happened, for metrics and logs. */
export type PerformerEvent =
  | {
      readonly kind: 'call';
      readonly method: 'ExecuteTask' | 'StartSync';
      readonly code: 'OK' | FailureCode;
      readonly durationMs: number;
      /** Absent for a call that failed, and for StartSync. */
      readonly origin?: Origin;
      /** As it was thrown, with all that the caller does not get to read. */
      readonly error?: unknown;
    }
  | { readonly kind: 'health'; readonly serving: boolean }
  /** lagging: NOT_SERVING, and every call is answered. closing: no new connection or call. forced: the grace is over. ended: nothing is open. */
  | { readonly kind: 'drain'; readonly phase: 'lagging' | 'closing' | 'forced' | 'ended'; readonly inFlight: number };

export interface PerformerOptions {
  /** 0 for one that is free. Default: environment variable `GRPC_PORT`, which executors set; else 8080. */
  readonly port?: number;
  /** Default: all addresses of the machine. */
  readonly host?: string;
  /** Default: none; kubelets probe in plain text only. */
  readonly credentials?: ServerCredentials;
  /** Tasks at once; one more is RESOURCE_EXHAUSTED. Default 100. */
  readonly maxInFlight?: number;
  /** Of a request or a response. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** How many answers are remembered, for how long, of what size. Default 1,000, 10 min, 64 MiB. */
  readonly remember?: Partial<AnswerLimits>;
  /** How long a task goes on that its callers have left, so that a retry joins it. Default 0: its signal aborts at once. */
  readonly abandonedMs?: number;
  /** From NOT_SERVING until connections close, for routing to catch up. Default 5,000. */
  readonly lagMs?: number;
  /** From then on, for calls in flight to end. With `lagMs` less than the pod's grace period. Default 20,000. */
  readonly graceMs?: number;
  /** Signals that start the drain. Default SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Must return at once. What it throws becomes a warning of the process. */
  readonly onEvent?: (event: PerformerEvent) => void;
}

export const defaults = {
  maxInFlight: 100,
  maxMessageBytes: 4 * 1024 * 1024,
  remember: { count: 1_000, ageMs: 600_000, bytes: 64 * 1024 * 1024 },
  abandonedMs: 0,
  lagMs: 5_000,
  graceMs: 20_000,
  signals: ['SIGTERM', 'SIGINT'],
} as const satisfies PerformerOptions;

const otherwise = 8080;

/** @throws RangeError naming the variable */
export function readPort(environment: Readonly<Record<string, string | undefined>>): number {
  const text = environment.GRPC_PORT ?? '';
  if (text === '') return otherwise;
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new RangeError('GRPC_PORT must be a port, 0 (any that is free) to 65535');
}
