import { describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../../src/kube/faults.ts';
import { BodyError } from '../../../src/kube-client/body.ts';
import { ConfigError } from '../../../src/kube-client/cluster-config.ts';
import { RetryBudget, retryWaitMs } from '../../../src/kube-client/retry.ts';
import { TransportError } from '../../../src/kube-client/transport.ts';

const lost = (stage: TransportError['stage'], code = ''): TransportError =>
  new TransportError(stage, 'lost', { cause: Object.assign(new Error(code), { code }) });
const answered = (code: KubeFaultCode, retryAfterMs?: number): KubeFault =>
  new KubeFault(code, 'failed', retryAfterMs === undefined ? {} : { retryAfterMs });

describe('a request that failed', () => {
  const never = undefined;
  it.each<{ name: string; error: unknown; read: number | undefined; write: number | undefined }>([
    { name: 'for want of a connection', error: lost('connect', 'ECONNREFUSED'), read: 50, write: 50 },
    { name: 'unlooked at', error: lost('refused'), read: 50, write: 50 },
    { name: 'with its connection', error: lost('broken', 'ECONNRESET'), read: 0, write: never },
    { name: 'at the wish of its caller', error: lost('aborted'), read: never, write: never },
    { name: 'for a certificate', error: lost('connect', 'CERT_HAS_EXPIRED'), read: never, write: never },
    { name: 'for a host that does not exist', error: lost('connect', 'ENOTFOUND'), read: never, write: never },
    {
      name: 'for its configuration',
      error: new TransportError('connect', 'x', { cause: new ConfigError('x') }),
      read: never,
      write: never,
    },
    { name: 'half-way through the answer', error: new BodyError('cut', { cut: true }), read: 50, write: never },
    { name: 'for an answer that is too large', error: new BodyError('large', { cut: false }), read: never, write: never },
    { name: 'with 429', error: answered('throttled'), read: 50, write: 50 },
    { name: 'with 429 and a wait', error: answered('throttled', 2_000), read: 2_050, write: 2_050 },
    { name: 'with 429 and a long wait, which is the caller to make', error: answered('throttled', 5_001), read: never, write: never },
    { name: 'with 503', error: answered('unavailable'), read: 50, write: never },
    { name: 'with an outcome nobody knows', error: answered('unknownOutcome'), read: never, write: never },
    { name: 'with 409', error: answered('conflict'), read: never, write: never },
    { name: 'with 403', error: answered('forbidden'), read: never, write: never },
    { name: 'with 401', error: answered('unauthorized'), read: never, write: never },
  ])('$name goes again after $read ms if it reads, $write ms if it writes', ({ error, read, write }) => {
    expect(retryWaitMs(error, false, 1, 0.5)).toBe(read);
    expect(retryWaitMs(error, true, 1, 0.5)).toBe(write);
  });

  it('waits anywhere below a limit that doubles up to 5 s', () => {
    const waits = (jitter: number): unknown[] =>
      [1, 2, 3, 6, 7, 20].map((failures) => retryWaitMs(lost('refused'), true, failures, jitter));
    expect(waits(1)).toEqual([100, 200, 400, 3_200, 5_000, 5_000]);
    expect(waits(0)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('the budget of all retries', () => {
  const takeAll = (budget: RetryBudget): number => {
    let taken = 0;
    while (budget.take()) taken += 1;
    return taken;
  };

  it('is ten, however many requests fail', () => {
    const budget = new RetryBudget();
    expect(takeAll(budget)).toBe(10);
    expect(budget.take()).toBe(false);
  });

  it('gets one back for ten successes, and is never more than ten', () => {
    const budget = new RetryBudget();
    takeAll(budget);
    for (let success = 0; success < 31; success += 1) budget.succeeded();
    expect(takeAll(budget)).toBe(3);
    for (let success = 0; success < 1_000; success += 1) budget.succeeded();
    expect(takeAll(budget)).toBe(10);
  });
});
