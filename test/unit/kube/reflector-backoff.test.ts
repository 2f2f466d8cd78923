import { expect, it } from 'vitest';
import { KubeFault } from '../../../src/kube/faults.ts';
import { reflectorBackoffMs } from '../../../src/kube/reflector-backoff.ts';

it.each([
  { name: 'starts at 0.8 s', failures: 1, fault: undefined, jitter: 1, delayMs: 800 },
  { name: 'doubles', failures: 4, fault: undefined, jitter: 1, delayMs: 6_400 },
  { name: 'levels off at 30 s', failures: 50, fault: undefined, jitter: 1, delayMs: 30_000 },
  { name: 'levels off at 5 s without a connection', failures: 50, fault: new KubeFault('unreachable', 'x'), jitter: 1, delayMs: 5_000 },
  { name: 'is spread over all of that', failures: 50, fault: undefined, jitter: 0.1, delayMs: 3_000 },
  {
    name: 'waits for Retry-After',
    failures: 1,
    fault: new KubeFault('throttled', 'x', { retryAfterMs: 7_000 }),
    jitter: 0,
    delayMs: 7_000,
  },
  {
    name: 'waits a minute at most',
    failures: 1,
    fault: new KubeFault('throttled', 'x', { retryAfterMs: 900_000 }),
    jitter: 0,
    delayMs: 60_000,
  },
])('$name', ({ failures, fault, jitter, delayMs }) => {
  expect(reflectorBackoffMs(failures, fault, jitter)).toBe(delayMs);
});
