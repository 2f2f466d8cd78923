import { expect, it } from 'vitest';
import { KubeFault } from '../../../src/kube/faults.ts';
import { reflectorBackoffMs } from '../../../src/kube/reflector-backoff.ts';

const unreachable = new KubeFault('unreachable', 'x');

it.each([
  { name: 'starts at 0.3 s', outageMs: 0, fault: unreachable, jitter: 1, delayMs: 300 },
  { name: 'is a tenth of the time the trouble lasts', outageMs: 30_000, fault: unreachable, jitter: 1, delayMs: 3_000 },
  { name: 'levels off at 5 s without a connection', outageMs: 9e9, fault: unreachable, jitter: 1, delayMs: 5_000 },
  { name: 'levels off at 5 s without the kind', outageMs: 9e9, fault: new KubeFault('kindMissing', 'x'), jitter: 1, delayMs: 5_000 },
  { name: 'levels off at 10 s without permission', outageMs: 9e9, fault: new KubeFault('forbidden', 'x'), jitter: 1, delayMs: 10_000 },
  { name: 'levels off at 30 s under overload', outageMs: 9e9, fault: new KubeFault('throttled', 'x'), jitter: 1, delayMs: 30_000 },
  { name: 'levels off at 10 s for bugs', outageMs: 9e9, fault: undefined, jitter: 1, delayMs: 10_000 },
  { name: 'is spread over all of that', outageMs: 30_000, fault: undefined, jitter: 0.1, delayMs: 300 },
  {
    name: 'waits for Retry-After',
    outageMs: 0,
    fault: new KubeFault('throttled', 'x', { retryAfterMs: 7_000 }),
    jitter: 0,
    delayMs: 7_000,
  },
  {
    name: 'waits a minute at most',
    outageMs: 0,
    fault: new KubeFault('throttled', 'x', { retryAfterMs: 900_000 }),
    jitter: 0,
    delayMs: 60_000,
  },
])('$name', ({ outageMs, fault, jitter, delayMs }) => {
  expect(reflectorBackoffMs(outageMs, fault, jitter)).toBe(delayMs);
});
