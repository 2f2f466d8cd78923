import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../src/kube/faults.ts';
import type { KubeClient } from '../../src/kube-client/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { FaultProxy } from '../../src/testbed/fault-proxy/fault-proxy.ts';
import { type Fault, faultText } from '../../src/testbed/fault-proxy/faults.ts';
import { createFastClock } from '../support/fast-clock.ts';
import { clientOf, configMaps, namespace, nextName, useFaultyCluster } from './setup.ts';

const cluster = useFaultyCluster();

interface Row {
  readonly fault: Fault;
  /** `ok`: the caller notices nothing. */
  readonly outcome: 'ok' | KubeFaultCode;
  /** Only for new connections. */
  readonly cold?: boolean;
  /** How much faster the client's clock runs. */
  readonly speed?: number;
  readonly timeoutMs?: number;
}

async function outcomeOf(work: Promise<unknown>): Promise<'ok' | KubeFaultCode> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    if (error instanceof KubeFault) return error.code;
    throw error;
  }
}

describe.each(['h2', 'http/1.1'] as const)('a client over %s', (protocol) => {
  let proxy: FaultProxy;
  let kube: KubeClient;
  beforeEach(async () => {
    proxy = await cluster.startProxy({ protocol });
  });
  afterEach(async () => {
    kube.close();
    await proxy.close();
  });

  /** A client whose connection is open, unless it is to make one. */
  const start = async (row: Row): Promise<void> => {
    kube = clientOf(proxy, row.speed === undefined ? systemClock : createFastClock(row.speed));
    if (row.cold !== true) await kube.list(configMaps, { namespace });
  };
  const limitsOf = (row: Row): { readonly timeoutMs?: number } => (row.timeoutMs === undefined ? {} : { timeoutMs: row.timeoutMs });
  const create = (client: KubeClient, name: string): Promise<unknown> => client.create(configMaps, { metadata: { namespace, name } });
  const exists = async (name: string): Promise<boolean> =>
    (await outcomeOf(cluster.direct().get(configMaps, { namespace, name }))) === 'ok';

  describe('reads in spite of one', () => {
    it.each<Row & { text: string }>(
      (
        [
          { fault: { name: 'delay' } },
          { fault: { name: 'reset', variant: 'connection' } },
          { fault: { name: 'reset', variant: 'stream' } },
          ...(protocol === 'h2' ? [{ fault: { name: 'half-open', variant: 'connection' }, speed: 10 }] : []),
          { fault: { name: 'truncated-body', variant: 'cut' } },
          { fault: { name: 'throttle', variant: 'retry-after' } },
          { fault: { name: 'throttle', variant: 'bare' } },
          { fault: { name: 'error-before', variant: '503' } },
          { fault: { name: 'error-before', variant: '500' } },
          { fault: { name: 'error-after', variant: 'reset' } },
          { fault: { name: 'error-after', variant: '504' } },
          { fault: { name: 'error-after', variant: '500' } },
          { fault: { name: 'goaway', variant: 'graceful' } },
          { fault: { name: 'goaway', variant: 'refusing' } },
          { fault: { name: 'goaway', variant: 'abrupt' } },
          { fault: { name: 'slow-bytes' } },
        ] as Omit<Row, 'outcome'>[]
      ).map((row) => ({ ...row, outcome: 'ok', text: faultText(row.fault) })),
    )('$text', async (row) => {
      const name = nextName('read');
      await create(cluster.direct(), name);
      await start(row);
      proxy.setRules([{ fault: row.fault, match: { verb: 'get' }, times: 1 }]);
      const read = await kube.get(configMaps, { namespace, name });
      expect(read.metadata?.name).toBe(name);
      expect(proxy.stats().faults).toEqual({ [row.fault.name]: 1 });
    });
  });

  it('waits as long as Retry-After asks, and asks no more when that is long', async () => {
    await start({ fault: { name: 'throttle' }, outcome: 'ok' });
    proxy.setRules([{ fault: { name: 'throttle', ms: 1_000 }, times: 1 }]);
    const startedMs = performance.now();
    await kube.list(configMaps, { namespace });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(1_000);

    proxy.setRules([{ fault: { name: 'throttle', ms: 60_000 } }]);
    const before = proxy.stats().requests;
    await expect(kube.list(configMaps, { namespace })).rejects.toMatchObject({ code: 'throttled', retryAfterMs: 60_000 });
    expect(proxy.stats().requests).toBe(before + 1);
  });

  describe('tells a read that cannot succeed by its fault, and reads again once the cause is gone', () => {
    it.each<Row & { text: string }>(
      (
        [
          { fault: { name: 'delay', ms: 600 }, timeoutMs: 200, outcome: 'timeout' },
          { fault: { name: 'reset', variant: 'connection' }, outcome: 'unreachable' },
          { fault: { name: 'half-open', variant: 'connection' }, timeoutMs: 300, outcome: 'timeout' },
          { fault: { name: 'half-open', variant: 'request' }, timeoutMs: 300, outcome: 'timeout' },
          { fault: { name: 'half-open', variant: 'stream' }, timeoutMs: 300, outcome: 'timeout' },
          { fault: { name: 'truncated-body', variant: 'cut' }, outcome: 'unreadable' },
          { fault: { name: 'truncated-body', variant: 'end' }, outcome: 'unreadable' },
          { fault: { name: 'throttle', ms: 60_000 }, outcome: 'throttled' },
          { fault: { name: 'error-before' }, outcome: 'unavailable' },
          { fault: { name: 'bad-json' }, outcome: 'unreadable' },
          { fault: { name: 'slow-bytes', ms: 200 }, timeoutMs: 300, outcome: 'timeout' },
          { fault: { name: 'wrong-certificate' }, cold: true, outcome: 'unreachable' },
          { fault: { name: 'refuse' }, outcome: 'unreachable' },
        ] satisfies Row[]
      ).map((row) => ({ ...row, text: `${faultText(row.fault)}: ${row.outcome}` })),
    )('$text', async (row) => {
      await start(row);
      proxy.setRules([{ fault: row.fault, match: { verb: 'list' } }]);
      expect(await outcomeOf(kube.list(configMaps, { namespace, ...limitsOf(row) }))).toBe(row.outcome);
      proxy.setRules([]);
      expect(await outcomeOf(kube.list(configMaps, { namespace }))).toBe('ok');
    });
  });

  describe('never writes twice, and tells what may have happened', () => {
    it.each<Row & { text: string; applied: boolean }>(
      (
        [
          { fault: { name: 'delay' }, outcome: 'ok', applied: true },
          { fault: { name: 'reset', variant: 'connection' }, outcome: 'unknownOutcome', applied: false },
          { fault: { name: 'reset', variant: 'stream' }, outcome: 'unknownOutcome', applied: false },
          { fault: { name: 'half-open', variant: 'connection' }, speed: 10, timeoutMs: 8_000, outcome: 'unknownOutcome', applied: false },
          { fault: { name: 'half-open', variant: 'request' }, timeoutMs: 300, outcome: 'unknownOutcome', applied: false },
          { fault: { name: 'half-open', variant: 'stream' }, timeoutMs: 500, outcome: 'unknownOutcome', applied: true },
          { fault: { name: 'truncated-body', variant: 'cut' }, outcome: 'unknownOutcome', applied: true },
          // Answered with success: it happened, though what became of it cannot be read.
          { fault: { name: 'truncated-body', variant: 'end' }, outcome: 'unreadable', applied: true },
          { fault: { name: 'bad-json' }, outcome: 'unreadable', applied: true },
          { fault: { name: 'throttle', variant: 'retry-after' }, outcome: 'ok', applied: true },
          { fault: { name: 'throttle', variant: 'bare' }, outcome: 'ok', applied: true },
          { fault: { name: 'error-before', variant: '503' }, outcome: 'unavailable', applied: false },
          { fault: { name: 'error-after', variant: 'reset' }, outcome: 'unknownOutcome', applied: true },
          { fault: { name: 'error-after', variant: '504' }, outcome: 'unknownOutcome', applied: true },
          // A 5xx says that the caller is to look again; its answer is no proof of either.
          { fault: { name: 'error-after', variant: '500' }, outcome: 'unavailable', applied: true },
          { fault: { name: 'goaway', variant: 'graceful' }, outcome: 'ok', applied: true },
          ...(protocol === 'h2' ? [{ fault: { name: 'goaway', variant: 'refusing' }, outcome: 'ok', applied: true }] : []),
          { fault: { name: 'goaway', variant: 'abrupt' }, outcome: 'unknownOutcome', applied: false },
          { fault: { name: 'slow-bytes' }, outcome: 'ok', applied: true },
          { fault: { name: 'wrong-certificate' }, cold: true, outcome: 'unreachable', applied: false },
        ] as (Row & { applied: boolean })[]
      ).map((row) => ({ ...row, text: `${faultText(row.fault)}: ${row.outcome}, ${row.applied ? 'applied' : 'not applied'}` })),
    )('$text', async (row) => {
      const name = nextName('write');
      await start(row);
      proxy.setRules([{ fault: row.fault, match: { verb: 'create' }, times: 1 }]);
      const work = kube.create(configMaps, { metadata: { namespace, name } }, limitsOf(row));
      expect(await outcomeOf(work)).toBe(row.outcome);
      expect(await exists(name)).toBe(row.applied);
      expect(proxy.stats().faults).toEqual({ [row.fault.name]: 1 });
      expect(await outcomeOf(create(kube, nextName('write')))).toBe('ok');
    });
  });
});
